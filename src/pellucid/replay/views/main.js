// Where a page, a notebook and a server begin.

import { Replay } from "./store.js";

class ReplayElement extends HTMLElement {
  set replay(replay) {
    this.textContent = `${replay.steps.length} steps`;
  }
}

export function define() { // a page may do this twice
  if (!customElements.get("pellucid-replay")) customElements.define("pellucid-replay", ReplayElement);
}

export function openPage(document) {
  const text = atob(document.getElementById("numbers").textContent.replace(/\s/g, ""));
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  define();
  document.querySelector("pellucid-replay").replay = new Replay(
    JSON.parse(document.getElementById("header").textContent), bytes.buffer);
}
