"""The folder of a run, read and written; its configuration as a file, and as the command that asks for it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command
from tests.conftest import save_folder

from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.runs.build import fit_run, make_model, plan
from pellucid.runs.config import RunConfig
from pellucid.runs.data import find_source, reading_of, source_for
from pellucid.runs.run import read_run
from pellucid.runs.spelling import command_line
from pellucid.training.options import TrainingOptions, loss_of
from pellucid.training.recipes import GENERAL, RECIPES


def test_both_commands_predict_each_part_once_and_leave_the_same_record(
    pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, sizes, asked = [], list[int](), Model.decision_function

    def count(self: Model, X: Any) -> Any:
        sizes.append(len(X))
        return asked(self, X)

    monkeypatch.setattr(Model, "decision_function", count)
    for command in ("run", "train"):
        sizes.clear()
        pellucid.ok(command, photos, "--epochs", 20, "--out", command, "--quiet")
        assert sorted(sizes) == [8, 32]  # the test and the training part
        files = {path.name for path in Path(command).iterdir() if path.is_file()} - {"report.html"}
        metrics = json.loads((Path(command) / "metrics.json").read_text())
        del metrics["seconds"], metrics["setup_seconds"]
        records.append((files, (Path(command) / "config.toml").read_text(), metrics))
    assert records[0] == records[1]


def test_reading_a_run_evaluates_nothing(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("the model was asked for a prediction")

    for cls in (Model, Sequential):
        for name in ("predict", "predict_proba", "decision_function", "forward"):
            if hasattr(cls, name):
                monkeypatch.setattr(cls, name, refuse)
    found = read_run(trained)
    assert found.options.n_epochs == 200
    assert found.history.n_steps == 200
    assert found.metrics["test"]["n_samples"] == len(found.split.test) == 8


def test_data_that_moved_are_named(trained: Path, photos: Path) -> None:
    there = photos.rename(photos.with_name("moved.npz"))
    with pytest.raises(DataError, match=r"no longer at .*--data"):
        read_run(trained)
    assert len(read_run(trained, data=str(there)).split.train) == 32


def test_a_model_tells_no_path_and_how_its_data_are_read(pellucid: Command, tmp_path: Path) -> None:
    pets = save_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    pellucid.ok("train pets --image-size 8x6 --seed 2 --epochs 2 --out out")
    run, source = read_run(Path("out")), DataSource(str(pets), image_size=(8, 6), seed=2)
    model = run.model
    assert (run.source, run.split.train.X.shape[1:]) == (source, (8, 6, 3))
    assert model._summary_of_training["reading"] == {"image_size": [8, 6], "seed": 2}
    assert find_source(model, Path("out")) == source_for(model, DataSource(str(pets))) == source
    assert find_source(model, Path("elsewhere.safetensors")) is None
    assert source_for(model, DataSource("digits")) == DataSource("digits", seed=2)
    assert reading_of(DataSource("catvnoncat", mirror="http://example.org")) == {"name": "catvnoncat"}


def options_of(table: Any = None, *, model: str = "mlp", **given: Any) -> TrainingOptions:
    return TrainingOptions.resolve(RECIPES.get(model, GENERAL), table, **given)


def chosen(config: Any) -> tuple[str, float, float, str | None]:
    return config.optimizer, config.learning_rate, config.weight_decay, config.schedule


@pytest.mark.parametrize(
    ("table", "options", "wanted"),
    [
        ({}, {}, ("adamw", 0.002, 0.01, "one_cycle")),
        ({"n_epochs": 3}, {}, ("adamw", 0.002, 0.01, "one_cycle")),
        ({"optimizer": "sgd"}, {}, ("sgd", 0.0075, 0.0, None)),
        ({"optimizer": "adamw", "learning_rate": 0.1}, {}, ("adamw", 0.1, 0.01, None)),
        ({"optimizer": "adamw", "schedule": "cosine"}, {"optimizer": "adam"}, ("adam", 0.001, 0.0, None)),
    ],
)
def test_a_file_that_names_its_optimizer_gets_that_ones_defaults(
    table: dict[str, Any], options: dict[str, Any], wanted: tuple[Any, ...]
) -> None:
    assert chosen(options_of(table, model="net.toml", **options)) == wanted


def test_another_optimizer_than_the_recipes_gets_its_own_defaults() -> None:
    assert chosen(options_of(model="cnn", optimizer="sgd")) == ("sgd", 0.0075, 0.0, None)
    assert chosen(options_of(model="cnn", optimizer="adamw")) == ("adamw", 0.015, 0.05, "one_cycle")
    assert chosen(options_of(model="mlp", learning_rate=0.1)) == ("sgd", 0.1, 0.0, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_ema": 1.0}, "weight_ema to be a number above 0 and below 1, got 1.0."),
        ({"optimizer_options": {"momentun": 0.9}}, "sgd: unknown option 'momentun'. Did you mean 'momentum'"),
        ({"loss": "focal", "loss_options": {"gamma": -1}}, "expected gamma to be a number of at least 0"),
        ({"schedule": "cosine", "schedule_options": {"warmup": 1.5}}, "expected warmup to be a whole number"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        options_of(model="mlp", **options)


def test_labels_are_smoothed_as_the_recipe_or_the_flag_says() -> None:
    labels, quantities, answers = np.array([0, 1]), np.array([0.5, 2.0]), np.array([[0, 1, 1], [1, 1, 0]])

    def loss(y: Any, **options: Any) -> Any:
        config = plan(**{"model": "mlp", **options})[0].for_data(Dataset(np.zeros((len(y), 1)), y))
        return loss_of(config.options)

    usual = RECIPES["cnn"]["label_smoothing"]
    assert loss(labels, model="cnn") == {"type": "auto", "label_smoothing": usual}
    assert loss(answers, model="cnn") == {"type": "auto", "label_smoothing": usual}
    assert loss(quantities, model="cnn") is None  # a recipe's share is for classes
    assert loss(labels, model="cnn", label_smoothing=0.0) == {"type": "auto", "label_smoothing": 0.0}
    assert loss(labels, model="cnn", loss="hinge") == {"type": "hinge"}
    by_name = loss(labels, model="cnn", loss="binary_cross_entropy")
    assert by_name == {"type": "binary_cross_entropy", "label_smoothing": usual}
    assert loss(labels, label_smoothing=0.3) == {"type": "auto", "label_smoothing": 0.3}
    for y, options, words in (
        (quantities, {"model": "cnn", "label_smoothing": usual}, "mean_squared_error takes none"),
        (labels, {"loss": "hinge", "label_smoothing": 0.3}, "hinge takes none"),
    ):
        with pytest.raises(OptionError, match=f"label_smoothing: {words}"):
            loss(y, **options)
    with pytest.raises(OptionError, match=r"label_smoothing .*got 1\.0"):
        options_of(label_smoothing=1.0)


def test_another_loss_does_not_take_the_share_of_the_files() -> None:
    table = {"loss": "binary_cross_entropy", "label_smoothing": 0.2}
    assert options_of(table, loss="hinge").label_smoothing is None
    assert options_of(table, loss="categorical_cross_entropy").label_smoothing == 0.2


def test_augmentation_can_be_left_out() -> None:
    assert options_of(model="cnn").augment == "photo-cutmix"
    assert options_of(model="cnn", augment="none").augment is None
    assert options_of({"augment": "none"}).augment is None


def test_a_model_keeps_the_share_that_its_labels_were_smoothed_by(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = Dataset(rng.standard_normal((30, 3)), np.arange(30) % 3, ("a", "b", "c"))
    file = tmp_path / "net.toml"
    file.write_text('[training]\nepochs = 2\nlabel_smoothing = 0.2\n[[layers]]\ntype = "Dense"\nunits = 3\n')
    config, architecture, *_ = plan(str(file))
    model = make_model(config, architecture, Split(data, data))
    fit_run(model, Split(data, data), config)
    assert model.loss_config == {"type": "categorical_cross_entropy", "label_smoothing": 0.2}


def test_a_training_that_goes_on_at_other_rates_has_stages() -> None:
    def config(**options: Any) -> RunConfig:
        return RunConfig(DataSource("drawn-cats").resolved(), "mlp", TrainingOptions(**options))

    first = config(n_epochs=3, schedule="one_cycle")
    assert config(n_epochs=5, schedule="one_cycle").going_on_from(first, 3).stages == ()
    second = config(n_epochs=5, schedule="constant", learning_rate=0.5).going_on_from(first, 3)
    again = config(n_epochs=5, schedule="constant", learning_rate=0.5).going_on_from(second, 4)
    assert again == second
    third = config(n_epochs=9, schedule="constant", learning_rate=0.25).going_on_from(again, 5)
    assert [(one.until, one.options) for one in third.stages] == [(3, first.options), (5, second.options)]
    assert RunConfig.from_toml(third.to_toml()) == third
    assert "stages" not in first.to_toml()
    text = third.to_toml().replace("until = 3", 'until = "3"')
    with pytest.raises(OptionError, match="expected stages to be tables"):
        RunConfig.from_toml(text)


@pytest.mark.parametrize(
    ("model", "source", "options", "words"),
    [
        ("mlp", {}, {}, ""),
        ("cnn", {}, {"augment": "none"}, "--augment none"),
        ("cnn", {}, {"n_epochs": 5, "precise_bn": True}, "--epochs 5"),
        ("cnn", {}, {"precise_bn": False}, "--no-precise-bn"),
        ("mlp", {}, {"precise_bn": False}, ""),
        ("cnn", {}, {"label_smoothing": 0.0}, "--label-smoothing 0"),
        ("cnn", {}, {"label_smoothing": 0.1}, ""),
        ("mlp", {}, {"optimizer": "adam"}, "--optimizer adam"),
        (
            "mlp",
            {},
            {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}},
            "--optimizer-options momentum=0.9",
        ),
        ("mlp", {"seed": 3, "test_fraction": 0.5}, {"seed": 3}, "--test-fraction 0.5 --seed 3"),
        ("mlp", {"skip_bad": True, "image_size": (8, 9)}, {}, "--skip-bad --image-size 8x9"),
    ],
)
def test_only_what_was_chosen_is_spelled(
    model: str, source: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    config, *_ = plan(model, DataSource("my pets", **source), **options)
    line = command_line("train", config)
    own = f"{words} " if source else ""
    behind = f" {words}" if words and not source else ""
    assert line == f"pellucid train 'my pets' {own}--model {model}{behind}"


def test_a_networks_file_brings_its_own_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.toml").write_text('[[layers]]\ntype = "Dense"\nunits = 1\n[training]\nepochs = 7\n')
    config, *_ = plan("net.toml", DataSource("t.csv", target="y"), weight_decay=0.5)
    line = command_line("train", config)
    assert line == "pellucid train t.csv --target y --model net.toml --weight-decay 0.5"
    Path("net.toml").unlink()
    assert command_line("train", config, n_epochs=9).endswith("--model net.toml --epochs 9")


def test_a_search_for_a_rate_takes_no_options_that_it_has_no_use_for() -> None:
    config, *_ = plan("mlp", DataSource("pets"), learning_rate=3.0, n_epochs=9, validation=0.2)
    assert command_line("find-lr", config) == "pellucid find-lr pets --model mlp --epochs 9"
    changed = command_line("train", config, learning_rate=0.01)
    assert changed == "pellucid train pets --model mlp --epochs 9 --learning-rate 0.01 --validation 0.2"
