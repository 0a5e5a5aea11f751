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


def test_a_number_of_threads_reaches_the_training(listed: Any) -> None:
    found = [quick(n_threads=n).fit(*listed).history_.n_threads for n in (1, 2, -1)]
    assert found[:2] == [1, 2]
    assert found[2] >= 1


def test_early_stopping_and_validation_data(folder: Path, listed: Any) -> None:
    paths, labels = listed
    held = (paths[::3], labels[::3])
    scored = quick(early_stopping=True, scoring="neg_log_loss", n_epochs=5)
    scored.fit(paths, labels, validation_data=held)
    best = -log_loss(held[1], scored.predict_proba(held[0]))
    assert scored.best_validation_score_ == pytest.approx(best, rel=1e-5)
    watched = quick().fit(paths, labels, validation_data=folder)
    probabilities = watched.predict_proba(folder)
    assert watched.val_loss_curve_[-1] == pytest.approx(log_loss(labels, probabilities), rel=1e-5)
    with pytest.raises(ValueError, match="validation_data must be a tuple"):
        quick().fit(paths, labels, validation_data=paths)


def test_progress_shows_how_many_photos_are_read(listed: Any, monkeypatch: Any) -> None:
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


def test_a_part_may_lack_a_class(listed: Any) -> None:
    parts = quick().partial_fit(*listed, classes=["day", "night"])
    night = listed[0][N:]
    parts.partial_fit(night, ["night"] * N)
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
        measure_batch_norms(model, pl.Dataset(classifier._read_X(images), labels))
        ours, theirs = (each.layers[1].state["running_mean"] for each in (model, classifier.model_))
        return np.array_equal(ours, theirs)

    assert measured_anew()
    classifier.partial_fit(images[:8], labels[:8])
    assert not measured_anew()
