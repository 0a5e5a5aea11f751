// The losses: of each, the loss of a sample at one output, and its gradient for that output, as expressions.
// Each is a function of an OutputAt, with z, target and probabilities; the mean over the batch, and weights, are in rules.js.

import { abs, exp, max, min } from "./numbers.js";
import { NumbersAt, applied } from "./mathml.js";
import { ofOutput } from "./store.js";

const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : 0);
const log1pExp = (x) => max(x, 0) + Math.log1p(exp(-abs(x))); // log(1 + exp(x))
const logistic = (x) => (x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)));

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

  at(s, j) { return new OutputAt(this, s, j); }

  row(s) { return this.Z.data.subarray(s * this.k, (s + 1) * this.k); }

  // 1 / m, or the sample's weight over their sum; of a mean over outputs over k as well.
  scale(s) {
    const { f, replay } = this, { loss } = replay.header, weights = Number.isInteger(loss.weights) ? replay.stored(loss.weights) : null;
    const total = loss.normalizer * (this.rule.isMean ? this.k : 1);
    const share = f.over(weights ? f.number(weights.data[s], `weight[${s}]`) : f.number(1), f.number(total));
    return this.weight === 1 ? share : f.times(f.number(this.weight), share);
  }
}

// One output of a sample, as rules see it.
class OutputAt {
  constructor(of, s, j) { Object.assign(this, { of, s, j, f: of.f, not: (node) => of.f.minus(of.f.number(1), node) }); }

  get z() { return this.of.Z.at(this.s * this.of.k + this.j); }

  // Y as numbers: a label stands for a row with a single 1.
  get y() {
    const { s, j, of: { Y, k } } = this;
    return Y.shape.length === 1 && k > 1 ? this.f.number(Y.data[s] === j ? 1 : 0, `y[${s}, ${j}]`) : Y.at(s * k + j);
  }

  // The target: Y, smoothed where the loss says so, over the classes, or over two answers.
  get target() {
    const { f, y, of } = this, epsilon = of.options.label_smoothing || 0;
    return epsilon ? f.plus(f.times(f.number(1 - epsilon), y), f.over(f.number(epsilon), f.number(of.rule.isSparse ? of.k : 2))) : y;
  }

  number(name) { return this.f.number(this.of.options[name]); }

  get gamma() { return this.number("gamma"); }

  get margin() { return this.number("margin"); }

  get delta() { return this.number("delta"); }

  get difference() { return this.f.minus(this.z, this.y); }

  // An option that may be one number, one for each output, or none, which is 1.
  option(name) { const given = this.of.options[name] ?? 1; return this.f.number(given[this.j] ?? given); }

  // A probability by its place, else as written.
  chance(value, error, place, ml) { return place ? this.f.is(value, error, place.ml, 9, place) : this.f.is(value, error, ml(), 9); }

  // The probability of an output by the sigmoid, and of the other answer.
  sigmoid(isOne) {
    const { f, s, j, z, of: { P, k } } = this, value = logistic(isOne ? z.value : -z.value);
    return this.chance(value, 3 * f.unit * value, P && (k === 1 ? P.at(s * 2 + isOne) : isOne ? P.at(s * k + j) : null), () => f.call("σ", logistic, isOne ? z : f.negative(z)).ml);
  }

  get p() { return this.sigmoid(1); }

  get q() { return this.sigmoid(0); }

  // The probability of a class among others by softmax, and of all others.
  get softmax() {
    const { f, s, j, of: { P, k } } = this, value = exp(this.logSoftmax);
    return this.chance(value, f.unit * value * (4 + this.reach), P && P.at(s * k + j), () => `<msub><mi>softmax</mi><mn>${j}</mn></msub>`);
  }

  get others() { const { f, softmax: p } = this; return f.is(-Math.expm1(this.logSoftmax), 4 * f.unit * (1 + this.reach) * p.value, this.not(p).ml, 2); }

  get reach() { const row = this.of.row(this.s); return max(...row) - min(...row); }

  get logSoftmax() {
    const row = this.of.row(this.s), highest = row.reduce((a, b) => max(a, b), -Infinity);
    return row[this.j] - highest - Math.log(row.reduce((sum, z) => sum + exp(z - highest), 0));
  }

  // The logarithm of a probability, computed from the outputs: exact where the probability rounds to 0.
  logOf(p, value, reach) { return this.f.is(value, this.f.unit * (4 * abs(value) + reach), applied("log", p.ml), 3); }

  get logP() { const { z: { value } } = this; return this.logOf(this.p, -log1pExp(-value), abs(value)); }

  get logQ() { const { z: { value } } = this; return this.logOf(this.q, -log1pExp(value), abs(value)); }

  get logOfClass() { return this.logOf(this.softmax, this.logSoftmax, this.reach); }

  // The same for all outputs of the sample.
  get all() { return Array.from({ length: this.of.k }, (_, j) => this.of.at(this.s, j)); }
}

// -log p where the target is 1, and -log(1 - p) where it is 0; "more": further factors of each.
const entropy = ({ f, target, not, logP, logQ }, one = [], zero = []) => f.negative(f.plus(f.times(...one, target, logP), f.times(...zero, not(target), logQ)));

// The two answers' factors in the focal loss: alpha q^gamma, and (1 - alpha) p^gamma.
const focalFactors = ({ f, of, p, q, gamma }) => {
  const alpha = of.options.alpha ?? null;
  return [[f.number(alpha ?? 1), f.power(q, gamma)], [f.number(alpha === null ? 1 : 1 - alpha), f.power(p, gamma)]];
};

// G of the softmax focal loss, the gradient for log P_j: -alpha y q^gamma (1 - gamma p log p / q).
function focalPart(o) {
  const { f, gamma, others: q } = o, ratio = q.value > 0 ? f.over(o.logOfClass, q) : f.number(-1);
  return f.negative(f.times(f.times(o.option("alpha"), o.y), f.power(q, gamma), o.not(f.times(gamma, o.softmax, ratio))));
}

const excess = (o, label) => o.f.call("max", (a, b, margin) => max(0, margin + a - b), o.z, label.z, o.margin);

export const LOSS_RULES = {
  binary_cross_entropy: {
    L: (o) => entropy(o),
    dZ: ({ f, p, target }) => f.minus(p, target),
  },
  categorical_cross_entropy: {
    isSparse: true,
    L: (o) => { // of each class: y_j log p_j, and 0 log 0 is 0
      const { f, target: y } = o;
      return y.value === 0 ? f.number(0) : f.negative(f.times(y, o.logOfClass));
    },
    dZ: ({ f, all, softmax: p, target }) => {
      const sum = all.reduce((total, one) => total + one.target.value, 0);
      return f.minus(abs(sum - 1) > 8 * f.unit ? f.times(p, f.number(sum)) : p, target);
    },
  },
  multi_label: {
    isMean: true,
    L: (o) => entropy(o, [o.option("positive_weight")]),
    dZ: (o) => o.f.minus(o.f.times(o.not(o.target), o.p), o.f.times(o.option("positive_weight"), o.target, o.q)),
  },
  focal_binary: {
    L: (o) => entropy(o, ...focalFactors(o)),
    dZ: (o) => {
      const { f, y, p, q, gamma, not } = o, [one, zero] = focalFactors(o);
      return f.minus(f.times(...zero, not(y), f.minus(p, f.times(gamma, q, o.logQ))), f.times(...one, y, f.minus(q, f.times(gamma, p, o.logP))));
    },
  },
  focal_classes: {
    isSparse: true,
    L: (o) => o.f.negative(o.f.times(o.option("alpha"), o.y, o.f.power(o.others, o.gamma), o.logOfClass)),
    dZ: (o) => {
      const { f, all } = o;
      return f.minus(focalPart(o), f.times(o.softmax, f.sum(all.length, (i) => [focalPart(all[i])], [], "classes")));
    },
  },
  hinge_binary: {
    isMean: true,
    L: ({ f, y, z, margin, not }) => {
      const largest = (node) => f.call("max", (a, b) => max(a, b), f.number(0), node);
      return f.plus(f.times(y, largest(f.minus(margin, z))), f.times(not(y), largest(f.plus(margin, z))));
    },
    dZ: ({ f, y, z: { value: z }, margin: { value: margin }, not }) =>
      f.minus(f.times(not(y), f.number(margin + z > 0 ? 1 : 0)), f.times(y, f.number(margin - z > 0 ? 1 : 0))),
  },
  hinge_classes: {
    isMean: true,
    L: (o) => { // of class j: by the label, or by each label that a soft target has
      const { f, all } = o;
      return f.sum(all.length, (label) => (label === o.j ? [f.number(0)] : [all[label].y, excess(o, all[label])]), [], "labels");
    },
    dZ: (o) => {
      const { f, all } = o, isOver = (a, label) => (a.j !== label.j && excess(a, label).value > 0 ? 1 : 0);
      return f.minus(f.sum(all.length, (label) => [all[label].y, f.number(isOver(o, all[label]))], [], "labels"),
        f.times(o.y, f.number(all.reduce((n, a) => n + isOver(a, o), 0))));
    },
  },
  mean_squared_error: {
    isMean: true,
    L: ({ f, difference }) => f.square(difference),
    dZ: ({ f, difference }) => f.times(f.number(2), difference),
  },
  mean_absolute_error: {
    isMean: true,
    L: ({ f, difference }) => f.norm(difference),
    dZ: ({ f, difference: D }) => f.is(sign(D.value), 0, applied("sign", D.ml), 9), // which has no rounding
  },
  huber: {
    isMean: true,
    L: ({ f, difference: D, delta }) => (abs(D.value) <= delta.value ? f.over(f.square(D), f.number(2))
      : f.times(delta, f.minus(f.norm(D), f.over(delta, f.number(2))))),
    dZ: ({ f, difference, delta }) => f.call("clip", (a, low, high) => min(max(a, low), high), difference, f.number(-delta.value), delta),
  },
  poisson: {
    isMean: true,
    L: ({ f, y, z }) => f.minus(f.call("exp", exp, z), f.times(y, z)),
    dZ: ({ f, y, z }) => f.minus(f.call("exp", exp, z), y),
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
      for (let j = 0; j < of.k; j++) total += scale * of.rule.L(of.at(s, j)).value;
    }
  }
  return total;
}
