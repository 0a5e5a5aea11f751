// One stop: what a layer takes, has, computes, passes back and how it changes, as pictures and numbers.

import { floor, max } from "./numbers.js";
import { indicesOf } from "./mathml.js";
import { partOf } from "./store.js";
import { make, brokenMath, symbol, what, sizes, scrolled, headOf, toolButton, headCell } from "./dom.js";
import { ownerOf } from "./stops.js";
import { hasCurve } from "./curve.js";
import { paintPhoto } from "./tiles.js";

const STOP_FORMULAS = { forward: ["Z", "A"], backward: ["dA", "dZ", "dW", "db", "dgamma", "dbeta", "dX"], update: ["update_W", "update_b", "update_gamma", "update_beta"] };

function captionOf(replay, { step, name }) {
  const [base, part] = name.split(/\.(.*)/), { words } = replay.header.help, kind = base.match(/^(update|new|memory|own)_/)?.[1];
  if (step === "loss" && base.endsWith("Z")) return words[`loss ${base}`];
  if (kind) return words[kind].replace("NAME", symbol(base.slice(7)));
  if (base in words) return words[base] + (part !== undefined && !/^\d+$/.test(part) ? `, ${part}` : "");
  return base.startsWith("d") ? `gradient for ${symbol(base.slice(1))}` : words.array;
}

const helpKey = (replay, name) => {
  const base = name.split(".")[0];
  for (const key of [base, base.replace(/_.*/, ""), base.startsWith("d") ? "d" : "array"]) if (replay.header.help[key]) return key;
  return "array";
};

export class LayerElement extends HTMLElement {
  // given: {replay, part, step, sample, isNumbers}
  set view(given) {
    const { replay, part, step, sample, isNumbers } = given;
    Object.assign(this, { replay, step, sample, isNumbers, now: part, tensors: new Map(), unit: null, curve: null, unitKey: "" }); // "part" is HTML's own
    this.replaceChildren();
    if (step === "input") this.drawInput();
    else if (step === "loss") this.drawLoss();
    else this.drawStep(replay.steps[step], part);
  }

  drawStep(own, part) {
    const { replay, step, isNumbers } = this, net = replay.network.steps[step];
    this.append(headOf([what(replay.header.help[own.kind] ? own.kind : "layer", own.kind)], make("h2", {}, own.name), make("span", "kind", own.title ?? own.kind)));
    if (own.use_of) this.append(make("p", "note", replay.header.help.words["further use"].replace("NAME", own.use_of)));
    if (own.is_frozen) this.append(make("p", "note", "It is frozen: its parameters stay as they are."));
    if (net.do === null) this.append(make("p", "note", replay.header.help.words["own layer"]));
    this.remarks(step);
    if (!isNumbers) { this.formulas(part); this.append(make("p", "prose", this.lead(part, own))); }
    this.figures(this.groupsFor(part));
    if (part === "forward" && !isNumbers && hasCurve(replay, step)) {
      this.curve = make("pellucid-curve");
      this.row.append(this.curve);
      this.drawCurve(undefined);
    }
    this.unit = make("section", "unit");
    this.append(this.unit);
  }

  lead(part, { name }) {
    return this.replay.header.help.words[part === "update" ? "updates" : part].replace("NAME", part === "update" ? this.replay.header.optimizer?.type : name);
  }

  // What stands in a row of its own: [title, names or places] each.
  groupsFor(part) {
    const { replay, step } = this, all = replay.names(step), owner = ownerOf(replay, step), own = all.filter((name) => partOf(step, name) === part);
    const base = (name) => name.split(".")[0], among = (...names) => own.filter((name) => names.includes(base(name)));
    if (part === "forward") {
      const shared = owner === step ? [] : replay.names(owner).filter((name) => !all.includes(name) && !replay.isOfSamples(name) && partOf(owner, name) === "forward");
      const middle = own.filter((name) => !["X", "Z", "A"].includes(base(name)));
      return [["Input", among("X")], ["Parameters", [...middle, ...shared.map((name) => ({ step: owner, name }))]], ["Output", among("Z", "A")]];
    }
    if (part === "backward") {
      const ends = ["dA", "dZ", "dX"];
      return [["Gradient that comes in", among("dA", "dZ")], ["Gradients for its parameters", own.filter((name) => !ends.includes(base(name)))], ["Gradient that is passed back", among("dX")]];
    }
    const moved = own.filter((name) => name.startsWith("update_")).map((name) => name.slice(7));
    const memory = (name) => own.filter((each) => each.startsWith("memory_") && each.endsWith(`_${name}`));
    return moved.map((name) => [symbol(name), [name, `d${name}`, ...memory(name), `update_${name}`, `new_${name}`].filter((each) => replay.array(step, each))]);
  }

  formulas(part) {
    const { replay, step } = this, given = replay.header.formulas, net = replay.network.steps[step], seen = new Set();
    const own = new Set(replay.names(step).map((name) => name.split(".")[0])), has = (name) => own.has(name) || (name === "Z" && own.has("A"));
    const candidates = STOP_FORMULAS[part].filter(has).flatMap((name) => this.keysOf(net, name)).filter((key) => key in given && !seen.has(key) && seen.add(key));
    if (!candidates.length) return;
    const list = scrolled("Formulas of this step", "formulas");
    for (const key of candidates) list.append(brokenMath(given[key]));
    this.append(list);
  }

  keysOf(net, name) {
    const { replay, step } = this, own = net.activation;
    if (name.startsWith("update_")) return replay.tools.deriveOrSay(replay, { step, name, index: 0 })?.keys ?? [];
    if (net.do === "conv2d" && name === "Z" && !net.weights.includes("b")) return ["conv2d_without/Z"];
    if (name === "A" && own) return [`activation/${own}`];
    if (name === "dZ" && own) return [`derivative/${own}`];
    if (name === "dA") return ["value/dA"];
    return [`${net.do}/${name}`, ...(name === "Z" ? [`${net.do}/A`] : []), ...(name === "db" ? ["layer/db"] : [])];
  }

  figures(groups) {
    const { replay, step, now } = this, filled = groups.filter(([, names]) => names.length);
    for (const [title, names] of filled) this.group(title, names);
    if (!filled.length) this.append(make("p", "muted", "This step has no arrays here."));
    const missing = step === "loss" ? [] : Object.entries(replay.steps[step].arrays).filter(([name, given]) => given === null && partOf(step, name) === now);
    for (const [name] of missing) this.leftOut(name);
  }

  group(title, names) {
    const { replay, step } = this;
    this.row = make("div", "figures");
    this.append(make("section", { class: "group", "aria-label": title }, make("h3", {}, title), this.row));
    for (const each of names) {
      const place = typeof each === "string" ? { step, name: each } : each;
      this.tensor(this.row, place, captionOf(replay, place));
    }
  }

  tensor(row, { step, name }, caption, title) {
    const { replay, sample } = this, tensor = make("pellucid-tensor");
    row.append(tensor);
    tensor.view = { replay, step, name, sample, title, caption, help: helpKey(replay, name) };
    if (this.isNumbers && tensor.canvas) tensor.asTable(true);
    this.tensors.set(`${step}/${name}`, tensor);
  }

  leftOut(name) { this.append(make("p", "note", this.replay.lacks(symbol(name)))); }

  remarks(at) { // of a step, or null for the loss
    const own = this.replay.header.remarks.filter(({ step, part }) => step === at && (part === this.now || (part === "forward" && this.now === "backward")));
    for (const { text } of own) this.append(make("p", "remark", make("strong", {}, "Remark. "), text, " ", what("remark", "a remark")));
  }

  drawInput() {
    const { replay, sample } = this, one = replay.header.samples[sample];
    this.append(headOf([what("input", "the input")], make("h2", {}, "Input"), make("span", "kind", one?.name ?? "")));
    if (!this.isNumbers) this.append(make("p", "prose", replay.header.help.input.text));
    const both = make("div", "figures");
    this.append(both);
    if (typeof one?.picture === "number") {
      const canvas = make("canvas", { class: "photo large", role: "img", "aria-label": `The sample ${one.name} in its own colours` }), array = replay.stored(one.picture);
      paintPhoto(canvas, array);
      const zoom = max(1, floor(288 / max(...array.shape.slice(0, 2))));
      canvas.style.width = `${array.shape[1] * zoom}px`;
      const body = make("div", "body", canvas), table = make("pellucid-table");
      const toggle = toolButton("Photo as a table", "Table", () => {
        const isTable = toggle.getAttribute("aria-pressed") === "false";
        toggle.setAttribute("aria-pressed", isTable);
        body.replaceChildren(isTable ? table : canvas);
        if (isTable) table.view = { replay, title: "Photo", ...array, start: 0, place: () => null };
      }, true);
      both.append(make("figure", {}, headOf([toggle, what("photo", "the photo")], make("span", "symbol", "Photo"), make("span", "size", sizes(array.shape))), body, make("p", "caption", "its pixels, 0 to 255, in their own colours")));
    }
    if (one?.columns) {
      const body = make("tbody");
      for (const [name, text] of one.columns) body.append(make("tr", {}, headCell("row", name), make("td", {}, text)));
      both.append(scrolled("The row", "", make("table", {}, make("caption", {}, one.name), body)));
    }
    for (const value of Object.keys(replay.network.inputs)) {
      const step = replay.network.steps.findIndex(({ from }) => from.includes(value));
      if (step < 0) continue;
      const name = replay.array(step, "X") ? "X" : `X.${replay.network.steps[step].from.indexOf(value)}`;
      if (!replay.array(step, name)) { this.leftOut("X"); continue; }
      this.tensor(both, { step, name }, "as the first layer takes it", Object.keys(replay.network.inputs).length > 1 ? value : "X");
    }
  }

  drawLoss() {
    const { replay, sample, isNumbers } = this, view = make("pellucid-loss");
    this.append(view);
    view.view = { replay, sample, isNumbers };
    this.remarks(null);
    this.figures([["Arrays", replay.names("loss").filter((name) => replay.array("loss", name).data.length)]]);
  }

  drawCurve(index) {
    const { replay, step, sample } = this;
    this.curve.view = { replay, step, sample, index };
  }

  // Mark a number, and show the unit or the filter that it belongs to.
  select(place) {
    for (const [key, tensor] of this.tensors) tensor.select(place && key === `${place.step}/${place.name}` ? place.index : undefined);
    if (typeof this.step !== "number" || !this.unit) return;
    const { replay, step, sample, now } = this, net = replay.network.steps[step], owner = ownerOf(replay, step), W = replay.array(owner, "W");
    const isHere = place && (place.step === step || place.step === owner) && now !== "update", base = place?.name?.split(".")[0];
    if (this.curve) this.drawCurve(isHere && ["Z", "A", "dZ", "dA"].includes(base) ? place.index : undefined);
    if (!isHere || this.isNumbers || !W || !["dense", "conv2d"].includes(net.do) || !["Z", "A", "dA", "dZ", "W", "b", "dW", "db"].includes(base) || !replay.array(step, "X")) { this.unit.replaceChildren(); this.unitKey = ""; return; }
    const { shape } = replay.array(place.step, place.name), unit = place.index % shape[shape.length - 1], isPixel = replay.isOfSamples(place.name) && shape.length === 4;
    const pixel = isPixel ? indicesOf(shape, place.index).slice(1, 3) : null, key = `${unit}/${pixel}`;
    if (key === this.unitKey) return;
    this.unitKey = key;
    const view = make(net.do === "dense" ? "pellucid-unit" : "pellucid-kernel"), kind = net.do === "dense" ? "Unit" : "Filter", last = shape[shape.length - 1] - 1;
    this.unit.replaceChildren(headOf([what(net.do === "dense" ? "unit" : "kernel", `a ${kind.toLowerCase()}`)], make("h3", {}, last ? `${kind} ${unit} (of 0 to ${last})` : `The one ${kind.toLowerCase()}`)), view);
    view.view = { replay, step, sample, unit, pixel };
  }
}
