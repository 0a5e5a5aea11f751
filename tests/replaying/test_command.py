"""`pellucid replay` and `pl.replay`: a photo, a row, a step of a run, and what bad input gets."""

import copy
import html
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, FormatError, OptionError, PellucidError, ShapeError
from pellucid.runs.build import plan
from pellucid.runs.reach_step import reach_step
from pellucid.training.events import StepEnd
from pellucid.training.trace import take_step
from pellucid.workflows.checkpoints import Checkpoints
from pellucid.workflows.replay import replay
from pellucid.workflows.train import train_into

PHOTOS = np.random.default_rng(3).integers(0, 255, (6, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def model() -> pl.Model:
    made = pl.Sequential([pl.Conv2D(3, 3, activation="relu"), pl.Flatten(), pl.Dropout(0.3), pl.Dense(1)])
    data = pl.Dataset(PHOTOS, np.array([0, 1, 1, 0, 1, 0]), ("cat", "dog"))
    pl.train(made, data, n_epochs=3, progress=False)
    return made


@pytest.fixture(autouse=True)
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo, tom.png, in the folder that tests run in."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PHOTOS[0]).resize((30, 20)).save("tom.png")


def header_of(page: str) -> Any:
    """Return the header of a page."""
    (found,) = re.findall(r'<script type="application/json" id="header">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def test_a_photo_with_a_label_is_a_step_and_without_a_prediction(pellucid: Command, model: pl.Model) -> None:
    model.save("model.safetensors")
    done = pellucid.ok("replay model.safetensors tom.png --label dog --learning-rate 0.5 -o step.html")
    assert done.out.strip().endswith("step.html")
    assert "A training step on tom.png" in done.out
    header = header_of(Path("step.html").read_text())
    assert (header["kind"], header["optimizer"]["learning_rate"]) == ("step", 0.5)
    assert [(one["name"], one["label"]) for one in header["samples"]] == [("tom.png", "dog")]
    done = pellucid.ok("replay model.safetensors tom.png")  # replay.html
    assert "Without a label" in done.err
    header = header_of(Path("replay.html").read_text())
    assert header["kind"] == "prediction"
    assert header["samples"][0]["verdict"] in done.out
    assert str(Path.cwd()) not in Path("replay.html").read_text()  # no path of this machine
    told = pellucid.json("replay model.safetensors tom.png tom.png --label cat,dog -o both.html")
    assert [one["label"] for one in told["samples"]] == ["cat", "dog"]
    assert told["loss_after"] < told["loss"]
    assert told["bytes"] == Path("both.html").stat().st_size


def test_python_and_the_command_give_the_same(pellucid: Command, model: pl.Model) -> None:
    model.save("model.safetensors")
    pellucid.ok("replay model.safetensors tom.png --label dog -o step.html")
    page = replay(model, "tom.png", label="dog", out="again.html", progress=False)
    assert Path("step.html").read_text() == Path("again.html").read_text() == page.html
    page.save("third.html")
    with pytest.raises(PellucidError, match=r"third\.html"):
        page.save("third.html")


def test_samples_of_every_kind(model: pl.Model) -> None:
    one = replay(model, PHOTOS[0], progress=False)
    many = replay(model, PHOTOS, progress=False)
    assert one.verdicts[0] == many.verdicts[0]
    assert len(many.verdicts) == 6
    assert one.replay.header["kind"] == "prediction"
    labelled = replay(model, pl.Dataset(PHOTOS, ["dog"] * 6, ("cat", "dog")), progress=False)
    assert labelled.replay.header["kind"] == "step"
    pair = replay(model, (PHOTOS, np.array([0, 1, 1, 0, 1, 0])), seed=4, optimizer="adam", progress=False)
    assert pair.replay.header["optimizer"]["type"] == "adam"
    named = replay(model, "tom.png", progress=False)
    assert replay(model, Path("tom.png").read_bytes(), progress=False).replay.content == named.replay.content
    both = replay(model, ["tom.png", "tom.png"], progress=False)
    assert both.title == "The prediction for tom.png, tom.png"


def test_a_folder_that_is_named_like_a_preset_is_the_folder(pellucid: Command, model: pl.Model) -> None:
    model.save("mlp/model.safetensors")
    for name in ("mlp", "./mlp", "mlp/"):
        pellucid.ok(f"replay {name} tom.png -o page.html --overwrite")
    assert replay(Path("mlp"), "tom.png", progress=False).verdicts
    with pytest.raises(PellucidError, match="not trained"):
        replay("mlp", PHOTOS[0])  # a known name wins


def test_a_step_by_another_loss_and_its_verdicts(model: pl.Model) -> None:
    page = replay(model, PHOTOS, label="cat", loss="hinge", progress=False)
    assert page.replay.header["loss"]["name"] == "hinge"
    for text, one in zip(page.verdicts, page.replay.header["samples"], strict=True):
        assert text.endswith("; right" if one["is_right"] else "; wrong, label cat")
        assert f" in this step, {one['in_prediction']} in prediction" in text


def test_classes_are_matched_by_name(model: pl.Model) -> None:
    swapped = pl.Dataset(PHOTOS, np.array([1, 0, 0, 1, 0, 1]), ("dog", "cat"))
    same = pl.Dataset(PHOTOS, np.array([0, 1, 1, 0, 1, 0]), ("cat", "dog"))
    pages = [replay(model, data, progress=False).html for data in (swapped, same)]
    assert pages[0] == pages[1]


def test_labels_of_every_kind_of_output() -> None:
    X = np.random.default_rng(0).random((5, 3))
    marks = (X > 0.5).astype(int)
    for n_out, y, label, shown in (
        (1, X[:, 0], "1.5", "1.5"),
        (2, X[:, :2], "1.5,-2", "1.5, -2"),
        (3, marks, "0,2", "0, 2"),
        (3, marks, [["0"], ["1"], [], ["2"], ["0"]], "0"),
        (3, np.array([0, 1, 2, 0, 1]), 2, "2"),
    ):
        model = pl.Sequential([pl.Dense(n_out)])
        pl.train(model, (X, y), n_epochs=2, progress=False)
        page = replay(model, X, label=label, progress=False)
        assert page.replay.header["samples"][0]["label"] == shown
        if n_out == 1:
            with pytest.raises(OptionError, match="label is 'much'"):
                replay(model, X, label="much")


def test_a_row_of_a_table(pellucid: Command) -> None:
    rows = [f"{i % 9},{'ab'[i % 2]},{'dog' if i % 9 > 4 else 'cat'}" for i in range(90)]
    Path("pets.csv").write_text("\n".join(["kg,coat,pet", *rows]))
    pellucid.ok("train pets.csv --target pet --model linear --epochs 2 --out runs/pets --quiet")
    pellucid.ok("replay runs/pets pets.csv --row 6 --label dog -o row.html")
    header = header_of(Path("row.html").read_text())
    assert header["samples"][0]["columns"] == [["kg", "5"], ["coat", "b"]]
    assert (header["samples"][0]["name"], header["samples"][0]["label"]) == ("row 6 of pets.csv", "dog")
    assert_refused(pellucid("replay runs/pets pets.csv --row 91 -o row.html --overwrite"), "1 to 90")
    Path("other.csv").write_text("kg,coat\n5,c\n")
    done = pellucid.ok("replay runs/pets other.csv -o other.html")
    assert "'c' in line 2 is no category" in done.err
    Path("short.csv").write_text("kg\n5\n")
    assert_refused(pellucid("replay runs/pets short.csv -o short.html"), "coat")
    assert_refused(pellucid("replay runs/pets --step 1 -o step.html"), "lbfgs, which takes no single steps")
    pellucid.ok("train pets.csv --target pet --model mlp-small --epochs 1 --out runs/net --quiet")
    assert "Step 1 of net" in pellucid.ok("replay runs/net --step 1 -o step.html").out
    assert header_of(Path("step.html").read_text())["samples"][0]["columns"][0][0] == "kg"


ADAM: dict[str, Any] = {"optimizer": "adam"}
PLATEAU: dict[str, Any] = {"schedule": "reduce_on_plateau", "schedule_options": {"patience": 1}}


@pytest.mark.slow
@every(
    ("preset", "options"),
    [
        ("mlp-small", {"n_epochs": 3, "batch_size": 16, **ADAM, "schedule": "cosine", "validation": 0.2}),
        ("mlp-small", {"n_epochs": 3, "batch_size": 64, "optimizer": "sgd", "form": "dual"}),
        ("cnn-small", {"n_epochs": 1, "batch_size": 64, "augment": "photo-strong"}),
        ("mlp-small", {"n_epochs": 4, "batch_size": 64, **ADAM, **PLATEAU}),
    ],
)
def test_a_step_of_a_run_is_the_one_that_it_took(
    preset: str, options: dict[str, Any], tmp_path: Path
) -> None:
    cats = pl.load_data("drawn-cats")
    parts = {"X_train": cats.train.X[:, ::4, ::4], "X_test": cats.test.X[:, ::4, ::4]}
    np.savez(tmp_path / "cats.npz", **parts, y_train=cats.train.y, y_test=cats.test.y)
    for every_steps in (None, 3):
        seen: dict[int, tuple[Any, float, float]] = {}

        def note(event: Any, seen: dict[int, Any] = seen) -> None:
            if isinstance(event, StepEnd):
                run = event.run
                theta = run.form.to_plain(run.model.theta).copy()
                seen[run.step] = theta, event.loss, run.optimizer.learning_rate

        folder, kept = tmp_path / f"{every_steps}", Checkpoints(checkpoint_steps=every_steps)
        asked = plan(preset, str(tmp_path / "cats.npz"), **options)
        train_into(asked, folder, checkpoints=kept, callbacks=[note], say=lambda *words: None)
        n = len(seen)
        for step in sorted({1, 2, n // 2 + 1, n}):
            found = reach_step(folder, step)
            if step > 1:
                assert np.array_equal(found.model.theta, seen[step - 1][0]), step
            trace = take_step(
                found.model, found.X, found.Y, found.weights, found.optimizer,
                seed=found.seed, step=found.step, memory=found.memory, data=found.data,
            )  # fmt: skip
            theta, loss, rate = seen[step]
            assert trace.loss == pytest.approx(loss, rel=1e-5)
            # A bias before a norm has a gradient of rounding alone, which Adam makes a whole step of, either way.
            assert np.allclose(trace.model.theta, theta, rtol=1e-3, atol=3e-3), step
            assert found.optimizer.learning_rate == pytest.approx(rate)
            assert len(found.data) == len(found.rows)
        assert ("checkpoint" in found.notes[0]) == (every_steps is not None)


def test_a_run_says_what_of_a_step_is_not_exact_and_refuses_others(pellucid: Command, tmp_path: Path) -> None:
    pellucid.ok("train drawn-cats --model mlp-small --epochs 2 --batch-size 0 --out runs/cats --quiet")
    page = pl.replay("runs/cats", step=2, samples=5, progress=False)
    assert page.title == "Step 2 of cats"
    assert any("taken again" in note for note in page.notes)
    assert any("5 of the batch's" in note and "--samples" in note for note in page.notes)
    history = [json.loads(line)["loss"] for line in Path("runs/cats/history.jsonl").read_text().splitlines()]
    assert page.replay.header["loss"]["value"] == pytest.approx(history[1], rel=1e-6)
    assert page.verdicts[0].startswith("drawing 1: ")
    for line, words in {
        "--step 3": "took 2 steps",
        "--step 1 tom.png": "Leave IMAGE out",
        "--step 1 --label cat": "Leave --label out",
        "": "name an image",
        "tom.png --data here": "--data is for --step",
    }.items():
        assert_refused(pellucid(f"replay runs/cats {line}"), words)
    with pytest.raises(OptionError, match="Name the run's folder"):
        replay(pl.load("runs/cats"), step=1)
    with pytest.raises(FormatError, match="not a run folder"):
        replay(tmp_path / "none", step=1)


def test_bad_input_is_refused_in_a_sentence(pellucid: Command, model: pl.Model) -> None:
    model.save("model.safetensors")
    Path("note.png").write_text("no image")
    for line, words in {
        "none.png": "no such file",
        "note.png": "note.png",
        "tom.png --label bird": "unknown class 'bird'",
        "tom.png --label cat,dog,cat": "one label, or one for each",
        "tom.png --optimizer lbfgs --label cat": "single steps",
        "tom.png --learning-rate 0 --label cat": "learning-rate",
        "tom.png --learning-rate 0.1": "--learning-rate is for a training step",
        "tom.png --optimizer lbfgs": "--optimizer is for a training step",
        "tom.png --seed 1": "--seed is for a training step",
        "pets.csv": "not on a table",
    }.items():
        assert_refused(pellucid(f"replay model.safetensors {line}"), words)
        assert not Path("replay.html").exists()
    untrained = pl.Sequential([pl.Dense(1)])
    two = pl.Graph(["x"], {"a": (pl.Dense(1), "x"), "b": (pl.Dense(1), "x")}, ["a", "b"])
    two.initialize((3,))
    two.set_loss({"a": "mean_squared_error", "b": "mean_squared_error"})
    row, needs_labels = np.zeros((1, 3)), "for a training step, which needs labels"
    calls: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
        (model, np.zeros((2, 9, 9, 3), np.uint8), {}, ShapeError, r"expected samples of shape \(8, 8, 3\)"),
        (model, PHOTOS[:0], {}, DataError, "at least one sample"),
        (model, PHOTOS, {"optimizer": "adam"}, OptionError, needs_labels),
        (model, PHOTOS, {"loss": "hinge"}, OptionError, needs_labels),
        (model, (PHOTOS, [0] * 6), {"label": "cat"}, OptionError, "have labels"),
        (untrained, row, {}, PellucidError, "not trained"),
        (two, row, {"label": "1"}, OptionError, "several outputs"),
    ]
    for given, data, options, error, words in calls:
        with pytest.raises(error, match=words):
            replay(given, data, **options)


def test_weights_that_are_nan_are_shown_where_they_are(pellucid: Command, model: pl.Model) -> None:
    broken = copy.deepcopy(model)
    broken.params["dense_1"]["W"][3, 0] = np.nan
    for label in (None, "cat"):
        page = replay(broken, "tom.png", label=label, progress=False)
        assert any("dense_1" in text and "NaN" in text for text in page.remarks)
        assert "not finite" in page.verdicts[0]
        header_of(page.html)


def test_markup_and_escapes_in_names_are_text(model: pl.Model) -> None:
    plain = replay(model, "tom.png", label="cat", progress=False)
    model.classes = ("<img src=x onerror=alert(1)>", "</script><b>")
    Path("<i>tom&.png").write_bytes(Path("tom.png").read_bytes())
    page = replay(model, "<i>tom&.png", label="</script><b>", title="</title><script>", progress=False)
    assert not {"<img", "<i>tom"} & set(re.findall(r"<img|<i>tom", page.html))
    assert page.html.count("</script>") == plain.html.count("</script>")
    assert header_of(page.html)["samples"][0]["label"] == "</script><b>"


def test_a_notebook_shows_the_page_in_a_frame_and_a_trace_has_a_page_and_a_widget(
    model: pl.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = replay(model, "tom.png", progress=False)
    frame, _, below = page._repr_html_().partition("</iframe>")
    assert html.unescape(frame.partition('srcdoc="')[2].rpartition('">')[0]) == page.html
    assert page.verdicts[0] in html.unescape(below)  # all that is left where frames are taken out
    step = pl.trace(model, (PHOTOS, [0, 1, 1, 0, 1, 0]))
    assert "trace.widget()" in step._repr_html_()
    assert len(step._repr_html_()) < 20_000
    assert header_of(step.to_html("<b>Mine</b>"))["title"] == "<b>Mine</b>"
    step.save("step.html")
    assert "One step of SGD" in Path("step.html").read_text()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    for one in (page, step):
        with pytest.raises(PellucidError, match="anywidget is not installed"):
            one.widget()
    monkeypatch.undo()
    pytest.importorskip("anywidget")
    assert page.widget().header["kind"] == "prediction"
    assert step.widget().header["kind"] == "step"


@pytest.mark.slow
def test_a_run_that_went_on_at_other_rates_is_reached_in_its_stages(pellucid: Command) -> None:
    line = "train drawn-cats --model mlp-small --batch-size 64 --out runs/cats --quiet --checkpoint-steps 4"
    pellucid.ok(f"{line} --epochs 2 --learning-rate 0.01")
    pellucid.ok(f"{line} --epochs 4 --learning-rate 0.001 --schedule constant --resume")
    run = Path("runs/cats")
    assert reach_step(run, 9).optimizer.learning_rate == 0.001  # its first step, from the checkpoint
    assert "from the checkpoint after step 8." in reach_step(run, 9).notes[0]
    assert reach_step(run, 3).optimizer.learning_rate > 0.001
    for path in (run / "checkpoints").glob("*"):
        path.unlink()
    with pytest.raises(DataError, match="other learning rates"):
        reach_step(run, 9)
