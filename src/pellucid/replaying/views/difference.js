// A central difference of the loss by one number: the network runs in float64 from the step that is changed on, by
// the functions of the exported page, with the batch's own statistics and the masks that were drawn.

import { abs, floor, max, min } from "./numbers.js";
import { LAYERS, activate } from "./network.js";
import { LossOf, lossFrom } from "./losses.js";
import { expressionsIn } from "./mathml.js";
import { derive, sourceOf } from "./rules.js";
import { ownerOf } from "./stops.js";
import { ofOutput } from "./store.js";

const H = 1e-5; // times the number's size, where that is above 1
const NEAR = 2e-3; // relative: a float32 gradient has some four good digits after many layers

// What is changed: {step, name, part, index}; name is "X", "Z", "A" or a parameter's. Or a reason why not.
function changeAt(replay, { step, name, index }) {
  if (step === "loss") {
    const [base, ...output] = name.split(".");
    if (base !== "Z" && base !== "dZ") return { reason: base === "P" ? "It is taken by the outputs Z, which the probabilities follow from." : "None is taken by a target." };
    return { step, name: "Z", output: output.join("."), gradient: { step, name: ["dZ", ...output].join("."), index }, index };
  }
  const [base, part = ""] = name.split("."), own = base.replace(/^(own_d|update_|d)(?=.)/, ""), isShare = base.startsWith("own_d");
  if (/^(memory|new)_|^(mean|var|running_mean|running_var|mask)$/.test(base)) return { reason: "No gradient is taken by this number." };
  if (replay.header.steps[step] === undefined) return { reason: "There is no such step." };
  const first = replay.steps[step].use_of, isValue = ["X", "Z", "A"].includes(own);
  const owner = !isValue && !base.startsWith("d") ? ownerOf(replay, step) : step;
  const gradient = { step: owner, name: (isShare ? "own_d" : "d") + own + (part && `.${part}`), index };
  const isOneUse = isShare || (first && base.startsWith("d")); // a share of a tied layer's gradient
  return { step: owner, name: own, part, index, gradient, isValue, isOneUse };
}

class ChangedRun {
  constructor(replay, change) {
    Object.assign(this, { replay, change, steps: replay.network.steps, f: expressionsIn(2 ** -53) });
    this.samples = replay.header.samples.length;
    const { step, name } = change, owner = step === "loss" ? null : replay.steps[step].name;
    this.begins = new Set(step === "loss" ? [] : change.isValue || change.isOneUse ? [step]
      : replay.steps.flatMap((each, t) => (t === step || each.use_of === owner ? [t] : [])));
    this.affected = new Set(this.begins);
    this.steps.forEach(({ from }, t) => { if (from.some((source) => this.affected.has(sourceOf(source)))) this.affected.add(t); });
    this.affected = [...this.affected].sort((a, b) => a - b);
    const unknown = this.affected.find((t) => this.steps[t].do === null && !(t === step && name === "A"));
    if (unknown !== undefined) this.reason = `${replay.steps[unknown].name} is a layer of your own, which the page cannot compute.`;
    const joinsSamples = this.affected.some((t) => replay.array(t, "mean") && this.steps[t].do === "batch_norm" && !(t === step && name === "A"));
    const isOfOne = (change.isValue || step === "loss") && !joinsSamples;
    if (!isOfOne && !replay.isWhole) this.reason = "The page has only some samples of the batch, and the loss of all depends on this number: What to know has the flag.";
    const array = this.original();
    const own = Object.keys(replay.network.outputs).find((output) => !new LossOf(replay, this.f, output).rule);
    if (own !== undefined) this.reason = "It is a loss of your own, which the page cannot compute.";
    if (!array) { this.reason ??= "The page has no such number."; return; }
    this.rows = isOfOne ? [floor(change.index / (array.data.length / this.samples))] : [...Array(this.samples).keys()];
  }

  original() {
    const { step, name, part, output } = this.change, { replay } = this;
    if (step === "loss") return replay.array("loss", ofOutput("Z", output));
    if (name === "X") return this.source(step, Number(part || 0));
    return replay.array(step, name) ?? (name === "Z" ? replay.array(step, "A") : null);
  }

  // The stored array of a step's source.
  source(t, k) {
    const from = sourceOf(this.steps[t].from[k]), { replay } = this;
    return (from === null ? null : replay.array(from, "A")) ?? replay.array(t, `X.${k}`) ?? replay.needed(t, "X");
  }

  row({ data, shape }, s) {
    const n = data.length / shape[0];
    return { data: Float64Array.from(data.subarray(s * n, (s + 1) * n)), shape: shape.slice(1) };
  }

  // A parameter, the changed one with its change.
  parameters(t, value) {
    const { change, replay } = this, found = {};
    for (const name of this.steps[t].weights) {
      found[name] = replay.needed(ownerOf(replay, t), name).data;
      if (!change.isValue && name === change.name && this.begins.has(t)) {
        found[name] = Float64Array.from(found[name]);
        found[name][change.index] = value;
      }
    }
    return found;
  }

  put(rows, value, all) { // in the rows of a value, the changed number
    const n = all.data.length / all.shape[0], s = floor(this.change.index / n);
    rows[this.rows.indexOf(s)].data[this.change.index % n] = value;
    return rows;
  }

  // Return the rows of a step's output.
  run(t, value, made) {
    const { change, replay } = this, net = this.steps[t], isHere = change.step === t && change.isValue;
    if (isHere && change.name === "A") return this.put(this.rows.map((s) => this.row(replay.needed(t, "A"), s)), value, replay.array(t, "A"));
    const W = this.parameters(t, value);
    if (isHere && change.name === "Z" && replay.array(t, "Z")) {
      const rows = this.put(this.rows.map((s) => this.row(replay.array(t, "Z"), s)), value, replay.array(t, "Z"));
      return rows.map((row) => activate(row, net, W));
    }
    const parts = net.from.map((source, k) => {
      const before = made.get(sourceOf(source)) ?? this.rows.map((s) => this.row(this.source(t, k), s));
      const isChanged = isHere && (change.name === "Z" || Number(change.part || 0) === k);
      return isChanged ? this.put(before.map(({ data, shape }) => ({ data: data.slice(), shape })), value, this.source(t, k)) : before;
    });
    const mask = replay.array(t, "mask");
    if (mask) return parts[0].map(({ data, shape }, i) => ({ data: data.map((x, k) => x * mask.data[this.rows[i] * data.length + k]), shape }));
    if (net.do === "batch_norm" && replay.array(t, "mean")) Object.assign(W, moments(parts[0], W.gamma.length));
    return this.rows.map((_, i) => LAYERS[net.do](parts.map((rows) => rows[i]), net, W));
  }

  // Of how large a part the gradients that the backward pass begins with are rounding, at most.
  startingError() {
    let error = 0, size = 0;
    for (const output of Object.keys(this.replay.network.outputs)) {
      const name = ofOutput("dZ", output), { data, shape } = this.replay.array("loss", name), n = data.length / shape[0];
      for (const s of this.rows.slice(0, 8)) for (let j = 0; j < min(n, 32); j++) {
        size += abs(data[s * n + j]);
        error += derive(this.replay, { step: "loss", name, index: s * n + j }).error;
      }
    }
    return error / (size || 1);
  }

  // Return the loss with a number instead of the one that is changed.
  loss(value) {
    const { replay, change } = this, made = new Map(), outputs = {};
    for (const t of this.affected) made.set(t, this.run(t, value, made));
    for (const [output, source] of Object.entries(replay.network.outputs)) {
      const { data, shape } = replay.array("loss", ofOutput("Z", output)), Z = Float64Array.from(data), n = data.length / shape[0];
      made.get(sourceOf(source))?.forEach((row, i) => Z.set(row.data, this.rows[i] * n));
      if (change.step === "loss" && change.output === output) Z[change.index] = value;
      outputs[output] = Z;
    }
    return lossFrom(replay, this.f, outputs, this.rows);
  }
}

function moments(rows, n) { // of each channel over the batch
  const running_mean = new Float64Array(n), running_var = new Float64Array(n);
  let count = 0;
  for (const { data } of rows) { count += data.length / n; for (let i = 0; i < data.length; i++) running_mean[i % n] += data[i]; }
  for (let k = 0; k < n; k++) running_mean[k] /= count;
  for (const { data } of rows) for (let i = 0; i < data.length; i++) running_var[i % n] += (data[i] - running_mean[i % n]) ** 2 / count;
  return { running_mean, running_var };
}

// Return {numeric, analytic, h, part, gradient, isNear, note}, part: by what share the two differ; or {reason} where there is none. "analytic" is null where the page has
// no gradient for the number: of an input, or of a frozen layer.
export async function difference(replay, place) {
  const { loss, kind } = replay.header;
  if (kind === "prediction" || loss.value === null || loss.value === undefined) return { reason: "A prediction has no loss." };
  const change = changeAt(replay, place);
  if (change.reason) return change;
  const run = new ChangedRun(replay, change);
  if (run.reason) return { reason: run.reason };
  const x = run.original().data[change.index], gradient = replay.array(change.gradient.step, change.gradient.name);
  const analytic = gradient ? gradient.data[change.gradient.index] : null, pause = () => new Promise((resume) => setTimeout(resume));
  const all = gradient ? replay.summary(change.gradient.step, change.gradient.name) : { low: 0, high: 0 }, part = NEAR + run.startingError();
  const rounding = 8 * (gradient ? derive(replay, change.gradient)?.error ?? 0 : 0) + 3e-8 + 1e-5 * max(-all.low, all.high);
  const isClose = (slope) => abs(slope - analytic) <= part * max(abs(slope), abs(analytic)) + rounding;
  let best = null;
  for (const h of [H, H / 32, H * 8].map((each) => each * max(1, abs(x)))) {
    await pause();
    const above = run.loss(x + h);
    await pause();
    const below = run.loss(x - h), numeric = (above - below) / (2 * h), off = abs(numeric - (analytic ?? numeric));
    if (best === null || off < best.off) best = { numeric, h, off, above, below };
    if (analytic === null || isClose(numeric)) break;
  }
  const { numeric, h } = best;
  let isNear = analytic === null ? null : isClose(numeric), note = "";
  const size = max(abs(numeric), abs(analytic ?? 0)), least = (4 * 2 ** -52 * abs(best.above)) / h;
  const part_off = analytic === null ? null : best.off / (size || 1);
  const end = { numeric, analytic, h, gradient: change.gradient, part: part_off };
  if (!Number.isFinite(numeric + (analytic ?? 0))) return { ...end, part: null, isNear: null, note: "NaN or infinite: cannot be compared." };
  if (analytic && size <= least) return { ...end, isNear: null, note: `Too small to measure: a loss in 64 bits has no digits for slopes below ${least.toPrecision(1)}.` };
  if (isNear && part_off > part) note = "They differ by no more than the rounding of the network's numbers makes.";
  if (isNear === null) note = "The step computes no gradient for this number: nothing before it is trained, or its layer is frozen.";
  if (isNear === false) {
    const middle = run.loss(x), left = (middle - best.below) / h, right = (best.above - middle) / h;
    isNear = isClose(left) || isClose(right) || (analytic > left) === (analytic < right);
    note = `A kink lies within h: the slope is ${left.toPrecision(4)} on the left and ${right.toPrecision(4)} on the right.`;
    if (!isNear) note = "The two differ: the gradient is wrong, or there is a kink of relu or of a maximum within h, or the network's numbers are rounded.";
  }
  return { ...end, isNear, note };
}
