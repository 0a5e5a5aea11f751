"""Pages in a real browser: every layer gives what the model gives, photos come in as Pillow reads them."""

import base64
import html
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.every import every
from tests.formats.networks import NETWORKS, activated, shaken

import pellucid as pl
from pellucid.data.input_spec import InputsSeen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import read_sample
from pellucid.data.readers.picture_modes import White
from pellucid.data.readers.table_text import number
from pellucid.formats.html.browser import find_browser, said_by
from pellucid.formats.html.export import export_html, html_page
from pellucid.formats.html.inline import join_modules
from pellucid.formats.html.network import network_modules, page_of
from pellucid.ops.activations import ACTIVATIONS
from pellucid.types import Array

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(5)
# A browser without a window writes the page down once nothing is left to do; decoding a photo does not count.
BUSY = """let isDone = false;
const wait = () => { if (!isDone) { for (let i = 0, s = 0; i < 1e6; i++) s += i; setTimeout(wait, 1); } };"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = find_browser()
    if found is None:
        pytest.skip("needs Chromium or Chrome to run the page")
    return found


def ask(browser: str, folder: Path, page: str, script: str) -> Any:
    """Return what a script in a page says."""
    said = f'<pre id="said"></pre><script>{script}</script>'
    (folder / "asked.html").write_text(page.replace("</body>", f"{said}</body>"), encoding="utf-8")
    found = said_by(folder / "asked.html", browser, folder / "home", "--virtual-time-budget=20000")
    assert found is not None
    return json.loads(html.unescape(found))


LOSSES = {"categorical_cross_entropy": 3, "focal": 3, "multi_label": 3, "hinge": 3, "mean_squared_error": 2}
LOSSES |= {"binary_cross_entropy": 1, "poisson": 1}


def test_every_network_activation_and_loss(browser: str, tmp_path: Path) -> None:
    models = {}
    for name, (make, shape) in NETWORKS.items():
        given = shape if len(shape) == 3 else (1, 1, *shape)
        body = make() if len(shape) == 3 else pl.Sequential([pl.Flatten(), make()])
        models[name] = shaken(body, given)
    for name in ACTIVATIONS:
        models[f"activation {name}"] = activated(name, pl.Flatten(), shape=(2, 2, 1))
    for loss, n_out in LOSSES.items():
        models[f"loss {loss}"] = shaken(pl.Sequential([pl.Flatten(), pl.Dense(n_out)]), (2, 2, 1))
        models[f"loss {loss}"].set_loss(loss)
    asked, expected, activations = [], [], {}
    for name, model in models.items():
        page, X = page_for(model), RNG.random((1, *model.input_shape)).astype(np.float32)
        activations |= page.activations
        weights = base64.b64encode(page.weights).decode()
        asked.append({"network": page.network, "weights": weights, "x": X.ravel().tolist()})
        asked[-1]["is_raw"] = not name.startswith("loss")
        expected.append(model._raw_outputs(X.astype(model.dtype))[0])
        if model._loss.kind == "regression":
            expected[-1] = np.atleast_1d(model.predict(X)[0])
        elif not asked[-1]["is_raw"] and model._loss.gives_probabilities:
            expected[-1] = model.predict_proba(X)[0]
    code = join_modules(network_modules(activations), "network.js")
    told = ask(
        browser,
        tmp_path,
        "<body></body>",
        f"""{code}
        document.getElementById("said").textContent = JSON.stringify({json.dumps(asked)}.map((each) => {{
          const bytes = Uint8Array.from(atob(each.weights), (c) => c.charCodeAt(0));
          const input = {{ data: Float32Array.from(each.x), shape: each.network.input }};
          const Z = outputsFor(each.network, new Float32Array(bytes.buffer), input);
          return each.is_raw ? Array.from(Z) : readOutputs(each.network, Z);
        }}));""",
    )
    for name, ours, theirs in zip(models, expected, told, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-5 * max(1, float(np.abs(ours).max())), err_msg=name)


def page_for(model: pl.Model) -> Any:
    """Return the page's data of a network of any input: it is asked for its layers alone."""
    if model.input_shape[-1] in (1, 3):
        return page_of(model)
    shape, model.input_shape = model.input_shape, (*model.input_shape[:-1], 3)
    page = page_of(model)
    model.input_shape = shape
    return page._replace(network={**page.network, "input": list(shape)})


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(*shape: int) -> Array:
    return RNG.integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "fit"),
    [((16, 12, 3), "squeeze"), ((16, 12, 1), "crop"), ((16, 12, 3), "crop"), ((16, 12, 3), "pad")],
)
def test_photos_come_in_as_pillow_reads_them(
    browser: str, shape: tuple[int, ...], fit: str, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    smooth = Image.fromarray(pixels(4, 5, 3)).resize((40, 30))
    photos = [  # and how many levels a browser may differ
        (encoded(Image.fromarray(pixels(31, 20, 3)), "PNG"), 0),
        (encoded(Image.fromarray(pixels(9, 31, 3)), "PNG"), 0),
        (encoded(Image.fromarray(pixels(63, 17, 3)), "PNG"), 0),
        (encoded(Image.fromarray(pixels(20, 31)), "PNG"), 0),
        (encoded(Image.fromarray(pixels(20, 31, 3)).quantize(9), "PNG"), 0),
        (encoded(Image.fromarray(pixels(20, 31, 4)), "PNG"), 2),
        (encoded(smooth, "JPEG", quality=95, exif=exif), 4),
    ]
    model = shaken(pl.Sequential([pl.Flatten(), pl.Dense(2)]), shape)
    model.inputs_seen = InputsSeen("uint8", 0, 255, True, False, 192, fit=fit)
    blobs = json.dumps([base64.b64encode(photo).decode() for photo, _ in photos])
    told = ask(
        browser,
        tmp_path,
        html_page(model),
        f"""{BUSY}
        (async () => {{
          const found = [];
          for (const text of {blobs}) {{
            const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
            const {{ sample, outputs }} = await predictPhoto(new Blob([bytes]));
            found.push({{ sample: Array.from(sample), outputs }});
          }}
          return found;
        }})().then((found) => {{ at("said").textContent = JSON.stringify(found); isDone = true; }});
        wait();""",
    )
    for (photo, slack), each in zip(photos, told, strict=True):
        X = read_sample(photo, shape, White(fit=fit))
        theirs = np.array(each["sample"]).reshape(shape)
        assert np.abs(theirs - X.astype(int)).max() <= slack
        P = model.predict_proba(theirs[None].astype(np.float32))
        np.testing.assert_allclose([each["outputs"]], P, atol=1e-5)


LOOK = """{busy}
(async () => {{
  const canvas = Object.assign(document.createElement("canvas"), {{ width: 50, height: 90 }});
  canvas.getContext("2d").fillRect(10, 10, 20, 20);
  const file = await new Promise((found) => canvas.toBlob(found));
  const before = at("result").hidden;
  at("file").focus();
  const isFocused = document.activeElement.id === "file";
  const list = new DataTransfer();
  list.items.add(new File([file], "a.png", {{ type: "image/png" }}));
  document.dispatchEvent(new DragEvent("drop", {{ dataTransfer: list, bubbles: true, cancelable: true }}));
  while (at("result").hidden) await new Promise((next) => setTimeout(next, 1));
  const bars = Array.from(at("bars").children, (bar) => bar.textContent);
  const shown = {{ verdict: at("verdict").textContent, bars }};
  shown.widths = Array.from(document.querySelectorAll(".bar"), (bar) => parseFloat(bar.style.width));
  await take(new Blob(["no image"]));
  return {{ before, isFocused, ...shown, error: at("error").textContent, after: at("result").hidden,
    width: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
    images: document.images.length, label: at("file").labels[0].textContent.trim() }};
}})().then((found) => {{ at("said").textContent = JSON.stringify(found); isDone = true; }});
wait();"""


def test_a_photo_is_dropped(browser: str, tmp_path: Path) -> None:
    model = shaken(pl.Sequential([pl.Flatten(), pl.Dense(2)]), (3, 4, 3))
    model.preprocessing = Preprocessing("divide", 255.0)
    model.classes = ('</script><img src="x">', "a" * 200)
    found = ask(browser, tmp_path, html_page(model), LOOK.format(busy=BUSY))
    assert (found["before"], found["after"]) == (True, True)
    assert found["isFocused"]
    assert found["label"] == "Choose a photo or drop one here, or paste it"
    assert found["verdict"].startswith(model.classes)
    assert sorted(bar.partition("\u00a0%")[0].rstrip("0123456789.") for bar in found["bars"]) == sorted(
        model.classes
    )
    assert sum(found["widths"]) == pytest.approx(100)
    assert found["error"] == "This file is not an image that the browser opens. Try a JPEG or PNG file."
    assert found["width"] <= found["room"]
    assert found["images"] == 0


@every("robust", [False, True])
def test_a_table_is_typed(browser: str, robust: bool, tmp_path: Path) -> None:
    rows = (
        "age;coat;born;ok;weight;pet\n3,5;tabby;31/1/2020;True;1;cat\n4,25;plain;1/2/2020;False;2;dog\n"
        "5;;2/3/2020;False;;cat\n6,5;tabby;3/4/2020;;3;dog\n7;plain;;True;4;cat\n2,5;plain;31/12/2019;False;5;dog\n"
    )
    (tmp_path / "pets.csv").write_text(rows * 1 + rows.split("\n", 1)[1] * 3)
    data = pl.load_data(str(tmp_path / "pets.csv"), target="pet", decimal=",")
    model = pl.preset("mlp-wide")
    X = data.train.X
    model.preprocessing = (
        Preprocessing.robust(X) if robust else Preprocessing.standardize(X, data.schema.is_measured)
    )
    pl.train(model, data.train, n_epochs=3)
    model._schema = data.schema
    found = export_html(model, tmp_path / "pets.html")
    assert found is not None
    assert found <= 1e-5
    cells = [
        "1,234.5",
        "1.234,5",
        "1,234",
        "1 234",
        "1'234'567",
        "12,345,678",
        "-1,234,56",
        "1,234 567",
        "12",
    ]
    said = ask(
        browser,
        tmp_path,
        (tmp_path / "pets.html").read_text(),
        """const age = at("column-0"), born = at("column-2"), verdicts = [];
        const typed = [["3,5", "31/12/2019"], ["old", "1/1/2020"], ["4.25", "2020-2-29"], ["4.25", "30/2/2020"]];
        for (const [text, date] of [...typed, ["", ""]]) {
          [age.value, born.value] = [text, date];
          age.dispatchEvent(new Event("input", { bubbles: true }));
          verdicts.push(at("error").textContent || at("verdict").textContent);
        }
        const fields = Array.from(document.querySelectorAll("input, select"));
        const labels = fields.map((field) => field.labels[0].firstChild.textContent);
        const truths = Array.from(at("column-3").options, (each) => each.value), numbers = [];
        for (network.decimal of [".", ",", ".,", ",."]) numbers.push(CELLS.map(numberOf));
        at("said").textContent = JSON.stringify({ verdicts, labels, truths, numbers });""".replace(
            "CELLS", json.dumps(cells)
        ),
    )
    assert said["truths"] == ["True", "False", ""]
    for decimal, numbers in zip((".", ",", ".,", ",."), said["numbers"], strict=True):
        assert numbers == [number(cell, decimal) for cell in cells]  # type: ignore[arg-type]
    assert said["labels"] == [column.name for column in data.schema.columns]
    assert said["verdicts"][1] == "age: a number is expected, not old."
    assert said["verdicts"][3] == "born: a date such as 2024-05-31 is expected, not 30/2/2020."
    word = data.schema.columns[1].categories[1]
    usual = {"ok": data.schema.columns[3].filled, "weight": data.schema.columns[4].filled, "coat": word}
    for i, age, born in [(0, 3.5, "31/12/2019"), (2, 4.25, "29/2/2020"), (4, "", "")]:
        X = model._schema.encode([{"age": age, "born": born, **usual}]).X
        assert said["verdicts"][i].startswith(data.train.classes[int(model.predict(X)[0])])


def test_a_network_of_photos_is_compared(browser: str, tmp_path: Path) -> None:
    model = shaken(pl.preset("cnn-small"), (64, 64, 3))
    model.preprocessing = Preprocessing("divide", 255.0)
    found = export_html(model, tmp_path / "cats.html", samples=pl.load_data("drawn-cats").test.X[:1])
    assert found is not None
    assert found <= 1e-5
