"""The published numbers next to ours."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.data.download import fetch
from pellucid.data.source import load_data
from pellucid.nn.presets import preset
from pellucid.prediction.predict import predict
from pellucid.textbook.published import (
    EVERY,
    N_ITERATIONS,
    NEW_PHOTO,
    PUBLISHED_PREDICTION,
    PUBLISHED_TEST_ACCURACY,
    PUBLISHED_TRAIN_ACCURACY,
    published_costs,
)
from pellucid.training.events import Callback
from pellucid.training.fit import train
from pellucid.workflows.about import blas_kernel
from pellucid.workflows.predict import predict as predict_files


@dataclass(frozen=True, eq=False)
class Reproduction:
    """Our numbers of the published run.

    Attributes
    ----------
    costs, direct_costs : dict of int to float
        By the dual and by the direct form.
    new_photo : str or None
        The prediction for the tutorial's own photo, where it lies next to the data.
    dual_seconds, direct_seconds : float
        Of each training, set-up included, loading excluded.
    largest_relative_difference : float
        Over all numbers, relative to the published one.
    """

    costs: dict[int, float]
    direct_costs: dict[int, float]
    train_accuracy: float
    test_accuracy: float
    new_photo: str | None
    dual_seconds: float
    direct_seconds: float
    largest_relative_difference: float
    tolerance: float
    blas: str
    threads: int

    @property
    def matches(self) -> bool:
        """Whether every number agrees with the published one."""
        is_cat = self.new_photo in (None, PUBLISHED_PREDICTION)
        return is_cat and self.largest_relative_difference <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them."""
        return {**asdict(self), "matches": self.matches}


def reproduce(
    data_dir: Path | None = None,
    *,
    tolerance: float = 1e-8,
    mirror: str | None = None,
    callbacks: Sequence[Callback] = (),
) -> Reproduction:
    """Train the published network on the published photos by both forms and compare every number.

    Parameters
    ----------
    data_dir : Path, optional
        A folder that holds the two published files; default: PELLUCID_DATA_DIR, the cache, or the network.
    tolerance : float, optional
        The largest relative difference that counts as the same.
    mirror : str, optional
        Another address to download from.
    callbacks : sequence of callable, optional
        Of both trainings, such as a progress bar.

    Raises
    ------
    DownloadError
        If the photos are not there and cannot be fetched.
    """
    folder = fetch("catvnoncat", data_dir=data_dir, mirror=mirror)
    data = load_data(folder / "train_catvnoncat.h5")
    dual, direct = preset("mlp"), preset("mlp")
    histories = {}
    for form, model in (("dual", dual), ("direct", direct)):
        histories[form] = train(model, data.train, n_epochs=N_ITERATIONS, form=form, callbacks=callbacks)
    train_accuracy = predict(dual, data.train).confusion.accuracy
    test_accuracy = predict(dual, data.test).confusion.accuracy
    photo = folder / NEW_PHOTO
    costs = {form: history.marks(EVERY) for form, history in histories.items()}
    pairs = [(costs[form][i], cost) for form in costs for i, cost in published_costs().items()]
    pairs += [(train_accuracy, PUBLISHED_TRAIN_ACCURACY), (test_accuracy, PUBLISHED_TEST_ACCURACY)]
    blas, threads = blas_kernel()
    return Reproduction(
        costs=costs["dual"],
        direct_costs=costs["direct"],
        train_accuracy=train_accuracy,
        test_accuracy=test_accuracy,
        new_photo=predict_files(dual, photo).predictions[0].label if photo.is_file() else None,
        dual_seconds=histories["dual"].seconds,
        direct_seconds=histories["direct"].seconds,
        largest_relative_difference=max(abs(ours / theirs - 1) for ours, theirs in pairs),
        tolerance=tolerance,
        blas=blas,
        threads=threads,
    )
