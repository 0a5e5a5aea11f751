// The numbers of an array as a table, a page at a time; each leads to its derivation.

import { register, make, symbol, numberButton, counted } from "./dom.js";

const TABLE_ROWS = 12, TABLE_COLUMNS = 8, TABLE_WRAPPED = 8; // of a page; a row of numbers is wrapped

class TableElement extends HTMLElement {
  set view(given) {
    Object.assign(this, given);
    const { replay, step, name, sample } = given, { shape } = replay.array(step, name);
    const isOfSamples = replay.isOfSamples(name);
    this.own = isOfSamples ? shape.slice(1) : shape;
    const n = this.own.reduce((a, b) => a * b, 1);
    this.start = isOfSamples ? sample * n : 0;
    this.isWrapped = this.own.length < 2;
    this.n = n;
    this.columns = this.isWrapped ? Math.min(TABLE_WRAPPED, n) : this.own[this.own.length - 1];
    this.rows = Math.ceil(n / this.columns);
    const local = given.index === undefined ? 0 : given.index - this.start, row = Math.floor(local / this.columns);
    this.top = row >= 0 && row < this.rows ? row - (row % TABLE_ROWS) : 0;
    this.left = this.isWrapped ? 0 : Math.floor((local % this.columns) / TABLE_COLUMNS) * TABLE_COLUMNS;
    if (!(this.left >= 0)) this.left = 0;
    this.draw();
  }

  draw() {
    const { replay, step, name, own, rows, columns, top, left } = this, wide = Math.min(TABLE_COLUMNS, columns - left);
    const head = make("tr", {}, make("th", { scope: "col" }, this.isWrapped ? "number" : own.slice(0, -1).length > 1 ? "row, column" : "row"));
    for (let x = left; x < left + wide; x++) head.append(make("th", { scope: "col" }, this.isWrapped ? `+${x}` : String(x)));
    const body = make("tbody");
    for (let y = top; y < Math.min(top + TABLE_ROWS, rows); y++) {
      const row = make("tr", {}, make("th", { scope: "row" }, this.rowLabel(y)));
      for (let x = left; x < left + wide; x++) {
        const local = y * columns + x;
        if (local >= this.n) break;
        const place = { step, name, index: this.start + local }, button = numberButton(replay, place);
        if (place.index === this.index) button.classList.add("here");
        row.append(make("td", {}, button));
      }
      body.append(row);
    }
    const caption = make("caption", {}, `${symbol(name)}, ${counted(this.n, "number")}`);
    const scroll = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${symbol(name)} as a table` }, make("table", {}, caption, make("thead", {}, head), body));
    this.replaceChildren(scroll);
    const pages = make("div", { class: "pages" });
    this.pager(pages, "rows", "top", TABLE_ROWS, rows);
    if (!this.isWrapped) this.pager(pages, "columns", "left", TABLE_COLUMNS, columns);
    if (pages.children.length) this.append(pages);
  }

  pager(pages, kind, start, size, total) {
    if (total <= size) return;
    const move = (to) => {
      this[start] = Math.max(0, Math.min(to, Math.floor((total - 1) / size) * size));
      const label = document.activeElement?.getAttribute("aria-label");
      this.draw();
      this.querySelector(`.pages button[aria-label="${label}"]`)?.focus();
    };
    const step = (label, sign, by) => make("button", { type: "button", class: "tool", "aria-label": `${label} ${kind}`, on: { click: () => move(this[start] + by) } }, sign);
    const field = make("input", { type: "number", min: 0, max: total - 1, value: this[start], "aria-label": `First of the ${kind} shown`, on: { change: () => { const at = Number(field.value) || 0; move(at - (at % size)); } } });
    pages.append(make("span", {}, `${kind} `), step("Previous", "\u2039", -size), field, make("span", {}, ` to ${Math.min(this[start] + size, total) - 1} of ${total.toLocaleString("en")} `), step("Next", "\u203a", size));
  }

  rowLabel(row) {
    if (this.isWrapped) return String(row * this.columns);
    const found = [], outer = this.own.slice(0, -1);
    for (let axis = outer.length - 1; axis >= 0; axis--) { found.unshift(row % outer[axis]); row = Math.floor(row / outer[axis]); }
    return found.join(", ");
  }
}

export const defineTable = () => register("pellucid-table", TableElement);
