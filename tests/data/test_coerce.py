"""What every public function takes as data, and what it says of anything else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.built_in import load_drawn_cats
from pellucid.data.coerce import as_split
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError

SHAPE = (8, 8, 3)


@pytest.fixture(scope="module")
def split() -> pl.Split:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, *SHAPE), dtype=np.uint8), np.arange(40) % 2
    data = pl.Dataset(X, y, ("cat", "dog"))
    return pl.Split(data.take(slice(0, 30)), data.take(slice(30, 40)), "made")


@pytest.fixture(scope="module")
def model(split: pl.Split) -> pl.Model:
    model = pl.preset("logistic")
    pl.train(model, split.train, n_epochs=5)
    return model


TAKERS: list[Callable[[pl.Model, Any], Any]] = [
    lambda model, data: pl.train(pl.preset("logistic"), data, n_epochs=1),
    lambda model, data: pl.find_learning_rate(pl.preset("logistic"), data, n_epochs=10),
    lambda model, data: pl.evaluate(model, data, n_resamples=10),
    lambda model, data: pl.evaluate(model, (np.zeros((2, *SHAPE), np.uint8), [0, 1]), data, n_resamples=10),
    lambda model, data: pl.robustness(model, data, perturbations=["mirror"]),
    lambda model, data: pl.explain_photo(model, np.zeros(SHAPE, np.uint8), data, methods=["gradient"]),
]


@every("take", TAKERS)
def test_one_part_is_a_dataset_a_pair_or_that_of_a_split_and_nothing_else(
    take: Callable[[pl.Model, Any], Any], model: pl.Model, split: pl.Split
) -> None:
    take(model, split.train)
    take(model, (split.train.X, split.train.y))
    take(model, split)
    with pytest.raises(DataError, match="unknown data set 'photos'"):
        take(model, "photos")
    with pytest.raises(DataError, match=r"expected a Dataset, a pair .*, got an array of shape \(30, 8"):
        take(model, split.train.X)


def test_a_model_and_data_by_name_are_those_of_that_name() -> None:
    named = pl.train("mlp-small", "moons", n_epochs=3)
    model, data = pl.preset("mlp-small"), pl.load_data("moons")
    assert named.model is not None
    assert named.losses == pl.train(model, data.train, n_epochs=3).losses
    assert pl.evaluate(named.model, "moons").accuracy == pl.evaluate(model, data.test).accuracy


@every("take", [pl.check_data, lambda data: pl.compare("logistic", "mlp", data=data, n_epochs=1)])
def test_both_parts_are_a_split_or_a_name(take: Callable[[Any], Any], split: pl.Split) -> None:
    for wrong, kind in ((split.train, "a Dataset"), (split.train.X, "an array of shape"), (None, "None")):
        with pytest.raises(DataError, match=f"expected a Split or a name, got {kind}") as caught:
            take(wrong)
        assert len(str(caught.value)) < 200


def test_a_pair_is_split_and_a_pair_of_pairs_taken_as_it_is(split: pl.Split) -> None:
    X, y = split.train.X, split.train.y
    held_out = pl.check_data((X, y))
    assert (held_out.n_train, held_out.n_test) == (24, 6)
    assert any("held out" in note for note in as_split((X, y), "here").notes)
    both = as_split(((X, np.where(y, "b", "a")), (split.test.X, ["b"] * 10)), "here")
    assert (both.classes, both.test.y.tolist()) == (("a", "b"), [1] * 10)
    numbers = as_split(((X, y), (split.test.X, np.zeros(10, int))), "here")
    assert numbers.test.classes == ("0", "1")
    with pytest.raises(DataError, match="here: the test part: expected the classes a, b, also got c"):
        as_split(((X, np.where(y, "b", "a")), (split.test.X, ["c"] * 10)), "here")


def test_options_are_for_data_by_name_and_validation_data_one_part(split: pl.Split) -> None:
    with pytest.raises(DataError, match=r"validation: .*both \(a Split\)"):
        pl.train(pl.preset("logistic"), split.train, validation=split, n_epochs=1)  # type: ignore[arg-type]
    assert pl.check_data(DataSource("drawn-cats")).n_test == len(load_drawn_cats().test)
    with pytest.raises(OptionError, match="target is for data by name"):
        pl.check_data(split, target="price")


def test_predict_says_what_it_takes(model: pl.Model, split: pl.Split) -> None:
    wanted = r"expected an array of samples, \(m, 8, 8, 3\)"
    for wrong, message in (
        ("photo.jpg", f"{wanted}.*explain_photo"),
        (split.test, rf"{wanted}.*data\.X"),
        (split, rf"{wanted}.*data\.test\.X"),
        (np.array(["a", "b"]), "numbers"),
        ([[1.0], [1.0, 2.0]], "several lengths"),
    ):
        with pytest.raises(DataError, match=message):
            model.predict(wrong)
    np.testing.assert_array_equal(model.predict(split.test.X.tolist()), model.predict(split.test.X))


def test_saliency_takes_a_file_and_refuses_a_dataset(model: pl.Model, split: pl.Split, tmp_path: Any) -> None:
    from PIL import Image

    Image.fromarray(split.test.X[0]).save(tmp_path / "photo.png")
    maps = pl.saliency(model, tmp_path / "photo.png", methods=["gradient"])
    same = pl.saliency(model, split.test.X[0], methods=["gradient"])
    np.testing.assert_array_equal(maps["gradient"].heat, same["gradient"].heat)  # type: ignore[arg-type]
    for explain in (pl.saliency, pl.explain_photo):
        with pytest.raises(DataError, match=r"expected one image, .* got a Dataset. Try data\.X\[0\]"):
            explain(model, split.test)  # type: ignore[arg-type]


@every("value", [np.zeros(300), list(range(1000))])
def test_an_array_is_never_printed_in_a_message(value: Any) -> None:
    with pytest.raises(OptionError) as caught:
        pl.Dense(value)
    assert len(str(caught.value)) < 200
