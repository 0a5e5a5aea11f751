// The network as a graph: each step with a small picture of what it gives, or in the backward pass of the gradient.

import { abs, max, min } from "./numbers.js";
import { make, nameOf, sizes, say, what, counted, scrolled } from "./dom.js";
import { tilesOf, paint, paintPhoto } from "./tiles.js";

const NODE_WIDE = 116, NODE_HIGH = 88, NODE_ACROSS = 36, NODE_DOWN = 26, NODE_TOP = 30, NODE_THUMB = 3; // CSS pixels, and channels of a small picture

export class NetworkElement extends HTMLElement {
  set replay(replay) {
    this.given = replay;
    this.nodes = [];
    this.layOut();
    const graph = make("div", { class: "graph", style: `width:${this.width}px;height:${this.height}px` });
    this.lines = make("svg", { width: this.width, height: this.height, "aria-hidden": "true" });
    graph.append(this.lines);
    for (const node of this.nodes) {
      const name = nameOf(replay, node.step), own = typeof node.step === "number" ? replay.steps[node.step] : null;
      const kind = node.step === "input" ? node.value : own ? own.use_of ? `uses ${own.use_of}` : [own.kind, own.activation].filter((part) => part && part !== "linear").join(", ") : replay.header.kind === "prediction" ? "verdict" : replay.header.loss.title ?? replay.header.loss.name.replace(/_/g, " ");
      node.canvas = make("canvas", { "aria-hidden": "true", width: 1, height: 1 });
      node.button = make("button", { class: `node ${own ? "" : "end"}`, style: `left:${node.x}px;top:${node.y}px;width:${NODE_WIDE}px;height:${NODE_HIGH}px`, click: () => say(this, "stop", { step: node.step }) },
        make("span", "name", name), make("span", "kind", kind), node.canvas, make("span", "kind", node.shape ? sizes(node.shape) : ""));
      const remarks = this.remarksOf(node.step);
      if (remarks) node.button.append(make("span", { class: "flag", title: remarks }, "!", make("span", "hidden", ` ${remarks}`)));
      graph.append(node.button);
    }
    this.frame = scrolled(`The network: ${counted(replay.steps.length, "step")}`, "", graph);
    Object.assign(this, { left: 0, wide: 1600, here: null }); // kept, since asking for them lays out the page
    this.frame.addEventListener("scroll", () => { this.left = this.frame.scrollLeft; this.drawSeen(); });
    new ResizeObserver(([{ contentRect }]) => { this.wide = contentRect.width; if (this.here) this.centre(this.here); this.drawSeen(); }).observe(this.frame);
    this.replaceChildren(make("div", "head", make("h2", {}, "Network"), what("network", "the network")), this.frame);
    this.drawLines();
  }

  remarksOf(step) {
    const found = this.given.header.remarks.filter((remark) => remark.step === step || (remark.step === null && step === "loss"));
    return found.map(({ text }) => text).join(" ");
  }

  layOut() { // a step's column is one behind those of its sources; its row that of its first source, where it is free
    const { inputs, steps, outputs } = this.given.network, places = {}, taken = new Map();
    const put = (value, column, wanted, node) => {
      let row = wanted;
      while ((taken.get(row) ?? -1) >= column) row++;
      taken.set(row, column);
      places[value] = { column, row };
      this.nodes.push({ ...node, value, column, row });
    };
    Object.entries(inputs).forEach(([value, shape], i) => put(value, 0, i, { step: "input", shape, from: [] }));
    steps.forEach(({ from, to, shape }, step) => {
      const sources = from.map((value) => places[value]);
      put(to, 1 + max(...sources.map(({ column }) => column)), sources[0].row, { step, shape, from });
    });
    const ends = Object.values(outputs), last = 1 + max(...this.nodes.map(({ column }) => column));
    put("", last, places[ends[0]].row, { step: "loss", from: ends });
    const rows = max(...this.nodes.map(({ row }) => row)) + 1;
    for (const node of this.nodes) { node.x = 8 + node.column * (NODE_WIDE + NODE_ACROSS); node.y = NODE_TOP + node.row * (NODE_HIGH + NODE_DOWN); }
    this.byValue = Object.fromEntries(this.nodes.map((node) => [node.value, node]));
    [this.width, this.height] = [16 + (last + 1) * NODE_WIDE + last * NODE_ACROSS, NODE_TOP + rows * (NODE_HIGH + NODE_DOWN) - NODE_DOWN + 12];
  }

  drawLines() {
    const taken = new Set(this.nodes.map(({ column, row }) => `${column}/${row}`));
    for (const node of this.nodes) for (const value of node.from) {
      const from = this.byValue[value], x0 = from.x + NODE_WIDE, y0 = from.y + NODE_HIGH / 2, x1 = node.x - 5, y1 = node.y + NODE_HIGH / 2;
      let isOver = false;
      for (let column = from.column + 1; column < node.column; column++) isOver ||= taken.has(`${column}/${from.row}`);
      const top = min(from.y, node.y) - 18;
      const line = isOver ? `M${x0 - 14} ${from.y}C${x0} ${top} ${x0 + 10} ${top} ${x0 + 30} ${top}H${x1 - 24}C${x1 - 4} ${top} ${x1 + 12} ${top} ${node.x + 16} ${node.y - 5}`
        : from.row === node.row ? `M${x0} ${y0}H${x1}` : `M${x0} ${y0}C${x0 + NODE_ACROSS / 2} ${y0} ${x1 - NODE_ACROSS / 2} ${y1} ${x1} ${y1}`;
      const head = isOver ? `M${node.x + 11} ${node.y - 9}L${node.x + 16} ${node.y - 2}L${node.x + 20} ${node.y - 10}` : `M${x1 - 5} ${y1 - 4}L${x1 + 2} ${y1}L${x1 - 5} ${y1 + 4}`;
      const path = make("path", { d: line }), arrow = make("path", { d: head });
      this.lines.append(path, arrow);
      (node.lines ??= []).push(path, arrow);
    }
  }

  // Show a stop: what is computed up to it, where it is, and the small pictures.
  show({ part, step, sample, at, stops }) {
    this.sample = sample;
    const isReached = new Set(stops.slice(0, at + 1).filter((stop) => stop.part === part).map((stop) => stop.step));
    this.classList.toggle("back", part === "backward");
    for (const node of this.nodes) {
      const isHere = node.step === step, isDone = part === "forward" ? isReached.has(node.step) : true;
      node.isDone = isDone;
      node.isBack = part === "update" || (part === "backward" && isReached.has(node.step));
      node.button.className = `node${typeof node.step === "number" ? "" : " end"}${isHere ? " here" : ""}`;
      if (isHere) node.button.setAttribute("aria-current", "step"); else node.button.removeAttribute("aria-current");
      for (const line of node.lines ?? []) line.classList.toggle("on", part === "backward" || part === "update" ? node.isBack || node.step === "loss" : isDone);
      if (isHere) this.centre(node);
    }
    this.drawSeen();
  }

  centre(node) {
    const { left, wide } = this, { x } = node;
    this.here = node;
    if (x < left + 8 || x + NODE_WIDE > left + wide - 8) this.left = this.frame.scrollLeft = max(0, x - wide / 2 + NODE_WIDE / 2);
  }

  drawSeen() { // only what stands in the window
    const { left, wide } = this;
    for (const node of this.nodes) {
      if (node.x + NODE_WIDE < left - 200 || node.x > left + wide + 200) continue;
      const key = node.isDone ? `${node.isBack}/${this.sample}` : "";
      if (node.drawn === key) continue;
      node.drawn = key;
      node.canvas.style.visibility = key ? "visible" : "hidden";
      if (key) this.thumb(node);
    }
  }

  thumb({ canvas, step, value, isBack }) {
    const { given: replay, sample } = this;
    if (step === "input") {
      const number = replay.header.samples[sample]?.picture;
      if (number !== null && number !== undefined) { paintPhoto(canvas, replay.stored(number)); return; }
      step = replay.network.steps.findIndex(({ from }) => from.includes(value));
      if (step >= 0) this.small(canvas, replay, step, replay.array(step, "X") ? "X" : `X.${replay.network.steps[step].from.indexOf(value)}`);
    } else if (step === "loss") {
      const name = ["P", "Z"].map((kind) => replay.names("loss").find((each) => each.split(".")[0] === kind)).find(Boolean);
      if (name) this.small(canvas, replay, step, name);
    } else this.small(canvas, replay, step, isBack && replay.array(step, "dA") ? "dA" : "A");
  }

  small(canvas, replay, step, name) {
    if (!replay.array(step, name)) return;
    const tiles = tilesOf(replay, step, name, this.sample), n = min(NODE_THUMB, tiles.offsets.length), { low, high } = replay.summary(step, name, replay.isOfSamples(name) ? this.sample : null);
    const part = n < 2 || tiles.h * tiles.w < 2 ? { ...tiles } : { ...tiles, offsets: tiles.offsets.subarray(0, n), across: n };
    const scale = max(abs(low), abs(high));
    paint(canvas, part, scale < Infinity ? scale : 0);
    canvas.classList.toggle("strip", tiles.h === 1); // a row of units fills its box
  }
}
