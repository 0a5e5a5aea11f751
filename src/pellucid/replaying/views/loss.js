// Where the forward pass ends and the backward pass begins: outputs, probabilities, targets, the loss, its gradient.

import { max, min } from "./numbers.js";
import { make, numberButton, brokenMath, short, symbol, verdictLine, costOf, what, scrolled, headOf, headCell } from "./dom.js";
import { ofOutput } from "./store.js";

const MOST_OUTPUTS = 20; // classes in the table; the pictures have all

export class LossElement extends HTMLElement {
  // given: {replay, sample, isNumbers}
  set view({ replay, sample, isNumbers }) {
    const { loss, samples, kind, formulas } = replay.header, isPrediction = kind === "prediction", one = samples[sample];
    const head = headOf([what(isPrediction ? "verdict" : "loss", isPrediction ? "the verdict" : "the loss")], make("h2", {}, isPrediction ? "Verdict" : "Loss"));
    this.replaceChildren(head);
    if (one) this.append(verdictLine(one));
    if (!isPrediction && loss.value !== null) {
      const value = make("p", "value", `${costOf(replay)} `, numberButton(replay, { step: "loss", name: "value", index: 0 }));
      if (loss.after !== null && loss.after !== undefined) value.append(make("span", "muted", `  after the update: ${short(Number(loss.after))}`));
      if (samples.length > 1 && (one?.loss ?? null) !== null) value.append(make("span", "muted", `; of ${one.name} alone ${short(Number(one.loss))}`));
      this.append(make("p", "prose", `${loss.title || loss.name.replace(/_/g, " ")}${replay.header.batch.m > 1 ? `, the mean over ${replay.header.batch.m} samples` : ""}.`), value);
    }
    if (isPrediction) this.append(make("p", "prose", replay.header.help.words.prediction));
    const ml = Object.keys(formulas).filter((key) => key.startsWith("loss/") && key !== "loss/sigmoid");
    if (!isNumbers) for (const key of ml) this.append(scrolled("Formula of the loss", "formula", brokenMath(formulas[key])));
    for (const output of Object.keys(replay.network.outputs)) this.append(this.table(replay, sample, output));
  }

  table(replay, sample, output) {
    const classes = replay.header.classes[output], named = (name) => ofOutput(name, output);
    const columns = ["Z", "P", "Y", "dZ"].filter((name) => replay.array("loss", named(name))).map((name) => ({ name: named(name), base: name, ...replay.array("loss", named(name)) }));
    const wide = ({ shape }) => (shape.length > 1 ? shape[1] : 1), count = max(...columns.map(wide)), body = make("tbody");
    for (let k = 0; k < min(count, MOST_OUTPUTS); k++) {
      const row = make("tr", {}, headCell("row", classes[k] ?? (count === 1 ? output || "output" : String(k))));
      for (const column of columns) {
        const own = wide(column), cell = make("td"), isLabel = column.base === "Y" && column.shape.length === 1 && count > 1;
        const at = own === count ? k : own === 1 && (isLabel || k === count - 1) ? 0 : -1;
        if (at >= 0) {
          cell.append(isLabel ? numberButton(replay, { step: "loss", name: column.name, index: sample }, String(Number(column.data[sample] === k))) : numberButton(replay, { step: "loss", name: column.name, index: sample * own + at }));
          if (column.base === "P") cell.append(make("span", { class: "bar", "aria-hidden": "true" }, make("i", { style: `width:${max(0, min(100, 100 * column.data[sample * own + at])) || 0}%` })));
        }
        row.append(cell);
      }
      body.append(row);
    }
    const titles = { Z: "output z", P: "probability", Y: "target y", dZ: "gradient dZ" };
    const head = make("tr", {}, make("td"), ...columns.map(({ base }) => headCell("col", titles[base] ?? symbol(base))));
    const scroll = scrolled(`Outputs${output ? ` of ${output}` : ""}`, "", make("table", "outputs", make("thead", {}, head), body));
    if (count > MOST_OUTPUTS) scroll.append(make("p", "muted", `${count - MOST_OUTPUTS} more outputs are in the picture of P.`));
    return scroll;
  }
}
