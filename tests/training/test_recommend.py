"""The rule behind --model auto, and one training through three doors."""

from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError
from pellucid.estimators import ImageClassifier, NetworkRegressor
from pellucid.nn.presets import PRESETS
from pellucid.runs.run import read_run
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import RECIPES
from pellucid.training.recommend import Recommendation


def blobs(m: int, *, size: int) -> pl.Dataset:
    """Return noisy colour pictures: those of class 1 have a bright square."""
    rng = np.random.default_rng(7)
    X = rng.integers(0, 120, (m, size, size, 3), dtype=np.uint8)
    y = np.arange(m) % 2
    X[y == 1, 2 : size // 2, 2 : size // 2] += 100
    return pl.Dataset(X, y, ("0", "1"))


def chosen_for(*shape: int, dtype: str = "uint8", k: int = 2, m: int = 40) -> Recommendation:
    return pl.recommend((np.zeros((m, *shape), dtype), np.arange(m) % k))


@every(
    ("shape", "model"),
    [
        ((8, 8, 1), "cnn-small"),
        ((28, 28, 1), "cnn-small"),
        ((31, 200, 3), "cnn-small"),
        ((32, 32, 3), "cnn"),
        ((64, 64, 3), "cnn"),
        ((127, 300, 1), "cnn"),
        ((128, 128, 3), "cnn-large"),
        ((7, 7, 3), "mlp-small"),  # too small for two poolings
        ((64, 64, 7), "mlp-small"),  # no picture
        ((64, 64), "mlp-small"),
        ((12,), "mlp-small"),
    ],
)
def test_the_shape_decides_on_the_preset(shape: tuple[int, ...], model: str) -> None:
    assert chosen_for(*shape).model == model


@every("name", ["cnn-small", "cnn", "cnn-large", "mlp-small", "mlp-wide"])
def test_a_preset_takes_the_smallest_samples_that_it_is_recommended_for(name: str) -> None:
    side = {"cnn-small": 8, "cnn": 32, "cnn-large": 128}.get(name)
    model = pl.preset(name, 3)
    model.initialize((5,) if side is None else (side, side, 1))
    assert model.output_shape == (3,)


def test_built_in_sets() -> None:
    cats = pl.recommend(pl.load_data("drawn-cats"))
    assert (cats.model, cats.recipe["n_epochs"], cats.recipe["augment"]) == ("cnn", 12, "photo")
    assert pl.recommend(pl.load_data("digits")).model == "cnn-small"


def test_the_published_photos_keep_the_tutorials_network() -> None:
    part = pl.Dataset(np.zeros((4, 64, 64, 3), np.uint8), np.array([0, 1, 0, 1]))
    found = pl.recommend(pl.Split(part, part, "catvnoncat"))
    assert (found.model, found.recipe) == ("mlp", RECIPES["mlp"])
    assert pl.recommend(pl.Split(part, part, "pets")).model == "cnn"


def test_many_samples_are_trained_for_fewer_epochs_and_then_not_mixed() -> None:
    few, many = chosen_for(64, 64, 3, m=200), chosen_for(64, 64, 3, m=3000)
    assert few.recipe == RECIPES["cnn"]
    assert 10 < many.recipe["n_epochs"] < 60
    assert many.recipe["augment"] == "photo"
    digits = [chosen_for(8, 8, 1, m=m).recipe["n_epochs"] for m in (10, 500, 1437, 100_000)]
    assert digits == [100, 56, 20, 20]
    tables = [chosen_for(4, dtype="float64", m=m) for m in (10, 400, 999, 1000, 2000, 100_000)]
    assert [each.recipe["n_epochs"] for each in tables] == [500, 38, 16, 94, 47, 5]
    assert [each.model for each in tables] == ["mlp-small"] * 3 + ["mlp-wide"] * 3


@every(("channels", "scale", "augment"), [(3, 1.0, "photo-cutmix"), (3, 255.0, "none"), (4, 1.0, "none")])
def test_only_what_can_be_augmented_is(channels: int, scale: float, augment: str) -> None:
    X = np.full((40, 32, 32, channels), scale)
    assert pl.recommend((X, np.arange(40) % 2)).recipe["augment"] == augment


def test_it_says_what_and_why() -> None:
    picture, table = chosen_for(8, 8, 1, k=10, m=1), chosen_for(4, dtype="float64")
    words = "cnn-small, 100 epochs: a small convolutional network for 1 grey picture of 8 × 8"
    assert str(picture) == words
    assert str(table) == "mlp-small, 250 epochs: two narrow hidden layers for 40 rows of 4 numbers"


def test_several_inputs_have_no_preset() -> None:
    X = {"a": np.zeros((4, 2)), "b": np.zeros((4, 2))}
    with pytest.raises(DataError, match="Graph"):
        pl.recommend((X, np.zeros(4, int)))


def test_a_recipe_is_a_new_dictionary_that_train_takes() -> None:
    assert set(RECIPES) == {*PRESETS, "transfer", "unfreeze"}
    changed = pl.recipe("cnn")
    changed["n_epochs"] = 1
    assert pl.recipe("cnn")["n_epochs"] == 120
    with pytest.raises(OptionError, match="Did you mean 'cnn'"):
        pl.recipe("cn")
    data = blobs(20, size=32)
    by_name, by_hand = pl.preset("cnn"), pl.preset("cnn")
    pl.train(by_name, data, n_epochs=2, seed=5)
    pl.train(by_hand, data, **pl.recipe("cnn") | {"n_epochs": 2, "seed": 5})
    np.testing.assert_array_equal(by_name.theta, by_hand.theta)


# 7: the epochs of the recipe
@pytest.mark.parametrize(("asked", "size"), [("cnn-small", 8), ("auto", 32), ("auto", 7)])
def test_three_doors_lead_to_the_same_training(
    pellucid: Command, tmp_path: Path, asked: str, size: int
) -> None:
    whole = blobs(50, size=size)
    np.savez(tmp_path / "blobs.npz", X=whole.X, y=whole.y)
    options = {} if size == 7 else {"n_epochs": 1}
    epochs = [f"--epochs={options['n_epochs']}"] if options else []
    assert not pellucid("train", "blobs.npz", "--model", asked, *epochs, "--seed", "3", "--out", "run").code
    run = read_run(tmp_path / "run")

    data = pl.load_data(tmp_path / "blobs.npz", seed=3)
    chosen = pl.recommend(data)
    name, recipe = (asked, pl.recipe(asked)) if asked != "auto" else (chosen.model, chosen.recipe)
    model = pl.preset(name, 2)
    pl.train(model, data.train, **recipe | options, seed=3)
    classifier = ImageClassifier(asked, random_state=3, **options).fit(data.train.X, data.train.y)

    assert run.config.model == name
    np.testing.assert_array_equal(run.model.theta, model.theta)
    np.testing.assert_array_equal(classifier.model_.theta, model.theta)
    for ours, theirs in zip(model._leaves(), classifier.model_._leaves(), strict=True):
        for key, value in ours.state.items():
            np.testing.assert_array_equal(value, theirs.state[key])


@pytest.mark.parametrize(("asked", "loss"), [("mlp-small", None), ("auto", None), ("auto", "huber")])
def test_three_doors_for_quantities(pellucid: Command, tmp_path: Path, asked: str, loss: str | None) -> None:
    X = np.random.default_rng(3).standard_normal((60, 4))
    y = 1000 * (30 + X[:, 0] + X[:, 1] * X[:, 2] / 2)
    np.savetxt(tmp_path / "prices.csv", np.c_[X, y], delimiter=",", header="a,b,c,d,price", comments="")
    given = ["prices.csv", "--target", "price", "--model", asked, "--epochs", "40", "--seed", "3"]
    assert not pellucid("train", *given, "--out", "run", *([] if loss is None else ["--loss", loss])).code
    run = read_run(tmp_path / "run")

    part = pl.load_data(tmp_path / "prices.csv", target="price", seed=3).train
    assert run.model.preprocessing is not None  # a table's columns are standardized
    rows = run.model.preprocessing.apply(part.X, run.model.dtype)
    model = pl.preset("mlp-small", n_outputs=1)
    pl.train(model, (rows, part.y), n_epochs=40, seed=3, loss=loss)
    regressor = NetworkRegressor(asked, random_state=3, n_epochs=40, loss=loss).fit(rows, part.y)

    np.testing.assert_array_equal(run.model.theta, model.theta)
    np.testing.assert_array_equal(regressor.model_.theta, model.theta)
    np.testing.assert_allclose(regressor.predict(rows), model.predict(rows), rtol=1e-6)
    assert regressor.score(rows, part.y) > 0.9


def test_what_was_chosen_is_said_and_recorded(pellucid: Command, tmp_path: Path) -> None:
    whole = blobs(30, size=8)
    np.savez(tmp_path / "blobs.npz", X=whole.X, y=whole.y)
    done = pellucid("train", "blobs.npz", "--epochs", "1")
    reason = "a small convolutional network for 24 colour pictures of 8 × 8"
    assert f"Model: cnn-small, {reason}. --model NAME takes another." in done.out
    config = read_run(tmp_path / "runs/blobs-cnn-small-1").config
    assert (config.model, config.reason, config.options.n_epochs) == ("cnn-small", reason, 1)


def test_options_are_checked_before_data_are_read(pellucid: Command) -> None:
    done = pellucid("train", "no-such-folder", "--patience", "3")
    assert done.code == 2
    assert "validation" in done.err


def test_an_estimator_keeps_what_was_chosen() -> None:
    data = blobs(24, size=8)
    classifier = ImageClassifier(n_epochs=1, random_state=0, warm_start=True).fit(data.X, data.y)
    assert classifier.recommendation_.model == "cnn-small"
    classifier.fit(data.X, data.y)  # goes on with the same network
    assert classifier.score(data.X, data.y) >= 0


@every(
    ("has_weights", "has_files", "is_grey"),
    [(True, True, False), (False, True, False), (True, False, False), (True, True, True)],
)
def test_photos_of_a_folder_begin_with_what_others_learned(
    has_weights: bool, has_files: bool, is_grey: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = "pretrained" if has_weights and has_files and not is_grey else "cnn-large"
    monkeypatch.setattr("pellucid.training.recommend.is_there", lambda: has_weights)
    X = np.random.default_rng(0).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    X = X[..., :1].repeat(3, axis=3) if is_grey else X
    files = np.array(["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]) if has_files else None
    chosen = pl.recommend(pl.Dataset(X, np.array([0, 0, 1, 1]), ("a", "b"), files=files))
    assert chosen.model == expected
    assert ("pellucid[photos]" in chosen.reason) is (has_files and not has_weights)


def test_a_recipe_is_what_train_takes() -> None:
    """Each with its options in one place; a run that resolves it gets the same."""
    for name in RECIPES:
        assert TrainingOptions.resolve(pl.recipe(name)) == TrainingOptions.resolve(RECIPES[name])
    moons = pl.load_data("moons")
    for name in ("linear", "realmlp"):
        history = pl.train(pl.preset(name), moons, **(pl.recipe(name) | {"n_epochs": 2}), progress=False)
        assert history.losses
    numbers = (moons.train.X, moons.train.X @ [1.0, 2.0])
    again = pl.train(pl.preset("realmlp"), numbers, **pl.recipe("realmlp") | {"n_epochs": 2}, progress=False)
    assert again.model.loss == "mean_squared_error"
    with pytest.raises(OptionError, match="label_smoothing: mean_squared_error takes none"):
        pl.train(pl.preset("realmlp"), numbers, label_smoothing=0.2, progress=False)
