// The whole step on two printed pages: forward on the first, loss, backward and update on the second.

import { register, make, short, sizes, nameOf, symbol, counted, headCell } from "./dom.js";
import { tilesOf, paint, paintPhoto } from "./tiles.js";

const SHEET_STEPS = 22; // layers of a page; of more the first and the last

class OverviewElement extends HTMLElement {
  set view({ replay, sample }) {
    Object.assign(this, { replay, sample });
    const { header } = replay, one = header.samples[sample], { loss } = header;
    const about = make("div", "sheet"), top = make("div", "top");
    if (typeof one?.picture === "number") { const canvas = make("canvas", "photo"); paintPhoto(canvas, replay.stored(one.picture)); top.append(canvas); }
    top.append(make("p", {}, make("strong", {}, one ? `${one.name}: ${one.verdict}` : ""), one?.label ? ` (label: ${one.label})` : "", loss.value === null || loss.value === undefined ? "" : ` Loss ${short(Number(loss.value))}.`));
    about.append(top, this.table("Forward", replay.steps.map((_, step) => step), ["W", "Z", "A"]));
    this.replaceChildren(about);
    if (header.kind === "prediction") return;
    const back = make("div", "sheet", make("p", {}, `Loss: ${loss.title || loss.name}, ${short(Number(loss.value))}${loss.after === null || loss.after === undefined ? "" : `; after the update ${short(Number(loss.after))}`}.`));
    back.append(this.table("Backward and update", replay.steps.map((_, step) => step).reverse(), ["dA", "dZ", "dW", "update_W"]));
    this.append(back);
  }

  table(title, steps, names) {
    const { replay, sample } = this, chosen = steps.length <= SHEET_STEPS ? steps : [...steps.slice(0, SHEET_STEPS / 2), null, ...steps.slice(-SHEET_STEPS / 2)], body = make("tbody");
    for (const step of chosen) {
      if (step === null) { body.append(make("tr", {}, make("td", { colspan: names.length + 1 }, `${counted(steps.length - SHEET_STEPS, "more step")}`))); continue; }
      const row = make("tr", {}, headCell("row", nameOf(replay, step), make("small", {}, sizes(replay.network.steps[step].shape))));
      for (const name of names) {
        const cell = make("td");
        if (replay.array(step, name)) {
          const canvas = make("canvas"), tiles = tilesOf(replay, step, name, sample), { mean, norm, low, high } = replay.summary(step, name, replay.isOfSamples(name) ? sample : null);
          const n = Math.min(tiles.offsets.length, tiles.h * tiles.w > 400 ? 3 : 24), scale = Math.max(Math.abs(low), Math.abs(high));
          paint(canvas, { ...tiles, offsets: tiles.offsets.subarray(0, n), across: Math.min(n, Math.max(1, Math.min(tiles.across, 12))) }, scale < Infinity ? scale : 0, true);
          cell.append(canvas, make("small", {}, `mean ${short(mean)}, norm ${short(norm)}`));
        }
        row.append(cell);
      }
      body.append(row);
    }
    const head = make("tr", {}, make("td"), ...names.map((name) => headCell("col", symbol(name))));
    return make("table", { style: `--tall:${Math.max(5.5, Math.min(22, 190 / chosen.length - 6)).toFixed(1)}mm` }, make("caption", {}, title), make("thead", {}, head), body);
  }
}

export const defineOverview = () => register("pellucid-overview", OverviewElement);
