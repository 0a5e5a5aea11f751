// The picture of an array: its numbers as pixels, or as cells where there are few; each leads to its derivation.

import { abs, countOf, floor, max, min } from "./numbers.js";
import { make, short, full, sizes, symbol, labelOf, what, say, toolButton } from "./dom.js";
import { coloursOf } from "./colours.js";
import { tilesOf, sizeOf, indexAt, whereIs, paint } from "./tiles.js";

const CELLS_FEW = 48; // numbers that are written into their cells
const PICTURE_ZOOM = 32, PICTURE_WIDE = 460, PICTURE_HIGH = 340; // CSS pixels of a picture

export class TensorElement extends HTMLElement {
  // given: {replay, step, name, sample, caption, help}; of numbers that are made here: also {tiles, summary, place}.
  set view(given) {
    const { replay, step, name, sample } = given, { shape } = given.tiles ? given : replay.array(step, name);
    const isOfSamples = !given.tiles && replay.isOfSamples(name), own = isOfSamples ? shape.slice(1) : shape;
    Object.assign(this, { replay, step, name, sample, own, at: -1, canvas: null, mark: null });
    this.summary = given.summary ?? replay.summary(step, name, isOfSamples ? sample : null);
    this.tiles = given.tiles ?? tilesOf(replay, step, name, sample);
    this.place = given.place ?? ((index) => ({ step, name, index }));
    this.scale = max(abs(this.summary.low), abs(this.summary.high));
    if (!(this.scale < Infinity)) this.scale = 0;
    const title = given.title ?? symbol(name);
    Object.assign(this, { called: title, start: isOfSamples ? sample * countOf(own) : 0 });
    this.replaceChildren();
    this.setAttribute("data-name", name ?? title);
    this.label = `${title}${given.caption ? `, ${given.caption}` : ""}`;
    const head = make("div", "head", make("span", "symbol", title), make("span", "size", sizes(own)));
    this.tools = make("span", "tools");
    this.body = make("div", "body");
    head.append(this.tools);
    this.append(head);
    if (given.caption) this.append(make("p", "caption prose", given.caption));
    this.append(this.body);
    this.isTable = false;
    this.toggle = toolButton(`${title} as a table`, "Table", () => { this.asTable(!this.isTable); say(this, "view", { step, name, view: this.isTable ? "table" : undefined }); }, true);
    this.tools.append(this.toggle);
    this.tools.append(what(given.help, title));
    if (this.summary.n <= CELLS_FEW && this.tiles.offsets.length === 1) this.drawCells(); else this.drawPicture();
    this.append(make("p", "summary", this.summaryText()));
    this.select(given.index);
  }

  summaryText() {
    const { low, high, mean, norm, n, broken } = this.summary, some = broken ? `${broken.toLocaleString("en")} NaN or infinite; ` : "";
    if (n === 1 && !broken) return "";
    if (n === broken) return some.replace("; ", "");
    return `${some}min ${short(low)}, mean ${short(mean)}, max ${short(high)}, norm ${short(norm)}`;
  }

  drawCells() {
    const { tiles, replay, scale } = this, wide = tiles.w;
    const grid = make("div", { class: this.own.length > 1 && this.tiles.h > 1 ? "cells" : "cells row", style: `--wide:${wide}`, role: "group", "aria-label": this.label });
    for (let y = 0, seen = 0; y < tiles.h; y++) for (let x = 0; x < wide && seen < tiles.n; x++, seen++) {
      const index = tiles.offsets[0] + y * tiles.sy + x * tiles.sx, value = tiles.data[index], place = this.place(index);
      const { paper, ink } = coloursOf(value, scale), label = place ? labelOf(replay, place) : `${this.label} ${seen}`;
      const cell = make(place ? "button" : "span", { class: "cell", style: `background:${paper};color:${ink}`, "data-index": index, title: `${label} = ${full(value, replay.isSingle)}` }, short(value));
      if (place) { cell.setAttribute("aria-label", `${label} = ${short(value)}`); cell.addEventListener("click", () => say(this, "go", place)); }
      grid.append(cell);
    }
    this.body.replaceChildren(grid);
  }

  drawPicture() {
    const { tiles } = this, { height, width } = sizeOf(tiles);
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.mark = make("span", { class: "mark", hidden: true });
    this.inner = make("div", "inner", this.canvas, this.mark);
    this.readout = make("output", "readout", "\u00a0");
    const stops = make("span", { class: "legend", "aria-hidden": "true" }, make("span", {}, short(-this.scale)), make("i"), make("span", {}, short(this.scale)));
    this.frame = make("div", {
      class: "frame", tabindex: "0", role: "application", "aria-roledescription": "picture of numbers",
      "aria-label": `${this.label}, ${sizes(this.own)} numbers. ${this.summaryText()}. Arrow keys read them, Enter derives one.`,
      keydown: (event) => this.keyed(event), pointermove: (event) => this.point(event), pointerleave: () => this.read(-1), click: (event) => { this.point(event); this.follow(); },
    }, this.inner);
    this.body.replaceChildren(this.frame, make("div", "under", this.readout, stops));
    this.setZoom(max(1, min(PICTURE_ZOOM, floor(PICTURE_WIDE / width), floor(PICTURE_HIGH / height) || 1)));
    const zoom = (by, label, sign) => make("button", { class: "tool zoom", "aria-label": `${label} ${this.label}`, click: () => this.setZoom(this.zoom + by) }, sign);
    if (!this.tools.querySelector(".zoom")) this.tools.prepend(zoom(-1, "Smaller:", "−"), zoom(1, "Larger:", "+"));
    paint(this.canvas, tiles, this.scale);
  }

  setZoom(zoom) {
    this.zoom = max(1, min(PICTURE_ZOOM, zoom));
    const { height, width } = sizeOf(this.tiles);
    this.canvas.style.width = `${width * this.zoom}px`;
    this.canvas.style.height = `${height * this.zoom}px`;
    if (this.index !== undefined) this.select(this.index);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    this.read(indexAt(this.tiles, floor((event.clientY - box.top) / this.zoom), floor((event.clientX - box.left) / this.zoom)));
  }

  read(index) { // say which number this is
    this.at = index;
    const place = index < 0 ? null : this.place(index), value = this.tiles.data[index];
    this.readout.textContent = index < 0 ? "\u00a0" : `${place ? labelOf(this.replay, place) : this.label} = ${full(value, this.replay.isSingle)}`;
    this.showMark(index < 0 ? this.index ?? -1 : index);
  }

  showMark(index) {
    const found = index < 0 ? null : whereIs(this.tiles, index);
    this.mark.hidden = !found;
    if (!found) return;
    const [row, column] = found, size = this.zoom;
    this.mark.style.cssText = `top:${row * size}px;left:${column * size}px;width:${size}px;height:${size}px`;
  }

  keyed(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: "first", End: "last" };
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.follow(); return; }
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const { height, width } = sizeOf(this.tiles), move = moves[event.key];
    let [row, column] = (this.at >= 0 && whereIs(this.tiles, this.at)) || [0, -1];
    if (move === "first") [row, column] = [0, 0];
    else if (move === "last") { [row, column] = [height - 1, width - 1]; while (column > 0 && indexAt(this.tiles, row, column) < 0) column--; }
    else do { row += move[0]; column += move[1]; } // over the gaps between tiles
      while (row >= 0 && column >= 0 && row < height && column < width && indexAt(this.tiles, row, column) < 0);
    const index = indexAt(this.tiles, row, column);
    if (index < 0) return;
    this.read(index);
    this.mark.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  follow() {
    const place = this.at < 0 ? null : this.place(this.at);
    if (place) say(this, "go", place);
  }

  select(index) { // mark the number whose derivation is shown
    this.index = index;
    for (const cell of this.body.querySelectorAll(".cell.here")) cell.classList.remove("here");
    if (index !== undefined) this.body.querySelector(`.cell[data-index="${index}"]`)?.classList.add("here");
    if (this.mark && !this.isTable) this.showMark(index ?? -1);
  }

  asTable(isTable) {
    this.isTable = isTable;
    this.toggle.setAttribute("aria-pressed", isTable);
    for (const button of this.tools.querySelectorAll(".zoom")) button.hidden = isTable;
    if (isTable) {
      const table = make("pellucid-table");
      this.body.replaceChildren(table);
      table.view = { replay: this.replay, title: this.called, data: this.tiles.data, shape: this.own, start: this.start, place: this.place, index: this.index };
    } else if (this.canvas) { this.drawPicture(); this.select(this.index); } else { this.drawCells(); this.select(this.index); }
  }
}
