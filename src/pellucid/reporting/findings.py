"""What a report tells, found out once: one prediction of each part, one search for leaks."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pellucid.checks.check import DataReport, check_data
from pellucid.evaluation.explain.image_context import ImageContext
from pellucid.evaluation.scores.advice import Advice, advise
from pellucid.evaluation.scores.evaluate import score
from pellucid.evaluation.scores.galleries import pick
from pellucid.evaluation.scores.linear_baseline import LinearBaseline, linear_baseline
from pellucid.evaluation.scores.scores import Scores
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.photo import NewImage
from pellucid.runs.run import Run
from pellucid.training.cost import can_be_dual

if TYPE_CHECKING:
    from pellucid.evaluation.columns.importance import ColumnImportance
    from pellucid.evaluation.influence.outcome import InfluenceOutcome
    from pellucid.evaluation.label_errors.label_errors import LabelErrors
    from pellucid.evaluation.robustness.curves import Robustness
    from pellucid.evaluation.saliency.maps import SaliencyMaps

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
    context: ImageContext

    @property
    def y(self) -> int:
        """The number of the predicted class."""
        return list(self.context.classes).index(self.context.label)


@dataclass(frozen=True, eq=False)
class Findings:
    """What a report tells. The short one has the run, the check of the data and the new photo.

    Attributes
    ----------
    run : Run
    photo : NewPhoto or None
        In the full report with its neighbours among the training photos.
    check : DataReport or None
    scores : Scores or None
        Of a regression in the short report too.
    robustness : Robustness or None
        Of photos of bytes.
    maps : mapping of int to SaliencyMaps
        By test photo; empty of other data than photos.
    influence_later, labels_later : Future
        Of ``influence`` and ``labels``: trainings in kernels run while all else is found and drawn.
    influence : InfluenceOutcome or None
    labels : LabelErrors or None
        Where five trainings more take little time.
    linear : LinearBaseline or None
        Of a network of a table.
    importance : ColumnImportance or None
        Of a table.
    """

    run: Run
    photo: NewPhoto | None = None
    check: DataReport | None = None
    scores: Scores | None = None
    robustness: Robustness | None = None
    maps: Mapping[int, SaliencyMaps] | None = None
    influence_later: Future[InfluenceOutcome] | None = None
    labels_later: Future[LabelErrors | None] | None = None
    linear: LinearBaseline | None = None
    importance: ColumnImportance | None = None

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        """What to try next; empty where all is well."""
        run = self.run
        return advise(run, run.test_predictions, metrics_of(run.train_predictions), verb="run")

    @property
    def influence(self) -> InfluenceOutcome | None:
        """What the training samples did to chosen predictions."""
        return None if self.influence_later is None else self.influence_later.result()

    @property
    def labels(self) -> LabelErrors | None:
        """Labels that networks trained without their samples contradict."""
        return None if self.labels_later is None else self.labels_later.result()


def find_short(run: Run, image: NewImage | None, check: DataReport) -> Findings:
    """Return what the short report tells.

    Parameters
    ----------
    run : Run
    image : (str, Array or bytes) or None
        The new photo: its name, and its pixels.
    check : DataReport
    """
    run = checked(run, check)
    if run.kind == "regression":
        return Findings(run, check=check, scores=score(with_leaks(run)), **_of_table(run))
    photo = None if image is None else NewPhoto(image[0], ImageContext.of(run.model, image[1]))
    return Findings(run, photo, check, **_of_table(run))


def checked(run: Run, check: DataReport) -> Run:
    """Return a run that knows what the check of its data found, and what was predicted already."""
    found = replace(run, known_leaks=check.leaks, doubtful=check.doubtful)
    vars(found).update({name: one for name, one in vars(run).items() if name.endswith("_predictions")})
    return found


def find_all(
    run: Run,
    image: NewImage | None,
    *,
    n_photos: int,
    progress: ProgressCallback = no_progress,
    executor: Executor | None = None,
) -> Findings:
    """Return what the full report tells.

    Parameters
    ----------
    run, image
        As for :func:`find_short`.
    n_photos : int
        How many test samples are explained one by one.
    progress : callable, optional
        Called with each stage before it begins.
    executor : Executor, optional
        For what is not needed at once: see :func:`pellucid.job_threads.in_background`.
    """
    from pellucid.evaluation.influence.find_influence import N_TESTS, begin_influence
    from pellucid.evaluation.influence.run_trace import N_TRAININGS
    from pellucid.evaluation.label_errors.find_label_errors import begin_label_errors
    from pellucid.evaluation.robustness.try_perturbations import robustness
    from pellucid.evaluation.saliency.compute_maps import saliency_of_samples

    def begin(stage: str) -> None:
        progress(stage, STAGES.index(stage), len(STAGES))

    model, train, test = run.model, run.split.train, run.split.test
    is_classifier = run.kind == "classification"
    begin("data check")
    check = check_data(run.split, progress=no_progress)  # the report has a bar of its own
    begin("predictions")
    run = checked(run, check)
    predictions, rows = run.test_predictions, chosen_samples(run.test_predictions, n_photos)
    begin("influence")  # first what trains in the background
    influenced = None
    if rows:
        influenced = begin_influence(
            run, rows[:N_TESTS], folder=run.folder, top=N_INFLUENTIAL, executor=executor
        )
    begin("labels")
    labels = None
    if is_classifier:
        n_alike = N_TRAININGS if rows and can_be_dual(model, run.options, len(train)) else 0
        labels = begin_label_errors(run, n_alike=n_alike, executor=executor)
    begin("scores")
    scores = score(with_leaks(run))
    begin("robustness")
    changed = None
    if is_classifier and train.has_pictures and test.X.dtype == np.uint8:
        changed = robustness(model, test, predictions=predictions)
    begin("saliency")
    maps = {}
    if rows and train.has_pictures:
        found = saliency_of_samples(model, test.X[rows], predictions.y_pred[rows].tolist())
        maps = dict(zip(rows, found, strict=True))
    begin("new photo")
    photo = None
    if image is not None and is_classifier:
        photo = NewPhoto(image[0], ImageContext.of(model, image[1], train))
    return Findings(run, photo, check, scores, changed, maps, influenced, labels, **_of_table(run))


def _of_table(run: Run) -> dict[str, Any]:
    """Return what is found out of a table: how a linear model does, and which columns matter."""
    if run.split.schema is None or run.split.test.y.ndim > 1:
        return {}
    from pellucid.evaluation.columns.importance import column_importance

    importance = (
        column_importance(run.model, run.split.test, progress=False) if len(run.split.test) > 1 else None
    )
    return {"linear": linear_baseline(run), "importance": importance}


def with_leaks(run: Run) -> Predictions:
    """Return what the model predicts for the test part, with its leaks: scores are then given without them, too."""
    return replace(run.test_predictions, leaks=run.leaks)


def chosen_samples(predictions: Predictions, n: int) -> list[int]:
    """Return the test samples to explain: the most confident mistakes, then those of the highest losses.

    None of a regression, whose predictions are not explained one by one.
    """
    if predictions.kind != "classification":
        return []
    wrong = pick("confident mistakes", predictions)
    others = pick("highest losses", predictions)
    return [int(i) for i in np.concatenate([wrong, others[~np.isin(others, wrong)]])[:n]]
