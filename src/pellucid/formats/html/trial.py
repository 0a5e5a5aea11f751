"""A page in a browser, beside the model that it was made from."""

import base64
import html
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.readers.images import image_to_input
from pellucid.data.readers.table_text import table_of
from pellucid.errors import PellucidError
from pellucid.formats.half_precision import moved
from pellucid.formats.html.browser import find_browser, said_by
from pellucid.formats.html.inline import inline_json
from pellucid.formats.outputs import PHOTO, check_near, distance, kind_of_samples, outputs_of, random_rows
from pellucid.nn.model import Model
from pellucid.text import printable
from pellucid.types import Array

N_ROWS = 5
SLACK = 0.5  # of grey levels on average: another release of Pillow may round differently
# Of random photos: height and width in those of a sample, and the brightest pixel. Dark ones do not saturate.
PHOTOS = ((1.0, 1.0, 255), (0.6, 0.7, 30), (3.3, 2.1, 3), (1.0, 5.2, 90), (1.0, 1.0, 0))
ASK = """<pre id="said"></pre><script>
{
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const sample = (asked) => network.columns ? encode(asked)
    : sampleOf({ rgb: bytes(asked.rgb), size: asked.size }, network.input, network.fit, network.columns_first);
  let said;
  try {
    said = %s.map(sample).map((x) => ({ outputs: predict(x), sample: Array.from(x) }));
  } catch (error) { said = { error: String(error) }; }
  document.getElementById("said").textContent = JSON.stringify(said);
}
</script>"""


def difference(model: Model, page: str, samples: Any, exact: Model) -> float | None:
    """Return how far a page's outputs are from the exact model's on samples, at most; None without a browser.

    PellucidError if the page gives something else than the model, or rounded weights move too much.

    Parameters
    ----------
    model : Model
        With the weights of the page.
    page : str
    samples : Array of photos, uint8, or None
        More samples to compare.
    exact : Model
    """
    if kind_of_samples(model) == PHOTO:
        asked, X = _photos(model, samples)
    else:
        asked, schema = random_rows(model, N_ROWS), model._schema
        X = schema.encode(replace(table_of(asked), missing=schema.missing), with_target=False).X
    by_rounding, browser = moved(exact, model, X), find_browser()
    if browser is None:
        return None
    with tempfile.TemporaryDirectory(prefix="pellucid-", ignore_cleanup_errors=True) as folder:
        trial = Path(folder) / "trial.html"
        trial.write_text(page.replace("</body>", f"{ASK % inline_json(asked)}</body>"), encoding="utf-8")
        said = said_by(trial.absolute(), browser, Path(folder) / "home")
    if said is None:
        return None
    try:
        told = json.loads(html.unescape(said))
    except ValueError:
        raise PellucidError("export: the page gives no answer in the browser.") from None
    if isinstance(told, dict):
        raise PellucidError(f"export: the page fails in the browser ({printable(told['error'])}).")
    if len(told) != len(X):
        raise PellucidError(f"export: the page gives {len(told)} answers for {len(X)} samples.")
    theirs = np.array([each["sample"] for each in told], X.dtype).reshape(X.shape)
    away = np.abs(theirs.astype(np.float64) - X).mean()
    if away > SLACK:
        raise PellucidError(
            f"export: what the network takes in differs in the browser, by {away:.2g} on average."
        )
    outputs = np.array([each["outputs"] for each in told], np.float64)
    found = distance(outputs_of(model)[""], model.decision_function(theirs), outputs, "page")
    check_near(found, "page")
    return found + by_rounding


def _photos(model: Model, samples: Any) -> tuple[list[dict[str, Any]], Array]:
    """Return photos with random pixels, and those given, as the page has them decoded; and as samples."""
    rng, (height, width) = np.random.default_rng(0), model.input_shape[:2]
    fit = white_seen(model.inputs_seen).fit
    pictures = [
        rng.integers(0, most + 1, (max(1, round(height * a)), max(1, round(width * b)), 3), np.uint8)
        for a, b, most in PHOTOS
    ]
    if isinstance(samples, np.ndarray) and samples.dtype == np.uint8:
        whole = samples.reshape(len(samples), height, width, -1)
        pictures += [np.repeat(photo, 3, axis=2) if photo.shape[2] == 1 else photo for photo in whole]
    asked = [
        {"rgb": base64.b64encode(picture.tobytes()).decode(), "size": picture.shape[:2]}
        for picture in pictures
    ]
    return asked, np.stack([image_to_input(picture, model.input_shape, fit) for picture in pictures])
