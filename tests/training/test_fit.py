"""What ``train`` fills in: recipes of presets, names instead of objects, arrays instead of data sets."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError, UnknownAttributeError
from pellucid.ops.losses.regression import Huber
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.events import StepEnd, TrainStart
from pellucid.training.optimizers import LBFGS, SGD, AdamW
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import RECIPES
from pellucid.training.schedules.cosine import Cosine

pytestmark = pytest.mark.kernels


class Seen:
    """A callback that keeps the run, and the names of its callbacks."""

    def __call__(self, event: Any) -> bool:
        if isinstance(event, TrainStart):
            self.run, self.names = event.run, [type(one).__name__ for one in event.run.callbacks]
        return isinstance(event, StepEnd)


def seen(model: pl.Sequential, data: Any, **options: Any) -> dict[str, Any]:
    """Return the settings of a training that is stopped after its first step."""
    watch = Seen()
    pl.train(model, data, callbacks=[watch], **options)
    settings = dict(watch.run.settings)
    return {**settings, "callbacks": watch.names}


@pytest.fixture
def photos(rng: np.random.Generator) -> pl.Dataset:
    return pl.Dataset(rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8), np.arange(40) % 2, ("a", "b"))


@pytest.fixture
def rows(rng: np.random.Generator) -> tuple[Any, Any]:
    return rng.standard_normal((40, 3)), np.arange(40) % 2


def test_a_preset_is_trained_by_its_recipe(photos: pl.Dataset) -> None:
    recipe, got = RECIPES["cnn"], seen(pl.preset("cnn"), photos)
    assert (got["n_epochs"], got["batch_size"]) == (recipe["n_epochs"], recipe["batch_size"])
    for name in ("learning_rate", "weight_decay"):
        assert got["optimizer"][name] == recipe[name]
    assert got["optimizer"]["type"] == recipe["optimizer"]
    assert got["schedule"]["type"] == recipe["schedule"]
    assert got["augment"] is not None
    assert got["loss"]["label_smoothing"] == recipe["label_smoothing"]
    assert got["callbacks"] == ["Seen", "PreciseBatchNorm"]


def test_what_is_given_goes_before_the_recipe(photos: pl.Dataset) -> None:
    given = {"n_epochs": 3, "learning_rate": 0.02, "augment": "none", "precise_bn": False}
    got = seen(pl.preset("cnn"), photos, **given)
    assert (got["n_epochs"], got["augment"], got["callbacks"]) == (3, None, ["Seen"])
    assert (got["optimizer"]["learning_rate"], got["schedule"]["type"]) == (0.02, "one_cycle")
    for optimizer in ("sgd", SGD()):
        got = seen(pl.preset("cnn"), photos, optimizer=optimizer)
        assert (got["optimizer"]["learning_rate"], got["schedule"]) == (0.0075, None)
    got = seen(pl.preset("cnn"), photos, optimizer=AdamW(0.5))
    assert (got["optimizer"]["learning_rate"], got["schedule"]["type"]) == (0.5, "one_cycle")
    got = seen(pl.preset("cnn"), photos, batch_size=0)
    assert got["batch_size"] is None
    for full_batch in ("lbfgs", LBFGS()):
        got = seen(pl.preset("cnn"), photos, optimizer=full_batch)
        assert (got["batch_size"], got["augment"], got["schedule"]) == (None, None, None)
    chosen = pl.preset("cnn")
    chosen.set_loss("binary_cross_entropy")
    assert "label_smoothing" not in seen(chosen, photos)["loss"]


def test_no_smoothing_of_labels_is_not_the_same_as_none_named(rows: Any) -> None:
    assert "label_smoothing" not in seen(pl.preset("logistic"), rows, n_epochs=1, label_smoothing=0)["loss"]
    for given, expected in ((None, 0.2), (0, None), (0.1, 0.1)):
        model = pl.Sequential([pl.Dense(1)])
        model.set_loss("binary_cross_entropy", label_smoothing=0.2)
        loss = seen(model, rows, n_epochs=1, label_smoothing=given)["loss"]
        assert loss.get("label_smoothing") == expected
    hinge = pl.Sequential([pl.Dense(1)])
    hinge.set_loss("hinge")
    assert seen(hinge, rows, n_epochs=1, label_smoothing=0)["loss"]["type"] == "hinge"
    quantities = seen(pl.Sequential([pl.Dense(1)]), (rows[0], rows[0][:, 0]), n_epochs=1, label_smoothing=0)
    assert quantities["loss"]["type"] == "mean_squared_error"


def test_a_network_of_ones_own_needs_a_number_of_epochs(rows: Any) -> None:
    with pytest.raises(OptionError, match=r"n_epochs is missing.*n_epochs=50"):
        pl.train(pl.Sequential([pl.Dense(1)]), rows)
    got = seen(pl.Sequential([pl.Dense(1)]), rows, n_epochs=4)
    assert got["batch_size"] is None
    assert (got["optimizer"]["type"], got["optimizer"]["learning_rate"]) == ("sgd", 0.0075)


@every(
    ("short", "long"),
    [
        ({"optimizer": "adamw"}, {"optimizer": AdamW()}),
        ({"optimizer": {"type": "sgd", "momentum": 0.9}}, {"optimizer": SGD(momentum=0.9)}),
        ({"optimizer": "sgd", "learning_rate": 0.5}, {"optimizer": SGD(0.5)}),
        ({"schedule": "cosine"}, {"schedule": Cosine()}),
        ({"schedule": {"type": "cosine", "warmup": 2}}, {"schedule": Cosine(warmup=2)}),
        ({"loss": {"type": "huber", "delta": 2.0}}, {"loss": Huber(delta=2.0)}),
    ],
)
def test_names_stand_for_objects(rows: Any, short: dict[str, Any], long: dict[str, Any]) -> None:
    first, second = (seen(pl.Sequential([pl.Dense(1)]), rows, n_epochs=4, **given) for given in (short, long))
    assert first == second


@every(
    ("options", "words"),
    [
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"optimizer": {"momentum": 0.9}}, "type"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"augment": "foto"}, "Did you mean 'photo'"),
        ({"optimizer": SGD(), "learning_rate": 0.1}, "learning_rate is the optimizer's own"),
        ({"patience": 3}, "validation"),
    ],
)
def test_wrong_names_are_told(rows: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        pl.train(pl.Sequential([pl.Dense(1)]), rows, n_epochs=1, **options)


def test_a_pair_of_arrays_is_data(rows: Any) -> None:
    X, y = rows
    names = np.array(["no", "yes"])[y]
    models = [pl.Sequential([pl.Dense(1)]) for _ in range(3)]
    for model, data in zip(models, (pl.Dataset(X, y), (X, y), (X.tolist(), names)), strict=True):
        pl.train(model, data, n_epochs=5, validation=(X, y), seed=3)
    np.testing.assert_array_equal(models[0].theta, models[1].theta)
    np.testing.assert_array_equal(models[0].theta, models[2].theta)
    assert models[2].classes == ("no", "yes")


def test_batch_norm_is_measured_once(photos: pl.Dataset) -> None:
    got = seen(pl.preset("cnn"), photos, n_epochs=1)
    assert got["callbacks"].count("PreciseBatchNorm") == 1
    watch = Seen()
    pl.train(pl.preset("cnn"), photos, n_epochs=1, callbacks=[watch, PreciseBatchNorm()])
    assert watch.names.count("PreciseBatchNorm") == 1


def test_after_few_steps_a_recipe_predicts_as_well_as_it_trained(rng: np.random.Generator) -> None:
    """Running statistics still hold much of what they began with; alone they predict little better than chance."""
    y = np.arange(60) % 2
    X = rng.integers(0, 120, (60, 12, 12, 3), dtype=np.uint8)
    X[y == 1] += 120
    losses = []
    for more in ({}, {"precise_bn": False}):
        model = pl.preset("cnn-small")
        history = pl.train(model, (X, y), n_epochs=3, batch_size=20, augment="none", **more)
        losses.append(float(-np.log(model.predict_proba(X)[np.arange(60), y]).mean()))
    assert max(history.losses[-1], losses[0]) < 0.05
    assert losses[1] > 0.1


def test_options_survive_a_table() -> None:
    given: dict[str, Any] = {"optimizer": {"type": "sgd", "momentum": 0.9}, "augment": "none"}
    options = TrainingOptions.resolve(RECIPES["cnn"], **given)
    assert TrainingOptions.from_table(options.to_table()) == options
    with pytest.raises(OptionError, match="Did you mean 'epochs'"):
        TrainingOptions.from_table({"epoch": 3})


def test_a_step_looks_for_no_name_that_is_not_there(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer's own error object takes longer to make than a small layer's step."""
    asked: list[str] = []
    monkeypatch.setattr(
        UnknownAttributeError, "__init__", lambda self, where, attribute, owner, *_: asked.append(attribute)
    )
    model = pl.Sequential([pl.BatchNorm(), pl.Dense(4, "relu"), pl.Dropout(0.5), pl.Dense(1)])
    for n_threads in (1, 2):
        counts = []
        for n_epochs in (1, 1, 9):  # copies for threads ask for ``__deepcopy__`` once a training
            before = len(asked)
            pl.train(model, rows, n_epochs=n_epochs, n_threads=n_threads, batch_size=10, progress=False)
            counts.append(len(asked) - before)
        assert counts[2] == counts[1]


def test_the_optimizer_gets_its_options_back(rows: Any) -> None:
    optimizer = SGD(0.1, momentum=0.5)
    before = optimizer.config()

    def spoil(event: Any) -> None:
        if isinstance(event, StepEnd):
            optimizer.learning_rate, optimizer.momentum = 0.3, 0.1

    model = pl.Sequential([pl.BatchNorm(), pl.Dense(1)])
    pl.train(model, rows, n_epochs=3, optimizer=optimizer, schedule="cosine", callbacks=[spoil])
    assert optimizer.config() == before


def test_patience_watches_held_out_samples_that_are_given(rng: np.random.Generator) -> None:
    X, y = rng.standard_normal((30, 4)), rng.integers(0, 2, 30)
    model = pl.Sequential([pl.Dense(1)])
    options: dict[str, Any] = {"n_epochs": 500, "learning_rate": 1.0, "patience": 2}
    history = pl.train(model, (X[:20], y[:20]), validation=(X[20:], 1 - y[20:]), **options)
    assert history.n_steps < 500
    for wrong, words in (({"patience": -1}, "at least 0"), ({"weight_ema": 0.9}, "Leave one out")):
        with pytest.raises(OptionError, match=words):
            pl.train(model, (X, y), validation=(X, y), **{**options, **wrong})


def table(m: int) -> tuple[Any, Any]:
    X = np.random.default_rng(0).standard_normal((m, 3)) * [1, 100, 1e4] + [0, 5, 1e3]
    return X, X[:, 0] + 0.01 * X[:, 1]


def test_realmlp_scales_and_stops_by_rows_that_it_holds_out() -> None:
    X, y = table(200)
    history = pl.train("realmlp", (X, y), n_epochs=4)
    rule: Any = history.model.preprocessing
    assert rule.kind == "robust"
    assert rule != Preprocessing.robust(X)  # of the rows that are trained on alone
    assert "validation_loss" in history.columns
    other: Any = pl.train("realmlp", (X, y), n_epochs=4, scaling="standardize", validation=0.3).model
    assert other.preprocessing.kind == "standardize"


@every(("X", "y"), [table(40), (table(90)[0], [0] * 89 + [1])])
def test_a_recipe_holds_nothing_out_of_few_samples(X: Any, y: Any) -> None:
    history = pl.train("realmlp", (X, y), n_epochs=2)
    assert "validation_loss" not in history.columns
    assert history.model.preprocessing == Preprocessing.robust(X)


def test_realmlp_learns_a_curve() -> None:
    X, _ = table(1500)
    y = 50 + 3 * np.sin(2 * X[:, 0]) + 1e-4 * X[:, 2]
    model = pl.train("realmlp", (X[:1000], y[:1000])).model
    left = model.predict(X[1000:]).ravel() - y[1000:]
    assert left.var() < 0.05 * y[1000:].var()
