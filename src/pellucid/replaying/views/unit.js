// One unit of a Dense layer: what comes in, its weights, their products, and what it gives.

import { make, numberButton, short, symbol } from "./dom.js";
import { imageOf, layOut } from "./tiles.js";
import { ownerOf } from "./stops.js";
import { summaryOf } from "./store.js";

// Show numbers that are made here in a picture, with the place that each leads to.
export function shown(replay, data, shape, image, title, caption, help, place) {
  const tensor = make("pellucid-tensor");
  tensor.view = { replay, shape, title, caption, help, place, tiles: layOut(data, shape, 0, image), summary: summaryOf(data) };
  return tensor;
}

// The line under the pictures of a unit or a filter: what the products sum up to, and what becomes of it.
export function sumOfProducts(replay, step, unit, index, sum) {
  const owner = ownerOf(replay, step), line = make("p", "equation", `sum of products ${short(sum)}`);
  if (replay.array(owner, "b")) line.append(" + b ", numberButton(replay, { step: owner, name: "b", index: unit }));
  for (const name of ["Z", "A", "dA", "dZ"]) if (replay.array(step, name)) line.append(name === "Z" ? " = z " : `, ${symbol(name)} `, numberButton(replay, { step, name, index }));
  return line;
}

export class UnitElement extends HTMLElement {
  // given: {replay, step, sample, unit}
  set view({ replay, step, sample, unit }) {
    const own = replay.network.steps[step], owner = ownerOf(replay, step), image = imageOf(replay, own.from[0]);
    const X = replay.array(step, "X"), W = replay.array(owner, "W"), n = W.shape[0], count = W.shape[1];
    const weights = new Float64Array(n), inputs = new Float64Array(n), products = new Float64Array(n);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      weights[i] = W.data[i * count + unit];
      inputs[i] = X.data[sample * n + i];
      sum += products[i] = weights[i] * inputs[i];
    }
    const figures = make("div", "figures",
      shown(replay, inputs, [n], image, "x", "its input", "X", (i) => ({ step, name: "X", index: sample * n + i })),
      shown(replay, weights, [n], image, `w (unit ${unit})`, "its weights, a column of W", "W", (i) => ({ step: owner, name: "W", index: i * count + unit })),
      shown(replay, products, [n], image, "x w", "the products, number by number", "products", () => null));
    this.replaceChildren(figures, sumOfProducts(replay, step, unit, sample * count + unit, sum));
  }
}
