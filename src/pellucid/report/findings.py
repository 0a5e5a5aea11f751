"""What a report tells, found out once: one prediction of each part, one search for leaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pellucid.evaluation.photo.context import PhotoContext
from pellucid.evaluation.scores.galleries import pick
from pellucid.evaluation.scores.of_run import RunResult, examine
from pellucid.job_threads import Later, at_once
from pellucid.prediction.predict import Predictions
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.photo import NewImage
from pellucid.runs.record import RunRecord

if TYPE_CHECKING:
    from pellucid.checks.check import DataReport
    from pellucid.evaluation.influence.records import InfluenceOutcome
    from pellucid.evaluation.label_errors.records import LabelErrors
    from pellucid.evaluation.robustness.records import Robustness
    from pellucid.evaluation.saliency.records import SaliencyMaps
    from pellucid.evaluation.scores.records import Scores

N_INFLUENTIAL = 4  # training samples on each side of an explained prediction
STAGES = (
    "data check",
    "predictions",
    "influence",
    "labels",
    "scores",
    "robustness",
    "saliency",
    "new photo",
    "page",
)


class NewPhoto(NamedTuple):
    """A photo that is in neither part of the data."""

    name: str
    context: PhotoContext

    @property
    def y(self) -> int:
        """The number of the predicted class."""
        return list(self.context.classes).index(self.context.label)


@dataclass(frozen=True, eq=False)
class Findings:
    """What a report tells. The short one has the result and the new photo alone.

    Attributes
    ----------
    result : RunResult
        The run, and its predictions with their leaks.
    photo : NewPhoto or None
        In the full report with its neighbours among the training photos.
    check : DataReport or None
    scores : Scores or None
        Of a regression in the short report too.
    robustness : Robustness or None
        Of photos of bytes.
    maps : mapping of int to SaliencyMaps
        By test photo; empty of other data than photos.
    wait_for_influence, wait_for_labels : callable
        Return ``influence`` and ``labels`` when they are known: where their trainings run in kernels, all else is
        found and drawn meanwhile.
    influence : InfluenceOutcome or None
    labels : LabelErrors or None
        Where five trainings more take little time.
    """

    result: RunResult
    photo: NewPhoto | None = None
    check: "DataReport | None" = None
    scores: "Scores | None" = None
    robustness: "Robustness | None" = None
    maps: "Mapping[int, SaliencyMaps] | None" = None
    wait_for_influence: "Callable[[], InfluenceOutcome] | None" = None
    wait_for_labels: "Callable[[], LabelErrors | None] | None" = None

    @property
    def influence(self) -> "InfluenceOutcome | None":
        """What the training samples did to chosen predictions."""
        return None if self.wait_for_influence is None else self.wait_for_influence()

    @property
    def labels(self) -> "LabelErrors | None":
        """Labels that networks trained without their samples contradict."""
        return None if self.wait_for_labels is None else self.wait_for_labels()


def find_short(run: RunRecord, image: NewImage | None, notes: tuple[str, ...] = ()) -> Findings:
    """Return what the short report tells.

    Parameters
    ----------
    run : RunRecord
    image : (str, Array or bytes) or None
        The new photo: its name, and its pixels.
    notes : tuple of str, optional
    """
    result = examine(run, notes=notes)
    if result.kind == "regression":
        from pellucid.evaluation.scores.measure import score

        return Findings(result, scores=score(result.predictions))
    photo = None if image is None else NewPhoto(image[0], PhotoContext.of(run.model, image[1]))
    return Findings(result, photo)


def find_all(
    run: RunRecord,
    image: NewImage | None,
    notes: tuple[str, ...] = (),
    *,
    n_photos: int,
    progress: ProgressCallback = no_progress,
    later: Later = at_once,
) -> Findings:
    """Return what the full report tells.

    Parameters
    ----------
    run, image, notes
        As for :func:`find_short`.
    n_photos : int
        How many test samples are explained one by one.
    progress : callable, optional
        Called with each stage before it begins.
    later : callable, optional
        Begins what is not needed at once: see :func:`pellucid.job_threads.in_background`.
    """
    from pellucid.checks.check import check_data
    from pellucid.evaluation.influence.explain import QUICK
    from pellucid.evaluation.influence.measure import begin_influence
    from pellucid.evaluation.influence.retrain_runs import N_TRAININGS, can_be_dual
    from pellucid.evaluation.label_errors.measure import begin_label_errors
    from pellucid.evaluation.robustness.measure import robustness
    from pellucid.evaluation.saliency.measure import saliency_of_samples
    from pellucid.evaluation.scores.measure import score

    def begin(stage: str) -> None:
        progress(stage, STAGES.index(stage), len(STAGES))

    model, train, test = run.model, run.split.train, run.split.test
    begin("data check")
    check = check_data(run.split, progress=no_progress)  # the report has a bar of its own
    begin("predictions")
    result = examine(run, notes=notes, leaks=check.leaks)
    predictions, rows = result.predictions, chosen_samples(result.predictions, n_photos)
    is_classifier = result.kind == "classification"
    begin("influence")  # first what trains in the background
    influenced = labels = None
    if rows:
        influenced = begin_influence(
            result, rows, folder=run.folder, top=N_INFLUENTIAL, budget=QUICK, later=later
        )
    begin("labels")
    if is_classifier:
        n_alike = N_TRAININGS if rows and can_be_dual(result) else 0
        labels = begin_label_errors(run, n_alike=n_alike, later=later)
    begin("scores")
    scores = score(predictions)
    begin("robustness")
    has_bytes = is_classifier and result.has_photos and test.X.dtype == np.uint8
    changed = robustness(model, test, predictions=predictions) if has_bytes else None
    begin("saliency")
    explained = rows if is_classifier and result.has_photos else []
    found = (
        saliency_of_samples(model, test.X[explained], predictions.y_pred[explained].tolist())
        if explained
        else []
    )
    maps = dict(zip(explained, found, strict=True))
    begin("new photo")
    photo = None
    if image is not None and is_classifier:
        photo = NewPhoto(image[0], PhotoContext.of(model, image[1], train))
    return Findings(result, photo, check, scores, changed, maps, influenced, labels)


def chosen_samples(predictions: Predictions, n: int) -> list[int]:
    """Return the test samples to explain: the most confident mistakes, then those of the highest losses.

    None of a regression, whose predictions are not explained one by one.
    """
    if predictions.kind != "classification":
        return []
    wrong = pick("confident mistakes", predictions)
    others = pick("highest losses", predictions)
    return [int(i) for i in np.concatenate([wrong, others[~np.isin(others, wrong)]])[:n]]
