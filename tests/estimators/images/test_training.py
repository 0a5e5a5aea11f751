"""ImageClassifier: options reach the training, and labels may be of any kind."""

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss
from tests.estimators.images.conftest import N, quick

import pellucid as pl
from pellucid.data.dataset import Dataset
from pellucid.errors import DataError
from pellucid.estimators import ImageClassifier, NetworkClassifier
from pellucid.progress import ProgressBar
from pellucid.training.callbacks.precise_bn import measure_batch_norms


def test_the_default_is_what_is_recommended() -> None:
    X, y = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3), dtype=np.uint8), np.arange(40) % 2
    fitted = ImageClassifier(n_epochs=2, random_state=5).fit(X, y)
    network = NetworkClassifier("cnn", n_epochs=2, random_state=5).fit(X, y)
    assert fitted.recommendation_ == pl.recommend((X, y))
    np.testing.assert_array_equal(fitted.predict_proba(X), network.predict_proba(X))
    assert fitted.history_.n_steps == 4  # batches of 32
    assert fitted.transform(X).shape == network.transform(X).shape == (40, 96)
    assert "learning_rate" in fitted.history_.columns  # one cycle


def test_options_reach_the_training(listed: Any) -> None:
    paths, labels = listed
    sgd = quick(optimizer=pl.optimizers.SGD(0.5), schedule=None, batch_size=6, n_epochs=3).fit(paths, labels)
    assert sgd.history_.n_steps == 12
    assert "learning_rate" not in sgd.history_.columns
    assert quick(learning_rate=1e-9).fit(paths, labels).loss_ > quick().fit(paths, labels).loss_
    assert quick(dtype="float64").fit(paths, labels).model_.dtype == "float64"
    for n_threads, wanted in ((1, 1), (2, 2)):
        assert quick(n_threads=n_threads).fit(paths, labels).history_.n_threads == wanted
    assert quick(n_threads=-1).fit(paths, labels).history_.n_threads >= 1
    hinge = quick(loss="hinge").fit(paths, labels)
    assert not hasattr(hinge, "predict_proba")
    assert (
        quick(optimizer="lbfgs", model="logistic", n_epochs=50).fit(paths, labels).score(paths, labels) > 0.9
    )


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
    for home in ("training.callbacks.progress", "estimators.image_reading"):
        monkeypatch.setattr(f"pellucid.{home}.ProgressBar", lambda **_: ProgressBar(True, patience=0))
    quick(progress=True).fit(*listed)
    assert "reading" in stream.getvalue()
    assert "epoch 1/" in stream.getvalue()


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


def test_a_folder_in_every_door(folder: Path, listed: Any) -> None:
    parts = quick(n_epochs=1).partial_fit(folder, classes=["day", "night"])
    np.testing.assert_array_equal(parts.model_.theta, quick(n_epochs=1).fit(*listed).model_.theta)
    assert not hasattr(quick(optimizer="lbfgs"), "partial_fit")
    with pytest.raises(DataError, match="nowhere: expected a folder of images, found none of that name"):
        quick().fit(folder, validation_data="nowhere")


def test_fit_recalibrates_as_the_recipe_says_and_partial_fit_does_not(folder: Path) -> None:
    part = pl.load_data(folder).train
    images, labels = part.X, part.y
    classifier = quick(model="cnn", n_epochs=1, batch_size=8, image_size=16).fit(images, labels)

    def measured_anew() -> bool:
        model = copy.deepcopy(classifier.model_)
        small = classifier._read_X(images)
        measure_batch_norms(model, Dataset(small, labels))
        return bool(
            (model.layers[1].state["running_mean"] == classifier.model_.layers[1].state["running_mean"]).all()
        )

    assert measured_anew()
    classifier.partial_fit(images[:8], labels[:8])
    assert not measured_anew()
