// How a number comes from others: the formula, the numbers put in, the products one by one, and the path to here.

import { register, make, short, full, labelOf, nameOf, numberButton, mathOf, filledMath, say, what, counted, scrolled, headOf } from "./dom.js";

const TERM_ROWS = 40; // of a page of the complete table

class DerivationElement extends HTMLElement {
  // given: {replay, place, path, isNumbers, isOpen}; path: the places before this one
  set view({ replay, place, path, isNumbers, isOpen }) {
    const isSame = this.place && this.place.step === place.step && this.place.name === place.name && this.place.index === place.index;
    if (isSame && this.isNumbers === isNumbers) return;
    Object.assign(this, { replay, place, isNumbers, turn: (this.turn ?? 0) + 1 });
    const found = replay.tools.derive?.(replay, place) ?? null, value = replay.number(place), label = labelOf(replay, place);
    const data = place.name === "value" ? null : replay.array(place.step, place.name).data;
    this.replaceChildren(this.crumbs(path, place));
    this.append(headOf([what("derivation", "the derivation"), this.closer()], make("h2", { tabindex: "-1" }, place.name === "value" ? "The loss" : `${label} of ${place.step === "loss" ? "the loss" : nameOf(replay, place.step)}`)));
    this.append(make("p", "value", full(value, data)));
    if (found) {
      if (found.formula && !isNumbers) this.append(this.block("Formula", mathOf(found.formula)));
      if (found.filled) this.append(this.block(isNumbers ? "" : "With the numbers put in", filledMath(found.filled, replay)));
      this.append(this.check(found, data));
      if (found.note) this.append(make("p", "note", found.note));
    } else this.append(make("p", "note", this.givenText(place)));
    this.difference = make("div", "difference");
    this.append(this.difference);
    this.startDifference();
    this.terms = found?.terms ?? null;
    if (this.terms?.n > 1) this.append(this.termsTable(isOpen));
    this.append(this.links(place));
  }

  givenText({ step, name }) {
    if (step === "loss") return "A given number: the target, or what the loss was told.";
    const base = name.split(".")[0];
    return base === "X" ? "A given number: the network's input." : base === "mask" ? "A given number: drawn at random for this step."
      : base === "A" || base === "Z" || base.startsWith("d") ? "This page has the value, and no rule for how it came about."
        : "A given number: what the network had learned before this step.";
  }

  crumbs(path, place) {
    const list = make("ol");
    path.forEach((each, i) => list.append(make("li", {}, make("button", { class: "crumb", on: { click: () => say(this, "back", i) } }, `${labelOf(this.replay, each)}`))));
    list.append(make("li", { "aria-current": "true" }, labelOf(this.replay, place)));
    return make("nav", { "aria-label": "Path of the derivation" }, list);
  }

  closer() { return make("button", { class: "tool", "aria-label": "Close the derivation", on: { click: () => say(this, "close") } }, "\u00d7"); }

  block(title, math) {
    const scroll = scrolled(title || "Numbers put in", "formula", math);
    return make("section", {}, title ? make("h3", {}, title) : null, scroll);
  }

  check({ computed, stored, isEqual }, data) {
    const rows = make("dl", "check", make("dt", {}, "computed here"), make("dd", {}, full(computed)), make("dt", {}, "stored"), make("dd", {}, full(stored, data)));
    if (isEqual !== null && isEqual !== undefined) rows.append(make("dt", {}, "the two"), make("dd", { class: isEqual ? "good" : "bad" }, isEqual ? "equal but for rounding" : "differ"));
    return rows;
  }

  startDifference() {
    const { replay, place, turn, difference } = this, head = () => make("h3", {}, "Central difference ", what("difference", "the central difference"));
    if (!replay.tools.difference || replay.header.kind === "prediction" || replay.header.loss.value === null) return;
    difference.replaceChildren(head(), make("p", { class: "muted", role: "status" }, "computing \u2026"));
    const run = async () => {
      if (turn !== this.turn) return;
      let found;
      try { found = await replay.tools.difference(replay, place); } catch (error) { found = { reason: error.message }; }
      if (turn !== this.turn) return;
      if (found.reason) { difference.replaceChildren(head(), make("p", "muted", found.reason)); return; }
      const rows = make("dl", "check", make("dt", {}, "(L(+h) \u2212 L(\u2212h)) / 2h"), make("dd", {}, short(found.numeric)));
      if (found.analytic !== null) rows.append(make("dt", {}, "gradient"), make("dd", {}, short(found.analytic)));
      rows.append(make("dt", {}, "h"), make("dd", {}, short(found.h)));
      if (found.isNear !== null) rows.append(make("dt", {}, "the two"), make("dd", { class: found.isNear ? "good" : "bad" }, found.isNear ? "agree" : "differ"));
      difference.replaceChildren(head(), rows, found.note ? make("p", "muted", found.note) : "");
    };
    (window.requestIdleCallback ?? setTimeout)(run);
  }

  termsTable(isOpen) {
    this.from = 0;
    this.order = null;
    this.list = make("div");
    const details = make("details", { on: { toggle: () => { if (details.open) this.drawTerms(); say(this, "view", { ...this.place, view: details.open ? "terms" : undefined }); } } }, make("summary", {}, `All ${counted(this.terms.n, "term")}`), this.list);
    if (isOpen) details.open = true;
    return details;
  }

  drawTerms() {
    const { terms, replay } = this, body = make("tbody");
    for (let at = this.from; at < Math.min(terms.n, this.from + TERM_ROWS); at++) {
      const k = this.order ? this.order[at] : at, row = make("tr"), cell = make("td");
      terms.factors(k).forEach((factor, i) => cell.append(i ? " \u00b7 " : "", factor.place ? numberButton(replay, factor.place, short(factor.value)) : short(factor.value)));
      row.append(cell, make("td", {}, short(terms.value(k))), make("th", { scope: "row" }, terms.label ? terms.label(k) : String(k)));
      body.append(row);
    }
    const head = make("tr", {}, ...["factors", "product", "term"].map((text) => make("th", { scope: "col" }, text)));
    const sort = make("button", { class: "tool wide", "aria-pressed": String(Boolean(this.order)), on: { click: () => { this.order = this.order ? null : this.bySize(); this.from = 0; this.drawTerms(); } } }, "Largest first");
    const pages = make("div", "pages", sort);
    const step = (label, sign, by) => make("button", { class: "tool", "aria-label": `${label} terms`, on: { click: () => { this.from = Math.max(0, Math.min(this.from + by, Math.floor((terms.n - 1) / TERM_ROWS) * TERM_ROWS)); this.drawTerms(); } } }, sign);
    if (terms.n > TERM_ROWS) pages.append(step("Previous", "\u2039", -TERM_ROWS), make("span", {}, `${this.from + 1} to ${Math.min(this.from + TERM_ROWS, terms.n)} of ${terms.n.toLocaleString("en")}`), step("Next", "\u203a", TERM_ROWS));
    const label = document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent;
    this.list.replaceChildren(pages, scrolled("All terms", "", make("table", {}, make("thead", {}, head), body)));
    if (label) [...pages.querySelectorAll("button")].find((button) => (button.getAttribute("aria-label") ?? button.textContent) === label)?.focus();
  }

  bySize() {
    const { n, value } = this.terms, sizes = new Float64Array(n), order = new Uint32Array(n);
    for (let k = 0; k < n; k++) { sizes[k] = Math.abs(value(k)); order[k] = k; }
    return order.sort((a, b) => sizes[b] - sizes[a]);
  }

  links({ step, name, index }) {
    const links = make("p", "links"), { replay } = this;
    if (step === "loss" && name === "value") return links;
    const add = (text, at) => links.append(make("button", { class: "link", on: { click: () => say(this, "go", at) } }, text), " ");
    const gradient = name.startsWith("d") || name.startsWith("update_") ? null : name.includes(".") ? name.replace(/^/, "d") : `d${name}`;
    if (gradient && replay.array(step, gradient)?.data.length > index) add("Gradient of the loss for it", { step, name: gradient, index });
    if (step !== "loss" && replay.array(step, `update_${name}`)?.data.length > index) add("Its update", { step, name: `update_${name}`, index });
    return links;
  }
}

export const defineDerivation = () => register("pellucid-derivation", DerivationElement);
