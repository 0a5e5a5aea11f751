// Asks for the derivation of numbers of every array of a replay, and for central differences.

import { derive } from "./rules.js";
import { difference } from "./difference.js";
import { Replay } from "./store.js";

const spreadOver = (n, most) => (n <= most ? [...Array(n).keys()] : [...Array(most).keys()].map((q) => Math.floor(((q + 0.5) * n) / most)));

export async function checkReplay({ header, content, most, differences }) {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), replay = new Replay(header, bytes.buffer), rows = [];
  for (const step of [...replay.steps.keys(), "loss"]) for (const name of [...replay.names(step), ...(step === "loss" ? ["value"] : [])]) {
    const n = name === "value" ? 1 : replay.array(step, name).data.length;
    const row = { step: step === "loss" ? "loss" : replay.steps[step].name, name, n, equal: 0, given: 0, partial: 0, near: 0, kinds: [], faults: [] };
    rows.push(row);
    for (const index of spreadOver(n, most)) {
      const found = derive(replay, { step, name, index });
      if (found === null) { row.given++; continue; }
      if (found.isEqual) row.equal++;
      else if (found.isEqual === null) row.partial++;
      else row.faults.push(`[${index}] computed ${found.computed}, stored ${found.stored}, may be off by ${found.error}`);
      if (!found.formula.startsWith("<math>") || !found.keys.slice(1).every((key) => key in replay.header.formulas)) row.faults.push(`[${index}] no formula ${found.key}`);
      if (!row.kinds.includes(found.key)) row.kinds.push(found.key);
      row.faults.push(...placesOf(replay, found), ...termsOf(replay, found));
    }
    for (const index of name === "value" || /^d|^update_/.test(name) ? [] : spreadOver(n, differences)) { // of dW: as of W
      const found = await difference(replay, { step, name, index });
      if (found.isNear) row.near++;
      if (found.isNear === false) row.faults.push(`[${index}] difference ${found.numeric}, gradient ${found.analytic}, h ${found.h}`);
    }
  }
  return rows;
}

function placesOf(replay, { filled }) { // each number that is marked stands in an array, and the MathML is well-formed
  const math = new DOMParser().parseFromString(filled.replaceAll("&#x2061;", ""), "application/xml");
  if (math.querySelector("parsererror")) return [`not well-formed: ${filled}`];
  return [...math.querySelectorAll("[data-at]")].flatMap((each) => {
    const [step, name, index] = each.getAttribute("data-at").split("/"), array = replay.array(step === "loss" ? step : Number(step), name);
    return array && Number(index) < array.data.length ? [] : [`no such place: ${each.getAttribute("data-at")}`];
  });
}

function termsOf(replay, { terms }) { // factors are the numbers of their places, and a term is their product
  if (!terms) return [];
  return spreadOver(terms.n, 20).flatMap((k) => {
    const factors = terms.factors(k), product = factors.reduce((a, { value }) => a * value, 1);
    const wrong = factors.find(({ place, value, label }) => place && !label.startsWith("e^") && !Object.is(replay.number(place), value));
    return wrong || !Object.is(product, terms.value(k)) || typeof terms.label(k) !== "string" ? [`term ${k}: ${JSON.stringify(factors)}`] : [];
  });
}
