// The curve of an activation function, with a layer's values on it, and the slope at the one that is shown.

import { abs, ceil, max, min } from "./numbers.js";
import { make, short, symbol, what, scrolled, headOf, toolButton, headCell } from "./dom.js";

const CURVE_WIDE = 260, CURVE_HIGH = 170, CURVE_EDGE = 26, CURVE_POINTS = 160, CURVE_DOTS = 200, CURVE_ROWS = 11;

export class CurveElement extends HTMLElement {
  // given: {replay, step, sample, index}; index: of the number of Z that is marked.
  set view(given) {
    Object.assign(this, given, { isTable: false });
    const { replay, step, sample } = given, own = replay.network.steps[step];
    this.f = (z) => replay.tools.ACTIVATIONS[own.activation](z, {}, 0);
    this.called = own.activation.replace(/_/g, " ");
    const { low, high } = replay.summary(step, "Z", sample), reach = max(abs(low), abs(high), 1) * 1.15;
    this.reach = Number.isFinite(reach) ? reach : 1;
    this.toggle = toolButton(`${this.called} as a table`, "Table", () => { this.isTable = !this.isTable; this.draw(); }, true);
    const head = headOf([this.toggle, what("curve", `the curve of ${this.called}`)], make("span", "symbol", `A = ${this.called}(Z)`));
    this.body = make("div", "body");
    this.replaceChildren(head, this.body);
    this.draw();
  }

  slope(z) { const h = 1e-4 * max(1, abs(z)); return (this.f(z + h) - this.f(z - h)) / (2 * h); }

  draw() {
    this.toggle.setAttribute("aria-pressed", this.isTable);
    this.body.replaceChildren(this.isTable ? this.table() : this.picture());
  }

  table() {
    const body = make("tbody");
    for (let i = 0; i < CURVE_ROWS; i++) {
      const z = this.reach * ((2 * i) / (CURVE_ROWS - 1) - 1);
      body.append(make("tr", {}, headCell("row", short(z)), make("td", {}, short(this.f(z))), make("td", {}, short(this.slope(z)))));
    }
    const head = make("tr", {}, ...["z", "a", "slope"].map((text) => headCell("col", text)));
    return scrolled(`${this.called} as a table`, "", make("table", {}, make("thead", {}, head), body));
  }

  picture() {
    const { f, reach, replay, step, sample } = this, { data, shape } = replay.array(step, "Z"), each = data.length / shape[0];
    let bottom = 0, top = 0;
    const curve = Array.from({ length: CURVE_POINTS + 1 }, (_, i) => { const z = reach * ((2 * i) / CURVE_POINTS - 1); return [z, f(z)]; });
    for (const [, a] of curve) { bottom = min(bottom, a); top = max(top, a); }
    const high = top - bottom || 1, x = (z) => CURVE_EDGE + ((z + reach) / (2 * reach)) * (CURVE_WIDE - 2 * CURVE_EDGE), y = (a) => CURVE_HIGH - CURVE_EDGE - ((a - bottom) / high) * (CURVE_HIGH - 2 * CURVE_EDGE);
    const svg = make("svg", { viewBox: `0 0 ${CURVE_WIDE} ${CURVE_HIGH}`, role: "img", "aria-label": `${this.called}: the curve from ${short(-reach)} to ${short(reach)}, with the values of this layer.` });
    svg.append(make("path", { class: "axis", d: `M${CURVE_EDGE} ${y(0)}H${CURVE_WIDE - CURVE_EDGE}M${x(0)} ${CURVE_EDGE}V${CURVE_HIGH - CURVE_EDGE}` }),
      make("path", { class: "line", d: curve.map(([z, a], i) => `${i ? "L" : "M"}${x(z).toFixed(1)} ${y(a).toFixed(1)}`).join("") }));
    for (let i = 0, by = max(1, ceil(each / CURVE_DOTS)); i < each; i += by) {
      const z = data[sample * each + i];
      if (Number.isFinite(z)) svg.append(make("circle", { class: "dot", cx: x(z).toFixed(1), cy: y(f(z)).toFixed(1), r: 2.2 }));
    }
    const z = this.index === undefined ? NaN : data[this.index];
    if (Number.isFinite(z)) {
      const slope = this.slope(z), reached = 0.35 * reach, a = f(z);
      svg.append(make("path", { class: "tangent", d: `M${x(z - reached)} ${y(a - slope * reached)}L${x(z + reached)} ${y(a + slope * reached)}` }),
        make("circle", { class: "here", cx: x(z), cy: y(a), r: 4 }));
      this.note = `z = ${short(z)}, a = ${short(a)}, slope ${short(slope)}`;
    } else this.note = "";
    svg.append(make("text", { x: CURVE_WIDE - CURVE_EDGE, y: min(CURVE_HIGH - 6, y(0) + 14), "text-anchor": "end" }, `${symbol("Z")} ${short(reach)}`), make("text", { x: x(0) + 5, y: CURVE_EDGE - 10 }, `A ${short(top)}`));
    return make("div", {}, svg, make("p", "summary", this.note));
  }
}

export const hasCurve = (replay, step) => {
  const own = replay.network.steps[step];
  if (!own?.activation || own.activation.startsWith("layer_") || !replay.tools.ACTIVATIONS[own.activation]) return false;
  return Boolean(replay.array(step, "Z"));
};
