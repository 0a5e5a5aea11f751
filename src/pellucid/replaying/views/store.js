// The numbers of a replay: arrays by step and name, and single numbers by their place.
// A place is {step, name, index}: the number of a step of the network or "loss", an array such as "dW", and the
// place in it as one number, the last axis fastest. Arrays of values have the shown samples as their first axis.
// Of several arrays under one name, a join's sources or the model's outputs, one is "X.1" or "Z.left".

import { countOf, sqrt } from "./numbers.js";

const KINDS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, i4: Int32Array };
const OF_SAMPLES = ["X", "Z", "A", "P", "Y", "mask", "dX", "dZ", "dA"]; // arrays of values
const PARTS = ["forward", "loss", "backward", "update"];

export class LeftOut extends Error {} // of the page: what a number comes from

export class Replay {
  constructor(header, buffer) {
    Object.assign(this, { header, buffer, made: new Map(), summaries: new Map() });
  }

  get isSingle() { return this.header.about.dtype === "float32"; }

  get steps() { return this.header.steps; }

  // Whether it has all samples of the batch.
  get isWhole() { return this.header.batch.m === this.header.samples.length; }

  // The steps as the page computes them: {do, from, to, shape, ...}; "do" is null of a layer that it cannot compute.
  get network() { return this.header.network; }

  of(step) { return step === "loss" ? this.header.loss : this.steps[step]; }

  given(step, name) {
    const { arrays } = this.of(step), dot = name.indexOf("."), moved = name.replace(/^new_/, "");
    if (moved !== name) return this.array(step, `update_${moved}`) ? { sum: [moved, `update_${moved}`] } : null;
    if (dot < 0 || name in arrays) return arrays[name];
    return arrays[name.slice(0, dot)]?.[name.slice(dot + 1)];
  }

  // Return the names of a step's arrays, in the order of computation.
  names(step) {
    return Object.entries(this.of(step).arrays).flatMap(([name, given]) => {
      if (given === null || typeof given === "number" || isMade(given)) return given === null ? [] : [name];
      return Object.keys(given).map((part) => `${name}.${part}`);
    });
  }

  // Return {data, shape} of an array, or null where the page has none.
  array(step, name) {
    const given = this.given(step, name);
    if (given === undefined || given === null) return null;
    if (typeof given === "object" && !isMade(given)) return null; // several under one name
    const key = `${step}/${name}`;
    if (!this.made.has(key)) this.made.set(key, typeof given === "number" ? this.stored(given) : this.computed(step, given));
    return this.made.get(key);
  }

  needed(step, name) { // as array; an error says what the page has not
    const found = this.array(step, name);
    if (!found) throw new LeftOut(this.lacks(name));
    return found;
  }

  lacks(name) { // with the flag that asks for it
    const flag = this.header.left_out.map((text) => text.match(/--most-mb \d+/)).filter(Boolean).pop();
    return `${name} is not in this page${flag ? `: it is too large; ${flag}` : ""}.`;
  }

  stored(i) {
    const [start, kind, shape] = this.header.arrays[i], n = countOf(shape);
    return { data: new KINDS[kind](this.buffer, start, n), shape };
  }

  computed(step, given) {
    if (given.product) { // of two arrays, over the samples: X^T dZ, in float64
      const [X, dZ] = given.product.map((name) => this.array(step, name)), [m, n] = X.shape, k = dZ.shape[1];
      const data = new Float64Array(n * k);
      for (let s = 0; s < m; s++) for (let i = 0; i < n; i++) {
        const x = X.data[s * n + i];
        if (x !== 0) for (let j = 0; j < k; j++) data[i * k + j] += x * dZ.data[s * k + j];
      }
      return { data, shape: [n, k] };
    }
    if (given.sum) {
      const [A, B] = given.sum.map((name) => this.array(step, name));
      return { data: Float64Array.from(A.data, (x, i) => x + B.data[i]), shape: A.shape };
    }
    const { data, shape } = this.array(step, given.scaled), scaled = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) scaled[i] = given.by * data[i];
    return { data: scaled, shape };
  }

  number({ step, name, index }) { // "value" is the loss itself; NaN as JSON has it is text
    return name === "value" ? Number(this.header.loss.value) : this.array(step, name).data[index];
  }

  isOfSamples(name) { return OF_SAMPLES.includes(name.split(".")[0]); }

  // Return {low, high, mean, norm, n, broken} of an array, of one sample of it where one is given.
  summary(step, name, sample = null) {
    const key = `${step}/${name}/${sample}`;
    if (this.summaries.has(key)) return this.summaries.get(key);
    const { data, shape } = this.array(step, name), each = sample === null ? data.length : data.length / shape[0];
    const found = summaryOf(data, sample === null ? 0 : sample * each, each);
    this.summaries.set(key, found);
    return found;
  }
}

// Return the name of an array of one output: that of the only one is "".
export const ofOutput = (name, output) => (output ? `${name}.${output}` : name);

const isMade = ({ product, scaled, sum }) => product || scaled || sum; // of other arrays, here

export function summaryOf(data, start = 0, n = data.length) {
  let low = Infinity, high = -Infinity, sum = 0, squares = 0, broken = 0;
  for (let i = start; i < start + n; i++) {
    const x = data[i];
    if (x - x !== 0) { broken++; continue; } // NaN or infinite
    if (x < low) low = x;
    if (x > high) high = x;
    sum += x;
    squares += x * x;
  }
  return { low, high, mean: sum / (n - broken), norm: sqrt(squares), n, broken };
}

// Return the part of the step that an array belongs to.
export function partOf(step, name) {
  if (step === "loss") return "loss";
  if (/^(update|memory|new)_/.test(name)) return "update";
  return /^(own_)?d([A-Z]|(b|gamma|beta)\b)/.test(name) ? "backward" : "forward";
}

// An address of a view: {part, step, name, index, view}; step is "input", "loss" or a number, and what is left out
// is undefined. It is written part/step/name/index/view, and read again from the page's fragment.
export function addressOf({ part, step, name, index, view }) {
  const parts = [part, step, name, index, view].map((each) => (each === undefined || each === null ? "" : encodeURIComponent(each)));
  return parts.join("/").replace(/\/+$/, "");
}

export function placeAt(address, replay) { // null where the replay has no such place
  const [part, at, name, index, view] = address.replace(/^#/, "").split("/").map(decodeURIComponent);
  const step = at === "loss" || at === "input" ? at : Number(at);
  if (!PARTS.includes(part) || (typeof step === "number" && !(at && step in replay.steps))) return null;
  const found = { part, step };
  if (!name || step === "input") return found;
  const array = replay.array(step, name), isLoss = step === "loss" && name === "value", i = Number(index);
  if (!array && !isLoss) return found;
  found.name = name;
  if (index && Number.isInteger(i) && i >= 0 && i < (isLoss ? 1 : array.data.length)) found.index = i;
  if (view) found.view = view;
  return found;
}
