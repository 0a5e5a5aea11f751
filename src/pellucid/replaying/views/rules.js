// How each number of a step comes from others: derive(replay, place). One table, by kind of layer and name of array.
// A rule returns {key, node}: the general formula's name, and the expression with numbers put in.

import { ACTIVATIONS, DERIVATIVES } from "./activations.js";
import { LossOf } from "./losses.js";
import { asText, expressionsIn, indicesOf, NumbersAt, numberML } from "./mathml.js";

const JOINS = ["add", "concat", "multiply"];
const COMPUTED = ["Z", "A", "mean", "var"]; // of a forward pass; parameters, masks and inputs are given

// A step of the network, as rules see it.
class StepOf {
  constructor(replay, s) {
    const { dtype } = replay.header.about;
    Object.assign(this, { replay, s, step: replay.steps[s], net: replay.network.steps[s] });
    this.f = expressionsIn(dtype === "float64" ? 2 ** -53 : 2 ** -24);
    this.isWhole = (replay.header.batch?.m ?? this.samples) === this.samples;
  }

  get samples() { return (this.numbers("A") ?? this.input()).shape[0]; }

  // An array of the step, as leaves; null where the page has none.
  numbers(name) {
    const found = this.replay.array(this.s, name);
    return found && new NumbersAt(this.s, name, found, name);
  }

  // A parameter, or its gradient; of a layer in several places they are with the first.
  parameter(name) {
    const s = this.owner, found = this.replay.array(s, name);
    return found && new NumbersAt(s, name, found, name);
  }

  get owner() {
    const first = this.step.use_of;
    return first ? this.replay.steps.findIndex(({ name }) => name === first) : this.s;
  }

  // The steps whose shares add up to a parameter's gradient.
  get uses() {
    const { steps } = this.replay, further = steps.map((step, s) => (step.use_of === this.step.name ? s : -1)).filter((s) => s >= 0);
    return [this, ...(this.step.use_of ? [] : further.map((s) => new StepOf(this.replay, s)))];
  }

  // What a source gives, as places of the step that computed it.
  input(k = 0) {
    const from = sourceOf(this.net.from[k]), own = this.net.from.length > 1 || JOINS.includes(this.net.do) ? `X.${k}` : "X";
    const computed = from === null ? null : this.replay.array(from, "A");
    if (computed) return new NumbersAt(from, "A", computed, this.replay.steps[from].name === undefined ? "A" : `${this.replay.steps[from].name}.A`);
    return this.numbers(own);
  }
}

const sourceOf = (name) => (/^#\d+$/.test(name) ? Number(name.slice(1)) - 1 : null); // the step, or null of an input

const rounded = (f, node, times = 1) => f.is(node.value, times * f.unit * Math.abs(node.value), node.ml, node.level, node);

// For each tap of a kernel that a pixel of the output sees inside the image: [tap, pixel of the input].
function seenBy(net, [h, w], y, x) {
  const { size, stride, padding: [[top], [left]], dilation = [1, 1] } = net, found = [];
  for (let i = 0; i < size[0]; i++) for (let j = 0; j < size[1]; j++) {
    const row = y * stride[0] + i * dilation[0] - top, column = x * stride[1] + j * dilation[1] - left;
    if (row >= 0 && row < h && column >= 0 && column < w) found.push([i * size[1] + j, row * w + column]);
  }
  return found;
}

// For each tap under which a pixel of the input is seen: [tap, pixel of the output].
function seeing(net, [hOut, wOut], row, column) {
  const { size, stride, padding: [[top], [left]], dilation = [1, 1] } = net, found = [];
  for (let i = 0; i < size[0]; i++) for (let j = 0; j < size[1]; j++) {
    const down = row + top - i * dilation[0], across = column + left - j * dilation[1], y = down / stride[0], x = across / stride[1];
    if (Number.isInteger(y) && Number.isInteger(x) && y >= 0 && y < hOut && x >= 0 && x < wOut) found.push([i * size[1] + j, y * wOut + x]);
  }
  return found;
}

// The sum over the uses of a layer, and over their places, of products: "each" gives [n, k => factors] of one use.
function overUses(c, each) {
  const parts = c.uses.map(each), n = parts.reduce((sum, [own]) => sum + own, 0);
  return [n, (k) => {
    let i = 0;
    while (k >= parts[i][0]) k -= parts[i++][0];
    return parts[i][1](k);
  }];
}

// A sum over the batch; what the samples that are not in the page add is one number.
function overBatch(c, name, index, [n, factors]) {
  const node = c.f.sum(n, factors);
  if (c.isWhole) return { node };
  const others = c.f.number(c.numbers(name).data[index] - node.value, "other samples of the batch");
  return { node: c.f.sum(n, factors, [others]), isPartial: true };
}

const dense = {
  Z(c, i) {
    const X = c.input(), W = c.parameter("W"), b = c.parameter("b"), n = X.row, k = W.shape[1], s = Math.floor(i / k), j = i % k;
    return { key: "dense/Z", node: c.f.sum(n, (t) => [X.at(s * n + t), W.at(t * k + j)], [b.at(j)]) };
  },
  dX(c, i) {
    const W = c.parameter("W"), dZ = gradientOfZ(c), [n, k] = W.shape, s = Math.floor(i / n), row = i % n;
    return { key: "dense/dX", node: c.f.sum(k, (t) => [dZ.at(s * k + t), W.at(row * k + t)]) };
  },
  dW(c, i) {
    const k = c.parameter("W").shape[1], row = Math.floor(i / k), j = i % k;
    return { key: "dense/dW", ...overBatch(c, "dW", i, overUses(c, (use) => {
      const X = use.input(), dZ = gradientOfZ(use);
      return [X.shape[0], (s) => [X.at(s * X.row + row), dZ.at(s * k + j)]];
    })) };
  },
  db: (c, j) => biasGradient(c, j),
};

function biasGradient(c, j) { // of a Dense layer, or of each filter
  const k = c.parameter("b").data.length;
  return { key: "layer/db", ...overBatch(c, "db", j, overUses(c, (use) => {
    const dZ = gradientOfZ(use);
    return [dZ.data.length / k, (t) => [dZ.at(t * k + j)]];
  })) };
}

const LAYER_RULES = { dense };

// dZ of a step; without an activation it is dA.
function gradientOfZ(c) { return c.numbers("dZ") ?? c.numbers("dA"); }

// What a step's activation computes of each number, or of each row.
const activation = {
  A(c, i) {
    const name = c.net.activation, Z = c.numbers("Z") ?? c.input();
    if (name === "softmax") {
      const n = Z.shape[Z.shape.length - 1], start = i - (i % n), row = Z.data.subarray(start, start + n);
      const highest = row.reduce((a, b) => Math.max(a, b), -Infinity), { f } = c;
      const part = (k) => f.call("exp", (z) => Math.exp(z - highest), Z.at(start + k));
      return { key: "activation/softmax", node: f.over(part(i % n), f.sum(n, (k) => [part(k)], [], "outputs")) };
    }
    const W = ownArrays(c), z = Z.at(i), f = (x) => ACTIVATIONS[name](x, W, i % Z.row);
    return { key: `activation/${name}`, node: filledBy(c, `f/${name}`, f(z.value), wobble(f, z.value, c.f.unit), { z }, f) };
  },
  dZ(c, i) {
    const name = c.net.activation, dA = c.numbers("dA"), Z = c.numbers("Z") ?? c.input(), A = c.numbers("A"), { f } = c;
    if (name === "softmax") {
      const n = A.shape[A.shape.length - 1], start = i - (i % n);
      const shared = f.sum(n, (k) => [dA.at(start + k), A.at(start + k)], [], "outputs");
      return { key: "derivative/softmax", node: f.times(A.at(i), f.minus(dA.at(i), shared)) };
    }
    const W = ownArrays(c), z = Z.at(i), a = A.at(i), at = i % Z.row, slope = (x) => DERIVATIVES[name](x, ACTIVATIONS[name](x, W, at), W, at);
    const value = DERIVATIVES[name](z.value, a.value, W, at);
    const error = wobble(slope, z.value, c.f.unit) + wobble((x) => DERIVATIVES[name](z.value, x, W, at), a.value, c.f.unit);
    return { key: `derivative/${name}`, node: f.times(dA.at(i), filledBy(c, `df/${name}`, value, error, { z, a })) };
  },
};

// How far a function's value may be off, by a rounding of its argument and of itself.
function wobble(f, x, unit) {
  const near = unit * Math.abs(x), y = f(x);
  const off = Math.max(Math.abs(f(x + near) - y), Math.abs(f(x - near) - y));
  return (Number.isFinite(off) && off < 1e-3 * (1 + Math.abs(y)) ? off : 0) + 6 * unit * (Math.abs(y) + (Math.abs(y) < 1 ? Math.min(1, Math.abs(y) + near) : 0));
}

function filledBy(c, key, value, error, put) {
  const ml = c.replay.header.formulas?.[key];
  if (ml) return c.f.filled(value, error, ml, put);
  return c.f.is(value, error, `<mrow><mi>${key.startsWith("d") ? "f′" : "f"}</mi><mo>(</mo>${put.z.ml}<mo>)</mo></mrow>`, 9);
}

function ownArrays(c) { // of a layer that computes each number from its own arrays
  return Object.fromEntries((c.net.weights ?? []).map((name) => [name, c.parameter(name)?.data]));
}

// The gradient for a step's output: the sum over all that take it.
function gradientOfOutput(c, i) {
  const { replay, s } = c, name = `#${s + 1}`, found = [];
  for (const [output, value] of Object.entries(replay.network.outputs))
    if (value === name) found.push({ redirect: { step: "loss", name: output ? `dZ.${output}` : "dZ", index: i } });
  replay.network.steps.forEach((step, t) => step.from.forEach((from, k) => {
    if (from !== name) return;
    const own = JOINS.includes(step.do) ? `dX.${k}` : "dX", gradient = replay.array(t, own);
    if (gradient) found.push({ redirect: { step: t, name: own, index: i } });
    else if (JOINS.includes(step.do) && replay.array(t, "dA")) found.push({ rule: () => joinGradient(new StepOf(replay, t), k, i) });
  }));
  if (found.length === 1) return found[0].redirect ? { redirect: found[0].redirect } : found[0].rule();
  const parts = found.map(({ redirect, rule }) => (redirect ? leafAt(replay, redirect) : rule().node));
  return { key: "value/dA", node: c.f.sum(parts.length, (k) => [parts[k]], [], "uses") };
}

function leafAt(replay, { step, name, index }) { return new NumbersAt(step, name, replay.array(step, name), name).at(index); }

// What the optimizer adds to a parameter.
function updateOf(c, name, i) {
  const { optimizer } = c.replay.header, theta = c.parameter(name).at(i), { f } = c;
  const g = c.parameter(`d${name}`).at(i);
  if (optimizer.type === "sgd") return { key: "sgd", node: f.negative(f.times(f.number(optimizer.learning_rate), g)), error: 2 * f.unit * Math.abs(theta.value) };
  return null;
}

// The loss, its probabilities, and its gradient for the outputs.
function ruleOfLoss(replay, { name, index }) {
  const [base, output = ""] = [name.split(".")[0], name.includes(".") ? name.slice(name.indexOf(".") + 1) : ""];
  const { dtype } = replay.header.about, f = expressionsIn(dtype === "float64" ? 2 ** -53 : 2 ** -24);
  const outputs = Object.keys(replay.network.outputs);
  if (base === "value") {
    const all = outputs.map((each) => new LossOf(replay, f, each)), parts = all.map((of) => of.Z.shape[0] * of.k);
    const find = (k) => {
      let i = 0;
      while (k >= parts[i]) k -= parts[i++];
      return [all[i], Math.floor(k / all[i].k), k % all[i].k];
    };
    const n = parts.reduce((sum, own) => sum + own, 0), isWhole = all[0].m === all[0].Z.shape[0];
    const factors = (k) => { const [of, s, j] = find(k); return [of.scale(s), of.rule.L(of, s, j)]; };
    const node = f.sum(n, factors), others = isWhole ? [] : [f.number(replay.header.loss.value - node.value, "other samples of the batch")];
    return { key: `loss/${all[0].key}`, node: isWhole ? node : f.sum(n, factors, others), isPartial: !isWhole };
  }
  const of = new LossOf(replay, f, output), s = Math.floor(index / of.k), j = index % of.k;
  if (base === "dZ") return { key: `loss_gradient/${of.key}`, node: f.times(of.rule.dZ(of, s, j), of.scale(s)) };
  if (base === "P") return probabilityOf(of, index);
  if (base === "Z") {
    const from = sourceOf(replay.network.outputs[output]);
    return from === null ? null : { redirect: { step: from, name: "A", index } };
  }
  return null;
}

function probabilityOf(of, index) {
  const { f, P } = of, s = Math.floor(index / P.row), j = index % P.row;
  of.P = null;
  if (of.k === 1 || of.name === "multi_label") {
    const isOne = of.k > 1 || j === 1;
    return { key: "loss/sigmoid", node: of.sigmoid(s, of.k === 1 ? 0 : j, isOne ? 1 : 0) };
  }
  const Z = of.Z, highest = of.row(s).reduce((a, b) => Math.max(a, b), -Infinity);
  const part = (k) => f.call("exp", (z) => Math.exp(z - highest), Z.at(s * of.k + k));
  return { key: "activation/softmax", node: f.over(part(j), f.sum(of.k, (k) => [part(k)], [], "outputs")) };
}

function ruleOf(replay, { step, name, index }) {
  if (step === "loss") return ruleOfLoss(replay, { name, index });
  const c = new StepOf(replay, step), [base, part = "0"] = name.split("."), rules = LAYER_RULES[c.net.do] ?? {};
  const hasActivation = Boolean(c.net.activation);
  if (base === "X") {
    const from = sourceOf(c.net.from[Number(part)]);
    return from === null || !replay.array(from, "A") ? null : { redirect: { step: from, name: "A", index } };
  }
  if (name === "dA") return gradientOfOutput(c, index);
  if (name.startsWith("update_")) return updateOf(c, name.slice(7), index);
  if (c.net.do === null) return null;
  if (base === "dX" && JOINS.includes(c.net.do)) return joinGradient(c, Number(part), index);
  if (hasActivation && name === "A") return activation.A(c, index);
  if (name === "dZ") return hasActivation ? activation.dZ(c, index) : { redirect: { step, name: "dA", index } };
  const rule = rules[name] ?? (name === "A" ? rules.Z : name === "Z" ? rules.A : null);
  if (rule) return rule(c, index);
  if (hasActivation && name === "dX") return activation.dZ(c, index);
  if (name === "Z") return { redirect: { step, name: "X", index } }; // of an activation alone
  return null;
}

// Return how a number comes from others, or null where it is given: an input, a target, a parameter, a mask.
export function derive(replay, place) {
  let found = ruleOf(replay, place), notes = [];
  for (let at = found?.redirect; at; at = found?.redirect) {
    const name = at.step === "loss" ? "the loss" : replay.steps[at.step].name;
    notes.push(`The same number as ${at.name} of ${name}.`);
    found = ruleOf(replay, at);
  }
  if (!found) return null;
  const { node, key, isPartial = false } = found, { value } = node, array = place.name === "value" ? null : replay.array(place.step, place.name);
  const stored = array ? array.data[place.index] : replay.header.loss.value;
  const error = 4 * node.error + (found.error ?? 0) + 1e-37;
  if (isPartial) notes.push("The page has some samples of the batch alone: what the others add is taken from the stored number.");
  if (found.note) notes.push(found.note);
  const isEqual = isPartial ? null : Object.is(value, stored) || Math.abs(value - stored) <= error || (Number.isNaN(value) && Number.isNaN(stored));
  return {
    title: titleOf(replay, place, array), key, formula: replay.header.formulas?.[key] ?? "",
    filled: `<math><mrow>${symbolOf(place, array)}<mo>=</mo>${node.ml}<mo>=</mo>${numberML(value, null, 6)}</mrow></math>`,
    terms: node.terms ?? found.terms ?? null, computed: value, stored, isEqual, note: notes.join(" "), error,
  };
}

// The name of a place as NumPy has it: "dW[17, 3] of dense_1".
function titleOf(replay, { step, name, index }, array) {
  if (name === "value") return "the loss";
  return `${name}[${indicesOf(array.shape, index).join(", ")}] of ${step === "loss" ? "the loss" : replay.steps[step].name}`;
}

function symbolOf({ name, index }, array) {
  if (name === "value") return "<mi>L</mi>";
  const [base] = name.split("."), symbol = asText(base.replace(/^update_/, "Δ").replace(/[A-Z]/g, (c) => c.toLowerCase()));
  const indices = indicesOf(array.shape, index).map((i) => `<mn>${i}</mn>`).join("<mo>,</mo>");
  return `<msub><mi>${symbol}</mi><mrow>${indices}</mrow></msub>`;
}
