"""Which training samples influenced a run's predictions, and what these would be without them.

TracIn follows the gradients over a training: cheap, an estimate. Leave-one-out trains again without each sample:
exact, and affordable where the dual form makes a training short. Then whole groups are left out together, next to
what leaving out as many samples at random does: where a training amplifies any small change, only that comparison
tells.
"""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.influence.chosen import chosen_rows
from pellucid.evaluation.influence.explain import THOROUGH, Budget, Query, explain_predictions
from pellucid.evaluation.influence.figures import influence_figure
from pellucid.evaluation.influence.logits import check_classifier, logit
from pellucid.evaluation.influence.records import InfluenceOutcome
from pellucid.evaluation.influence.retrain_runs import (
    Work,
    from_checkpoints,
    is_start_gone,
    retrain,
    training_seconds,
    training_weights,
)
from pellucid.evaluation.influence.retraining import LeaveOneOut, leave_one_out
from pellucid.evaluation.influence.text import ESTIMATE, LAST_LAYER
from pellucid.evaluation.influence.tracin import Influence, trace_influence
from pellucid.files import write_atomically
from pellucid.folders import atomic_folder
from pellucid.job_threads import Later, at_once
from pellucid.plotting.saving import save_figure
from pellucid.progress import ProgressBar, ProgressCallback, no_progress, stage_of
from pellucid.registry import validate_call
from pellucid.runs.record import read_run
from pellucid.runs.run import Run
from pellucid.stats.ranks import rank_correlation
from pellucid.types import Array

QUICK_SECONDS = 2.0  # a training this short is run again without asking


def influence_of_run(
    run: Path,
    tests: Sequence[int | str] | None = None,
    *,
    data: str | None = None,
    out: Path | None = None,
    force: bool = False,
    **options: Any,
) -> InfluenceOutcome:
    """Return why a run gave its predictions on some test samples.

    Parameters
    ----------
    run : Path
        A run folder of ``pellucid run`` or ``pellucid train``.
    tests : sequence of int or str, optional
        Numbers of test samples, or their files; default: the most confident mistakes.
    data : str, optional
        Where the run's data are now; default: where they were.
    out : Path, optional
        A folder for ``influence.json`` and, of photos, a figure each; default: nothing is written.
    force : bool, optional
        Allow a folder that is not empty.
    **options
        See :func:`influence`.

    Raises
    ------
    FormatError
        If it is no run folder, or a file in it is damaged.
    DataError
        If the data are gone or are not those of the run, or the model is no classifier.
    OptionError
        If a test sample or method does not exist.
    OutputError
        If the folder cannot be written.
    """
    if out is None:
        return influence(run, tests, data=data, **options)
    result = _read(run, data)
    with atomic_folder(out, force=force) as folder:
        outcome = influence(result, tests, folder=run, **options)
        figures = {
            f"influence-{one.index}.png": influence_figure(one, outcome.split.train, outcome.split.test)
            for one in (outcome.explanations if outcome.split.train.has_pictures else ())
        }
        for name, figure in figures.items():
            save_figure(figure, folder / name)
        outcome = replace(outcome, files=tuple(out / name for name in ("influence.json", *figures)))
        write_atomically(folder / "influence.json", json.dumps(outcome.to_dict(), indent=2) + "\n")
    return outcome


@validate_call("tests", "method", "top", "is_retrained", "n_jobs")
def influence(
    run: str | Path | Run,
    tests: Sequence[int | str] | None = None,
    *,
    data: str | None = None,
    folder: Path | None = None,
    method: str = "tracin",
    top: int = 5,
    is_retrained: bool | None = None,
    budget: Budget = THOROUGH,
    n_jobs: int | None = None,
    progress: ProgressCallback | None = None,
) -> InfluenceOutcome:
    """Return which training samples influenced a run's predictions, and what these would be without them.

    Parameters
    ----------
    run : str, Path or Run
        A run folder of ``pellucid run`` or ``pellucid train``, or what was read from one.
    tests : sequence of int or str, optional
        Numbers of test samples, or their files; default: the most confident mistakes.
    data : str, optional
        Where the run's data are now; default: where they were.
    folder : Path, optional
        Where checkpoints may lie, for a training that is not run again; default: the run folder.
    method : {"tracin", "tracin-plain", "leave-one-out"}, optional
    top : int, optional
        How many training samples are shown on each side.
    is_retrained : bool, optional
        Whether to train again; default: if one training takes no more than two seconds.
    budget : Budget, optional
        How many trainings the proof may take.
    n_jobs : int, optional
        Processes; default: a core each where that pays.
    progress : callable, optional
        Called with each stage, gradients or trainings, how many are done, and of how many; default: a bar, in a
        terminal or a notebook.
    """
    with ProgressBar() if progress is None else nullcontext(progress) as shown:
        return begin_influence(
            run,
            tests,
            data=data,
            folder=folder,
            method=method,
            top=top,
            is_retrained=is_retrained,
            budget=budget,
            n_jobs=n_jobs,
            progress=shown,
        )()


def begin_influence(
    run: str | Path | Run,
    tests: Sequence[int | str] | None = None,
    *,
    data: str | None = None,
    folder: Path | None = None,
    method: str = "tracin",
    top: int = 5,
    is_retrained: bool | None = None,
    budget: Budget = THOROUGH,
    n_jobs: int | None = None,
    progress: ProgressCallback = no_progress,
    later: Later = at_once,
) -> Callable[[], InfluenceOutcome]:
    """Return what waits for the outcome of :func:`influence`.

    Parameters
    ----------
    later : callable, optional
        Begins the trainings that prove it, the longest part, where they are spent in kernels: elsewhere they would
        wait for the interpreter's lock at every step. See :func:`pellucid.job_threads.in_background`.
    """
    started = time.perf_counter()
    result, folder = (run, folder) if isinstance(run, Run) else (_read(Path(run), data), Path(run))
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
        smoothing = float(result.model.loss_options.get("label_smoothing", 0.0))
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
            notes=(*result.notes, *trace.notes, *_basis(traced, method, again)),
            target=1 - smoothing * (1 - 1 / max(2, len(result.split.classes))),
        )

    return (later if trace.on_threads else at_once)(prove)


def _read(run: Path, data: str | None) -> Run:
    record = read_run(run, data=data)
    check_classifier(record.model)
    return record


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


def _basis(influence: Influence, method: str, is_proved: bool) -> tuple[str, ...]:
    if method == "leave-one-out":
        return ()  # exact
    notes = []
    if influence.gradients == "last-layer":
        notes.append(LAST_LAYER)
    if is_proved:
        notes.append(ESTIMATE)
    return tuple(notes)
