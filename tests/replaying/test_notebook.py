"""A replay in a notebook: executed, and drawn as anywidget does it, by the module that the notebook keeps."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
CODE = """import numpy as np
import pellucid as pl

model = pl.Sequential([pl.Dense(3, "tanh"), pl.Dense(1)])
model.initialize((4,))
step = pl.trace(model, (np.eye(4, dtype="float32"), [0, 1, 1, 0]))
step.widget()"""
PAGE = CODE.replace("step.widget()", "pl.replay(model, np.eye(4, dtype='float32'), progress=False)")
HOST = """<!DOCTYPE html><html lang="en"><title>A notebook</title><style>CSS</style><main id="cell"></main>
<script id="kept" type="application/json">KEPT</script>
<script type="module">
const { esm, header, content } = JSON.parse(document.getElementById("kept").textContent);
const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
const values = { header, content: new DataView(bytes.buffer) };
for (let i = 0; i < 2; i++) { // two cells show it, each with a module of its own
  const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  module.default.render({ model: { get: (name) => values[name] }, el: document.getElementById("cell") });
}
document.body.dataset.done = "yes";
</script></html>"""


def executed(code: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the cell of an executed notebook shows, by type, and the state of its widgets."""
    nbformat, _, _, nbclient = map(pytest.importorskip, ("nbformat", "ipykernel", "anywidget", "nbclient"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    where = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources=where).execute()
    (output,) = book.cells[0]["outputs"]
    states = book.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    return output["data"], states.get("state", {})


def test_a_saved_notebook_has_the_page_of_a_replay_once(chromium: Any, tmp_path: Path) -> None:
    shown, state = executed(PAGE, tmp_path)
    assert set(shown) == {"text/html", "text/plain"}
    assert not state
    path = tmp_path / "saved.html"  # as nbconvert writes it
    path.write_text(f"<!DOCTYPE html><title>A notebook</title>{shown['text/html']}", encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Next stop").click()
    assert frame.locator("pellucid-layer h2").first.inner_text() == "dense_1"
    page.close()


def test_an_executed_notebook_is_drawn(chromium: Any, tmp_path: Path) -> None:
    shown, states = executed(CODE, tmp_path)
    kept = states[shown["application/vnd.jupyter.widget-view+json"]["model_id"]]
    state, (buffer,) = kept["state"], kept["buffers"]
    assert buffer["path"] == ["content"]
    held = {"esm": state["_esm"], "header": state["header"], "content": buffer["data"].replace("\n", "")}
    assert len(base64.b64decode(held["content"])) >= max(start for start, *_ in state["header"]["arrays"])
    text = json.dumps(held).replace("<", "\\u003c")
    path = tmp_path / "notebook.html"
    path.write_text(HOST.replace("CSS", state["_css"]).replace("KEPT", text), encoding="utf-8")
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-done]")
    assert page.locator("pellucid-replay").count() == 2
    first, second = page.locator("pellucid-replay").all()
    second.get_by_role("button", name="Next stop").click()
    assert first.locator("pellucid-layer h2").inner_text() == "Input"
    assert second.locator("pellucid-layer h2").first.inner_text() == "dense_1"
    second.locator("pellucid-tensor[data-name=Z] .cell").first.click()
    assert second.locator("pellucid-derivation h2").inner_text() == "Z[0, 0] of dense_1"
    assert page.evaluate("location.hash") == ""  # which is the notebook's own
    page.close()
    assert not errors
