// The stops of a replay, in the order of computation: what the scrubber walks along.

import { partOf } from "./store.js";

// Return {part, step} of each: the input, each layer forward, the loss, each layer backward, each update.
export function stopsOf(replay) {
  const found = [{ part: "forward", step: "input" }], all = replay.steps.map((_, step) => step);
  const having = (part) => (step) => replay.names(step).some((name) => partOf(step, name) === part);
  for (const step of all) found.push({ part: "forward", step });
  found.push({ part: "loss", step: "loss" });
  if (replay.header.kind === "prediction") return found;
  for (const step of all.filter(having("backward")).reverse()) found.push({ part: "backward", step });
  for (const step of all.filter(having("update"))) found.push({ part: "update", step });
  return found;
}

export const stopAt = (stops, { part, step }) => {
  const exact = stops.findIndex((stop) => stop.part === part && stop.step === step);
  return exact >= 0 ? exact : stops.findIndex((stop) => stop.step === step);
};

export const partTitle = (replay, part) => (part === "loss" && replay.header.kind === "prediction" ? "Verdict" : part[0].toUpperCase() + part.slice(1));

// Return the step that has the parameters of a step: itself, or the first use of a layer in several places.
export function ownerOf(replay, step) {
  const { use_of: first } = replay.steps[step], found = first ? replay.steps.findIndex(({ name }) => name === first) : step;
  return found < 0 ? step : found;
}
