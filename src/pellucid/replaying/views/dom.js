// Elements, numbers as text, and formulas.

import { indicesOf, placeIn, placeText } from "./mathml.js";

const MATH = "http://www.w3.org/1998/Math/MathML", SVG = "http://www.w3.org/2000/svg";
const MATH_ELEMENTS = new Set("math mi mn mo mtext mspace mrow mfrac msqrt msub msup msubsup munder mover mtable mtr mtd".split(" "));
const MATH_ATTRIBUTES = ["data-at", "class", "width"];

// Make an element; given: its attributes and listeners, or its class alone. Text is never markup.
export function make(kind, given = {}, ...children) {
  const attributes = typeof given === "string" ? { class: given } : given, isDrawn = ["svg", "path", "circle", "line", "g", "text", "rect", "title"].includes(kind);
  const made = isDrawn ? document.createElementNS(SVG, kind) : document.createElement(kind);
  if (kind === "button") made.type = "button";
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// The first line of an element: what it is, and at the right its buttons.
export const headOf = (tools, ...parts) => make("div", "head", ...parts, make("span", "tools", ...tools));

export const headCell = (scope, ...children) => make("th", { scope }, ...children);

export const toolButton = (label, sign, click, isToggle = false) => make("button", { class: "tool", "aria-label": label, "aria-pressed": isToggle && "false", click }, sign);

// What may scroll sideways is reached by the keyboard, and has a name.
export const scrolled = (label, kind, ...children) => make("div", { class: `scroll ${kind}`, tabindex: "0", role: "region", "aria-label": label }, ...children);

export function register(name, type) { // a page may do this twice
  if (!customElements.get(name)) customElements.define(name, type);
}

const withSign = (text) => text.replace(/-/g, "−");

// Return a number with four digits that count.
export function short(x) {
  if (x === null || x === undefined) return "";
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e6) return withSign(String(x));
  if (size < 1e-4 || size >= 1e6) return withSign(x.toExponential(3).replace("e+", "e"));
  return withSign(String(x.toPrecision(4)).replace(/e\+?(\d+)$/, (_, n) => `e${n}`));
}

// Return a number with all digits of its type.
export function full(x, isSingle) {
  if (!Number.isFinite(x)) return short(x);
  const nearest = isSingle ? Number(x.toPrecision(9)) : x, isSmall = x !== 0 && Math.abs(x) < 1e-4;
  return withSign((isSmall ? nearest.toExponential() : String(nearest)).replace("e+", "e"));
}

export const counted = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

export const sizes = (shape) => (shape.length ? shape.map((n) => n.toLocaleString("en")).join(" × ") : "1");

// Return a place as text, as NumPy has it: "W[3, 1]", "Z[0, 2]"; the first index of values is the sample's.
export function labelOf(replay, { step, name, index }) {
  if (step === "loss" && name === "value") return "loss";
  const array = replay.array(step, name);
  if (!array || index === undefined) return symbol(name);
  return array.shape.length ? `${symbol(name)}[${indicesOf(array.shape, index).join(", ")}]` : symbol(name);
}

// Return an array's name as it is written in a formula.
export function symbol(name) {
  const [base, part] = name.split(/\.(.*)/);
  const shown = base.startsWith("update_") ? `Δ${symbol(base.slice(7))}` : base === "value" ? "loss"
    : base.replace(/^(d?)gamma$/, "$1γ").replace(/^(d?)beta$/, "$1β").replace(/_/g, " ");
  return part === undefined ? shown : `${shown} (${/^\d+$/.test(part) ? `source ${Number(part) + 1}` : part})`;
}

export function nameOf(replay, step) {
  if (step === "loss") return "Loss";
  return step === "input" ? "Input" : replay.steps[step].name;
}

// What the outputs say of a sample, and its label.
export const verdictLine = ({ verdict, label, is_right }) => make("p", `verdict ${is_right === false ? "wrong" : ""}`, make("strong", {}, verdict),
  label === null ? "" : make("span", {}, ` label: ${label}${is_right === null ? "" : is_right ? ", right" : ", wrong"}`));

// What the step's loss is: of one sample its own, else the mean.
export const costOf = ({ header }) => (header.batch.m > 1 ? "cost (mean of the batch)" : "loss");

// The button that says what an element is.
export function what(key, title) {
  return make("button", { class: "what", "data-key": key, "aria-label": `What is this? ${title}` }, "?");
}

export function say(target, type, detail) {
  target.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
}

// A number that leads to its derivation.
export function numberButton(replay, place, text = null) {
  const value = replay.number(place);
  return make("button", {
    class: "number", "data-at": placeText(place), title: labelOf(replay, place),
    "aria-label": `${labelOf(replay, place)} = ${short(value)}`, click: (event) => say(event.currentTarget, "go", place),
  }, text ?? short(value));
}

// Return MathML that Python or a rule wrote as an element: known elements and attributes alone.
function mathOf(text) {
  const given = new DOMParser().parseFromString(text, "text/html").querySelector("math");
  if (!given) return make("span", {}, "");
  const copy = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.namespaceURI !== MATH || !MATH_ELEMENTS.has(node.localName)) return null;
    const made = document.createElementNS(MATH, node.localName);
    for (const { name, value } of node.attributes) if (MATH_ATTRIBUTES.includes(name)) made.setAttribute(name, value);
    for (const child of node.childNodes) { const found = copy(child); if (found) made.append(found); }
    return made;
  };
  const made = copy(given);
  made.setAttribute("display", "block");
  for (const row of made.querySelectorAll("mrow")) closeBrackets(row);
  return made;
}

// Put what stands in brackets into a row of its own, so that brackets are as high as that and no higher.
function closeBrackets(row) {
  const open = [], isMark = (node, mark) => node.localName === "mo" && node.textContent === mark;
  for (const child of [...row.children]) {
    if (isMark(child, "(")) open.push(child);
    if (!isMark(child, ")") || !open.length) continue;
    const first = open.pop();
    let inner = row;
    if (first !== row.firstElementChild || child !== row.lastElementChild) {
      inner = document.createElementNS(MATH, "mrow");
      first.before(inner);
      while (inner.nextSibling !== child) inner.append(inner.nextSibling);
      inner.append(child);
    }
    if (!inner.querySelector("mfrac, munder, munderover, msqrt, mtable")) for (const mark of [first, child]) mark.setAttribute("stretchy", "false");
  }
}

// Return a formula, perhaps with a replay's numbers put in, as several that a line may break between: before each = and,
// in a sum, before each + and −, at a space, and between factors where one is a fraction. Over each number that stands for a place lies a button: inside of MathML it would be none to a screen reader.
export function brokenMath(text, replay) {
  const math = mathOf(text);
  const flat = (row, depth) => [...row.children].flatMap((child) => (child.localName === "mrow" && depth > 0 && (isSum(child) || child.querySelector("mfrac")) ? flat(child, depth - 1) : [child]));
  const isSum = (row) => [...row.children].some((child) => child.localName === "mo" && ["+", "−", "-"].includes(child.textContent)) && row.firstElementChild.textContent !== "(";
  const top = math.children.length === 1 && math.firstElementChild.localName === "mrow" ? math.firstElementChild : math, lines = [[]];
  flat(top, 2).forEach((child, i) => {
    const isBreak = /^[=+−·⋅-]$/.test(child.textContent) && child.localName === "mo" && i > 0 && (!/[·⋅]/.test(child.textContent) || child.nextSibling?.querySelector("mfrac"));
    if (isBreak) child.setAttribute("form", "infix");
    if (isBreak || child.localName === "mspace") lines.push([]);
    lines[lines.length - 1].push(child);
  });
  const found = make("div", "broken");
  for (const line of lines) {
    const each = document.createElementNS(MATH, "math"), row = document.createElementNS(MATH, "mrow");
    each.setAttribute("displaystyle", "true");
    row.append(...line);
    each.append(row);
    found.append(each);
  }
  const covers = [...found.querySelectorAll("[data-at]")].map((number) => {
    const place = placeIn(number.getAttribute("data-at")), label = `${labelOf(replay, place)} = ${short(replay.number(place))}`;
    number.setAttribute("class", "at");
    const button = make("button", { class: "cover", "data-at": number.getAttribute("data-at"), title: label, "aria-label": label, click: () => say(button, "go", place) });
    found.append(button);
    return [number, button];
  });
  if (covers.length) new ResizeObserver(() => {
    const { left, top } = found.getBoundingClientRect(), boxes = covers.map(([number]) => number.getBoundingClientRect());
    covers.forEach(([, button], i) => { button.style.cssText = `left:${boxes[i].left - left}px;top:${boxes[i].top - top}px;width:${boxes[i].width}px;height:${boxes[i].height}px`; });
  }).observe(found);
  return found;
}
