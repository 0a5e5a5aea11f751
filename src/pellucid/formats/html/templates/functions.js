// Functions that activations are written with.

function erfc(x) { // 1 minus the error function: a series near 0, a continued fraction far from it
  const a = Math.abs(x), square = a * a;
  let found;
  if (a < 2.5) {
    let term = a, sum = a;
    for (let n = 1; Math.abs(term) > 1e-17; n++) { term *= -square / n; sum += term / (2 * n + 1); }
    found = 1 - (2 / Math.sqrt(Math.PI)) * sum;
  } else {
    let fraction = 1;
    for (let n = 60; n > 0; n--) fraction = 1 + n / (2 * square) / fraction;
    found = Math.exp(-square) / (a * Math.sqrt(Math.PI) * fraction);
  }
  return x < 0 ? 2 - found : found;
}

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));
export const within = (z, low, high) => (z < low ? low : z > high ? high : z);
export const ndtr = (z) => erfc(-z * Math.SQRT1_2) / 2; // the standard normal distribution function
export const where = (chosen, a, b) => (chosen ? a : b);
