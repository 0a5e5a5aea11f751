// The whole step on two printed pages: forward on the first, loss, backward and update on the second.

import { abs, max, min } from "./numbers.js";
import { make, brokenMath, costOf, short, nameOf, symbol, headCell } from "./dom.js";
import { tilesOf, paint, paintPhoto } from "./tiles.js";

const SHEET_ALL = 20, SHEET_SOME = 12, SHEET_HIGH = 255; // layers of a page: all, or of more the first, the last and those with remarks; mm
// How often the general formulas stand (2: with each layer, 1: once), and what is derived of each layer, of "Z|A" the
// first that has a derivation of its own; where a page is too high the next is tried.
const SHEETS = {
  forward: [[2, "Z A"], [1, "Z A"], [1, "Z|A"], [0, "Z|A"], [0, ""]],
  backward: [[2, "dZ|dX dW|dgamma update_W|update_gamma"], [1, "dZ|dX dW|dgamma update_W"], [1, "dW|dX update_W"], [0, "dW|dX update_W"], [0, "dW update_W"], [0, "dW"], [0, ""]],
};
const OF_UNIT = ["Z", "A", "dA", "dZ"]; // arrays of the same shape

export class OverviewElement extends HTMLElement {
  // given: {replay, sample, place}; place: the number that is selected, or null
  set view({ replay, sample, place }) {
    Object.assign(this, { replay, sample, place });
    const { header } = replay, { loss, optimizer } = header, one = header.samples[sample], top = make("div", "top"), all = [...replay.steps.keys()], isStep = header.kind !== "prediction";
    if (typeof one?.picture === "number") { const canvas = make("canvas", "photo"); paintPhoto(canvas, replay.stored(one.picture)); top.append(canvas); }
    top.append(make("p", {}, make("strong", {}, one ? `${one.name}: ${one.verdict}` : ""), one?.label ? `, label ${one.label}` : "", isStep ? `; ${costOf(replay)} ${short(Number(loss.value))}` : ""));
    this.replaceChildren();
    this.classList.add("measured");
    this.sheet("Forward", [top], all, ["W", "A"], SHEETS.forward);
    if (isStep) {
      const after = (loss.after ?? null) === null ? "" : `; after the update ${short(Number(loss.after))}`, update = Object.keys(header.formulas).filter((key) => key.startsWith("update/") && key !== "update/new");
      const words = `${loss.title || loss.name}: ${costOf(replay)} ${short(Number(loss.value))}${after}. The update: ${optimizer.type}.`;
      this.sheet("Backward and update", [make("p", {}, words), ...this.derived({ step: "loss", name: "value", index: 0 }, new Set()), ...(update.length > 1 ? [] : update.map((key) => brokenMath(header.formulas[key])))], all.reverse(), ["dA", "dW"], SHEETS.backward);
    }
    this.classList.remove("measured");
  }

  // The formula of a number, where "shown" has not had it, and with the numbers put in.
  derived(place, shown = null) {
    const found = this.replay.tools.deriveOrSay(this.replay, place);
    if (!found || found.reason || (found.isSame && !found.key.startsWith("loss"))) return [];
    const isNew = shown && found.formula && !shown.has(found.key);
    shown?.add(found.key);
    return [...(isNew ? [brokenMath(found.formula)] : []), brokenMath(found.filled)];
  }

  sheet(title, top, steps, pictures, levels) {
    const { replay, place } = this, { remarks, batch } = replay.header, odd = steps.filter((step) => remarks.some((remark) => remark.step === step)).slice(0, SHEET_SOME - 4);
    const ends = (SHEET_SOME - odd.length) / 2, kept = [...steps.slice(0, ends), ...steps.slice(-ends), ...odd, place?.step], chosen = steps.length <= SHEET_ALL ? steps : steps.filter((step) => kept.includes(step));
    for (const [often, names] of levels) {
      const left = [chosen.length < steps.length && `${steps.length - chosen.length} of ${steps.length} layers`, !often && "general formulas", names !== levels[0][1] && "some of the numbers", "other units and weights", batch.m > 1 && "other samples"];
      const shown = often === 1 ? new Set() : null, body = make("tbody", {}, ...chosen.map((step) => this.row(step, pictures, title[0], names.split(" "), shown ?? (often ? new Set() : null))));
      const head = make("tr", {}, make("td"), ...pictures.map((name) => headCell("col", symbol(name))), headCell("col", names && "One unit: the selected one, or that with the largest output"));
      const tall = max(5, min(16, 190 / chosen.length - 6)).toFixed(1);
      const sheet = make("div", "sheet", ...top, make("table", { style: `--tall:${tall}mm` }, make("caption", {}, title), make("thead", {}, head), body), make("p", {}, `Not printed: ${left.filter(Boolean).join(", ")}.`));
      this.append(sheet);
      for (const math of sheet.querySelectorAll(".broken")) math.fit();
      if (!names || sheet.offsetHeight < SHEET_HIGH * 96 / 25.4) return;
      sheet.remove();
    }
  }

  row(step, pictures, part, names, shown) {
    const { replay, sample } = this, row = make("tr", {}, headCell("row", nameOf(replay, step), part === "F" ? make("small", {}, replay.steps[step].title) : "")), last = make("td");
    for (const name of pictures) {
      const cell = make("td");
      if (replay.array(step, name)) {
        const canvas = make("canvas"), tiles = tilesOf(replay, step, name, sample), { norm, low, high } = replay.summary(step, name, replay.isOfSamples(name) ? sample : null);
        const n = min(tiles.offsets.length, tiles.h * tiles.w > 400 ? 3 : 24), scale = max(abs(low), abs(high));
        paint(canvas, { ...tiles, offsets: tiles.offsets.subarray(0, n), across: min(n, max(1, min(tiles.across, 12))) }, scale < Infinity ? scale : 0, true);
        cell.append(make("div", "top", canvas, make("small", {}, `norm ${short(norm)}`)));
      }
      row.append(cell);
    }
    for (const group of names) {
      for (const name of group.split("|")) {
        const place = this.numberOf(step, name), found = place ? this.derived(place, name.startsWith("update") ? null : shown) : [];
        last.append(...found);
        if (found.length) break;
      }
    }
    for (const { text } of replay.header.remarks.filter((each) => each.step === step && (each.part === "forward") === (part === "F"))) last.append(make("small", {}, text));
    row.append(last);
    return row;
  }

  // The number of an array that is derived: of the unit that is selected, else of that with the largest output.
  numberOf(step, asked) {
    const { replay, sample, place } = this, { activation } = replay.steps[step], has = (name) => replay.array(step, name), wide = (name) => has(name).shape.at(-1);
    const name = replay.names(step).find((each) => each.split(".")[0] === asked);
    if (!name || !has(name) || !has("A") || (name === "A" && !activation && has("Z"))) return null;
    const largest = (array, unit) => {
      const { data, shape } = has(array), n = replay.isOfSamples(array) ? data.length / shape[0] : data.length, start = n < data.length ? sample * n : 0, across = unit < 0 ? 1 : wide(array);
      let found = start + max(0, unit);
      for (let i = found; i < start + n; i += across) if (!(abs(data[i]) <= abs(data[found]))) found = i;
      return found;
    };
    const isHere = place?.step === step && !place.name.includes("X") && has(place.name), at = isHere && OF_UNIT.includes(place.name) ? place.index : largest("A", isHere ? place.index % wide(place.name) : -1);
    if (OF_UNIT.includes(name)) return { step, name, index: at };
    const by = has(name.replace("update_", "d")) ? name.replace("update_", "d") : name;
    return { step, name, index: largest(by, name.startsWith("dX") ? -1 : at % wide("A")) };
  }
}
