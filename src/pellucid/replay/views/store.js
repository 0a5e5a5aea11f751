// The numbers of a replay: arrays by step and name, and single numbers by their place.
// A place is {step, name, index}: the number of a step of the network or "loss", an array such as "dW", and the
// place in it as one number, the last axis fastest. Arrays of values have the shown samples as their first axis.

const KINDS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, i4: Int32Array };

export class Replay {
  constructor(header, buffer) {
    Object.assign(this, { header, buffer, made: new Map() });
  }

  get steps() { return this.header.steps; }

  // Return {data, shape} of an array, or null where the page has none.
  array(step, name) {
    const of = step === "loss" ? this.header.loss : this.steps[step], given = of.arrays[name];
    if (given === undefined || given === null) return null;
    const key = `${step}/${name}`;
    if (!this.made.has(key)) this.made.set(key, typeof given === "number" ? this.stored(given) : this.computed(step, given));
    return this.made.get(key);
  }

  stored(i) {
    const [start, kind, shape] = this.header.arrays[i], n = shape.reduce((a, b) => a * b, 1);
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
    const { data, shape } = this.array(step, given.scaled);
    return { data: Float64Array.from(data, (x) => given.by * x), shape };
  }

  number({ step, name, index }) { return this.array(step, name).data[index]; }
}
