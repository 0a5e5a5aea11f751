"""Which training samples influenced a run's predictions, and what these would be without them.

TracIn follows the gradients over a training: cheap, an estimate. Leave-one-out trains again without each sample:
exact, and affordable where the dual form makes a training short. Then the most influential are left out together,
next to as many drawn at random: where a training amplifies any small change, only that comparison tells.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.influence.chosen import chosen_rows
from pellucid.evaluation.influence.explain import THOROUGH, Budget, Query, explain_predictions
from pellucid.evaluation.influence.explained import InfluenceOutcome
from pellucid.evaluation.influence.logits import logit
from pellucid.evaluation.influence.retrain_runs import (
    Work,
    from_checkpoints,
    is_start_gone,
    retrain,
    training_seconds,
    training_weights,
)
from pellucid.evaluation.influence.retraining import LeaveOneOut, leave_one_out
from pellucid.evaluation.influence.tracin import Influence, trace_influence
from pellucid.job_threads import submit
from pellucid.progress import ProgressCallback, no_progress, stage_of
from pellucid.runs.run import Run
from pellucid.stats.ranks import rank_correlation
from pellucid.types import Array

QUICK_SECONDS = 2.0  # a training this short is run again without asking
LAST_LAYER = "Gradients are those of the last layer alone, an approximation: all of them would take too long."
SMOOTHED = (
    "Scores are of the loss as trained, with label smoothing: a training {noun} predicted with more certainty than "
    "its target of {target:.3g} counts against its own class."
)


def begin_influence(
    result: Run,
    tests: Sequence[int | str] | None = None,
    *,
    folder: Path | None = None,
    method: str = "tracin",
    top: int = 5,
    is_retrained: bool | None = None,
    budget: Budget = THOROUGH,
    n_jobs: int | None = None,
    progress: ProgressCallback = no_progress,
    executor: Executor | None = None,
) -> Future[InfluenceOutcome]:
    """Return the outcome of :func:`pellucid.influence`, which describes the arguments, as a future.

    Parameters
    ----------
    executor : Executor, optional
        For the trainings that prove it, the longest part, where they are spent in kernels: elsewhere they would
        wait for the interpreter's lock at every step. See :func:`pellucid.job_threads.in_background`.
    """
    started = time.perf_counter()
    rows = chosen_rows(result, tests, method, top)
    seconds = training_seconds(result)
    again = is_retrained
    if again is None:
        again = seconds <= QUICK_SECONDS and not is_start_gone(result)
    if method == "leave-one-out" and not again:
        n = len(result.split.train)
        raise OptionError(
            f"leave-one-out: it would train {n} times, about {max(1, seconds):.0f} s each. Add --retrain to do it, "
            "or use --method tracin."
        )
    query_data = result.split.test.take(np.array(rows))
    work = Work(seconds, n_jobs, progress)
    trace = retrain(result, query_data) if again else from_checkpoints(result, folder, query_data)
    work.on_threads = trace.on_threads
    traced = trace_influence(
        trace.traced.model,
        trace.traced.snapshots,
        trace.train,
        trace.query,
        weights=training_weights(result),
        progress=stage_of(progress, "gradients"),
    )
    scores, left_out = traced.renormalized, None
    known: dict[tuple[int, ...], Array] = {}
    if method == "tracin-plain":
        scores = traced.tracin
    elif method == "leave-one-out":
        assert trace.retraining is not None
        left_out = leave_one_out(trace.retraining, full=trace.traced.outputs, run=work.run)
        scores = _changes(left_out, traced.predicted_labels)
        known = {(int(i),): Z for i, Z in zip(left_out.rows, left_out.outputs, strict=True)}

    def prove() -> InfluenceOutcome:
        explanations = explain_predictions(
            traced,
            result.split.train,
            Query(query_data, tuple(rows), trace.traced.outputs, result.split.classes),
            scores=scores,
            top=top,
            retraining=trace.retraining,
            known=known,
            budget=budget,
            run=work.run,
        )
        return InfluenceOutcome(
            run=str(folder or result.split.name),
            split=result.split,
            method=method,
            influence=traced,
            left_out=left_out,
            explanations=explanations,
            is_proved=again,
            agreement=None if left_out is None else agreement(traced, scores),
            n_trainings=work.n_done + again,
            seconds=time.perf_counter() - started,
            notes=(*result.notes, *trace.notes, *_notes(result, traced, method)),
        )

    return submit(executor if trace.on_threads else None, prove)


def agreement(influence: Influence, changes: Array) -> dict[str, float]:
    """Return the rank correlation of each estimate with exact changes (m, n), the mean over the query samples.

    Spearman's; 0 where all ranks are equal.
    """
    estimates = {"tracin": influence.renormalized, "tracin-plain": influence.tracin}
    return {
        name: float(
            np.mean([rank_correlation(s, exact) or 0.0 for s, exact in zip(S.T, changes.T, strict=True)])
        )
        for name, S in estimates.items()
    }


def _changes(left_out: LeaveOneOut, predicted_labels: Array) -> Array:
    """Return by how much each sample moved the predictions' log-odds up, (m, n)."""
    full = logit(left_out.full, predicted_labels)
    return np.stack([full - logit(Z, predicted_labels) for Z in left_out.outputs])


def _notes(run: Run, influence: Influence, method: str) -> tuple[str, ...]:
    smoothing = float(run.model.loss_options.get("label_smoothing", 0.0))
    if method == "leave-one-out":
        return ()  # exact
    notes = [LAST_LAYER] if influence.gradients == "last-layer" else []
    if smoothing:
        target = 1 - smoothing * (1 - 1 / max(2, len(run.split.classes)))
        notes.append(SMOOTHED.format(noun=run.noun, target=target))
    return tuple(notes)
