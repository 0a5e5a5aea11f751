// How a number comes from others: the formula, the numbers put in, the products one by one, and the path to here.

import { abs, floor, max, min } from "./numbers.js";
import { make, short, full, labelOf, nameOf, numberButton, brokenMath, symbol, say, what, counted, scrolled, headOf, toolButton, headCell } from "./dom.js";

const TERM_ROWS = 40; // of a page of the complete table

const rowsOf = (...rows) => make("dl", "check", ...rows.filter(Boolean).flatMap(([name, text, kind = ""]) => [make("dt", {}, name), make("dd", kind, text)]));

const verdictOf = (off, isEqual, words) => (Number.isNaN(off) ? ["the two", "NaN: cannot be compared", "bad"] : isEqual !== null && ["the two", isEqual ? words : "differ", isEqual ? "good" : "bad"]);

export class DerivationElement extends HTMLElement {
  // given: {replay, place, path, isNumbers, isOpen}; path: the places before this one
  set view({ replay, place, path, isNumbers, isOpen }) {
    const isSame = this.place && this.place.step === place.step && this.place.name === place.name && this.place.index === place.index;
    if (isSame && this.isNumbers === isNumbers) return;
    Object.assign(this, { replay, place, isNumbers, turn: (this.turn ?? 0) + 1 });
    const found = replay.tools.deriveOrSay(replay, place), value = replay.number(place), label = labelOf(replay, place);
    this.replaceChildren(this.crumbs(path, place));
    this.append(headOf([what("derivation", "the derivation"), this.closer()], make("h2", { tabindex: "-1" }, place.name === "value" ? "The loss" : `${label} of ${place.step === "loss" ? "the loss" : nameOf(replay, place.step)}`)));
    this.append(make("p", "value", full(value, replay.isSingle)));
    if (found && !found.reason) {
      if (found.formula && !isNumbers) this.append(this.block("Formula", brokenMath(found.formula), ...found.keys.slice(1).map((key) => brokenMath(replay.header.formulas[key]))));
      if (found.filled) this.append(this.block(isNumbers ? "" : "With the numbers put in", brokenMath(found.filled, replay)));
      this.append(this.check(found, place));
      if (found.note) this.append(make("p", "note", found.note));
    } else this.append(make("p", "note", found?.reason ?? this.givenText(place)));
    this.difference = make("div", "difference");
    this.append(this.difference);
    this.startDifference();
    this.terms = found?.terms ?? null;
    if (this.terms?.n > 1) this.append(this.termsTable(isOpen));
    this.append(this.links(place));
    this.classList.remove("broad");
    this.classList.toggle("broad", [...this.querySelectorAll(".formula")].some((each) => each.scrollWidth > each.clientWidth));
  }

  givenText({ step, name }) {
    const { words } = this.replay.header.help, base = name.split(".")[0];
    return words[`given ${step === "loss" ? "loss" : base}`] ?? words[/^([AZ]|d.*)$/.test(base) ? "no rule" : "given"];
  }

  crumbs(path, place) {
    const list = make("ol");
    path.forEach((each, i) => list.append(make("li", {}, make("button", { class: "crumb", click: () => say(this, "back", i) }, `${labelOf(this.replay, each)}`))));
    list.append(make("li", { "aria-current": "true" }, labelOf(this.replay, place)));
    return make("nav", { "aria-label": "Path of the derivation" }, list);
  }

  closer() { return toolButton("Close the derivation", "×", () => say(this, "close")); }

  block(title, ...math) {
    const scroll = scrolled(title || "Numbers put in", "formula", ...math);
    return make("section", {}, title ? make("h3", {}, title) : null, scroll);
  }

  check({ computed, stored, isEqual }, { step, name }) {
    const { isSingle } = this.replay, { product, sum, scaled, by } = (name === "value" ? null : this.replay.given(step, name)) ?? {}, of = product ?? sum;
    if (of || scaled) return rowsOf(["computed here", full(computed, isSingle)], ["stored", `not stored: computed from ${of ? of.map(symbol).join(" and ") : `${symbol(scaled)}, times ${short(by)}`}`]);
    return rowsOf(["computed here", full(computed, isSingle)], ["stored", full(stored, isSingle)], verdictOf(computed + stored, isEqual, "equal but for rounding"));
  }

  startDifference() {
    const { replay, place, turn, difference } = this, head = () => make("h3", {}, "Central difference ", what("difference", "the central difference"));
    if (!replay.tools.difference || replay.header.kind === "prediction" || replay.header.loss.value === null || place.name === "value") return;
    difference.replaceChildren(head(), make("p", { class: "muted", role: "status" }, "computing …"));
    const run = async () => {
      if (turn !== this.turn) return;
      let found;
      try { found = await replay.tools.difference(replay, place); } catch (error) { found = { reason: error.message }; }
      if (turn !== this.turn) return;
      if (found.reason) { difference.replaceChildren(head(), make("p", "muted", found.reason)); return; }
      const { numeric, analytic, part, h, gradient, isNear, note } = found, digits = (x) => full(Number(x.toPrecision(8)));
      const rows = rowsOf(["(L(+h) − L(−h)) / 2h", digits(numeric)], analytic !== null && [labelOf(replay, gradient), digits(analytic)], ["h", short(h)],
        part !== null && ["relative error", short(Number(part.toPrecision(2)))], verdictOf(part, isNear, "agree"));
      const of = /^(update|own|d)/.test(place.name) ? make("p", "muted", `It checks ${labelOf(replay, gradient)}${place.name.startsWith("up") ? ", which the update is made from" : ""}.`) : "";
      difference.replaceChildren(head(), of, rows, note ? make("p", "muted", note) : "");
    };
    (window.requestIdleCallback ?? setTimeout)(run);
  }

  termsTable(isOpen) {
    this.from = 0;
    this.order = null;
    this.list = make("div");
    const details = make("details", { toggle: () => { if (details.open) this.drawTerms(); say(this, "view", { ...this.place, view: details.open ? "terms" : undefined }); } }, make("summary", {}, `All ${counted(this.terms.n, "term")}`), this.list);
    if (isOpen) details.open = true;
    return details;
  }

  drawTerms() {
    const { terms, replay } = this, body = make("tbody");
    for (let at = this.from; at < min(terms.n, this.from + TERM_ROWS); at++) {
      const k = this.order ? this.order[at] : at, row = make("tr"), cell = make("td");
      terms.factors(k).forEach((factor, i) => cell.append(i ? " · " : "", factor.place ? numberButton(replay, factor.place, short(factor.value)) : short(factor.value)));
      row.append(cell, make("td", {}, short(terms.value(k))), headCell("row", terms.label ? terms.label(k) : String(k)));
      body.append(row);
    }
    const head = make("tr", {}, ...["factors", "product", "term"].map((text) => headCell("col", text)));
    const sort = make("button", { class: "tool wide", "aria-pressed": String(Boolean(this.order)), click: () => { this.order = this.order ? null : this.bySize(); this.from = 0; this.drawTerms(); } }, "Largest first");
    const pages = make("div", "pages", sort);
    const step = (label, sign, by) => toolButton(`${label} terms`, sign, () => { this.from = max(0, min(this.from + by, floor((terms.n - 1) / TERM_ROWS) * TERM_ROWS)); this.drawTerms(); });
    if (terms.n > TERM_ROWS) pages.append(step("Previous", "‹", -TERM_ROWS), make("span", {}, `${this.from + 1} to ${min(this.from + TERM_ROWS, terms.n)} of ${terms.n.toLocaleString("en")}`), step("Next", "›", TERM_ROWS));
    const label = document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent;
    this.list.replaceChildren(pages, scrolled("All terms", "", make("table", {}, make("thead", {}, head), body)));
    if (label) [...pages.querySelectorAll("button")].find((button) => (button.getAttribute("aria-label") ?? button.textContent) === label)?.focus();
  }

  bySize() {
    const { n, value } = this.terms, sizes = new Float64Array(n), order = new Uint32Array(n);
    for (let k = 0; k < n; k++) { sizes[k] = abs(value(k)); order[k] = k; }
    return order.sort((a, b) => sizes[b] - sizes[a]);
  }

  links({ step, name, index }) {
    const links = make("p", "links"), { replay } = this;
    if (step === "loss" && name === "value") return links;
    const add = (text, at) => links.append(make("button", { class: "link", click: () => say(this, "go", at) }, text), " ");
    const gradient = name.startsWith("d") || name.startsWith("update_") ? null : name.includes(".") ? name.replace(/^/, "d") : `d${name}`;
    if (gradient && replay.array(step, gradient)?.data.length > index) add("Gradient of the loss for it", { step, name: gradient, index });
    if (step !== "loss" && replay.array(step, `update_${name}`)?.data.length > index) add("Its update", { step, name: `update_${name}`, index });
    return links;
  }
}
