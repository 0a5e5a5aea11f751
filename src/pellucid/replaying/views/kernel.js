// One filter of a convolution: its kernel, and at one pixel of its map the window that it sees and the products.

import { floor } from "./numbers.js";
import { make } from "./dom.js";
import { seenBy } from "./rules.js";
import { shown, sumOfProducts } from "./unit.js";
import { ownerOf } from "./stops.js";

export class KernelElement extends HTMLElement {
  // given: {replay, step, sample, unit, pixel}: the filter, and [row, column] of its map or null
  set view({ replay, step, sample, unit, pixel }) {
    const own = replay.network.steps[step], owner = ownerOf(replay, step), { data, shape: [h, w, channels, filters] } = replay.array(owner, "W");
    const size = h * w * channels, weights = new Float64Array(size);
    for (let i = 0; i < size; i++) weights[i] = data[i * filters + unit];
    const figures = make("div", "figures", shown(replay, weights, [h, w, channels], null, `W (filter ${unit})`, `its kernel, ${h} × ${w}, for each channel of its input`, "W",
      (i) => ({ step: owner, name: "W", index: i * filters + unit })));
    this.replaceChildren(figures);
    const X = replay.array(step, "X");
    if (!pixel || !X || own.do !== "conv2d") return;
    const [, rows, columns, all] = X.shape, first = floor(unit / (filters / own.groups)) * channels;
    const seen = new Float64Array(size), products = new Float64Array(size), places = new Float64Array(size).fill(-1);
    let sum = 0;
    for (const [tap, at] of seenBy(own, [rows, columns], ...pixel)) for (let c = 0; c < channels; c++) { // the others are in the padding
      const k = tap * channels + c;
      places[k] = (sample * rows * columns + at) * all + first + c;
      seen[k] = X.data[places[k]];
      sum += products[k] = seen[k] * weights[k];
    }
    figures.append(shown(replay, seen, [h, w, channels], null, "x", `the window at row ${pixel[0]}, column ${pixel[1]}`, "window", (k) => (places[k] < 0 ? null : { step, name: "X", index: places[k] })),
      shown(replay, products, [h, w, channels], null, "x w", "the products, number by number", "products", () => null));
    const { shape } = replay.array(step, "A"), index = ((sample * shape[1] + pixel[0]) * shape[2] + pixel[1]) * filters + unit;
    this.append(sumOfProducts(replay, step, unit, index, sum));
  }
}
