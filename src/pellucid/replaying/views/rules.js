// How each number of a step comes from others: derive(replay, place). One table, by kind of layer and name of array.
// A rule returns {key, node}: the general formula's name, and the expression with numbers put in; or the expression
// alone, where the formula is named by the kind of layer and the array, as "dense/Z".

import { abs, countOf, exp, floor, lastOf, max, min, sqrt } from "./numbers.js";
import { ACTIVATIONS, DERIVATIVES } from "./activations.js";
import { LossOf } from "./losses.js";
import { ownerOf } from "./stops.js";
import { LeftOut, ofOutput } from "./store.js";
import { applied, asText, expressionsIn, indicesOf, NumbersAt, numberML } from "./mathml.js";

const JOINS = ["add", "concat", "mean", "multiply"];

const expressionsFor = (replay) => expressionsIn(replay.isSingle ? 2 ** -24 : 2 ** -53);

// A step of the network, as rules see it.
class StepOf {
  constructor(replay, s) {
    Object.assign(this, { replay, s, step: replay.steps[s], net: replay.network.steps[s], f: expressionsFor(replay) });
  }

  // An array of the step, as leaves; null where the page has none.
  maybe(name, s = this.s) {
    const found = this.replay.array(s, name);
    return found && new NumbersAt(s, name, found, name);
  }

  numbers(name, s = this.s) { return new NumbersAt(s, name, this.replay.needed(s, name)); }

  // A parameter, or its gradient; of a layer in several places they are with the first.
  maybeParameter(name) { return this.maybe(name, ownerOf(this.replay, this.s)); }

  parameter(name) { return this.numbers(name, ownerOf(this.replay, this.s)); }

  // The steps whose shares add up to a parameter's gradient.
  get uses() {
    const { steps } = this.replay, further = steps.map((step, s) => (step.use_of === this.step.name ? s : -1)).filter((s) => s >= 0);
    return [this, ...(this.step.use_of ? [] : further.map((s) => new StepOf(this.replay, s)))];
  }

  // The shape of its input, samples first.
  get inputShape() { return this.input().shape; }

  // Its row in LAYER_RULES.
  get kind() {
    if (this.net.do === "flatten") return "same";
    if (this.net.do !== "activation") return this.net.do;
    if (this.step.kind === "Affine") return "affine";
    return this.maybe("mask") ? "dropout" : this.net.activation ? "activation" : "same";
  }

  // What a source gives, as places of the step that computed it.
  input(k = 0) {
    const from = sourceOf(this.net.from[k]), own = this.net.from.length > 1 || JOINS.includes(this.net.do) ? `X.${k}` : "X";
    const computed = from === null ? null : this.replay.array(from, "A");
    if (computed) return new NumbersAt(from, "A", computed, this.replay.steps[from].name === undefined ? "A" : `${this.replay.steps[from].name}.A`);
    return this.numbers(own);
  }
}

export const sourceOf = (name) => (/^#\d+$/.test(name) ? Number(name.slice(1)) - 1 : null); // the step, or null of an input

const rounded = (f, node, times = 1) => f.is(node.value, times * f.unit * abs(node.value), node.ml, node.level, node);

// For each tap of a kernel that a pixel of the output sees inside the image: [tap, pixel of the input].
export function seenBy(net, [h, w], y, x) {
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

// The gradient of a parameter of a layer that stands in several places: the sum of their shares, where the page has them.
function sharesOf(c, name, index) {
  const { replay } = c, shares = c.uses.map((use) => [use.s, use.s === c.s ? `own_${name}` : name]);
  if (c.uses.length === 1 || !shares.every(([s, own]) => replay.array(s, own))) return null;
  const leaves = shares.map(([s, own]) => leafAt(replay, { step: s, name: own, index }));
  return { key: "shares", node: c.f.sum(leaves.length, (k) => [leaves[k]], [], "places"), times: 8 };
}

// The gradient of a parameter: the sum over the batch, over the uses of a layer, and over their places, of products.
// "each" gives [n, k => factors] of one use; what the samples that are not in the page add is one number.
function sumOver(c, name, index, each) {
  const parts = c.uses.map(each), n = parts.reduce((sum, [own]) => sum + own, 0), factors = (k) => {
    let i = 0;
    while (k >= parts[i][0]) k -= parts[i++][0];
    return parts[i][1](k);
  };
  const node = c.f.sum(n, factors), isOwn = c.uses.length === 1 && !c.step.use_of && c.maybe(`own_${name}`);
  if (c.replay.isWhole) return node;
  const others = c.f.number(c.numbers(isOwn ? `own_${name}` : name).data[index] - node.value, "other samples of the batch");
  return { node: c.f.sum(n, factors, [others]), isPartial: true };
}

// The gradient of one number a channel: the sum of dZ or dA over it, each times what "factor" gives for its place.
const sumOfChannel = (name, gradientOf, factor = null) => (c, k) => sumOver(c, name, k, (use) => {
  const dZ = gradientOf(use), n = c.parameter(name.slice(1)).data.length, at = factor?.(use);
  return [dZ.data.length / n, (t) => [dZ.at(t * n + k), ...(at ? [at(t * n + k)] : [])]];
});

const gradientOfA = (c) => c.numbers("dA");
const db = sumOfChannel("db", (c) => gradientOfZ(c)), dbeta = sumOfChannel("dbeta", gradientOfA), dgamma = (factor) => sumOfChannel("dgamma", gradientOfA, factor);

const dense = {
  Z(c, i) {
    const X = c.input(), W = c.parameter("W"), b = c.parameter("b"), n = X.row, k = W.shape[1], s = floor(i / k), j = i % k;
    return c.f.sum(n, (t) => [X.at(s * n + t), W.at(t * k + j)], [b.at(j)]);
  },
  dX(c, i) {
    const W = c.parameter("W"), dZ = gradientOfZ(c), [n, k] = W.shape, s = floor(i / n), row = i % n;
    return c.f.sum(k, (t) => [dZ.at(s * k + t), W.at(row * k + t)]);
  },
  dW(c, i) {
    const k = c.parameter("W").shape[1], row = floor(i / k), j = i % k;
    return sumOver(c, "dW", i, (use) => {
      const X = use.input(), dZ = gradientOfZ(use);
      return [X.shape[0], (s) => [X.at(s * X.row + row), dZ.at(s * k + j)]];
    });
  },
  db,
};

// Images: places of a flat index, and sizes.
const imageAt = ([, h, w, c], i) => {
  const channel = i % c, pixel = floor(i / c) % (h * w);
  return { s: floor(i / (c * h * w)), row: floor(pixel / w), column: pixel % w, pixel, channel };
};

const conv2d = {
  Z(c, i) {
    const X = c.input(), W = c.parameter("W"), b = c.maybeParameter("b"), shape = (c.maybe("Z") ?? c.numbers("A")).shape;
    const { s, row, column, channel: k } = imageAt(shape, i), [, , own, filters] = W.shape, channels = X.shape[3];
    const seen = seenBy(c.net, X.shape.slice(1), row, column), first = floor(k / (filters / c.net.groups)) * own;
    const factors = (t) => {
      const [tap, pixel] = seen[floor(t / own)], channel = t % own;
      return [X.at(s * X.row + pixel * channels + first + channel), W.at((tap * own + channel) * filters + k)];
    };
    return { key: b ? "conv2d/Z" : "conv2d_without/Z", node: c.f.sum(seen.length * own, factors, b ? [b.at(k)] : []) };
  },
  dX(c, i) {
    const W = c.parameter("W"), dZ = gradientOfZ(c), [, , own, filters] = W.shape, made = filters / c.net.groups;
    const { s, row, column, channel } = imageAt(c.inputShape, i), group = floor(channel / own);
    const seen = seeing(c.net, dZ.shape.slice(1), row, column);
    const factors = (t) => {
      const [tap, pixel] = seen[floor(t / made)], k = group * made + (t % made);
      return [dZ.at(s * dZ.row + pixel * filters + k), W.at((tap * own + (channel % own)) * filters + k)];
    };
    return c.f.sum(seen.length * made, factors);
  },
  dW(c, i) {
    const [, across, own, filters] = c.parameter("W").shape, k = i % filters, channel = floor(i / filters) % own;
    const tap = floor(i / (filters * own)), y = floor(tap / across), x = tap % across;
    return sumOver(c, "dW", i, (use) => {
      const X = use.input(), dZ = gradientOfZ(use), [m, h, w, channels] = X.shape, [, hOut, wOut] = dZ.shape, seen = [];
      const { stride, padding: [[top], [left]], dilation } = use.net, first = floor(k / (filters / use.net.groups)) * own;
      for (let a = 0; a < hOut; a++) for (let b = 0; b < wOut; b++) {
        const row = a * stride[0] + y * dilation[0] - top, column = b * stride[1] + x * dilation[1] - left;
        if (row >= 0 && row < h && column >= 0 && column < w) seen.push([row * w + column, a * wOut + b]);
      }
      return [m * seen.length, (t) => {
        const s = floor(t / seen.length), [pixel, out] = seen[t % seen.length];
        return [X.at(s * X.row + pixel * channels + first + channel), dZ.at(s * dZ.row + out * filters + k)];
      }];
    });
  },
  db,
};

// The pixels of a window, and which of them is its largest: the first of those that tie; NaN is larger than all.
function windowOf(c, X, { s, row, column, channel }) {
  const seen = seenBy(c.net, X.shape.slice(1), row, column).map(([, pixel]) => s * X.row + pixel * X.shape[3] + channel);
  return [seen, seen.reduce((best, at) => (X.data[at] > X.data[best] || (Number.isNaN(X.data[at]) && !Number.isNaN(X.data[best])) ? at : best), seen[0])];
}

const max_pool = {
  A(c, i) {
    const X = c.input(), [seen, winner] = windowOf(c, X, imageAt(c.numbers("A").shape, i));
    return largestOf(c.f, seen.map((at) => X.at(at)), X.at(winner));
  },
  dX(c, i) {
    const X = c.input(), dA = c.numbers("dA"), pixel = imageAt(X.shape, i);
    const windows = seeing(c.net, dA.shape.slice(1), pixel.row, pixel.column).map(([, out]) => pixel.s * dA.row + out * dA.shape[3] + pixel.channel);
    const won = windows.filter((out) => windowOf(c, X, imageAt(dA.shape, out))[1] === i);
    const note = won.length ? "" : "It is the largest of no window, so that nothing is passed back to it.";
    return { node: c.f.sum(won.length, (k) => [dA.at(won[k])], [], "windows"), note };
  },
};

function largestOf(f, leaves, winner) {
  const SHOWN = 9, shown = leaves.length <= SHOWN ? leaves : leaves.slice(0, SHOWN), more = leaves.length - shown.length;
  const listed = shown.map(({ ml }) => ml).join("<mo>,</mo>") + (more ? `<mo>,</mo><mtext>${more} more</mtext>` : "");
  const terms = { n: leaves.length, factors: (k) => [leaves[k]], value: (k) => leaves[k].value, label: (k) => leaves[k].label };
  return { ...f.is(winner.value, 0, applied("max", listed), 9), terms };
}

const average_pool = {
  A(c, i) {
    const X = c.input(), at = imageAt(c.numbers("A").shape, i), [seen] = windowOf(c, X, at);
    const sum = c.f.sum(seen.length, (k) => [X.at(seen[k])], [], "pixels");
    return c.f.mean(sum, entriesOf(c, seen.length));
  },
  dX(c, i) {
    const dA = c.numbers("dA"), pixel = imageAt(c.inputShape, i), windows = seeing(c.net, dA.shape.slice(1), pixel.row, pixel.column);
    const each = (k) => {
      const out = windows[k][1], n = seenBy(c.net, c.inputShape.slice(1), floor(out / dA.shape[2]), out % dA.shape[2]).length;
      return [dA.at(pixel.s * dA.row + out * dA.shape[3] + pixel.channel), c.f.over(c.f.number(1), c.f.number(entriesOf(c, n)))];
    };
    return c.f.sum(windows.length, each, [], "windows");
  },
};

const entriesOf = ({ net }, seen) => (net.count_include_pad ? net.size[0] * net.size[1] : seen);

const global_average = {
  A(c, i) {
    const X = c.input(), [, h, w, n] = X.shape, s = floor(i / n), sum = c.f.sum(h * w, (k) => [X.at(s * X.row + k * n + (i % n))], [], "pixels");
    return c.f.mean(sum, h * w);
  },
  dX(c, i) {
    const [, h, w, n] = c.inputShape, { s, channel } = imageAt(c.inputShape, i);
    return c.f.over(c.numbers("dA").at(s * n + channel), c.f.number(h * w));
  },
};

// Batch norm: by the batch's own mean and variance where they are recorded, else by the running ones.
class BatchNormOf {
  constructor(c) {
    Object.assign(this, { c, isOfBatch: Boolean(c.maybe("mean")), gamma: c.parameter("gamma"), beta: c.parameter("beta") });
    this.mean = c.maybe("mean") ?? c.parameter("running_mean");
    this.var = c.maybe("var") ?? c.parameter("running_var");
    this.n = this.gamma.data.length;
  }

  get count() { return this.c.replay.header.batch.m * (this.c.input().row / this.n); } // values of a channel

  deviation(k) { const { f, net } = this.c; return f.root(f.plus(rounded(f, this.var.at(k)), f.number(net.epsilon))); }

  hat(X, i) { const { f } = this.c, k = i % this.n; return f.over(f.minus(X.at(i), rounded(f, this.mean.at(k), 2)), this.deviation(k)); }

  // The sum over the channel of da, or of da times x hat, of this use of the layer.
  sum(name, k) {
    const { c } = this, found = c.parameter(`d${name}`);
    if (found && c.uses.length === 1 && !c.step.use_of) return rounded(c.f, found.at(k), 2);
    const X = c.input(), dA = c.numbers("dA");
    return c.f.sum(dA.data.length / this.n, (t) => (name === "beta" ? [dA.at(t * this.n + k)] : [dA.at(t * this.n + k), this.hat(X, t * this.n + k)]));
  }
}

const batch_norm = {
  A(c, i) {
    const { f } = c, of = new BatchNormOf(c), k = i % of.n;
    return f.plus(f.times(of.gamma.at(k), of.hat(c.input(), i)), of.beta.at(k));
  },
  mean(c, k) {
    const of = new BatchNormOf(c), X = c.input();
    return meanOverBatch(c, "mean", k, of, (t) => [X.at(t * of.n + k)]);
  },
  var(c, k) {
    const of = new BatchNormOf(c), X = c.input(), mean = of.mean.at(k);
    return meanOverBatch(c, "var", k, of, (t) => [c.f.square(c.f.minus(X.at(t * of.n + k), mean))]);
  },
  dX(c, i) {
    const { f } = c, of = new BatchNormOf(c), k = i % of.n, dA = c.numbers("dA"), scale = f.over(of.gamma.at(k), of.deviation(k));
    if (!of.isOfBatch) return { key: "batch_norm_fixed/dX", node: f.times(scale, dA.at(i)) };
    const n = f.number(of.count);
    if (!c.replay.isWhole && (c.step.use_of || c.uses.length > 1 || !c.maybeParameter("dgamma"))) return null;
    return f.times(scale, f.minus(f.minus(dA.at(i), f.over(of.sum("beta", k), n)), f.times(of.hat(c.input(), i), f.over(of.sum("gamma", k), n))));
  },
  dgamma: dgamma((use) => { const of = new BatchNormOf(use), X = use.input(); return (i) => of.hat(X, i); }),
  dbeta,
};

function meanOverBatch(c, name, k, of, factors) {
  const { f } = c, n = c.input().data.length / of.n, sum = f.sum(n, factors, [], "values");
  if (c.replay.isWhole) return f.mean(sum, of.count);
  const others = f.number(c.numbers(name).data[k] * of.count - sum.value, "other samples of the batch");
  return { node: f.mean({ ...f.plus(sum, others), terms: sum.terms }, of.count), isPartial: true };
}

// Layer norm: a row runs along the last axis. Its mean and variance are computed here where the page has none.
class LayerNormOf {
  constructor(c, i) {
    const X = c.input(), n = lastOf(X), row = floor(i / n), { f } = c;
    Object.assign(this, { c, X, n, row, start: row * n, gamma: c.parameter("gamma"), beta: c.parameter("beta") });
    const values = X.data.subarray(this.start, this.start + n), mean = values.reduce((a, b) => a + b, 0) / n;
    const size = values.reduce((a, b) => max(a, abs(b)), 0);
    const spread = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    const place = (name, value, error) => {
      const found = c.maybe(name), leaf = found && found.at(row);
      return leaf ? f.is(leaf.value, error, leaf.ml, leaf.level, leaf) : f.is(value, error, numberML(value), value < 0 ? 2 : 9);
    };
    this.mean = place("mean", mean, 4 * f.unit * size);
    this.var = place("var", spread, 8 * f.unit * (spread + size * sqrt(spread)));
    this.deviation = f.root(f.plus(this.var, f.number(c.net.epsilon)));
  }

  hat(i) { return this.c.f.over(this.c.f.minus(this.X.at(i), this.mean), this.deviation); }
}

const layer_norm = {
  A(c, i) {
    const of = new LayerNormOf(c, i), { f } = c, k = i % of.n;
    return f.plus(f.times(of.gamma.at(k), of.hat(i)), of.beta.at(k));
  },
  mean(c, row) {
    const X = c.input(), n = lastOf(X), sum = c.f.sum(n, (k) => [X.at(row * n + k)]);
    return c.f.mean(sum, n);
  },
  var(c, row) {
    const X = c.input(), n = lastOf(X), of = new LayerNormOf(c, row * n);
    const sum = c.f.sum(n, (k) => [c.f.square(c.f.minus(X.at(row * n + k), of.mean))]);
    return c.f.mean(sum, n);
  },
  dX(c, i) {
    const of = new LayerNormOf(c, i), { f } = c, dA = c.numbers("dA"), n = f.number(of.n);
    const mean = (sum) => { const node = f.over(sum, n); return f.is(node.value, node.error, numberML(node.value), node.value < 0 ? 2 : 9); };
    const sum = f.sum(of.n, (k) => [of.gamma.at(k), dA.at(of.start + k)]);
    const product = f.sum(of.n, (k) => [of.gamma.at(k), dA.at(of.start + k), of.hat(of.start + k)]);
    const g = f.times(of.gamma.at(i % of.n), dA.at(i));
    return { node: f.over(f.minus(f.minus(g, mean(sum)), f.times(of.hat(i), mean(product))), of.deviation), terms: product.terms,
      note: "The terms are those of the last sum." };
  },
  dgamma: dgamma((use) => (i) => new LayerNormOf(use, i).hat(i)),
  dbeta,
};

const affine = { // a factor and perhaps a shift for each channel
  A(c, i) {
    const gamma = c.parameter("gamma"), beta = c.maybeParameter("beta"), k = i % gamma.data.length, product = c.f.times(gamma.at(k), c.input().at(i));
    return beta ? c.f.plus(product, beta.at(k)) : { key: "scale/A", node: product };
  },
  dX(c, i) {
    const gamma = c.parameter("gamma");
    return c.f.times(gamma.at(i % gamma.data.length), c.numbers("dA").at(i));
  },
  dgamma: dgamma((use) => { const X = use.input(); return (i) => X.at(i); }),
  dbeta,
};

const same = { // what passes on its input: Flatten, Dropout in a prediction, a linear activation
  A: (c, i) => c.input().at(i),
  dX: (c, i) => c.numbers("dA").at(i),
};

const dropout = {
  A: (c, i) => c.f.times(c.input().at(i), rounded(c.f, c.numbers("mask").at(i))),
  dX: (c, i) => c.f.times(c.numbers("dA").at(i), rounded(c.f, c.numbers("mask").at(i))),
};

// Layers whose outputs are single pixels, weighted: [pixel, weight] of each output, and the other way round.
const linear_map = (weightsOf) => ({
  A(c, i) {
    const X = c.input(), { s, row, column, channel } = imageAt(c.numbers("A").shape, i), n = X.shape[3];
    const seen = weightsOf(c.net, X.shape.slice(1), c.numbers("A").shape.slice(1)).from(row, column);
    return weighted(c.f, seen, (pixel) => X.at(s * X.row + pixel * n + channel));
  },
  dX(c, i) {
    const dA = c.numbers("dA"), { s, row, column, channel } = imageAt(c.inputShape, i), n = dA.shape[3];
    const seen = weightsOf(c.net, c.inputShape.slice(1), dA.shape.slice(1)).to(row, column);
    return weighted(c.f, seen, (pixel) => dA.at(s * dA.row + pixel * n + channel));
  },
});

const weighted = (f, seen, leaf) => f.sum(seen.length,
  (k) => (seen[k][1] === 1 ? [leaf(seen[k][0])] : [rounded(f, f.number(seen[k][1]), 4), leaf(seen[k][0])]), [], "pixels");

// A map that is one of rows times one of columns: each gives, for a place of the output, [place, weight] of the input.
const byAxes = (axes) => (net, [h, w], [H, W]) => {
  const [down, across] = axes(net, [h, w], [H, W]), list = (n, of) => [...Array(n).keys()].map(of);
  const pairs = (rows, columns, width) => rows.flatMap(([y, a]) => columns.map(([x, b]) => [y * width + x, a * b]));
  const reversed = (n, of, place) => list(n, of).flatMap((found, out) => found.filter(([at]) => at === place).map(([, weight]) => [out, weight]));
  return {
    from: (row, column) => pairs(down(row), across(column), w),
    to: (row, column) => pairs(reversed(H, down, row), reversed(W, across, column), W),
  };
};

const between = (n, N, alignCorners) => (i) => { // bilinear interpolation along one axis
  const exact = alignCorners ? (i * (n - 1)) / max(N - 1, 1) : ((i + 0.5) * n) / N - 0.5, place = min(max(exact, 0), n - 1);
  const low = floor(place), part = place - low;
  return part ? [[low, 1 - part], [low + 1, part]] : [[low, 1]];
};

const upsample = linear_map(byAxes((net) => net.factor.map((times) => (i) => [[floor(i / times), 1]])));
const zero_pad = linear_map(byAxes((net, size) => net.padding.map(([before], axis) => (i) => (i >= before && i < before + size[axis] ? [[i - before, 1]] : []))));
const reflect_pad = linear_map(byAxes((net, size) => net.padding.map(([before], axis) => (i) => {
  const at = i - before, n = size[axis];
  return [[at < 0 ? -at : at < n ? at : 2 * (n - 1) - at, 1]];
})));
const resize = linear_map(byAxes((net, size, out) => size.map((n, axis) => between(n, out[axis], net.align_corners))));

// Joins: a part with one number a channel, or one a pixel, is repeated.
const asImage = (shape) => (shape.length === 4 ? shape : [shape[0], 1, 1, countOf(shape.slice(1))]);

function placeInPart(shape, part, i) { // of a place of the join, in one of its parts
  const { s, row, column, channel } = imageAt(asImage(shape), i), [, h, w, n] = asImage(part);
  return ((s * h + (h === 1 ? 0 : row)) * w + (w === 1 ? 0 : column)) * n + (n === 1 ? 0 : channel);
}

function placesOfPart(shape, part, i) { // of a place of a part, in the join
  const [, H, W, N] = asImage(shape), { s, row, column, channel } = imageAt(asImage(part), i), [, h, w, n] = asImage(part), found = [];
  for (let y = h === H ? row : 0; y < (h === H ? row + 1 : H); y++) for (let x = w === W ? column : 0; x < (w === W ? column + 1 : W); x++)
    for (let k = n === N ? channel : 0; k < (n === N ? channel + 1 : N); k++) found.push(((s * H + y) * W + x) * N + k);
  return found;
}

const partsOf = (c) => c.net.from.map((_, k) => c.input(k));

function joinRule(c, i) {
  const parts = partsOf(c), { shape } = c.numbers("A"), { f } = c;
  if (c.net.do === "concat") {
    const n = shape[shape.length - 1], pixel = floor(i / n);
    let k = 0, channel = i % n;
    while (channel >= lastOf(parts[k])) channel -= lastOf(parts[k++]);
    return parts[k].at(pixel * lastOf(parts[k]) + channel);
  }
  const leaves = parts.map((part) => part.at(placeInPart(shape, part.shape, i)));
  if (c.net.do === "multiply") return f.times(...leaves);
  return shareOfMean(c, f.sum(leaves.length, (k) => [leaves[k]], [], "parts"), leaves.length);
}

const shareOfMean = (c, node, n) => (c.net.do === "mean" ? c.f.over(node, c.f.number(n)) : node);

// What a join passes back to one of its parts.
function joinGradient(c, k, i) {
  const parts = partsOf(c), dA = c.numbers("dA"), { f } = c, key = `${c.net.do}/dX`;
  if (c.net.do === "concat") {
    const before = parts.slice(0, k).reduce((sum, part) => sum + lastOf(part), 0), own = lastOf(parts[k]), n = lastOf(dA);
    return { key, node: dA.at(floor(i / own) * n + before + (i % own)) };
  }
  const places = placesOfPart(dA.shape, parts[k].shape, i);
  const factors = (t) => [dA.at(places[t]), ...(c.net.do !== "multiply" ? [] : parts.flatMap((part, j) => (j === k ? [] : [part.at(placeInPart(dA.shape, part.shape, places[t]))])))];
  return { key, node: shareOfMean(c, f.sum(places.length, factors, [], "places"), parts.length) };
}

const LAYER_RULES = {
  dense, conv2d, max_pool, average_pool, global_average, batch_norm, layer_norm, affine, dropout, same, upsample, zero_pad,
  reflect_pad, resize, add: { A: joinRule }, concat: { A: joinRule }, mean: { A: joinRule }, multiply: { A: joinRule },
};

// dZ of a step; without an activation it is dA.
function gradientOfZ(c) { return c.maybe("dZ") ?? c.numbers("dA"); }

// What a step's activation computes of each number, or of each row.
const activation = {
  A(c, i) {
    const name = c.net.activation, Z = c.maybe("Z") ?? c.input();
    if (name === "softmax") {
      const n = lastOf(Z), start = i - (i % n), row = Z.data.subarray(start, start + n);
      const highest = row.reduce((a, b) => max(a, b), -Infinity), { f } = c;
      return { key: "activation/softmax", node: shareOf(f, n, i % n, highest, (k) => Z.at(start + k)) };
    }
    const W = ownArrays(c), z = Z.at(i), f = (x) => ACTIVATIONS[name](x, W, i % Z.row);
    return { key: `activation/${name}`, node: filledBy(c, `f/${name}`, f(z.value), wobble(f, z.value, c.f.unit), { z }, f) };
  },
  dZ(c, i) {
    const name = c.net.activation, dA = c.numbers("dA"), Z = c.maybe("Z") ?? c.input(), A = c.numbers("A"), { f } = c;
    if (name === "softmax") {
      const n = lastOf(A), start = i - (i % n);
      const shared = f.sum(n, (k) => [dA.at(start + k), A.at(start + k)], [], "outputs");
      return { key: "derivative/softmax", node: f.times(A.at(i), f.minus(dA.at(i), shared)) };
    }
    if (!DERIVATIVES[name]) return null; // of one's own, and not noted
    const W = ownArrays(c), z = Z.at(i), a = A.at(i), at = i % Z.row, slope = (x) => DERIVATIVES[name](x, ACTIVATIONS[name](x, W, at), W, at);
    const value = DERIVATIVES[name](z.value, a.value, W, at);
    const error = wobble(slope, z.value, c.f.unit) + wobble((x) => DERIVATIVES[name](z.value, x, W, at), a.value, c.f.unit);
    return { key: `derivative/${name}`, node: f.times(dA.at(i), filledBy(c, `df/${name}`, value, error, { z, a })) };
  },
};

// e to the jth over the sum of e to each of n: the highest is subtracted first, as in the network.
function shareOf(f, n, j, highest, z) {
  const part = (k) => {
    const leaf = z(k), value = exp(leaf.value - highest);
    return f.is(value, f.unit * value * (2 + highest - leaf.value), `<msup><mi>e</mi>${leaf.ml}</msup>`, 9, { place: leaf.place, label: `e^${leaf.label}` });
  };
  return f.over(part(j), f.sum(n, (k) => [part(k)], [], "outputs"));
}

// How far a function's value may be off, by a rounding of its argument and of itself.
function wobble(f, x, unit) {
  const near = unit * abs(x), y = f(x);
  const off = max(abs(f(x + near) - y), abs(f(x - near) - y));
  return (Number.isFinite(off) && off < 1e-3 * (1 + abs(y)) ? off : 0) + 6 * unit * (abs(y) + (abs(y) < 1 ? min(1, abs(y) + near) : 0));
}

function filledBy(c, key, value, error, put) {
  const ml = c.replay.header.formulas[key];
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
    if (value === name) found.push({ redirect: { step: "loss", name: ofOutput("dZ", output), index: i } });
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

function leafAt(replay, { step, name, index }) { return new NumbersAt(step, name, replay.needed(step, name)).at(index); }

// What the optimizer adds to a parameter: its formula with numbers put in. Memory of earlier steps is 0 at the first.
function updateOf(c, name, i) {
  const { optimizer } = c.replay.header, { f, step } = c, theta = c.parameter(name).at(i), { numbers = {} } = optimizer;
  const eta = numbers.learning_rate ?? optimizer.learning_rate, rate = f.number(eta * (step.rates?.[name] ?? 1), "η");
  const isClipped = (optimizer.clip_value ?? null) !== null || (numbers.shrink ?? 1) < 1;
  let g = c.parameter(`d${name}`).at(i), more = null, kind = null;
  if ((optimizer.clip_value ?? null) !== null)
    g = f.call("clip", (x, low, high) => min(max(x, low), high), g, f.number(-optimizer.clip_value), f.number(optimizer.clip_value));
  else if ((numbers.shrink ?? 1) < 1) g = f.times(rounded(f, f.number(numbers.shrink), 8), g);
  if (optimizer.weight_decay && (step.decays ?? []).includes(name)) {
    const lambda = f.number(optimizer.weight_decay);
    kind = optimizer.type === "adamw" ? "decoupled" : "decay";
    if (kind === "decoupled") more = f.negative(f.times(rate, lambda, theta));
    else g = f.plus(g, f.times(lambda, theta));
  }
  const start = optimizer.initial_sum ?? 0, rows = [], named = (symbol, node) => { // computed in a row of its own
    rows.push([symbol, node]);
    return f.is(node.value, node.error, numberML(node.value), node.value < 0 ? 2 : 9);
  };
  if (!g.place) g = named("g", g);
  const memory = (slot) => c.maybe(`memory_${slot}_${name}`)?.at(i) ?? f.number(slot === "squares" ? start : 0);
  const found = (UPDATES[optimizer.type] ?? (() => null))(f, { ...optimizer, ...numbers }, rate, g, memory, named);
  if (!found) return null;
  const node = more ? f.plus(more, found.node) : found.node;
  const formulas = [kind === "decoupled" ? "update/adamw" : `update/${found.key}`, ...(kind === "decay" ? ["decay"] : []), ...(isClipped ? ["clip"] : [])];
  return { ...found, key: formulas[0], more: formulas.slice(1), rows, node, error: 2.5 * f.unit * abs(theta.value), times: 8 };
}

const keeping = (f, kept, old, fresh) => f.plus(old, f.times(f.number(1 - kept), f.minus(fresh, old))); // m + (1 - b) (g - m)

const UPDATES = {
  sgd(f, { momentum, nesterov }, rate, g, memory, named) {
    if (!momentum) return { key: "sgd", node: f.negative(f.times(rate, g)) };
    const mu = f.number(momentum), v = named("v", f.plus(f.times(mu, memory("velocity")), g));
    return nesterov ? { key: "sgd_nesterov", node: f.negative(f.times(rate, f.plus(g, f.times(mu, v)))) } : { key: "sgd_momentum", node: f.negative(f.times(rate, v)) };
  },
  adam(f, { beta1, beta2, epsilon, n_steps: t = 1 }, rate, g, memory, named) {
    const m = named("m", keeping(f, beta1, memory("first_moment"), g)), v = named("v", keeping(f, beta2, memory("second_moment"), f.square(g)));
    const scale = f.over(rate, rounded(f, f.number(1 - beta1 ** t), 2)), root = f.root(f.over(v, rounded(f, f.number(1 - beta2 ** t), 2)));
    return { key: "adam", node: f.negative(f.times(scale, f.over(m, f.plus(root, f.number(epsilon))))) };
  },
  adagrad(f, { epsilon }, rate, g, memory, named) {
    const s = named("s", f.plus(memory("squares"), f.square(g)));
    return { key: "adagrad", node: f.negative(f.times(rate, f.over(g, f.plus(f.root(s), f.number(epsilon))))) };
  },
  rmsprop(f, { decay, momentum, epsilon }, rate, g, memory, named) {
    const s = named("s", f.plus(f.times(f.number(decay), memory("squares")), f.times(f.number(1 - decay), f.square(g))));
    const step = f.over(g, f.plus(f.root(s), f.number(epsilon)));
    if (!momentum) return { key: "rmsprop", node: f.negative(f.times(rate, step)) };
    return { key: "rmsprop_momentum", node: f.negative(f.times(rate, named("v", f.plus(f.times(f.number(momentum), memory("velocity")), step)))) };
  },
};
UPDATES.adamw = UPDATES.adam;

// The loss, its probabilities, and its gradient for the outputs.
function ruleOfLoss(replay, { name, index }) {
  const [base, output = ""] = [name.split(".")[0], name.includes(".") ? name.slice(name.indexOf(".") + 1) : ""];
  const f = expressionsFor(replay), outputs = Object.keys(replay.network.outputs);
  if (base === "value" || base === "dZ") { if (replay.header.loss.value === null) return null; } // of a prediction
  if (base === "value") {
    const all = outputs.map((each) => new LossOf(replay, f, each)), places = [], { isWhole } = replay;
    if (!all.every(({ rule }) => rule)) return null; // a loss of one's own
    for (const of of all) for (let s = 0; s < of.Z.shape[0]; s++) for (let j = 0; j < of.k; j++)
      if (!of.rule.isSparse || of.at(s, j).target.value !== 0) places.push([of, s, j]); // else it adds 0
    const n = places.length;
    const factors = (k) => { const [of, s, j] = places[k]; return scaled(of.rule.L(of.at(s, j)), of.scale(s)); };
    const node = f.sum(n, factors), others = isWhole ? [] : [f.number(Number(replay.header.loss.value) - node.value, "other samples of the batch")];
    return { key: `loss/${all[0].key}`, node: isWhole ? node : f.sum(n, factors, others), isPartial: !isWhole };
  }
  const of = new LossOf(replay, f, output), s = floor(index / of.k), j = index % of.k;
  if (base === "dZ") return of.rule && { key: `loss_gradient/${of.key}`, node: f.times(...scaled(of.rule.dZ(of.at(s, j)), of.scale(s)).reverse()) };
  if (base === "P") return probabilityOf(of, index);
  if (base === "Z") {
    const from = sourceOf(replay.network.outputs[output]);
    return from === null ? null : { redirect: { step: from, name: "A", index } };
  }
  return null;
}

const scaled = (node, scale) => (scale.value === 1 ? [node] : [scale, node]);

function probabilityOf(of, index) {
  const { f, P } = of, s = floor(index / P.row), j = index % P.row;
  of.P = null;
  if (of.k === 1 || of.name === "multi_label") {
    const isOne = of.k > 1 || j === 1;
    return { key: "loss/sigmoid", node: of.at(s, of.k === 1 ? 0 : j).sigmoid(isOne ? 1 : 0) };
  }
  const Z = of.Z, highest = of.row(s).reduce((a, b) => max(a, b), -Infinity);
  return { key: "activation/softmax", node: shareOf(f, of.k, j, highest, (k) => Z.at(s * of.k + k)) };
}

function ruleOf(replay, { step, name, index }) {
  if (step === "loss") return ruleOfLoss(replay, { name, index });
  const c = new StepOf(replay, step), [base, part = "0"] = name.split("."), rules = LAYER_RULES[c.kind] ?? {};
  const hasActivation = Boolean(c.net.activation) && c.kind !== "affine";
  if (base === "X") {
    const from = sourceOf(c.net.from[Number(part)]);
    return from === null || !replay.array(from, "A") ? null : { redirect: { step: from, name: "A", index } };
  }
  if (name === "dA") return gradientOfOutput(c, index);
  if (name.startsWith("new_")) return { key: "update/new", node: c.f.plus(c.parameter(name.slice(4)).at(index), c.parameter(`update_${name.slice(4)}`).at(index)) };
  if (name.startsWith("update_")) return updateOf(c, name.slice(7), index);
  if (c.net.do === null) return null;
  if (base === "dX" && JOINS.includes(c.net.do)) return joinGradient(c, Number(part), index);
  if (hasActivation && name === "A") return activation.A(c, index);
  if (name === "dZ") return hasActivation ? activation.dZ(c, index) : { redirect: { step, name: "dA", index } };
  const isShare = name.startsWith("own_d"), plainName = isShare ? name.slice(4) : name;
  if (isShare) Object.defineProperty(c, "uses", { value: [c] });
  const shares = /^d./.test(name) && rules[name] && name !== "dX" ? sharesOf(c, name, index) : null;
  if (shares) return shares;
  const ruled = rules[plainName] ? plainName : name === "A" ? "Z" : name === "Z" ? "A" : "";
  if (rules[ruled]) {
    const found = rules[ruled](c, index);
    return found && { key: ruled === "db" ? "layer/db" : `${c.kind}/${ruled}`, ...(found.node ? found : { node: found }), times: c.kind === "conv2d" && ruled !== "db" ? 12 : 4 };
  }
  if (hasActivation && name === "dX") return activation.dZ(c, index);
  if (name === "Z") return { redirect: { step, name: "X", index } }; // of an activation alone
  return null;
}

// Return how a number comes from others, or null where it is given (an input, a target, a parameter, a mask) or the
// page has not all that it comes from.
export function derive(replay, place) {
  const found = deriveOrSay(replay, place);
  return found?.reason ? null : found;
}

// The same, or {reason} where the page has not all.
export function deriveOrSay(replay, place) {
  try { return derived(replay, place); } catch (error) {
    if (error instanceof LeftOut) return { reason: error.message };
    throw error;
  }
}

function derived(replay, place) {
  let found = ruleOf(replay, place), notes = [];
  for (let at = found?.redirect; at; at = found?.redirect) {
    const name = at.step === "loss" ? "the loss" : replay.steps[at.step].name;
    notes.push(`The same number as ${at.name} of ${name}.`);
    found = ruleOf(replay, at) ?? { key: "same/A", node: leafAt(replay, at) }; // of a layer of one's own: the number itself
  }
  if (!found) return null;
  const isSame = notes.length > 0; // as another number
  const { node, key, isPartial = false } = found, { value } = node, array = place.name === "value" ? null : replay.array(place.step, place.name);
  const stored = Number(array ? array.data[place.index] : replay.header.loss.value);
  const error = (found.times ?? 4) * node.error + (found.error ?? 0) + 1e-37;
  if (isPartial) notes.push("The page has only some samples of the batch: what the others add is taken from the stored number.");
  if (found.note) notes.push(found.note);
  const isSpread = !Number.isFinite(stored) && Number.isFinite(value); // computed together with others, one of which is not finite
  if (isSpread) notes.push("Stored as a number that is not finite: the network computes several together, and NaN or infinity spreads among them.");
  const isEqual = isPartial || isSpread ? null : Object.is(value, stored) || abs(value - stored) <= error || (Number.isNaN(value) && !Number.isFinite(stored));
  let formula = replay.header.formulas[key] ?? "";
  if (place.name === "dX" && key.startsWith("derivative/")) formula = formula.replaceAll("<mi>dz</mi>", "<mi>dx</mi>").replaceAll("<mi>z</mi>", "<mi>x</mi>");
  const rowOf = (symbol, { ml, value: x, place: at }, digits) => {
    const result = numberML(x, null, digits), isAlone = ml === result || ml === numberML(x, at);
    return `${symbol}<mo>=</mo>${ml}${isAlone ? "" : `<mo>=</mo>${result}`}`;
  };
  const rows = [...(found.rows ?? []).map(([symbol, each]) => rowOf(`<mi>${symbol}</mi>`, each)), rowOf(symbolOf(place, array), node, 6)];
  return {
    key, formula, keys: [key, ...(found.more ?? [])],
    filled: `<math><mrow>${rows.join("<mspace></mspace>")}</mrow></math>`,
    terms: node.terms ?? found.terms ?? null, computed: value, stored, isEqual, note: notes.join(" "), isSame, error,
  };
}

// The name of a place as NumPy has it: "dW[17, 3] of dense_1".
function symbolOf({ name, index }, array) {
  if (name === "value") return "<mi>L</mi>";
  const [base] = name.replace(/^own_/, "").split("."), greek = { gamma: "γ", beta: "β", mean: "μ" };
  const written = base.replace(/^update_/, "Δ").replace(/^new_/, "new ").replace(/gamma|beta|mean/, (word) => greek[word]), symbol = asText(written.replace(/[A-Z]/g, (c) => c.toLowerCase()));
  const indices = indicesOf(array.shape, index).map((i) => `<mn>${i}</mn>`).join("<mo>,</mo>");
  if (base === "var") return `<msubsup><mi>σ</mi><mrow>${indices}</mrow><mn>2</mn></msubsup>`;
  return `<msub><mi>${symbol}</mi><mrow>${indices}</mrow></msub>`;
}
