// The losses: of each, the loss of a sample at one output, and its gradient for that output, as expressions.
// "of" gives z, target, and probabilities of an output; the mean over the batch, and weights, are in rules.js.

import { NumbersAt } from "./mathml.js";
import { ofOutput } from "./store.js";

const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : 0);
const log1pExp = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))); // log(1 + exp(x))
const logistic = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

// One output of the model, its loss and its targets. "output" is "" where there is one.
export class LossOf {
  constructor(replay, f, output) {
    const { loss } = replay.header, own = output ? loss.options.losses[output] : loss;
    Object.assign(this, { replay, f, output, options: own.options ?? own, name: own.type ?? own.name, weight: own.weight ?? 1 });
    this.Z = this.numbers("Z");
    this.Y = this.numbers("Y");
    this.P = this.numbers("P");
    this.k = this.Z.shape[1];
    this.key = this.name === "focal" || this.name === "hinge" ? `${this.name}_${this.k > 1 ? "classes" : "binary"}` : this.name;
    this.rule = LOSS_RULES[this.key];
  }

  numbers(name) {
    const full = ofOutput(name, this.output), found = this.replay.array("loss", full);
    return found && new NumbersAt("loss", full, found, full);
  }

  z(s, j) { return this.Z.at(s * this.k + j); }

  // Y as numbers: a label stands for a row with a single 1.
  y(s, j) {
    const isLabels = this.Y.shape.length === 1 && this.k > 1;
    return isLabels ? this.f.number(this.Y.data[s] === j ? 1 : 0, `y[${s}, ${j}]`) : this.Y.at(s * this.k + j);
  }

  // The target: Y, smoothed where the loss says so, over k classes.
  target(s, j, k = this.k) {
    const epsilon = this.options.label_smoothing || 0, { f } = this;
    if (!epsilon) return this.y(s, j);
    return f.plus(f.times(f.number(1 - epsilon), this.y(s, j)), f.over(f.number(epsilon), f.number(k)));
  }

  // 1 / m, or the sample's weight over their sum; of a mean over outputs over k as well.
  scale(s) {
    const { f, replay } = this, { loss } = replay.header, weights = Number.isInteger(loss.weights) ? replay.stored(loss.weights) : null;
    const total = loss.normalizer * (this.rule.isMean ? this.k : 1);
    const share = f.over(weights ? f.number(weights.data[s], `weight[${s}]`) : f.number(1), f.number(total));
    return this.weight === 1 ? share : f.times(f.number(this.weight), share);
  }

  // The probability of an output, of a row by softmax, or of each by the sigmoid; "of" 0 is that of the other answer.
  sigmoid(s, j, of = 1) {
    const { f } = this, z = this.z(s, j), value = logistic(of ? z.value : -z.value);
    const place = this.P && (this.k === 1 ? this.P.at(s * 2 + of) : of ? this.P.at(s * this.k + j) : null);
    const error = 3 * f.unit * value;
    if (place) return f.is(value, error, place.ml, 9, place);
    return f.is(value, error, f.call("σ", logistic, of ? z : f.negative(z)).ml, 9);
  }

  softmax(s, j) {
    const { f } = this, value = Math.exp(this.logSoftmax(s, j)), error = f.unit * value * (4 + this.reach(s));
    const place = this.P && this.P.at(s * this.k + j);
    if (place) return f.is(value, error, place.ml, 9, place);
    return f.is(value, error, `<msub><mi>softmax</mi><mn>${j}</mn></msub>`, 9);
  }

  row(s) { return this.Z.data.subarray(s * this.k, (s + 1) * this.k); }

  reach(s) { const row = this.row(s), low = Math.min(...row), high = Math.max(...row); return high - low; }

  logSoftmax(s, j) {
    const row = this.row(s), highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    return row[j] - highest - Math.log(row.reduce((sum, z) => sum + Math.exp(z - highest), 0));
  }

  // The logarithm of a probability, computed from the outputs: exact where the probability rounds to 0.
  logOf(p, value, reach) {
    return this.f.is(value, this.f.unit * (4 * Math.abs(value) + reach), `<mrow><mi>log</mi><mo>&#x2061;</mo><mrow><mo>(</mo>${p.ml}<mo>)</mo></mrow></mrow>`, 3);
  }

  logP(s, j) { return this.logOf(this.sigmoid(s, j), -log1pExp(-this.z(s, j).value), Math.abs(this.z(s, j).value)); }

  logQ(s, j) { return this.logOf(this.sigmoid(s, j, 0), -log1pExp(this.z(s, j).value), Math.abs(this.z(s, j).value)); }

  logOfClass(s, j) { return this.logOf(this.softmax(s, j), this.logSoftmax(s, j), this.reach(s)); }

  not(node) { return this.f.minus(this.f.number(1), node); }

  alpha(j) { const { alpha } = this.options; return this.f.number(alpha === null || alpha === undefined ? 1 : alpha[j] ?? alpha); }

  binaryAlpha(isOne) { const { alpha } = this.options; return this.f.number(alpha === null || alpha === undefined ? 1 : isOne ? alpha : 1 - alpha); }

  positive(j) { const w = this.options.positive_weight; return this.f.number(w === null || w === undefined ? 1 : Array.isArray(w) ? w[j] : w); }
}

// G of the softmax focal loss, the gradient for log P_j: -alpha y q^gamma (1 - gamma p log p / q).
function focalPart(of, s, j) {
  const { f } = of, p = of.softmax(s, j), log = of.logSoftmax(s, j), q = -Math.expm1(log), gamma = of.options.gamma;
  const weight = f.times(of.alpha(j), of.y(s, j)), Q = f.is(q, 4 * f.unit * (1 + of.reach(s)) * p.value, f.minus(f.number(1), p).ml, 2);
  const ratio = q > 0 ? f.over(of.logOfClass(s, j), Q) : f.number(-1);
  return f.negative(f.times(weight, f.power(Q, f.number(gamma)), f.minus(f.number(1), f.times(f.number(gamma), p, ratio))));
}

const excess = (of, s, j, label) => of.f.call("max", (a, b, margin) => Math.max(0, margin + a - b), of.z(s, j), of.z(s, label), of.f.number(of.options.margin));
const allOf = (of) => [...Array(of.k).keys()];

export const LOSS_RULES = {
  binary_cross_entropy: {
    L: (of, s, j) => {
      const { f } = of, y = of.target(s, j, 2);
      return f.negative(f.plus(f.times(y, of.logP(s, j)), f.times(of.not(y), of.logQ(s, j))));
    },
    dZ: (of, s, j) => of.f.minus(of.sigmoid(s, j), of.target(s, j, 2)),
  },
  categorical_cross_entropy: {
    isSparse: true,
    L: (of, s, j) => { // of each class: y_j log p_j, and 0 log 0 is 0
      const y = of.target(s, j);
      return y.value === 0 ? of.f.number(0) : of.f.negative(of.f.times(y, of.logOfClass(s, j)));
    },
    dZ: (of, s, j) => {
      const { f } = of, sum = allOf(of).reduce((total, i) => total + of.target(s, i).value, 0), p = of.softmax(s, j);
      return f.minus(Math.abs(sum - 1) > 8 * f.unit ? f.times(p, f.number(sum)) : p, of.target(s, j));
    },
  },
  multi_label: {
    isMean: true,
    L: (of, s, j) => {
      const { f } = of, y = of.target(s, j, 2);
      return f.negative(f.plus(f.times(of.positive(j), y, of.logP(s, j)), f.times(of.not(y), of.logQ(s, j))));
    },
    dZ: (of, s, j) => {
      const { f } = of, y = of.target(s, j, 2);
      return f.minus(f.times(of.not(y), of.sigmoid(s, j)), f.times(of.positive(j), y, of.sigmoid(s, j, 0)));
    },
  },
  focal_binary: {
    L: (of, s, j) => {
      const { f } = of, y = of.y(s, j), gamma = f.number(of.options.gamma), p = of.sigmoid(s, j), q = of.sigmoid(s, j, 0);
      return f.negative(f.plus(f.times(of.binaryAlpha(true), y, f.power(q, gamma), of.logP(s, j)),
        f.times(of.binaryAlpha(false), of.not(y), f.power(p, gamma), of.logQ(s, j))));
    },
    dZ: (of, s, j) => {
      const { f } = of, y = of.y(s, j), gamma = f.number(of.options.gamma), p = of.sigmoid(s, j), q = of.sigmoid(s, j, 0);
      return f.minus(
        f.times(of.binaryAlpha(false), of.not(y), f.power(p, gamma), f.minus(p, f.times(gamma, q, of.logQ(s, j)))),
        f.times(of.binaryAlpha(true), y, f.power(q, gamma), f.minus(q, f.times(gamma, p, of.logP(s, j)))));
    },
  },
  focal_classes: {
    isSparse: true,
    L: (of, s, j) => {
      const { f } = of, p = of.softmax(s, j), q = -Math.expm1(of.logSoftmax(s, j));
      const Q = f.is(q, 4 * f.unit * (1 + of.reach(s)) * p.value, f.minus(f.number(1), p).ml, 2);
      return f.negative(f.times(of.alpha(j), of.y(s, j), f.power(Q, f.number(of.options.gamma)), of.logOfClass(s, j)));
    },
    dZ: (of, s, j) => {
      const { f } = of, sum = f.sum(of.k, (i) => [focalPart(of, s, i)], [], "classes");
      return f.minus(focalPart(of, s, j), f.times(of.softmax(s, j), sum));
    },
  },
  hinge_binary: {
    isMean: true,
    L: (of, s, j) => {
      const { f } = of, y = of.y(s, j), margin = f.number(of.options.margin), z = of.z(s, j);
      const zero = f.number(0), largest = (node) => f.call("max", (a, b) => Math.max(a, b), zero, node);
      return f.plus(f.times(y, largest(f.minus(margin, z))), f.times(of.not(y), largest(f.plus(margin, z))));
    },
    dZ: (of, s, j) => {
      const { f } = of, y = of.y(s, j), z = of.z(s, j).value, { margin } = of.options;
      return f.minus(f.times(of.not(y), f.number(margin + z > 0 ? 1 : 0)), f.times(y, f.number(margin - z > 0 ? 1 : 0)));
    },
  },
  hinge_classes: {
    isMean: true,
    L: (of, s, j) => { // of class j: by the label, or by each label that a soft target has
      const { f } = of;
      return f.sum(of.k, (label) => (label === j ? [f.number(0)] : [of.y(s, label), excess(of, s, j, label)]), [], "labels");
    },
    dZ: (of, s, j) => {
      const { f } = of, isOver = (a, label) => (a !== label && excess(of, s, a, label).value > 0 ? 1 : 0);
      return f.minus(f.sum(of.k, (label) => [of.y(s, label), f.number(isOver(j, label))], [], "labels"),
        f.times(of.y(s, j), f.number(allOf(of).reduce((n, a) => n + isOver(a, j), 0))));
    },
  },
  mean_squared_error: {
    isMean: true,
    L: (of, s, j) => of.f.square(of.f.minus(of.z(s, j), of.y(s, j))),
    dZ: (of, s, j) => of.f.times(of.f.number(2), of.f.minus(of.z(s, j), of.y(s, j))),
  },
  mean_absolute_error: {
    isMean: true,
    L: (of, s, j) => of.f.norm(of.f.minus(of.z(s, j), of.y(s, j))),
    dZ: (of, s, j) => { // a sign has no rounding
      const D = of.f.minus(of.z(s, j), of.y(s, j));
      return of.f.is(sign(D.value), 0, `<mrow><mi>sign</mi><mo>&#x2061;</mo><mrow><mo>(</mo>${D.ml}<mo>)</mo></mrow></mrow>`, 9);
    },
  },
  huber: {
    isMean: true,
    L: (of, s, j) => {
      const { f } = of, D = f.minus(of.z(s, j), of.y(s, j)), delta = f.number(of.options.delta);
      return Math.abs(D.value) <= delta.value ? f.over(f.square(D), f.number(2))
        : f.times(delta, f.minus(f.norm(D), f.over(delta, f.number(2))));
    },
    dZ: (of, s, j) => {
      const { f } = of, { delta } = of.options;
      return f.call("clip", (a, low, high) => Math.min(Math.max(a, low), high), f.minus(of.z(s, j), of.y(s, j)), f.number(-delta), f.number(delta));
    },
  },
  poisson: {
    isMean: true,
    L: (of, s, j) => of.f.minus(of.f.call("exp", Math.exp, of.z(s, j)), of.f.times(of.y(s, j), of.z(s, j))),
    dZ: (of, s, j) => of.f.minus(of.f.call("exp", Math.exp, of.z(s, j)), of.y(s, j)),
  },
};

// The loss in float64 of some samples' outputs: {output: Float64Array, a row for each sample that is shown}.
export function lossFrom(replay, f, outputs, rows) {
  let total = 0;
  for (const [output, data] of Object.entries(outputs)) {
    const of = new LossOf(replay, f, output);
    of.Z = new NumbersAt(null, "Z", { data, shape: of.Z.shape });
    of.P = null;
    for (const s of rows) {
      const scale = of.scale(s).value;
      for (let j = 0; j < of.k; j++) total += scale * of.rule.L(of, s, j).value;
    }
  }
  return total;
}
