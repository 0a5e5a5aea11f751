"""A model asked in another dtype or range than it was trained on converts what is clear, and refuses the rest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.input_spec import InputsSeen, as_seen, inputs_seen, seen_from_config, seen_to_config
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import DataError
from pellucid.tensors import read_tensors, write_tensors
from pellucid.training.fit import fit
from pellucid.training.options import TrainingOptions

rng = np.random.default_rng(0)
BYTES = rng.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8)
BYTES[0, 0, 0] = (0, 255, 7)
DIGITS = rng.integers(0, 17, (30, 64), dtype=np.uint8)
FORMS: dict[str, Any] = {
    "uint8": lambda B: B,
    "int64": lambda B: B.astype(np.int64),
    "float": lambda B: B.astype(np.float64),
    "divided": lambda B: B / 255,
    "divided, float32": lambda B: (B / 255).astype(np.float32),
    "standardized": lambda B: (B / 255 - 0.5) / 0.25,
    "by 16": lambda B: B / 16,
    "16 bits": lambda B: B.astype(np.uint16) * 257,
}
PIXELS = ["uint8", "int64", "float", "divided", "divided, float32"]
TRAINED = {  # on what, and in which forms the same samples may be asked
    "uint8": PIXELS,
    "divided": PIXELS,
    "divided, float32": PIXELS,
    "float": ["uint8", "int64", "float"],
    "int64": ["uint8", "int64", "float"],
}


def trained(X: Any, folder: Path) -> pl.Model:
    """Return a model trained on samples, as its file has it."""
    model = pl.Sequential(pl.Flatten(), pl.Dense(3, "relu"), pl.Dense(2))
    pl.train(model, (X, np.arange(len(X)) % 2), n_epochs=3)
    pl.save(model, folder / "m.safetensors")
    return pl.load(folder / "m.safetensors")


@every("form", TRAINED)
def test_the_same_photos_in_another_form_get_the_same_answer_or_none(form: str, tmp_path: Path) -> None:
    model = trained(FORMS[form](BYTES), tmp_path)
    right = model.predict_proba(FORMS[form](BYTES))
    refused = {"standardized", "divided"}
    for name, of in FORMS.items():
        X = of(BYTES)
        if name in TRAINED[form]:
            np.testing.assert_allclose(model.predict_proba(X), right, atol=1e-5, err_msg=name)
        elif name in refused:
            with pytest.raises(DataError, match=r"predict: the model was trained on \w+ from 0 to"):
                model.predict_proba(X)


def test_what_is_not_known_to_be_of_the_range_seen_is_refused(tmp_path: Path) -> None:
    wanted = r"predict: the model was trained on .*, X is .*\. Prepare them as the training samples were"
    for given, asked in (
        (FORMS["standardized"](BYTES), BYTES),
        (FORMS["by 16"](BYTES), BYTES),
        (DIGITS, DIGITS / 16),
        (DIGITS / 16, DIGITS),
        (DIGITS / 16, DIGITS.astype(float)),
    ):
        model = trained(given, tmp_path)
        with pytest.raises(DataError, match="the model was trained on" if given is DIGITS else wanted):
            model.predict(asked)
        model.inputs_seen = None
        model.predict(asked)  # as it is told
    model = trained(BYTES, tmp_path)
    noisy = BYTES / 255 + rng.normal(0, 0.1, BYTES.shape)  # a little beyond the range passes
    assert (model.predict(noisy) == model.predict(BYTES)).mean() > 0.5


def test_a_table_may_be_extrapolated() -> None:
    X = np.linspace(-1, 1, 40)[:, None]
    model = pl.Sequential(pl.Dense(1))
    pl.train(model, (X, 3 * X[:, 0]), n_epochs=300, learning_rate=0.1)
    assert model.predict([[100.0]])[0] == pytest.approx(300, rel=0.05)
    assert model.predict(np.array([[1000]]))[0] == pytest.approx(3000, rel=0.05)
    with pytest.raises(DataError, match="uint8"):
        model.predict(np.array([[100]], np.uint8))


def test_a_training_that_goes_on_converts_too(tmp_path: Path) -> None:
    one, other = trained(BYTES, tmp_path), trained(BYTES, tmp_path)
    y = np.arange(30) % 2
    assert pl.train(one, (BYTES / 255, y), n_epochs=2).losses == pytest.approx(
        pl.train(other, (BYTES.astype(float), y), n_epochs=2).losses, abs=1e-5
    )
    with pytest.raises(DataError, match="train: the model was trained on uint8"):
        pl.train(one, (BYTES / 255 * 4 - 2, y), n_epochs=1)


def test_what_was_seen_is_kept_and_old_files_have_none(tmp_path: Path) -> None:
    model = trained(BYTES, tmp_path)
    assert model.inputs_seen == InputsSeen.of(BYTES)
    by_name = inputs_seen({"photo": BYTES, "facts": DIGITS / 16})
    assert seen_from_config(seen_to_config(by_name)) == by_name
    asked = as_seen(
        {"photo": BYTES / 255, "facts": DIGITS / 16}, by_name, Preprocessing("divide", 255.0), "here"
    )
    np.testing.assert_array_equal(asked["photo"], BYTES / 255)
    header, arrays = read_tensors(tmp_path / "m.safetensors", "pellucid", kind="model file", advice="")
    del header["inputs"]
    write_tensors(tmp_path / "old.safetensors", "pellucid", header, arrays)
    old = pl.load(tmp_path / "old.safetensors")
    assert old.inputs_seen is None
    np.testing.assert_array_equal(old.predict_proba(BYTES), model.predict_proba(BYTES))


def by_options(model: pl.Model, X: Any, y: Any) -> float:
    return float(fit(model, pl.Dataset(X, y), TrainingOptions(n_epochs=1)).losses[0])


def best_of_the_search(model: pl.Model, X: Any, y: Any) -> float:
    found = pl.find_learning_rate(model, (X, y), n_epochs=5, min_lr=0.01, max_lr=0.1, n_rates=3)
    return float(found.rounds[0][0].loss or 0)


DOORS: dict[str, Any] = {
    "train": lambda model, X, y: pl.train(model, (X, y), n_epochs=1).losses[0],
    "fit": by_options,
    "trace": lambda model, X, y: pl.trace(model, (X, y)).loss,
    "find_learning_rate": best_of_the_search,
    "transfer": lambda model, X, y: pl.train(pl.transfer(model, (X, y)), (X, y), n_epochs=1).losses[0],
    "transfer to others": lambda model, X, y: pl.train(
        pl.transfer(model, (X, np.arange(len(X)) % 3)), (X, np.arange(len(X)) % 3), n_epochs=1
    ).losses[0],
    "validation": lambda model, X, y: pl.train(
        model, (BYTES / 255, y), n_epochs=1, validation=(X, y)
    ).columns["validation_loss"][0],
    "validation of a first training": lambda model, X, y: pl.train(
        pl.Sequential(pl.Flatten(), pl.Dense(2)), (BYTES / 255, y), n_epochs=1, validation=(X, y)
    ).columns["validation_loss"][0],
}


@every("form", ["uint8", "float"])
@every("door", DOORS)
def test_every_door_takes_the_same_photos_in_another_form(door: str, form: str, tmp_path: Path) -> None:
    """By the first loss on the divided samples that the model knows, and on the same in another form."""
    y, given = np.arange(len(BYTES)) % 2, (BYTES / 255, FORMS[form](BYTES))
    own, other = (DOORS[door](trained(BYTES / 255, tmp_path), X, y) for X in given)
    assert other == pytest.approx(own, abs=1e-4)


def test_samples_held_out_of_another_range_are_refused() -> None:
    y, model = np.arange(30) % 2, pl.Sequential(pl.Flatten(), pl.Dense(2))
    with pytest.raises(DataError, match=r"^train: validation: the model was trained on float64 from 0 to 1"):
        pl.train(model, (BYTES / 255, y), n_epochs=1, validation=(BYTES / 16 - 4, y))
