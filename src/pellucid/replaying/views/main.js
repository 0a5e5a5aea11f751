// Where a page, a notebook and a server begin.

import { countOf, floor, max } from "./numbers.js";
import { ACTIVATIONS } from "./activations.js";
import { derive, deriveOrSay } from "./rules.js";
import { difference } from "./difference.js";
import { Replay, addressOf, partOf, placeAt } from "./store.js";
import { make, say, short, counted, verdictLine, costOf, what } from "./dom.js";
import { stopAt, stopsOf } from "./stops.js";
import { TensorElement } from "./tensor.js";
import { TableElement } from "./table.js";
import { CurveElement } from "./curve.js";
import { UnitElement } from "./unit.js";
import { KernelElement } from "./kernel.js";
import { NetworkElement } from "./graph.js";
import { ScrubberElement } from "./scrubber.js";
import { DerivationElement } from "./derivation.js";
import { LossElement } from "./loss.js";
import { LayerElement } from "./layer.js";
import { OverviewElement } from "./overview.js";
import { paintPhoto } from "./tiles.js";

class ReplayElement extends HTMLElement {
  set replay(replay) {
    Object.assign(this, { given: replay, hasAddress: this.isPage && location.protocol !== "about:", stops: stopsOf(replay), path: [], sample: 0, isNumbers: false, state: null });
    this.build();
    this.listen();
    if (!this.hasAddress || !this.readAddress()) this.show({ part: "forward", step: "input" }, { isQuiet: true });
  }

  get replay() { return this.given; }

  build() {
    const { given: replay } = this, { header } = replay, { about } = header;
    this.top = make("section", { class: "about", "aria-label": "What this is" });
    const mode = (isNumbers, text) => make("button", { "aria-pressed": "false", click: () => { this.isNumbers = isNumbers; this.refresh(); } }, text);
    this.modes = make("div", { class: "modes", role: "group", "aria-label": "How it is shown" }, mode(false, "As in a textbook"), mode(true, "Numbers only"), what("modes", "the two modes"));
    this.thumb = make("canvas", { class: "photo", role: "img", "aria-label": "The sample in its own colours" });
    this.words = make("div", "words");
    this.top.append(this.thumb, this.words, this.modes);
    const optimizer = header.optimizer, rate = optimizer?.learning_rate;
    this.facts = [`${about.model}, ${counted(about.n_params, "parameter")}, ${about.dtype}`];
    if (header.kind !== "prediction" && optimizer) this.facts.push(`${optimizer.type}${rate === undefined ? "" : `, learning rate ${Number(rate.toPrecision(4))}`}`);
    if (header.batch.m > 1) this.facts.push(`batch of ${header.batch.m}${header.samples.length < header.batch.m ? `, ${header.samples.length} shown` : ""}`);
    this.network = make("pellucid-network");
    this.scrubber = make("pellucid-scrubber", { role: "group", "aria-label": "Scrubber" });
    this.layer = make("pellucid-layer");
    this.side = make("aside", { "aria-label": "Derivation" });
    this.derivation = make("pellucid-derivation");
    this.hint = this.hints();
    this.side.append(this.hint, this.derivation);
    this.lost = make("p", { class: "bad", role: "status" });
    this.overview = make("pellucid-overview", { "aria-hidden": "true" });
    this.helpText = make("p");
    const id = `pellucid-help-${document.querySelectorAll("pellucid-replay").length}-${Math.random().toString(36).slice(2)}`; // a notebook has several
    this.helpTitle = make("h2", { id });
    this.dialog = make("dialog", { class: "help", "aria-labelledby": id }, this.helpTitle, this.helpText, make("button", { class: "tool wide", click: () => this.dialog.close() }, "Close"));
    this.screen = make("div", "screen", this.isPage ? null : make("p", "title", header.title), this.top, this.lost, this.network, this.scrubber, make("div", "both", make("section", { "aria-label": "This stop" }, this.layer), this.side));
    this.replaceChildren(this.screen, this.overview, this.dialog);
    this.network.replay = replay;
    this.scrubber.view = { replay, stops: this.stops };
  }

  hints() {
    const { header } = this.given, list = (title, key, items) => (items.length ? [make("h2", {}, title, " ", what(key, title.toLowerCase())), make("ul", {}, ...items)] : []);
    const remarks = header.remarks.map((remark) => make("li", {}, make("button", { class: "link", click: () => say(this.network, "stop", { step: remark.step ?? "loss", part: remark.part }) }, remark.text)));
    const left = [...header.about.notes, ...header.left_out].map((text) => make("li", {}, text));
    return make("div", "hint", make("h2", {}, "Derivation"), make("p", "muted", header.help.words.select), ...list("What is odd", "remark", remarks), ...list("What to know", "left_out", left));
  }

  listen() {
    if (this.isListening) return;
    this.isListening = true;
    this.addEventListener("stop", ({ detail }) => this.goToStop(detail));
    this.addEventListener("go", ({ detail, target }) => this.goTo(detail, target));
    this.addEventListener("back", ({ detail }) => { const place = this.path[detail]; this.path = this.path.slice(0, detail); this.show({ ...place, part: partOf(place.step, place.name) }); });
    this.addEventListener("view", ({ detail: { step, name, view } }) => { // a table that is opened has an address, too
      const { place } = this.state;
      if (!name || (place && (place.step !== step || place.name !== name))) return;
      Object.assign(this.state, { name: view || place ? name : undefined, view });
      if (this.hasAddress) this.writeAddress(true);
    });
    this.addEventListener("close", () => { this.path = []; this.show({ part: this.state.part, step: this.state.step }); });
    this.addEventListener("click", (event) => { const button = event.target.closest?.(".what"); if (button) this.explain(button.dataset.key, button); });
    (this.isPage ? document : this).addEventListener("keydown", (event) => this.keyed(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.refresh());
    if (!this.isPage) return;
    if (this.hasAddress) addEventListener("hashchange", () => { if (location.hash.slice(1) !== this.address) this.readAddress(); });
    addEventListener("beforeprint", () => { this.overview.view = { replay: this.given, sample: this.sample, place: this.state.place }; });
  }

  keyed(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    if (event.target.closest?.("input, select, textarea, [role=application], .scroll, dialog, math")) return;
    event.preventDefault();
    event.stopPropagation(); // notebooks have keys of their own
    this.scrubber.move(this.scrubber.at + (event.key === "ArrowLeft" ? -1 : 1));
  }

  goToStop({ step, part }) {
    const own = part ?? this.state.part, stop = this.stops[stopAt(this.stops, { part: own, step })];
    if (!stop) return;
    this.path = [];
    this.show({ part: stop.part, step: stop.step }, { isReplaced: part !== undefined });
  }

  goTo(place, from) {
    const isFromHere = this.derivation.contains(from), before = this.state;
    if (isFromHere && before.index !== undefined) this.path = [...this.path, { step: before.place.step, name: before.name, index: before.index }];
    else if (!isFromHere) this.path = [];
    this.show({ ...place, part: partOf(place.step, place.name) });
    if (!document.activeElement || !this.contains(document.activeElement)) this.derivation.querySelector("h2")?.focus({ preventScroll: true });
    if (isFromHere) { this.derivation.scrollIntoView({ block: "nearest" }); return; }
    const top = this.side.getBoundingClientRect().top, { bottom, right } = from?.getBoundingClientRect?.() ?? {};
    if (bottom > top && right > this.side.getBoundingClientRect().left) scrollBy(0, bottom - top + 16); // a narrow page's sheet lies over it
  }

  // Show {part, step, name, index, view}; an array that is shown at the present stop, too, stays there.
  show(asked, { isQuiet = false, isReplaced = false } = {}) {
    const { given: replay } = this, at = stopAt(this.stops, asked), stop = this.stops[max(0, at)], place = asked.index === undefined ? null : { step: asked.step, name: asked.name, index: asked.index };
    if (place && replay.header.samples.length > 1 && replay.isOfSamples(place.name)) { // the sample that the place is of
      const { data, shape } = replay.array(place.step, place.name);
      this.sample = floor(place.index / (data.length / shape[0]));
    }
    const isSame = this.state && this.state.part === stop.part && this.state.step === stop.step && this.shownSample === this.sample && this.shownMode === this.isNumbers;
    this.state = { part: stop.part, step: stop.step, name: asked.name, index: asked.index, view: asked.view, place };
    if (!isSame) {
      this.scrubber.show(max(0, at));
      this.network.show({ ...stop, sample: this.sample, at: max(0, at), stops: this.stops });
      this.layer.view = { replay, ...stop, sample: this.sample, isNumbers: this.isNumbers };
      Object.assign(this, { shownSample: this.sample, shownMode: this.isNumbers });
      this.drawTop();
    }
    this.layer.select(place);
    if (asked.name && asked.view === "table") for (const tensor of this.layer.tensors.values()) if (tensor.name === asked.name && !tensor.isTable) tensor.asTable(true);
    this.hint.hidden = Boolean(place);
    this.derivation.hidden = !place;
    this.side.className = place ? "open" : "";
    if (place) this.derivation.view = { replay, place, path: this.path, isNumbers: this.isNumbers, isOpen: asked.view === "terms" };
    if (this.hasAddress && !isQuiet) this.writeAddress(isReplaced);
  }

  showSample(sample) { // of what is derived, the same unit
    const { part, step, place, index, name } = this.state;
    this.path = [];
    this.sample = sample;
    if (!place) { this.show({ part, step }); return; }
    const { data, shape } = place.name === "value" ? { data: [0], shape: [1] } : this.given.array(place.step, place.name), n = data.length / shape[0];
    this.show({ ...place, part: partOf(place.step, name), index: this.given.isOfSamples(name) ? (index % n) + sample * n : index });
  }

  refresh() {
    const { part, step, name, index, view } = this.state;
    Object.assign(this, { shownSample: null });
    this.derivation.place = null;
    this.show({ part, step: this.state.place?.step ?? step, name, index, view });
  }

  drawTop() {
    const { given: replay, words, thumb } = this, { samples, kind, loss } = replay.header, one = samples[this.sample];
    const picture = typeof one?.picture === "number" ? replay.stored(one.picture) : null;
    thumb.hidden = !picture;
    if (picture) { paintPhoto(thumb, picture); thumb.setAttribute("aria-label", `${one.name} in its own colours`); }
    words.replaceChildren();
    if (samples.length > 1) {
      const choice = make("select", { change: () => this.showSample(Number(choice.value)) }, ...samples.map(({ name }, i) => make("option", { value: i, selected: i === this.sample }, name)));
      words.append(make("label", {}, "Sample ", choice));
    } else if (one) words.append(make("p", "name", one.name));
    if (one) words.append(verdictLine(one));
    const facts = [...this.facts];
    if (kind !== "prediction" && loss.value !== null) facts.unshift(`${costOf(replay)} ${short(Number(loss.value))}`);
    words.append(make("p", "muted", facts.join(" · ")));
    this.modes.querySelectorAll("[aria-pressed]").forEach((button, i) => button.setAttribute("aria-pressed", Boolean(i) === this.isNumbers));
  }

  explain(key, button) {
    const found = this.given.header.help[key];
    this.helpTitle.textContent = found?.title ?? button.getAttribute("aria-label");
    this.helpText.textContent = found?.text ?? "This page says nothing about it.";
    this.dialog.showModal();
  }

  readAddress() {
    clearTimeout(this.late);
    this.late = undefined;
    const [address, query = ""] = location.hash.slice(1).split("?"), asked = new URLSearchParams(query);
    let found = null;
    try { found = placeAt(address, this.given); } catch { /* an address that is none: the beginning is shown */ }
    const sample = Number(asked.get("sample") ?? 0);
    this.sample = sample >= 0 && sample < max(1, this.given.header.samples.length) ? sample : 0;
    this.isNumbers = asked.get("mode") === "numbers";
    this.lost.textContent = found || !address ? "" : `This page has no place "${address}".`;
    if (!found) return false;
    this.path = [];
    this.show(found, { isQuiet: true });
    if (found.index !== undefined) this.writeAddress(true); // of the sample that the number is of
    return true;
  }

  writeAddress(isReplaced) {
    const { part, step, name, index, view, place } = this.state, asked = new URLSearchParams();
    if (this.sample) asked.set("sample", this.sample);
    if (this.isNumbers) asked.set("mode", "numbers");
    this.address = addressOf({ part: place ? partOf(place.step, place.name) : part, step: place ? place.step : step, name, index, view }) + (asked.size ? `?${asked}` : "");
    if (location.hash.slice(1) === this.address) return;
    if (!isReplaced) history.pushState(null, "", `#${this.address}`);
    else this.late ??= setTimeout(() => { // browsers take some addresses a second, and no more
      this.late = undefined;
      if (location.hash.slice(1) !== this.address) history.replaceState(null, "", `#${this.address}`);
    }, 150);
  }
}

const ELEMENTS = { tensor: TensorElement, table: TableElement, curve: CurveElement, unit: UnitElement, kernel: KernelElement, network: NetworkElement, scrubber: ScrubberElement, derivation: DerivationElement, loss: LossElement, layer: LayerElement, overview: OverviewElement, replay: ReplayElement };

export function define() { // a page may do this twice
  for (const [name, type] of Object.entries(ELEMENTS)) if (!customElements.get(`pellucid-${name}`)) customElements.define(`pellucid-${name}`, type);
}

// Show a replay in an element; what computes for it is this module's, whichever defined the elements first.
export function showReplay(element, header, buffer, isPage = false) {
  define();
  const replay = new Replay(header, buffer);
  replay.tools = { ACTIVATIONS, derive, deriveOrSay, difference };
  element.isPage = isPage;
  element.replay = replay;
  return element;
}

export function openPage(document) {
  const given = (id) => document.getElementById(id), header = JSON.parse(given("header").textContent);
  let bytes = new Uint8Array();
  try { bytes = Uint8Array.from(atob(given("numbers").textContent), (c) => c.charCodeAt(0)); } catch { /* cut off */ }
  const need = max(0, ...header.arrays.map(([start, kind, shape]) => start + Number(kind[1]) * countOf(shape)));
  if (bytes.length < need) { given("end").remove(); return; } // which the page's beginning tells
  showReplay(document.querySelector("pellucid-replay"), header, bytes.buffer, true);
}

export function renderWidget({ model, el }) { // in a notebook, by anywidget
  define();
  const bytes = model.get("content"), element = document.createElement("pellucid-replay");
  el.append(element);
  showReplay(element, model.get("header"), bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
