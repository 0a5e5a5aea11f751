// Elements, numbers as text, and formulas.

import { abs } from "./numbers.js";
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

const withSign = (text) => text.replace(/-/g, "−");

// Return a number with four digits that count.
export function short(x) {
  if (x === null || x === undefined) return "";
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = abs(x);
  if (Number.isInteger(x) && size < 1e6) return withSign(String(x));
  if (size < 1e-4 || size >= 1e6) return withSign(x.toExponential(3).replace("e+", "e"));
  return withSign(String(x.toPrecision(4)).replace(/e\+?(\d+)$/, (_, n) => `e${n}`));
}

// Return a number with all digits of its type.
export function full(x, isSingle) {
  if (!Number.isFinite(x)) return short(x);
  const nearest = isSingle ? Number(x.toPrecision(9)) : x, isSmall = x !== 0 && abs(x) < 1e-4;
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

const textOf = (node) => (node?.localName === "mo" ? node.textContent : "");
const isSum = (row) => [...row.children].some((child) => /^[+−-]$/.test(textOf(child)));

// The parts of a row that a line may break between: of sums and of what has fractions; level 1: in brackets and between
// words, too; level 2: of a fraction, which is then written with a slash.
function flat(row, level, depth) {
  return [...row.children].flatMap((child) => {
    const first = textOf(child.firstElementChild), isRow = child.localName === "mrow" && depth > 0 && !child.hasAttribute("data-at"), hasParts = child.querySelector("mfrac");
    if (isRow && (hasParts || (first !== "(" && isSum(child)) || level)) {
      if (level && hasParts && first === "(") for (const mark of [child.firstElementChild, child.lastElementChild]) mark.setAttribute("minsize", "2em");
      return flat(child, level, depth - 1);
    }
    const mark = (text, kind = "mo") => { const made = document.createElementNS(MATH, kind); made.textContent = text; made.setAttribute("stretchy", "false"); return made; };
    if (level && child.localName === "mtext") return child.textContent.split(/(?=\u00a0)/).map((word) => mark(word, "mtext"));
    if (level < 2 || child.localName !== "mfrac") return [child];
    const side = (node) => (node.localName === "mrow" && !node.hasAttribute("data-at") ? [mark("("), ...flat(node, level, depth), mark(")")] : [node]), [above, below] = child.children;
    return [...side(above), mark("/"), ...side(below)];
  });
}

// Draw MathML as many small formulas: a span for each part between spaces, which breaks before a second =, in a sum before
// + and −, and between factors where one is a fraction.
function drawBroken(found, math, level) {
  const top = math.children.length === 1 && math.firstElementChild.localName === "mrow" ? math.firstElementChild : math;
  let part, row, equals, before;
  for (const child of flat(top, level, level ? 9 : 2)) {
    const sign = textOf(child), isSpace = child.localName === "mspace", isAfter = before && (!textOf(before) || /[)|]/.test(textOf(before))), isSign = /^[=+−·⋅/-]$/.test(sign);
    if (!part || isSpace) { found.append(part = make("span")); row = before = null; equals = 0; }
    if (isSpace) continue;
    const isBreak = isSign ? isAfter && (sign === "=" ? equals++ : level > 1 || !/[·⋅/]/.test(sign) || child.nextSibling?.querySelector("mfrac")) : level && (textOf(before) === "," || (child.localName === "mtext" && before));
    if (isSign && (isBreak || !isAfter)) child.setAttribute("form", isBreak ? "infix" : "prefix");
    if (!row || isBreak) {
      const each = document.createElementNS(MATH, "math");
      each.setAttribute("displaystyle", "true");
      each.append(row = document.createElementNS(MATH, "mrow"));
      part.append(each);
    }
    row.append(before = child);
  }
}

// Return a formula, perhaps with a replay's numbers put in, that breaks into lines as it is narrow. Over each number that
// stands for a place lies a button: inside of MathML it would be none to a screen reader.
export function brokenMath(text, replay) {
  const math = mathOf(text), found = make("div", "broken");
  let covers, width, level;
  const draw = (at) => {
    level = at;
    found.replaceChildren();
    drawBroken(found, math.cloneNode(true), level);
    covers = !replay ? [] : [...found.querySelectorAll("[data-at]")].map((number) => {
      const place = placeIn(number.getAttribute("data-at")), label = `${labelOf(replay, place)} = ${short(replay.number(place))}`;
      number.setAttribute("class", "at");
      const button = make("button", { class: "cover", "data-at": number.getAttribute("data-at"), title: label, "aria-label": label, click: () => say(button, "go", place) });
      found.append(button);
      return [number, button];
    });
  };
  draw(0);
  found.fit = () => {
    if (width !== found.clientWidth && level) draw(0);
    width = found.clientWidth;
    while (level < 2 && found.scrollWidth > width) draw(level + 1);
    const { left, top } = found.getBoundingClientRect(), boxes = covers.map(([number]) => number.getBoundingClientRect());
    covers.forEach(([, button], i) => { button.style.cssText = `left:${boxes[i].left - left}px;top:${boxes[i].top - top}px;width:${boxes[i].width}px;height:${boxes[i].height}px`; });
  };
  new ResizeObserver(found.fit).observe(found);
  return found;
}
