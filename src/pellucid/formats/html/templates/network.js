// The network: each function takes values {data, shape} of one sample, images as [height, width, channels], and
// computes in float64, or in float32 where the input is.

import { ACTIVATIONS } from "./activations.js";
import { sigmoid, within } from "./functions.js";

const valueLike = ({ data }, shape) => ({ data: new data.constructor(shape.reduce((a, b) => a * b, 1)), shape });

function softmaxRows(data, n) { // over each n numbers in a row
  for (let start = 0; start < data.length; start += n) {
    const row = data.subarray(start, start + n), highest = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let i = 0; i < n; i++) sum += row[i] = Math.exp(row[i] - highest);
    for (let i = 0; i < n; i++) row[i] /= sum;
  }
}

export function activate(x, step, W) { // in place, by one of the page's ACTIVATIONS, which may take the layer's arrays
  const f = ACTIVATIONS[step.activation];
  if (step.activation === "softmax") softmaxRows(x.data, x.shape[x.shape.length - 1]);
  else if (f) for (let i = 0; i < x.data.length; i++) x.data[i] = f(x.data[i], W, i);
  return x;
}

// For each place of a window, and each pixel of the output: where the pixel that it sees begins, or -1 in the padding.
function eachTap({ size, stride, padding: [[top], [left]], dilation = [1, 1] }, [h, w], [hOut, wOut], see) {
  for (let y = 0; y < hOut; y++) for (let x = 0; x < wOut; x++)
    for (let i = 0; i < size[0]; i++) for (let j = 0; j < size[1]; j++) {
      const row = y * stride[0] + i * dilation[0] - top, column = x * stride[1] + j * dilation[1] - left;
      const isInside = row >= 0 && row < h && column >= 0 && column < w;
      see(y * wOut + x, i * size[1] + j, isInside ? row * w + column : -1);
    }
}

export const LAYERS = {
  dense([x], step, { W, b }) {
    const out = valueLike(x, step.shape), n = out.data.length, sums = Float64Array.from(b);
    for (let i = 0; i < x.data.length; i++) {
      const a = x.data[i];
      if (a !== 0) for (let k = 0; k < n; k++) sums[k] += a * W[i * n + k];
    }
    out.data.set(sums);
    return activate(out, step);
  },
  conv2d([x], step, { W, b }) {
    const out = valueLike(x, step.shape), filters = step.shape[2], channels = x.shape[2], { groups } = step;
    const own = channels / groups, made = filters / groups; // channels and filters of a group
    const sums = new Float64Array(out.data.length);
    if (b) for (let i = 0; i < sums.length; i++) sums[i] = b[i % filters];
    eachTap(step, x.shape, step.shape, (pixel, tap, seen) => {
      if (seen < 0) return;
      for (let c = 0; c < channels; c++) {
        const a = x.data[seen * channels + c];
        if (a === 0) continue;
        const first = Math.floor(c / own) * made, to = pixel * filters + first;
        const from = (tap * own + (c % own)) * filters + first;
        for (let k = 0; k < made; k++) sums[to + k] += a * W[from + k];
      }
    });
    out.data.set(sums);
    return activate(out, step);
  },
  max_pool([x], step) {
    const out = valueLike(x, step.shape), n = x.shape[2];
    out.data.fill(-Infinity);
    eachTap(step, x.shape, step.shape, (pixel, tap, seen) => {
      if (seen >= 0) for (let c = 0; c < n; c++) {
        const a = x.data[seen * n + c];
        if (a > out.data[pixel * n + c]) out.data[pixel * n + c] = a;
      }
    });
    return out;
  },
  average_pool([x], step) {
    const out = valueLike(x, step.shape), n = x.shape[2], counts = new Float64Array(out.data.length / n);
    const sums = new Float64Array(out.data.length);
    eachTap(step, x.shape, step.shape, (pixel, tap, seen) => {
      if (seen >= 0 || step.count_include_pad) counts[pixel]++;
      if (seen >= 0) for (let c = 0; c < n; c++) sums[pixel * n + c] += x.data[seen * n + c];
    });
    for (let i = 0; i < sums.length; i++) out.data[i] = sums[i] / counts[Math.floor(i / n)];
    return out;
  },
  global_average([x], step) {
    const out = valueLike(x, step.shape), n = x.shape[2], sums = new Float64Array(n);
    for (let i = 0; i < x.data.length; i++) sums[i % n] += x.data[i];
    out.data.set(sums.map((sum) => (sum * n) / x.data.length));
    return out;
  },
  batch_norm([x], step, { gamma, beta, running_mean, running_var }) {
    const out = valueLike(x, step.shape), n = gamma.length;
    const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(running_var[c] + step.epsilon));
    for (let i = 0; i < x.data.length; i++) {
      const c = i % n;
      out.data[i] = (x.data[i] - running_mean[c]) * scale[c] + beta[c];
    }
    return out;
  },
  layer_norm([x], step, { gamma, beta }) {
    const out = valueLike(x, step.shape), n = gamma.length;
    for (let start = 0; start < x.data.length; start += n) {
      const row = x.data.subarray(start, start + n), mean = row.reduce((a, b) => a + b, 0) / n;
      const spread = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / n + step.epsilon);
      for (let c = 0; c < n; c++) out.data[start + c] = ((row[c] - mean) / spread) * gamma[c] + beta[c];
    }
    return out;
  },
  activation: ([x], step, W) => activate({ data: x.data.slice(), shape: x.shape }, step, W), // dropout has none
  flatten: ([x], step) => ({ data: x.data, shape: step.shape }),
  upsample([x], step) {
    const out = valueLike(x, step.shape), [h, w, n] = step.shape, [down, across] = step.factor;
    for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) {
      const from = (Math.floor(i / down) * x.shape[1] + Math.floor(j / across)) * n;
      out.data.set(x.data.subarray(from, from + n), (i * w + j) * n);
    }
    return out;
  },
  zero_pad([x], step) {
    const out = valueLike(x, step.shape), [[top], [left]] = step.padding, [h, w, n] = x.shape;
    for (let i = 0; i < h; i++)
      out.data.set(x.data.subarray(i * w * n, (i + 1) * w * n), ((i + top) * step.shape[1] + left) * n);
    return out;
  },
  reflect_pad([x], step) {
    const out = valueLike(x, step.shape), [[top], [left]] = step.padding, [h, w, n] = x.shape, [H, W] = step.shape;
    const mirrored = (i, n) => (i < 0 ? -i : i < n ? i : 2 * (n - 1) - i);
    for (let i = 0; i < H; i++) for (let j = 0; j < W; j++) {
      const from = (mirrored(i - top, h) * w + mirrored(j - left, w)) * n;
      out.data.set(x.data.subarray(from, from + n), (i * W + j) * n);
    }
    return out;
  },
  resize([x], step) { // by bilinear interpolation
    const out = valueLike(x, step.shape), [h, w, n] = x.shape, [H, W] = step.shape;
    const place = (i, n, N) =>
      within(step.align_corners ? (i * (n - 1)) / Math.max(N - 1, 1) : ((i + 0.5) * n) / N - 0.5, 0, n - 1);
    for (let i = 0; i < H; i++) for (let j = 0; j < W; j++) {
      const y = place(i, h, H), z = place(j, w, W), top = Math.floor(y), left = Math.floor(z);
      const below = Math.min(top + 1, h - 1), right = Math.min(left + 1, w - 1), a = y - top, b = z - left;
      const at = (row, column, c) => x.data[(row * w + column) * n + c];
      for (let c = 0; c < n; c++)
        out.data[(i * W + j) * n + c] = (1 - a) * ((1 - b) * at(top, left, c) + b * at(top, right, c))
          + a * ((1 - b) * at(below, left, c) + b * at(below, right, c));
    }
    return out;
  },
  concat(parts, step) {
    const out = valueLike(parts[0], step.shape), n = step.shape[step.shape.length - 1];
    let start = 0;
    for (const { data, shape } of parts) {
      const own = shape[shape.length - 1];
      for (let i = 0; i < data.length / own; i++) out.data.set(data.subarray(i * own, (i + 1) * own), i * n + start);
      start += own;
    }
    return out;
  },
  add: (parts, step) => joinParts(parts, step, (a, b) => a + b),
  mean(parts, step) {
    const out = joinParts(parts, step, (a, b) => a + b);
    out.data.forEach((sum, i) => { out.data[i] = sum / parts.length; });
    return out;
  },
  multiply: (parts, step) => joinParts(parts, step, (a, b) => a * b),
};

function joinParts(parts, step, join) { // a part with one number a channel, or one a pixel, is repeated
  const out = valueLike(parts[0], step.shape), [h, w, n] = step.shape.length === 3 ? step.shape : [1, 1, step.shape[0]];
  parts.forEach(({ data, shape }, k) => {
    const [rows, columns, own] = shape.length === 3 ? shape : [1, 1, shape[0]];
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) for (let c = 0; c < n; c++) {
      const i = (y * w + x) * n + c;
      const a = data[((rows === 1 ? 0 : y) * columns + (columns === 1 ? 0 : x)) * own + (own === 1 ? 0 : c)];
      out.data[i] = k ? join(out.data[i], a) : a;
    }
  });
  return out;
}

export function outputsFor(network, weights, input) {
  const values = { input }, array = ([start, n]) => weights.subarray(start, start + n);
  for (const step of network.steps) {
    const arrays = Object.fromEntries(Object.entries(step.weights).map(([name, where]) => [name, array(where)]));
    values[step.to] = LAYERS[step.do](step.from.map((name) => values[name]), step, arrays);
  }
  return values[network.output].data;
}

// Probabilities, answers to yes-or-no questions, values or scores, from the raw outputs.
export function readOutputs(network, Z) {
  const { kind, spread, centre, is_rate } = network.reads;
  if (kind === "probabilities") {
    const P = Z.length === 1 ? Float64Array.from([-Z[0], Z[0]], sigmoid) : Float64Array.from(Z);
    if (Z.length > 1) softmaxRows(P, P.length);
    return Array.from(P);
  }
  if (kind === "answers") return Array.from(Z, sigmoid);
  if (kind === "scores") return Z.length === 1 ? [-Z[0], Z[0]] : Array.from(Z);
  return Array.from(Z, (z, i) => (is_rate ? Math.exp(z) : z * spread[i % spread.length] + centre[i % centre.length]));
}
