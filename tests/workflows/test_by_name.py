"""Models and data by name, in Python as on the command line."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import RepeatedStratifiedKFold
from tests.conftest import save_photos

import pellucid as pl
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError, PellucidError
from pellucid.progress import hidden_bars


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    with hidden_bars():
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "photos"
    photos, said = save_photos(folder.with_suffix(".npz")), list[str]()
    done = pl.run("mlp-small", photos, out=folder, n_epochs=2, progress=False, say=said.append)
    assert done.report == folder / "report.html"
    assert said[-1] == f"Report: {done.report}"
    return folder


def test_a_run_is_evaluated_by_its_folder_as_by_its_model(run: Path) -> None:
    photos, model, named = pl.load_data(run.with_suffix(".npz")), pl.load(run), pl.evaluate(run)
    for one, data in ((run, run.with_suffix(".npz")), (model, photos), (str(run), photos.test)):
        assert pl.evaluate(one, data).accuracy == named.accuracy
    options: Any = {"perturbations": ["mirror"]}
    curves = [pl.robustness(one, data, **options).curves for one, data in ((run, None), (model, photos))]
    assert curves[0] == curves[1]
    with pytest.raises(OptionError, match="name the data"):
        pl.evaluate(model)


def test_a_photo_is_explained_with_the_runs_training_photos(run: Path, tmp_path: Path) -> None:
    photo = pl.load_data(run.with_suffix(".npz")).test.X[0]
    found = pl.explain_photo(run, photo, methods=["gradient"], out=tmp_path / "why")
    assert found.photo.novelty is not None
    assert {path.name for path in found.files} == {path.name for path in (tmp_path / "why").iterdir()}
    assert pl.explain_photo(pl.load(run), photo, methods=["gradient"]).photo.novelty is None


def test_a_report_is_written_again(run: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    page = pl.report(run, tmp_path / "page", progress=lambda stage, *_: stages.append(stage))
    assert page.is_file()
    assert stages[-1] == "done"


def test_folds_are_a_number_or_a_splitter() -> None:
    five = RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=3)
    options: Any = {"data": "moons", "n_epochs": 2, "n_jobs": 1}
    whole, given = (pl.compare("logistic", cv=cv, **options) for cv in (2, five))
    assert (whole.n_splits, whole.n_repeats, given.n_splits, given.n_repeats) == (2, 1, 2, 2)
    for wrong in (1, "5x3", None.__class__):
        with pytest.raises(OptionError, match="cv: expected a number of folds"):
            pl.compare("logistic", cv=wrong, **options)


def test_a_network_in_a_file_is_loaded_and_trained(tmp_path: Path) -> None:
    net = tmp_path / "net.toml"
    net.write_text('[[layers]]\ntype = "Dense"\nunits = 1\n')
    assert repr(pl.load(net)) == "Sequential(layers=[Dense(units=1)])"
    history = pl.train(net, "moons", n_epochs=1)
    assert history.model is not None
    assert history.model.n_params == 3
    assert "model" not in history.to_dict()


def test_progress_is_told_to_a_function_or_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[Any, ...]] = []
    pl.train("logistic", "moons", n_epochs=2, progress=lambda *what: told.append(what))
    assert told[0][:2] == ("training", 1)
    pl.check_data("moons", progress=lambda stage, done, total: told.append((stage,)))
    pl.check_data("moons", progress=False)
    assert capsys.readouterr().err == ""


def test_a_dataset_is_divided_and_tabled() -> None:
    pytest.importorskip("pandas")
    data = pl.Dataset(np.arange(20.0).reshape(10, 2), np.arange(10) % 2, ("cat", "dog"))
    parts = data.split(0.4, seed=2)
    assert (len(parts.train), len(parts.test), parts.test.counts.tolist()) == (6, 4, [2, 2])
    frame = data.to_frame()
    assert (list(frame.columns), frame["y"][1], frame["x2"][1]) == (["x1", "x2", "y"], "dog", 3.0)


def test_a_model_in_a_file_is_exported_and_begun_from(run: Path, tmp_path: Path) -> None:
    exports = [(pl.export_html, "html"), (pl.export_script, "py")]
    exports += [(pl.export_onnx, "onnx")] * bool(importlib.util.find_spec("onnx"))
    for export, ending in exports:
        export(run, tmp_path / f"model.{ending}")
        assert (tmp_path / f"model.{ending}").stat().st_size > 1000
    photos = run.with_suffix(".npz")
    assert pl.transfer(run, photos).classes == pl.load(run).classes
    with pytest.raises(PellucidError, match="no weights yet"):
        pl.transfer("cnn", photos)


def test_what_a_door_cannot_take_is_refused(tmp_path: Path) -> None:
    """NaN in samples, inputs that do not pair, weights of nothing, a model instead of a run, other columns."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((60, 2)), np.arange(60) % 2
    model = pl.train(pl.preset("logistic"), (X, y), n_epochs=2).model
    with pytest.raises(
        DataError, match=r"predict: the model's scores of 1 of 60 samples are NaN or infinite, .*sample 3"
    ):
        pl.predict(model, np.where(np.arange(60)[:, None] == 3, np.nan, X))
    with pytest.raises(DataError, match="every input to have the same samples, got a: 60, b: 3"):
        pl.Dataset({"a": X, "b": X[:3]}, y)
    with pytest.raises(OptionError, match="every sample that is trained on has weight 0"):
        pl.train(pl.preset("logistic"), (X, y), n_epochs=2, sample_weight=np.zeros(60))
    with pytest.raises(OptionError, match="influence: expected a run or its folder, got a Sequential"):
        pl.influence(model, [0])
    rows = "".join(f"{a:.3f},{b:.3f},{'yes' if a > 0 else 'no'}\n" for a, b in X)
    (tmp_path / "t.csv").write_text(f"a,b,ill\n{rows}")
    data = pl.load_data(tmp_path / "t.csv", target="ill")
    pl.save(pl.train(pl.preset("logistic"), data, n_epochs=2).model, tmp_path / "m.safetensors")
    assert pl.evaluate(tmp_path / "m.safetensors", tmp_path / "t.csv").accuracy > 0.5
    for options in ({"drop": ("a",)}, {"target": "a"}):
        source = DataSource(str(tmp_path / "t.csv"), **options)
        with pytest.raises(OptionError, match="reads a table by the columns that it was trained on"):
            pl.evaluate(tmp_path / "m.safetensors", source)
