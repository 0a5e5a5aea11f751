// The scrubber: forward, loss, backward, update, a layer at a time.

import { make, nameOf, say, what, toolButton } from "./dom.js";
import { partTitle } from "./stops.js";

const PLAY_PAUSE = 1100; // ms at a stop while playing

export class ScrubberElement extends HTMLElement {
  set view({ replay, stops }) {
    Object.assign(this, { replay, stops });
    const step = (label, sign, by) => toolButton(label, sign, () => this.move(this.at + by));
    this.play = make("button", { class: "tool play", "aria-label": "Play", click: () => this.toggle() }, "▶");
    this.range = make("input", { type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": "Stop of the replay", input: () => this.move(Number(this.range.value)) });
    const parts = make("div", "parts");
    for (const part of new Set(stops.map((stop) => stop.part))) {
      const n = stops.filter((stop) => stop.part === part).length, first = stops.findIndex((stop) => stop.part === part);
      parts.append(make("button", { class: "part", "data-part": part, style: `flex:${n} 1 0`, click: () => this.move(first) }, partTitle(replay, part)));
    }
    this.now = make("p", { class: "now", "aria-live": "polite" });
    this.replaceChildren(make("div", "buttons", step("Previous stop", "‹", -1), this.play, step("Next stop", "›", 1)), make("div", "track", this.range, parts), this.now, what("scrubber", "the scrubber"));
  }

  show(at) {
    const { replay, stops } = this, { part, step } = stops[at], text = `${partTitle(replay, part)}${step === "loss" ? "" : `: ${nameOf(replay, step)}`}`;
    this.at = at;
    this.range.value = at;
    this.range.setAttribute("aria-valuetext", text);
    this.now.replaceChildren(make("strong", {}, text), make("span", {}, ` ${at + 1} of ${stops.length}`));
    for (const button of this.querySelectorAll(".part")) button.classList.toggle("here", button.dataset.part === part);
  }

  move(to) { if (to >= 0 && to < this.stops.length && to !== this.at) say(this, "stop", this.stops[to]); }

  toggle() {
    const isPlaying = this.timer !== undefined;
    if (isPlaying) this.pause();
    else {
      if (this.at === this.stops.length - 1) this.move(0);
      this.timer = setInterval(() => (this.at === this.stops.length - 1 ? this.pause() : this.move(this.at + 1)), PLAY_PAUSE);
      this.label("Pause", "❚❚");
    }
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.label("Play", "▶");
  }

  label(text, sign) { this.play.setAttribute("aria-label", text); this.play.textContent = sign; }

  disconnectedCallback() { clearInterval(this.timer); }
}
