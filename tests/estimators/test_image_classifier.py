"""Photos by path, folder, bytes and array: scikit-learn's contract, one way of reading, and what is refused."""

import copy
import io
import json
import pickle
import shutil
import subprocess
import sys
import threading
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from PIL import Image
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags

import pellucid as pl
from pellucid.app.prediction import predict_image
from pellucid.data.images import read_image, resize_image
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import DataError, FormatError, OptionError
from pellucid.estimators import ImageClassifier, NetworkClassifier, image_paths
from pellucid.estimators.image_reading import as_sources, read_sources
from pellucid.types import Array

HEIGHT, WIDTH, N = 8, 6, 12
FIVE: list[Any] = ["predict", "predict_proba", "decision_function", "transform", "predict_log_proba"]


def quick(**options: Any) -> ImageClassifier:
    return ImageClassifier(**{"model": "mlp-wide", "n_epochs": 4, "random_state": 0, **options})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 dark and 12 light pictures of 8 x 6 pixels, one sub-folder a class."""
    rng = np.random.default_rng(3)
    root = tmp_path_factory.mktemp("photos") / "sky"
    for name, start in (("night", 0), ("day", 130)):
        (root / name).mkdir(parents=True)
        for i in range(N):
            pixels = rng.integers(start, start + 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i:02d}.png")
    return root


@pytest.fixture(scope="module")
def listed(folder: Path) -> tuple[Array, Array]:
    paths, labels = image_paths(folder)
    assert labels is not None
    return paths, labels


@pytest.fixture(scope="module")
def fitted(folder: Path) -> ImageClassifier:
    done: ImageClassifier = quick(n_epochs=30).fit(folder)
    return done


# scikit-learn's contract.

DATA_FREE = [
    "check_estimator_cloneable",
    "check_no_attributes_set_in_init",
    "check_estimator_repr",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimators_unfitted",
    "check_valid_tag_types",
    "check_estimator_tags_renamed",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_param_validation",
    "check_requires_y_none",
    "check_classifiers_regression_target",
]


@pytest.mark.parametrize("name", DATA_FREE)
def test_checks_of_scikit_learns_that_need_no_rows_of_numbers(name: str) -> None:
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip("this version of scikit-learn has no such check")
    check("ImageClassifier", ImageClassifier("mlp-wide", n_epochs=1))


def test_scikit_learn_sees_that_it_takes_no_table() -> None:
    tags = get_tags(ImageClassifier())
    assert tags.no_validation
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.sparse
    assert tags.input_tags.string
    assert tags.target_tags.required
    assert is_classifier(ImageClassifier())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that checks are left out
        for estimator, check in estimator_checks.estimator_checks_generator(ImageClassifier()):
            check(estimator)


def test_fit_returns_self_and_leaves_parameters_and_data_alone(listed: Any) -> None:
    paths, labels = (part.copy() for part in listed)
    paths.flags.writeable = labels.flags.writeable = False
    estimator = quick()
    before = copy.deepcopy(estimator.get_params())
    assert estimator.fit(paths, labels) is estimator
    assert estimator.get_params() == before
    images = read_sources(paths, (HEIGHT, WIDTH, 3)).images
    kept = images.copy()
    weights = np.linspace(0, 1, 2 * N)
    for array in (images, weights):
        array.flags.writeable = False
    estimator.fit(images, labels, weights).predict(images)
    np.testing.assert_array_equal(images, kept)


def test_fit_is_idempotent_and_starts_anew(folder: Path, listed: Any) -> None:
    estimator = quick()
    first = estimator.fit(folder).predict_proba(folder)
    estimator.fit(np.zeros((4, 5, 5, 3), np.uint8), [1, 2, 3, 1])
    assert estimator.classes_.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(estimator.fit(*listed).predict_proba(folder), first)


def test_attributes(fitted: ImageClassifier) -> None:
    assert fitted.classes_.tolist() == ["day", "night"]
    assert fitted.sample_shape_ == (HEIGHT, WIDTH, 3)
    assert not hasattr(fitted, "n_features_in_")  # photos come in any size
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 30
    assert fitted.loss_ == fitted.loss_curve_[-1]
    assert (fitted.n_outputs_, fitted.out_activation_, fitted.t_) == (1, "logistic", 30 * 2 * N)
    assert fitted.model_.preprocessing == Preprocessing("divide", 255.0)


@pytest.mark.parametrize("ask", [*FIVE, "score", "save"])
def test_not_fitted(ask: str, folder: Path) -> None:
    with pytest.raises(NotFittedError, match="This ImageClassifier instance is not fitted yet"):
        getattr(ImageClassifier(), ask)(folder)


def test_clone_pickle_joblib_and_copy(fitted: ImageClassifier, folder: Path, tmp_path: Path) -> None:
    assert not hasattr(clone(fitted), "model_")
    assert clone(fitted).get_params() == fitted.get_params()
    joblib.dump(fitted, tmp_path / "a.joblib")
    for other in (
        pickle.loads(pickle.dumps(fitted)),
        joblib.load(tmp_path / "a.joblib"),
        copy.deepcopy(fitted),
    ):
        for ask in FIVE:
            np.testing.assert_array_equal(getattr(other, ask)(folder), getattr(fitted, ask)(folder))


def test_a_pickle_holds_no_photos(fitted: ImageClassifier, listed: Any) -> None:
    paths, labels = listed
    many = quick(n_epochs=1).fit(np.tile(paths, 40), np.tile(labels, 40))
    assert len(pickle.dumps(many)) < len(pickle.dumps(fitted)) + 20_000


def test_searches_over_paths(listed: Any) -> None:
    grid = {"image_size": [4, (HEIGHT, WIDTH)], "learning_rate": [0.001, 0.01]}
    for paths in (listed[0], list(listed[0]), [Path(path) for path in listed[0]]):
        search = GridSearchCV(quick(n_epochs=2), grid, cv=2).fit(paths, listed[1])
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert search.best_estimator_.predict(paths).shape == (2 * N,)
    assert GridSearchCV(quick(n_epochs=2), grid, cv=2, n_jobs=2).fit(*listed).best_score_ > 0
    scores = cross_val_score(quick(n_epochs=30), *listed, cv=3, scoring="roc_auc")
    assert scores.mean() > 0.9
    assert make_pipeline(quick(n_epochs=30)).fit(*listed).score(*listed) > 0.9


def test_metadata_routing(listed: Any) -> None:
    weights = np.r_[np.ones(N), np.full(N, 1e-6)]
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = quick().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_val_score(estimator, *listed, params={"sample_weight": weights}, cv=3)
    assert scores.shape == (3,)


def test_threads_may_predict_at_once(fitted: ImageClassifier, listed: Any) -> None:
    wanted, wrong = fitted.predict_proba(listed[0]), []

    def ask() -> None:
        for _ in range(5):
            if not np.array_equal(fitted.predict_proba(listed[0]), wanted):
                wrong.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# What X may be.


def kinds_of(paths: Array) -> dict[str, Any]:
    pd = pytest.importorskip("pandas", reason="needs pandas")
    polars = pytest.importorskip("polars", reason="needs polars")
    images = np.stack([np.asarray(Image.open(path)) for path in paths])
    contents = [Path(path).read_bytes() for path in paths]
    return {
        "array of str": paths,
        "list of str": paths.tolist(),
        "tuple of Path": tuple(map(Path, paths)),
        "array of objects": np.array([Path(path) for path in paths], dtype=object),
        "column": paths[:, np.newaxis],
        "series": pd.Series(paths, index=range(100, 100 + len(paths))),
        "frame of one column": pd.DataFrame({"file": paths}),
        "polars": polars.Series(paths),
        "polars frame": polars.DataFrame({"file": paths}),
        "bytes": contents,
        "array of bytes": np.array(contents, dtype=object),
        "bytearrays": [bytearray(content) for content in contents],
        "uint8": images,
        "int64": images.astype(np.int64),
        "floats": images / 255,
        "float32": (images / 255).astype(np.float32),
        "list of arrays": list(images),
        "nested lists": images.tolist(),
        "a mixture": [paths[0], contents[1], *images[2:]],
    }


def test_every_kind_of_input_gives_the_same(fitted: ImageClassifier, listed: Any) -> None:
    wanted = fitted.predict_proba(listed[0])
    for kind, X in kinds_of(listed[0]).items():
        np.testing.assert_array_equal(fitted.predict_proba(X), wanted, err_msg=kind)
        again = clone(fitted).set_params(n_epochs=2).fit(X, list(listed[1]))
        np.testing.assert_array_equal(
            again.predict_proba(X), clone(again).fit(*listed).predict_proba(X), err_msg=kind
        )


def test_a_folder(fitted: ImageClassifier, folder: Path, listed: Any) -> None:
    paths, labels = listed
    assert paths[0] == str(folder / "day" / "00.png")
    assert labels.tolist() == ["day"] * N + ["night"] * N
    for given in (folder, str(folder)):
        for ask in FIVE:
            np.testing.assert_array_equal(getattr(fitted, ask)(given), getattr(fitted, ask)(paths))
        assert fitted.score(given) == fitted.score(given, labels) == fitted.score(*listed) > 0.9
    by_list = clone(fitted).fit(*listed)
    np.testing.assert_array_equal(by_list.predict_proba(folder), fitted.predict_proba(folder))
    assert fitted.score(folder, sample_weight=np.r_[np.ones(N), np.zeros(N)]) == fitted.score(
        paths[:N], labels[:N]
    )
    renamed = quick(n_epochs=1).fit(folder, np.arange(2 * N) % 3)  # labels given go before names
    assert renamed.classes_.tolist() == [0, 1, 2]


def test_images_alone_in_a_folder(fitted: ImageClassifier, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "day", tmp_path / "new")
    (tmp_path / "new" / "notes.txt").write_text("not an image")
    paths, labels = image_paths(tmp_path / "new")
    assert labels is None
    np.testing.assert_array_equal(fitted.predict(tmp_path / "new"), fitted.predict(paths))
    assert len(paths) == N
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        quick().fit(tmp_path / "new")
    with pytest.raises(ValueError, match="requires y to be passed"):
        fitted.score(tmp_path / "new")


def test_one_image_is_a_list_of_one(fitted: ImageClassifier, listed: Any) -> None:
    path = listed[0][0]
    for X in (path, str(path), Path(path), Path(path).read_bytes(), bytearray(Path(path).read_bytes())):
        assert fitted.predict(X).tolist() == ["day"]
        np.testing.assert_array_equal(fitted.predict_proba(X), fitted.predict_proba([path]))


def test_reading_is_upright_rgb_and_resized(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(pixels).convert("P").save(tmp_path / "palette.gif")
    clear = Image.fromarray(pixels).convert("RGBA")
    clear.putalpha(0)
    clear.save(tmp_path / "clear.png")
    names = ["turned.png", "grey.png", "palette.gif", "clear.png"]
    files = [tmp_path / name for name in names]
    images = read_sources(files, (10, 12, 3)).images
    for image, file in zip(images, files, strict=True):
        np.testing.assert_array_equal(image, resize_image(read_image(file), 10, 12))
    np.testing.assert_array_equal(images[0], resize_image(np.rot90(pixels, -1).copy(), 10, 12))
    assert (images[1] == images[1][..., :1]).all()
    assert (images[3] == 255).all()
    fitted = quick(n_epochs=2, image_size=(10, 12)).fit(files, [0, 1, 0, 1])
    np.testing.assert_allclose(
        fitted.predict_proba(files), fitted.model_.predict_proba(images / np.float32(255)), rtol=1e-5
    )
    for probabilities, file in zip(fitted.predict_proba(files), files, strict=True):
        one = predict_image(fitted.model_, file)  # what the command does
        np.testing.assert_allclose(list(one.classes.values()), probabilities, rtol=1e-5)


def test_image_size(tmp_path: Path, listed: Any) -> None:
    def shape(X: Any, **options: Any) -> tuple[int, ...]:
        fitted: ImageClassifier = quick(n_epochs=1, **options).fit(X, [0, 1])
        wanted: tuple[int, ...] = fitted.model_.input_shape
        assert fitted.sample_shape_ == wanted
        return wanted

    for name, size in (("a", (30, 20)), ("b", (40, 20)), ("c", (300, 20)), ("d", (300, 20))):
        Image.new("RGB", size[::-1]).save(tmp_path / f"{name}.png")
    file = {name: tmp_path / f"{name}.png" for name in "abcd"}
    assert shape([file["a"], file["a"]]) == (30, 20, 3)
    assert shape([file["a"], file["b"]]) == (64, 64, 3)
    assert shape([file["c"], file["d"]]) == (64, 64, 3)
    assert shape([file["c"], file["d"]], image_size=(5, 9)) == (5, 9, 3)
    assert shape([file["c"], file["d"]], image_size=7) == (7, 7, 3)
    assert shape([np.zeros((9, 8, 3)), np.zeros((9, 8))]) == (9, 8, 3)
    assert shape([np.zeros((9, 8, 3)), np.zeros((9, 8))], image_size=[5, 4]) == (5, 4, 3)


def test_grey_and_float_arrays() -> None:
    grey = np.linspace(0, 1, 20 * 6 * 6).reshape(20, 6, 6, 1)
    images = read_sources(as_sources(grey), (6, 6, 3)).images
    np.testing.assert_array_equal(images, np.repeat(np.rint(grey * 255), 3, axis=3))
    np.testing.assert_array_equal(read_sources(list(grey[..., 0]), (6, 6, 3)).images, images)
    one_channel = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    one_channel.initialize((6, 6, 1))
    fitted = ImageClassifier(one_channel, n_epochs=1).fit(grey, np.arange(20) % 2)
    assert fitted.sample_shape_ == (6, 6, 1)
    assert fitted.predict(grey).shape == (20,)


# Training.


def test_the_default_is_the_cnn_by_its_recipe() -> None:
    X, y = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3), dtype=np.uint8), np.arange(40) % 2
    fitted = ImageClassifier(n_epochs=2, random_state=5).fit(X, y)
    network = NetworkClassifier("cnn", n_epochs=2, random_state=5).fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), network.predict_proba(X))
    assert fitted.history_.n_steps == 4  # batches of 32
    assert fitted.transform(X).shape == network.transform(X).shape == (40, 96)
    assert "learning_rate" in fitted.history_.columns  # one cycle


def test_it_learns_drawn_cats() -> None:
    cats = pl.load_data("drawn-cats")
    fitted = ImageClassifier("mlp-wide", image_size=24, n_epochs=60, random_state=0)
    assert fitted.fit(cats.train.X, cats.train.y).score(cats.train.X, cats.train.y) > 0.95
    assert fitted.score(cats.test.X, cats.test.y) > 0.6


def test_options_reach_the_training(listed: Any) -> None:
    paths, labels = listed
    sgd = quick(optimizer=pl.SGD(0.5), schedule=None, batch_size=6, n_epochs=3).fit(paths, labels)
    assert sgd.history_.n_steps == 12
    assert "learning_rate" not in sgd.history_.columns
    assert quick(learning_rate=1e-9).fit(paths, labels).loss_ > quick().fit(paths, labels).loss_
    assert quick(dtype="float64").fit(paths, labels).model_.dtype == "float64"
    for n_jobs, wanted in ((1, 1), (2, 2)):
        assert quick(n_jobs=n_jobs).fit(paths, labels).history_.n_threads == wanted
    assert quick(n_jobs=-1).fit(paths, labels).history_.n_threads >= 1
    hinge = quick(loss="hinge").fit(paths, labels)
    assert not hasattr(hinge, "predict_proba")
    assert (
        quick(optimizer="lbfgs", model="logistic", n_epochs=50).fit(paths, labels).score(paths, labels) > 0.9
    )


def test_weights(listed: Any) -> None:
    paths, labels = listed
    times = np.arange(2 * N) % 3
    options = {"model": None, "batch_size": None, "optimizer": "sgd", "dtype": "float64", "image_size": 4}
    weighted = quick(**options).fit(paths, labels, sample_weight=times)
    repeated = quick(**options).fit(np.repeat(paths, times), np.repeat(labels, times))
    np.testing.assert_allclose(weighted.model_.theta, repeated.model_.theta, atol=1e-12)
    assert weighted.score(paths, labels, times) == pytest.approx(
        repeated.score(np.repeat(paths, times), np.repeat(labels, times))
    )
    by_class = quick(class_weight={"day": 3.0}, **options).fit(paths, labels)
    by_sample = quick(**options).fit(paths, labels, np.where(labels == "day", 3.0, 1.0))
    np.testing.assert_array_equal(by_class.model_.theta, by_sample.model_.theta)


def test_early_stopping_and_validation_data(folder: Path, listed: Any) -> None:
    paths, labels = listed
    held = (paths[::3], labels[::3])
    early = quick(early_stopping=True, validation_fraction=0.25, n_iter_no_change=2, n_epochs=100)
    assert early.fit(folder).n_iter_ < 100
    assert early.best_validation_score_ == max(early.validation_scores_)
    scored = quick(early_stopping=True, scoring="neg_log_loss", n_epochs=5)
    scored.fit(paths, labels, validation_data=held)
    best = -log_loss(held[1], scored.predict_proba(held[0]))
    assert scored.best_validation_score_ == pytest.approx(best, rel=1e-5)
    watched = quick().fit(paths, labels, validation_data=folder)
    probabilities = watched.predict_proba(folder)
    assert watched.val_loss_curve_[-1] == pytest.approx(log_loss(labels, probabilities), rel=1e-5)
    weighted = quick().fit(paths, labels, validation_data=(*held, np.arange(len(held[0]))))
    assert len(weighted.val_loss_curve_) == 4
    with pytest.raises(ValueError, match="validation_data must be a tuple"):
        quick().fit(paths, labels, validation_data=paths)


def test_callbacks_progress_and_words(listed: Any, capsys: Any, monkeypatch: Any) -> None:
    heard: list[Any] = []
    quick(callbacks=[heard.append], verbose=True).fit(*listed)
    assert len(heard) > 4
    assert "Iteration 4, loss = " in capsys.readouterr().out
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    quick(progress=True).fit(*listed)
    assert stream.getvalue() == ""
    stream.isatty = lambda: True  # type: ignore[method-assign]
    quick(progress=True).fit(*listed)
    assert "reading" in stream.getvalue()
    assert "fit" in stream.getvalue()


def test_warm_start_and_partial_fit(listed: Any) -> None:
    warm = quick(warm_start=True).fit(*listed)
    first = warm.loss_
    assert warm.fit(*listed).loss_ < first
    assert len(warm.loss_curve_) == 8
    parts = quick(batch_size=6)
    for _ in range(4):
        parts.partial_fit(*listed, classes=["day", "night"])
    np.testing.assert_array_equal(parts.model_.theta, quick(batch_size=6).fit(*listed).model_.theta)
    night = listed[0][N:]
    parts.partial_fit(night, ["night"] * N)  # a part may lack a class
    with pytest.raises(ValueError, match=r"has classes not in `self.classes_`"):
        parts.partial_fit(night, ["dusk"] * N)


def test_several_labels(listed: Any) -> None:
    paths, labels = listed
    Y = np.column_stack([labels == "day", labels == "night", np.arange(2 * N) % 2]).astype(int)
    fitted = quick(n_epochs=20).fit(paths, Y.tolist())
    assert fitted.predict(paths).shape == fitted.predict_proba(paths).shape == Y.shape
    assert fitted.score(paths, Y) == (fitted.predict(paths) == Y).all(axis=1).mean()


def test_labels_of_any_kind(listed: Any) -> None:
    paths, labels = listed
    for y in (
        [bool(label == "day") for label in labels],
        np.where(labels == "day", 7, -3),
        np.array(labels, dtype=object),
        np.where(labels == "day", "a", "b")[:, np.newaxis][:, 0],
    ):
        fitted = quick(n_epochs=30).fit(paths, y)
        assert fitted.score(paths, y) > 0.9
        assert set(fitted.predict(paths).tolist()) == set(np.asarray(y).tolist())


# Models in files.


def run_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from pellucid.app.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_predicts_with_a_saved_model(
    fitted: ImageClassifier, listed: Any, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sky.safetensors"
    fitted.save(file)
    paths = [listed[0][0], listed[0][-1]]
    done = run_command("predict", file, *paths, "--json")
    assert done.returncode == 0, done.stderr
    for found, row in zip(
        json.loads(done.stdout)["predictions"], fitted.predict_proba(paths).tolist(), strict=True
    ):
        assert list(found["classes"]) == fitted.classes_.tolist()
        assert list(found["classes"].values()) == pytest.approx(row, rel=1e-5)
        assert found["label"] == fitted.classes_[np.argmax(row)]
    done = run_command("evaluate", file, folder, "--json")
    assert done.returncode == 0, done.stderr
    pl.save(fitted.model_, tmp_path / "same.safetensors")
    assert (tmp_path / "same.safetensors").read_bytes() == file.read_bytes()
    np.testing.assert_array_equal(
        pl.load(file).predict_proba(read_sources(paths, fitted.sample_shape_).images),
        fitted.predict_proba(paths),
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "hinge"}, {"loss": {"loss": "focal", "gamma": 1.5}}, {"label_smoothing": 0.1}],
    ids=str,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_load(n_classes: int, options: Any, listed: Any, tmp_path: Path) -> None:
    names = np.array(["ant", "bee", "cow"])[np.arange(2 * N) % n_classes]
    saved = quick(**options).fit(listed[0], names)
    saved.save(tmp_path / "m.safetensors")
    loaded = ImageClassifier.load(tmp_path / "m.safetensors")
    asks = [ask for ask in FIVE if hasattr(saved, ask)]
    assert asks == [ask for ask in FIVE if hasattr(loaded, ask)]
    for ask in asks:
        np.testing.assert_array_equal(getattr(loaded, ask)(listed[0]), getattr(saved, ask)(listed[0]))
    assert loaded.out_activation_ == saved.out_activation_
    assert loaded.score(listed[0], names) == saved.score(listed[0], names)
    before = loaded.model_.theta.copy()
    trained = pickle.loads(pickle.dumps(loaded)).partial_fit(listed[0], names)
    assert not np.array_equal(trained.model_.theta, before)
    warm = loaded.set_params(n_epochs=2).fit(listed[0], names)
    assert warm.n_iter_ == 2
    assert not np.array_equal(warm.model_.theta, before)


def test_load_refuses_other_models(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).standard_normal((20, 4)), np.arange(20) % 2
    pl.save(NetworkClassifier(n_epochs=1).fit(X, y).model_, tmp_path / "table.safetensors")
    with pytest.raises(DataError, match="expected a classifier of images, got a model of \\(4,\\)"):
        ImageClassifier.load(tmp_path / "table.safetensors")
    with pytest.raises(FormatError, match="there is no such model file"):
        ImageClassifier.load(tmp_path / "none.safetensors")


def test_a_trained_model_is_trained_further(fitted: ImageClassifier, listed: Any, tmp_path: Path) -> None:
    before = fitted.model_.theta.copy()
    tuned = quick(model=fitted.model_, n_epochs=1, learning_rate=1e-9).fit(
        [np.zeros((50, 40, 3)), np.ones((9, 9, 3))], ["night", "day"]
    )
    assert tuned.sample_shape_ == (HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(tuned.predict_proba(listed[0]), fitted.predict_proba(listed[0]), atol=0.05)
    np.testing.assert_array_equal(fitted.model_.theta, before)
    with pytest.raises(OptionError, match=r"is trained on images of 8 x 6, got 16\. Leave it out"):
        quick(model=fitted.model_, image_size=16).fit(*listed)
    floats = copy.deepcopy(fitted.model_)
    floats.preprocessing = Preprocessing()
    with pytest.raises(OptionError, match="trained on prepared numbers"):
        quick(model=floats).fit(*listed)


def test_a_toml_file(listed: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('[[layers]]\ntype = "Flatten"\n[[layers]]\ntype = "Dense"\nunits = 1\n')
    assert quick(model=path).fit(*listed).transform(listed[0]).shape == (2 * N, HEIGHT * WIDTH * 3)


# What is refused.


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """The folder, with a cut-off file and one that is none among the days."""
    root = tmp_path / "broken"
    shutil.copytree(folder, root)
    content = (root / "day" / "03.png").read_bytes()
    (root / "day" / "03.png").write_bytes(content[:60])
    (root / "day" / "05.png").write_text("not an image")
    return root


def test_an_unreadable_image_is_named(broken: Path, fitted: ImageClassifier, listed: Any) -> None:
    with pytest.raises(DataError) as caught:
        quick().fit(broken)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(
        f"2 of 24 images cannot be read: {broken}/day/03.png, {broken}/day/05.png. The first: "
    )
    assert 'pass on_error="skip" to leave such images out' in message
    bad = str(broken / "day" / "05.png")
    for ask in (fitted.predict, fitted.predict_proba, fitted.transform, fitted.decision_function):
        with pytest.raises(DataError, match=r"05\.png: expected an image, found no format that can be read"):
            ask([listed[0][0], bad])
        with pytest.raises(DataError, match=r"05\.png"):
            ask(bad)
    with pytest.raises(DataError, match=r"image 1 \(counted from 0\): the bytes given: expected an image"):
        fitted.predict([Path(listed[0][0]).read_bytes(), b"not an image"])
    with pytest.raises(DataError, match=r"no-such\.jpg: expected an image, found no such file"):
        fitted.predict("no-such.jpg")
    with pytest.raises(DataError, match="found a folder"):
        fitted.predict([broken / "day"])


def test_skipping_leaves_out_and_warns(broken: Path, fitted: ImageClassifier) -> None:
    paths, labels = image_paths(broken)
    weights = np.linspace(0.1, 2, 2 * N)
    is_good = ~np.isin(np.arange(2 * N), [3, 5])
    skipping = quick(on_error="skip", model="logistic")
    with pytest.warns(
        UserWarning, match="left out 2 of 24 images that cannot be read: .*03.png, .*05.png"
    ) as told:
        skipping.fit(paths, labels, weights)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert labels is not None
    good = quick(model="logistic").fit(paths[is_good], labels[is_good], weights[is_good])
    np.testing.assert_array_equal(skipping.model_.theta, good.model_.theta)
    with pytest.warns(UserWarning, match="left out 2"):
        by_folder = clone(skipping).fit(broken)
    assert by_folder.t_ == 22 * by_folder.n_iter_
    with pytest.warns(UserWarning, match="left out 2"):
        clone(skipping).fit(paths[is_good], labels[is_good], validation_data=(paths, labels, weights))
    with pytest.raises(DataError, match="2 of 24 images cannot be read"):
        skipping.predict(broken)  # an answer for each image, or none


def test_skipping_never_loses_a_class(folder: Path, tmp_path: Path) -> None:
    paths = [*image_paths(folder)[0][:4], tmp_path / "gone.png", tmp_path / "lost.png"]
    with pytest.raises(DataError, match="not one image of class 'c' can be read"):
        quick(on_error="skip").fit(paths, ["a", "a", "b", "b", "c", "c"])
    with pytest.raises(DataError, match="not one image can be read"):
        quick(on_error="skip").fit(paths[4:], np.eye(2, dtype=int))


def refused(X: Any, y: Any, match: str, error: type[Exception] = DataError, **options: Any) -> None:
    with pytest.raises(error, match=match) as caught:
        quick(**options).fit(X, y)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value) or error is ValueError


def test_bad_input(listed: Any, tmp_path: Path) -> None:
    paths, labels = listed
    refused(paths, labels[:-1], "inconsistent numbers of samples: \\[24, 23\\]", ValueError)
    refused([], [], "y", ValueError)
    refused([], ["a"], "found no images")
    refused(np.empty((0, 8, 8, 3), np.uint8), ["a"], "found no images")
    refused(paths, ["day"] * 2 * N, "expected images of at least two classes, but every label is 'day'")
    refused(paths, None, "requires y to be passed", ValueError)
    refused(paths, np.linspace(0, 1, 2 * N), "Unknown label type", ValueError)
    refused(np.zeros((5, 100)), np.arange(5), "got an array of shape \\(5, 100\\)")
    refused(np.zeros((5, 8, 8)), np.arange(5), r"Give X\[None\] for one image, X\[..., None\] for grey ones")
    refused(np.zeros((5, 8, 8, 4)), np.arange(5), r"expected an image of shape .* got \(8, 8, 4\)")
    refused(np.full((2, 8, 8, 3), 99.0), [0, 1], "floats from 0 to 1, got float64 from 99.0 to 99.0")
    refused(np.full((2, 8, 8, 3), np.nan), [0, 1], "floats from 0 to 1, got float64 from nan")
    refused(np.full((2, 8, 8, 3), -1), [0, 1], "whole numbers from 0 to 255")
    refused(np.array([b"abc", b"de"]), [0, 1], "from which NumPy drops zeros at the end")
    refused(5, [0, 1], "expected a list of paths, a folder, bytes, or images")
    refused([3, 4], [0, 1], "expected a path, bytes or an array, got int")
    refused(paths, labels, "unknown|expected a preset", OptionError, model="cn")
    refused(paths, labels, "image size: expected two whole numbers from 1", OptionError, image_size=(4, 0))
    refused(paths, labels, "The 'image_size' parameter", ValueError, image_size=0)
    refused(paths, labels, "The 'n_jobs' parameter", ValueError, n_jobs=0)
    refused(paths, labels, "The 'on_error' parameter", ValueError, on_error="ignore")
    refused("no-such-folder", None, "requires y to be passed", ValueError)
    with pytest.raises(ValueError, match=r"sample_weight\.shape|inconsistent"):
        quick().fit(paths, labels, np.ones(3))
    with pytest.raises(DataError, match="expected a folder of images, found none of that name"):
        image_paths(tmp_path / "none")


def test_bad_folders(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", None, "expected at least two sub-folders, one a class, found none")
    (tmp_path / "one" / "cat").mkdir(parents=True)
    refused(tmp_path / "one", None, "found one, 'cat'")
    (tmp_path / "one" / "dog").mkdir()
    refused(tmp_path / "one", None, "expected the images of class 'cat', found nothing")
    for part in ("train", "test"):
        shutil.copytree(folder, tmp_path / "parts" / part)
    refused(tmp_path / "parts", None, "Fit on .*parts/train and score on .*parts/test")
    fitted = quick(n_epochs=30).fit(tmp_path / "parts" / "train")
    assert fitted.score(tmp_path / "parts" / "test") > 0.9


def test_wrong_options_are_told_before_photos_are_read(listed: Any, monkeypatch: Any) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("it read photos")

    monkeypatch.setattr("pellucid.estimators.image_base.read_sources", read)
    for options in ({"model": "cn"}, {"image_size": (1, 2, 3)}, {"n_epochs": 0}, {"callbacks": [3]}):
        with pytest.raises(ValueError, match=r"expected|must be"):
            quick(**options).fit(*listed)
    for y in (listed[1][:3], ["a"] * 2 * N):
        with pytest.raises(ValueError, match=r"inconsistent|two classes"):
            quick().fit(listed[0], y)


# Memory.


def peak_of(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_originals_are_not_held(tmp_path: Path) -> None:
    side, files = 1200, [tmp_path / f"{i}.jpg" for i in range(6)]
    for i, file in enumerate(files):
        Image.new("RGB", (side, side), (40 * i, 0, 0)).save(file)
    one = side * side * 3
    fitted = quick(image_size=8, n_epochs=1)
    assert peak_of(lambda: fitted.fit(files, np.arange(6) % 2)) < 2.5 * one
    assert peak_of(lambda: fitted.predict(files)) < 2.5 * one
