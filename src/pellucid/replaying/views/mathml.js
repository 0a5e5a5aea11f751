// Expressions of numbers: each node has its value in float64, a bound of the rounding that storing its parts and
// computing it in the network's dtype makes, and MathML, in which a number that stands for a place names it.

import { abs, countOf, floor, max, sqrt } from "./numbers.js";

export const asText = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
export const placeText = ({ step, name, index }) => `${step}/${name}/${index}`;

export function placeIn(text) { // of placeText
  const [step, ...rest] = text.split("/"), index = Number(rest.pop());
  return { step: step === "loss" ? step : Number(step), name: rest.join("/"), index };
}

const SUM = 2, PRODUCT = 3, POWER = 5, ATOM = 9; // how strongly a node's parts are bound
const SHOWN_TERMS = 4;

// Return a number as text: four digits, "−" for minus, and [digits, exponent] where it is very large or small.
function digitsOf(x, digits) {
  if (Number.isNaN(x)) return ["NaN", null];
  if (!Number.isFinite(x)) return [x < 0 ? "−∞" : "∞", null];
  const [head, exponent] = Number(x).toExponential(digits - 1).split("e"), power = Number(exponent);
  const minus = (text) => text.replace("-", "−");
  const plain = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (x !== 0 && (power < -4 || power > 6)) return [minus(plain(head)), minus(String(power))];
  return [minus(plain(x === 0 ? "0" : abs(x) >= 10 ** digits ? Number(x).toFixed(0) : Number(x).toPrecision(digits))), null];
}

export function numberML(x, place = null, digits = 4) {
  const at = place === null ? "" : ` data-at="${asText(placeText(place))}"`, [head, exponent] = digitsOf(x, digits);
  if (exponent === null) return `<mn${at}>${head}</mn>`;
  return `<mrow${at}><mn>${head}</mn><mo>×</mo><msup><mn>10</mn><mn>${exponent}</mn></msup></mrow>`;
}

export const applied = (name, ml) => `<mrow><mi>${name}</mi><mo>&#x2061;</mo>${bracketed(ml)}</mrow>`;
const bracketed = (ml) => `<mrow><mo>(</mo>${ml}<mo>)</mo></mrow>`;
const inside = (node, level) => (node.level < level ? bracketed(node.ml) : node.ml);

// An array of a step, whose numbers are the leaves of expressions.
export class NumbersAt {
  constructor(step, name, { data, shape }, label = name) {
    Object.assign(this, { step, name, data, shape, label });
    this.row = countOf(shape.slice(1)); // numbers of a sample
  }

  at(index) { return new NumberAt(this, index); }
}

class NumberAt {
  constructor(of, index) {
    this.of = of;
    this.index = index;
    this.value = of.data[index];
    this.error = 0;
  }

  get level() { return this.value < 0 ? SUM : ATOM; }

  get place() { return this.of.step === null ? null : { step: this.of.step, name: this.of.name, index: this.index }; }

  get label() { return `${this.of.label}[${indicesOf(this.of.shape, this.index).join(", ")}]`; }

  get ml() { return numberML(this.value, this.place); }
}

export function indicesOf(shape, index) { // of each axis, the last one fastest
  const found = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    found.unshift(index % shape[axis]);
    index = floor(index / shape[axis]);
  }
  return found;
}

// What makes nodes; "unit" is the largest relative error of one operation in the network's dtype.
export function expressionsIn(unit) {
  const node = (value, error, ml, level, more = {}) =>
    ({ value, error: error + unit * abs(value), ml, level, place: null, label: "", ...more });
  const make = {
    unit,
    // A node of a value that is computed in another way than its MathML says; "leaf" gives its place and label.
    is: (value, error, ml, level, leaf = null) => ({ value, error, ml, level, place: leaf?.place ?? null, label: leaf?.label ?? "" }),
    number: (value, label = "") => ({ ...node(value, -unit * abs(value), numberML(value), value < 0 ? SUM : ATOM), label }),
    plus: (...parts) => node(parts.reduce((sum, part) => sum + part.value, 0), parts.reduce((sum, part) => sum + part.error, 0),
      `<mrow>${parts.map((part, i) => (!i ? part.ml : part.ofNegative ? `<mo>−</mo>${inside(part.ofNegative, SUM + 1)}` : `<mo>+</mo>${inside(part, SUM + 1)}`)).join("")}</mrow>`, SUM),
    minus: (a, b) => node(a.value - b.value, a.error + b.error, `<mrow>${a.ml}<mo>−</mo>${inside(b, SUM + 1)}</mrow>`, SUM),
    negative: (a) => node(-a.value, a.error, `<mrow><mo>−</mo>${inside(a, PRODUCT)}</mrow>`, SUM, { ofNegative: a }),
    times: (...parts) => node(...productOf(parts), `<mrow>${parts.map((part) => inside(part, PRODUCT)).join("<mo>·</mo>")}</mrow>`, PRODUCT),
    over: (a, b) => node(a.value / b.value, a.error / abs(b.value || 1) + abs(a.value / b.value) * (b.error / abs(b.value || 1)),
      `<mfrac>${a.ml}${b.ml}</mfrac>`, ATOM),
    // The sum of n numbers over n, with the sum's terms; its ml is broken more easily than that of a fraction.
    mean(sum, n) {
      const count = make.number(n), { ml, terms } = sum;
      return { ...make.over(sum, count), terms, ml: sum.level > SUM ? make.over(sum, count).ml : `<mrow><mfrac><mn>1</mn>${count.ml}</mfrac><mo>·</mo>${bracketed(ml)}</mrow>`, level: sum.level > SUM ? ATOM : PRODUCT };
    },
    root: (a) => node(sqrt(a.value), a.error / (2 * sqrt(a.value) || 1), `<msqrt>${a.ml}</msqrt>`, ATOM),
    power: (a, b) => node(a.value ** b.value, spread((x) => x ** b.value, a), `<msup>${inside(a, ATOM)}${b.ml}</msup>`, POWER),
    square: (a) => node(a.value * a.value, 2 * abs(a.value) * a.error, `<msup>${inside(a, ATOM)}<mn>2</mn></msup>`, POWER),
    call: (name, f, ...of) => node(f(...of.map((a) => a.value)),
      max(...of.map((a, k) => spread((x) => f(...of.map((b, j) => (j === k ? x : b.value))), a))),
      applied(name, of.map((a) => a.ml).join("<mo>,</mo>")), ATOM),
    norm: (a) => node(abs(a.value), a.error, `<mrow><mo>|</mo>${a.ml}<mo>|</mo></mrow>`, ATOM),
    // MathML of Python's, in which <mi>z</mi> and <mi>a</mi> are put in; in brackets that are there no others.
    filled: (value, error, ml, put) => node(value, error, Object.entries(put).reduce((text, [name, part]) => text
      .replaceAll(`<mo>(</mo><mi>${name}</mi><mo>)</mo>`, `<mo>(</mo>${part.ml}<mo>)</mo>`).replaceAll(`<mi>${name}</mi>`, inside(part, SUM + 1)), ml), ml.includes("<mtable>") ? ATOM : SUM),
    // The sum of n products, and of further nodes: the largest are shown, and the others as one number.
    sum(n, factors, more = [], unitName = "terms") {
      const valueOf = (parts) => parts.reduce((product, factor) => product * factor.value, 1), value = (k) => valueOf(factors(k));
      const largest = [];
      let total = 0, size = 0, least = -1, off = 0;
      for (let k = 0; k < n; k++) {
        const parts = factors(k), x = valueOf(parts), far = abs(x);
        for (const part of parts) if (part.error) off += part.error * abs(valueOf(parts.filter((other) => other !== part)));
        total += x;
        size += far;
        if (far > least || far !== far) {
          let i = largest.length;
          while (i > 0 && !(largest[i - 1][1] >= far)) i--;
          largest.splice(i, 0, [k, far]);
          if (largest.length > SHOWN_TERMS) largest.pop();
          if (largest.length === SHOWN_TERMS) least = largest[SHOWN_TERMS - 1][1];
        }
      }
      const shown = n <= SHOWN_TERMS + 1 ? [...Array(n).keys()] : largest.map(([k]) => k).sort((a, b) => a - b);
      const parts = shown.map((k) => {
        const each = factors(k);
        return each.map((factor) => inside(factor, each.length > 1 ? PRODUCT : SUM + 1)).join("<mo>·</mo>");
      });
      if (shown.length < n) {
        const rest = total - shown.reduce((sum, k) => sum + value(k), 0), left = (n - shown.length).toLocaleString("en");
        parts.push(`<mrow class="rest"><munder>${rest < 0 ? bracketed(numberML(rest)) : numberML(rest)}<mtext>${left} more ${unitName}</mtext></munder></mrow>`);
      }
      const added = more.reduce((sum, part) => sum + part.value, 0);
      parts.push(...more.map((part) => inside(part, SUM + 1)));
      const error = off + unit * (3 + sqrt(n)) * size + more.reduce((sum, part) => sum + part.error + unit * abs(part.value), 0);
      const ml = parts.length ? `<mrow>${parts.join("<mo>+</mo>")}</mrow>` : numberML(0);
      return node(total + added, error, ml, n + more.length > 1 ? SUM : n ? PRODUCT : ATOM,
        { terms: { n, factors, value, label: (k) => factors(k).map((factor) => factor.label).filter(Boolean).join(" · ") } });
    },
  };
  const spread = (f, a) => {
    const middle = f(a.value), near = a.error;
    return max(abs(f(a.value + near) - middle), abs(f(a.value - near) - middle)) || 0;
  };
  const productOf = (parts) => {
    const value = parts.reduce((product, part) => product * part.value, 1);
    const error = parts.reduce((sum, part, i) => sum + (part.error && part.error * abs(parts.reduce((product, other, j) => (i === j ? product : product * other.value), 1))), 0);
    return [value, error + unit * parts.length * abs(value)];
  };
  return make;
}
