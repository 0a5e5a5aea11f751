// The numbers of an array as a table, a page at a time; each leads to its derivation.

import { ceil, countOf, floor, max, min } from "./numbers.js";
import { make, short, numberButton, counted, scrolled, toolButton, headCell } from "./dom.js";
import { indicesOf } from "./mathml.js";

const TABLE_ROWS = 12, TABLE_COLUMNS = 8, TABLE_WRAPPED = 8; // of a page; a row of numbers is wrapped

export class TableElement extends HTMLElement {
  // given: {replay, title, data, shape, start, place, index}: numbers from start on, of the shape of what is shown;
  // place: of a number by its index, or null
  set view(given) {
    const { title: called, ...others } = given; // "title" is HTML's own
    Object.assign(this, { ...others, called, n: countOf(given.shape) });
    const { shape, start, index, n } = this, isWrapped = shape.length < 2;
    this.isWrapped = isWrapped;
    this.columns = isWrapped ? min(TABLE_WRAPPED, n) : shape[shape.length - 1];
    this.rows = ceil(n / this.columns);
    const local = index === undefined ? 0 : index - start, row = floor(local / this.columns), isHere = row >= 0 && row < this.rows;
    this.first = isHere ? row - (row % TABLE_ROWS) : 0;
    this.left = isWrapped || !isHere ? 0 : floor((local % this.columns) / TABLE_COLUMNS) * TABLE_COLUMNS;
    this.draw();
  }

  draw() {
    const { replay, shape, data, rows, columns, first, left } = this, wide = min(TABLE_COLUMNS, columns - left);
    const head = make("tr", {}, headCell("col", this.isWrapped ? "number" : shape.length > 2 ? "row, column" : "row"));
    for (let x = left; x < left + wide; x++) head.append(headCell("col", this.isWrapped ? `+${x}` : String(x)));
    const body = make("tbody");
    for (let y = first; y < min(first + TABLE_ROWS, rows); y++) {
      const row = make("tr", {}, headCell("row", this.rowLabel(y)));
      for (let x = left; x < left + wide; x++) {
        const local = y * columns + x;
        if (local >= this.n) break;
        const index = this.start + local, place = this.place(index), cell = make("td", {}, place ? numberButton(replay, place) : short(data[index]));
        if (index === this.index) cell.firstElementChild?.classList.add("here");
        row.append(cell);
      }
      body.append(row);
    }
    const caption = make("caption", {}, `${this.called}, ${counted(this.n, "number")}`);
    const scroll = scrolled(`${this.called} as a table`, "", make("table", {}, caption, make("thead", {}, head), body));
    this.replaceChildren(scroll);
    const pages = make("div", "pages");
    this.pager(pages, "rows", "first", TABLE_ROWS, rows);
    if (!this.isWrapped) this.pager(pages, "columns", "left", TABLE_COLUMNS, columns);
    if (pages.children.length) this.append(pages);
  }

  pager(pages, kind, start, size, total) {
    if (total <= size) return;
    const move = (to) => {
      this[start] = max(0, min(to, floor((total - 1) / size) * size));
      const label = document.activeElement?.getAttribute("aria-label");
      this.draw();
      this.querySelector(`.pages button[aria-label="${label}"]`)?.focus();
    };
    const step = (label, sign, by) => toolButton(`${label} ${kind}`, sign, () => move(this[start] + by));
    const field = make("input", { type: "number", min: 0, max: total - 1, value: this[start], "aria-label": `First of the ${kind} shown`, change: () => { const at = Number(field.value) || 0; move(at - (at % size)); } });
    pages.append(make("span", {}, `${kind} `), step("Previous", "‹", -size), field, make("span", {}, ` to ${min(this[start] + size, total) - 1} of ${total.toLocaleString("en")} `), step("Next", "›", size));
  }

  rowLabel(row) {
    if (this.isWrapped) return String(row * this.columns);
    return indicesOf(this.shape.slice(0, -1), row).join(", ");
  }
}
