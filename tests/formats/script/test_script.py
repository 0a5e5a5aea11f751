"""A model as a Python script gives what the model gives, of photos too, and says what it cannot read."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.every import every
from tests.formats.networks import NETWORKS, shaken, two_inputs

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import read_sample
from pellucid.errors import DataError, PellucidError
from pellucid.formats.script import export as room
from pellucid.formats.script.export import export_script
from pellucid.formats.script.photos import read_photo
from pellucid.formats.script.write import write_script
from pellucid.types import map_arrays


def namespace(model: pl.Model) -> dict[str, Any]:
    """Return what a script defines, run here."""
    found: dict[str, Any] = {"__name__": "predict"}
    exec(write_script(model, is_inside=True).text, found)
    return found


def check(model: pl.Model) -> dict[str, Any]:
    """Compare a script's raw outputs with the model's, and return what the script defines."""
    made, rng = namespace(model), np.random.default_rng(0)
    X = map_arrays(lambda shape: rng.random((3, *shape), np.float32), model.input_shape)
    ours = model._raw_outputs(map_arrays(lambda x: x.astype(model.dtype), X))
    theirs = made["forward"](X)
    for name in ours if isinstance(ours, dict) else [None]:
        expected, found = (ours, theirs) if name is None else (ours[name], theirs[name])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, float(np.abs(expected).max())))
    return made


@every("name", NETWORKS)
def test_every_network(name: str) -> None:
    make, shape = NETWORKS[name]
    check(shaken(make(), shape))


def test_a_layer_in_two_places_has_its_weights_once() -> None:
    made = namespace(shaken(*[part() if callable(part) else part for part in NETWORKS["one layer twice"]]))
    assert list(made["W"]) == ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b"]


def test_a_script_defines_all_that_it_uses_and_nothing_else(tmp_path: Path) -> None:
    model = shaken(pl.preset("resnet-small", 4), (32, 32, 3))
    text = write_script(model, is_inside=True).text
    top = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert {"forward", "conv2d", "batch_norm", "read_photo", "main"} <= set(top)
    assert not {"gelu", "average_pool", "read_table", "read_arrays"} & set(top)
    assert len(top) == len(set(top))
    (tmp_path / "predict.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", tmp_path / "predict.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No module named" not in done.stderr:
        assert done.returncode == 0, done.stdout


def test_the_forward_pass_reads_as_the_network() -> None:
    model = pl.Sequential(
        [pl.Conv2D(4, activation="relu"), pl.Residual(pl.Conv2D(4)), pl.Dropout(), pl.Flatten(), pl.Dense(2)]
    )
    model.initialize((4, 4, 3))
    text = write_script(model, is_inside=True).text
    lines = text[text.index("def forward") :].split("\n\n")[0].splitlines()
    assert [line.strip().split("  #")[0].strip() for line in lines[3:]] == [
        'X = relu(conv2d(X, W["conv2d_1.W"], W["conv2d_1.b"], padding=((1, 1), (1, 1))))',
        'Y = conv2d(X, W["conv2d_2.W"], W["conv2d_2.b"], padding=((1, 1), (1, 1)))',
        "X = X + Y",
        "# Dropout: all values stay, in prediction",
        "X = flatten(X)",
        'X = X @ W["dense_1.W"] + W["dense_1.b"]',
        "return X",
    ]
    assert lines[2].strip() == "# (m, 4, 4, 3)"
    assert lines[7].endswith("# (m, 64)")


@every(
    ("loss", "n_out", "key"),
    [
        ("binary_cross_entropy", 1, "label"),
        ("focal", 3, "label"),
        ("multi_label", 3, "labels"),
        ("hinge", 3, "scores"),
        ("mean_squared_error", 2, "value"),
        ("poisson", 1, "value"),
    ],
)
def test_every_loss(loss: str, n_out: int, key: str) -> None:
    model = shaken(pl.Sequential([pl.Dense(n_out)]), (4,))
    model.set_loss(loss)
    X = np.random.default_rng(0).random((3, 4), np.float32)
    made = namespace(model)
    told = made["predict"](X)
    assert made["predict"](X.tolist()) == told
    with pytest.raises(made["DataError"], match=r"should be \(m, 4\), and is \(4,\)"):
        made["predict"](X[0])
    assert [key in each for each in told] == [True] * 3
    if loss == "focal":
        assert [int(each["label"]) for each in told] == model.predict(X).tolist()
    if key == "value":
        np.testing.assert_allclose([each["value"] for each in told], model.predict(X), rtol=1e-5)


@every("scaled", [Preprocessing.standardize, Preprocessing.robust])
def test_a_regression_on_standardized_targets_and_columns(scaled: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = (1e7 + rng.standard_normal((60, 3))).astype(np.float64)
    model = pl.preset("mlp-wide", n_outputs=1)
    model.preprocessing = scaled(X)
    pl.train(model, (X, 2e5 + 1e4 * X[:, 0] - 1e11), n_epochs=3)
    assert export_script(model, tmp_path / "predict.py", samples=X[:4]) <= 1e-5


def test_several_inputs_and_outputs_as_a_command(tmp_path: Path) -> None:
    model = shaken(two_inputs(), {"photo": (4, 4, 3), "facts": (2,)})
    model.set_loss({"kind": "categorical_cross_entropy", "size": "poisson"})
    assert export_script(model, tmp_path / "predict.py") <= 1e-5
    np.savez(tmp_path / "a.npz", photo=np.zeros((2, 4, 4, 3)), facts=np.ones((2, 2)))
    np.savez(tmp_path / "b.npz", photo=np.zeros((2, 4, 4, 3)))
    done = run(tmp_path, "predict.py", "a.npz", "b.npz")
    assert done.returncode == 2
    assert done.stdout.startswith("a.npz, row 0: kind: ")
    assert "b.npz: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_hostile_names_stay_names() -> None:
    model = shaken(pl.Sequential([pl.Dense(2)]), (4,))
    model.classes = ('"""\nimport os; os.abort() #', "\\\u202e'é")
    made = namespace(model)
    assert made["CLASSES"] == model.classes


def test_weights_beside_the_script(tmp_path: Path) -> None:
    model = shaken(pl.Sequential([pl.Dense(2)]), (4,))
    script = tmp_path / "predict.py"
    export_script(model, script, weights="beside")
    assert script.with_suffix(".npz").exists()
    np.save(tmp_path / "x.npy", np.ones((1, 4)))
    assert run(tmp_path, script.name, "x.npy").returncode == 0
    other = tmp_path / "other.py"
    export_script(shaken(pl.Sequential([pl.Dense(2)]), (4,), seed=2), other, weights="beside")
    other.with_suffix(".npz").replace(script.with_suffix(".npz"))
    assert "written with another script" in run(tmp_path, script.name, "x.npy").stderr
    script.with_suffix(".npz").unlink()
    done = run(tmp_path, script.name, "x.npy")
    assert "cannot read the weights" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_script_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = shaken(pl.Sequential([pl.Dense(2, "relu"), pl.Dense(2)]), (3,))
    right = room.write_script
    for wrong, words in [("np.minimum", "differ"), ("np.nothing", "does not run")]:

        def changed(*args: Any, wrong: str = wrong, **options: Any) -> Any:
            written = right(*args, **options)
            return written._replace(text=written.text.replace("np.maximum", wrong))

        monkeypatch.setattr(room, "write_script", changed)
        with pytest.raises(PellucidError, match=words):
            export_script(model, tmp_path / "a.py")


TABLE = """age;coat;born;ok;when;pet
3,5;tabby;31/1/2020;yes;2024-05-31 12:30;cat
4,25;plain;1/2/2020;no;2024-06-01;dog
5;;2/3/2020;no;;cat
;tabby;3/4/2020;;2024-06-03;dog
7;plain;;yes;2024-07-31;cat
2,5;plain;31/12/2019;no;31 Dec 2023;dog
"""


def test_a_table(tmp_path: Path) -> None:
    (tmp_path / "pets.csv").write_text(TABLE * 1 + TABLE.split("\n", 1)[1] * 3)
    data = pl.load_data(str(tmp_path / "pets.csv"), target="pet", decimal=",")
    model = pl.preset("mlp-wide")
    model.preprocessing = Preprocessing.standardize(data.train.X, data.schema.is_measured)
    pl.train(model, data.train, n_epochs=5)
    model._schema = data.schema
    assert export_script(model, tmp_path / "predict.py", samples=[tmp_path / "pets.csv"]) <= 1e-5
    others = "born\tok\twhen\n", "31/12/2023\tY\t2024/1/1 6:00 pm\n", "\tfalse\tMay 3, 2024\n"
    header, first, second = (text.replace("\t", ";") for text in others)
    (tmp_path / "new.csv").write_text(f"coat;more;age;{header}black;1;3;{first}tabby;2;old;{second}")
    (tmp_path / "good.csv").write_text(
        f"coat\tage\t{others[0]}black\t1.003,5\t{others[1]}TABBY\t\t{others[2]}"
    )
    (tmp_path / "less.csv").write_text("age;Coat\n3;plain\n")
    done = run(tmp_path, "predict.py", "new.csv", "good.csv", "none.csv", "less.csv", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 2
    assert "'age'" in told["faults"][0]["error"]
    assert "row 2" in told["faults"][0]["error"]
    assert "none.csv" in told["faults"][1]["error"]
    assert told["faults"][2]["error"] == "less.csv: there is no column 'coat', which the network takes."
    assert "from PIL" not in (tmp_path / "predict.py").read_text()
    kinds = [column.kind for column in data.schema.columns]
    assert kinds == ["numeric", "category", "dmy", "boolean", "date"]
    X = model._schema.encode(tmp_path / "good.csv").X
    found = [list(each["classes"].values()) for each in told["predictions"]]
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-5)


RNG = np.random.default_rng(3)


def pixels(height: int, width: int, *channels: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, *channels), np.uint8)


def zoo(folder: Path) -> list[Path]:
    """Write pictures of every kind that reads in a way of its own."""
    found = []

    def save(name: str, image: Image.Image, **options: object) -> None:
        image.save(folder / name, **options)
        found.append(folder / name)

    for mark in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = mark
        save(f"turned-{mark}.jpg", Image.fromarray(pixels(101, 157, 3)), exif=exif)
    save("large.jpg", Image.fromarray(pixels(257, 401, 3)))
    save("progressive.jpg", Image.fromarray(pixels(130, 200, 3)), progressive=True)
    save("cmyk.jpg", Image.fromarray(pixels(40, 50, 4), "CMYK"))
    save("grey.jpg", Image.fromarray(pixels(90, 91)))
    save("alpha.png", Image.fromarray(pixels(20, 31, 4)))
    save("grey-alpha.png", Image.fromarray(pixels(20, 31, 2), "LA"))
    save("palette.png", Image.fromarray(pixels(20, 31, 3)).quantize(9))
    save("clear.png", Image.fromarray(pixels(20, 31, 3)).quantize(9), transparency=2)
    save("bits.png", Image.fromarray(pixels(20, 31) > 99))
    save("deep.png", Image.fromarray(RNG.integers(0, 65536, (20, 31), np.uint16)))
    save("float.tiff", Image.fromarray(RNG.random((20, 31), np.float32)))
    more = [Image.new("RGB", (31, 20))]
    save("moving.gif", Image.fromarray(pixels(20, 31, 3)), save_all=True, append_images=more)
    save("same.png", Image.fromarray(pixels(16, 12, 3)))
    save("web.webp", Image.fromarray(pixels(20, 31, 3)))
    return found


@every("shape", [(16, 12, 3), (16, 12, 1), (16, 12)])
def test_every_kind_of_picture(shape: tuple[int, ...], tmp_path: Path) -> None:
    for path in zoo(tmp_path):
        np.testing.assert_array_equal(read_photo(path, shape), read_sample(path, shape), err_msg=path.name)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    Image.fromarray(pixels(40, 50, 3)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.jpg").touch()
    for name, words in [
        ("cut.png", "cut off"),
        ("text.jpg", "no format"),
        ("empty.jpg", "an empty file"),
        ("none.jpg", "no such file"),
        (".", "a folder"),
    ]:
        with pytest.raises(DataError, match=words):
            read_photo(tmp_path / name, (8, 8, 3))
        with pytest.raises(PellucidError):
            read_sample(tmp_path / name, (8, 8, 3))
    with pytest.raises(DataError, match="expected pixels"):
        read_photo(np.zeros((3, 3)), (8, 8, 3))


def test_damaged_files_read_alike_or_not_at_all(tmp_path: Path) -> None:
    names = ["turned-6.jpg", "palette.png", "grey-alpha.png", "moving.gif", "web.webp", "float.tiff"]
    whole = [path.read_bytes() for path in zoo(tmp_path) if path.name in names]
    rng, n_read = np.random.default_rng(1), 0
    for i in range(120):
        content = bytearray(whole[i % len(whole)])
        for place in rng.integers(0, min(len(content), 600), 3):
            content[place] = rng.integers(0, 256)
        path = tmp_path / "damaged"
        path.write_bytes(bytes(content[: rng.integers(1, len(content))] if i % 3 == 0 else content))
        try:
            expected = read_sample(path, (16, 12, 3))
        except PellucidError:
            with pytest.raises(DataError):
                read_photo(path, (16, 12, 3))
            continue
        n_read += 1
        np.testing.assert_array_equal(read_photo(path, (16, 12, 3)), expected)
    assert 20 < n_read < 110


def test_a_picture_beyond_the_limit_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (50, 50)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with pytest.raises(DataError, match=r"larger than 2,000 pixels"):
        read_photo(tmp_path / "large.png", (8, 8, 3))


def test_the_command_of_a_script(tmp_path: Path) -> None:
    cats = pl.load_data("drawn-cats")
    model = pl.preset("logistic")
    pl.train(model, cats.train, n_epochs=5)
    script = tmp_path / "predict.py"
    assert export_script(model, script, samples=cats.test.X[:3]) <= 1e-5
    Image.fromarray(cats.test.X[0]).save(tmp_path / "cat.png")
    (tmp_path / "bad.jpg").write_text("no image")
    watched = "import sys, runpy; sys.argv = sys.argv[1:]\n"
    watched += "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
    watched += "finally: print({n.split('.')[0] for n in sys.modules} & {'pellucid', 'scipy', 'argparse'})"

    done = run(tmp_path, "-c", watched, "predict.py", "cat.png", "bad.jpg")
    label = model.classes[int(model.predict(cats.test.X[:1])[0])]
    share = model.predict_proba(cats.test.X[:1]).max()
    assert done.stdout.splitlines() == [f"cat.png: {label} ({100 * share:.1f} %)", "set()"]
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["bad.jpg: expected an image, found no format that Pillow reads."]
    plain = run(tmp_path, "predict.py")
    assert plain.returncode == 2
    assert plain.stderr == "Usage: python predict.py photo.jpg [more.png ...] [--json]\n"
    wrong = run(tmp_path, "predict.py", "--jsno").stderr
    assert wrong.startswith("there is no option --jsno. Usage: python predict.py")
