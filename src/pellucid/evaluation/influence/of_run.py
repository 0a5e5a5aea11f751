"""Use case: why a run gave its verdicts: the training samples that pushed them, and the proof."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import DataError, OptionError, unknown_name
from pellucid.evaluation.influence.figures import influence_figure
from pellucid.evaluation.influence.measure import (
    THOROUGH,
    Budget,
    Influence,
    LeaveOneOut,
    Query,
    check_classifier,
    explain_verdicts,
    leave_one_out,
    logit,
    trace_influence,
)
from pellucid.evaluation.influence.outcome import METHODS, InfluenceOutcome
from pellucid.evaluation.influence.retrain_runs import (
    Work,
    from_checkpoints,
    retrain,
    training_seconds,
    training_weights,
)
from pellucid.evaluation.scores.galleries import pick
from pellucid.evaluation.scores.of_run import RunResult, examine, holds_photos
from pellucid.files import atomic_folder, write_atomically
from pellucid.plotting.saving import save_figure
from pellucid.runs.record import read_run
from pellucid.stats.ranks import rank_correlation
from pellucid.types import Array

N_TESTS = 3  # the most confident mistakes, where nothing else is asked for
QUICK_SECONDS = 2.0  # a training this short is run again without asking


def influence_of_run(
    run: Path,
    tests: Sequence[int] | None = None,
    *,
    data: str | None = None,
    out: Path | None = None,
    force: bool = False,
    **options: Any,
) -> InfluenceOutcome:
    """Return why a run gave its verdicts on some test samples.

    Parameters
    ----------
    run : Path
        A run folder of ``pellucid run`` or ``pellucid train``.
    tests : sequence of int, optional
        Numbers of test samples; default: the most confident mistakes.
    data : str, optional
        Where the run's data are now; default: where they were.
    out : Path, optional
        A folder for ``influence.json`` and, of photos, a figure each; default: nothing is written.
    force : bool, optional
        Allow a folder that is not empty.
    **options
        See :func:`influence_of`.

    Raises
    ------
    FormatError
        If it is no run folder, or a file in it is damaged.
    DataError
        If the data are gone or are not those of the run, or the model does not tell classes apart.
    OptionError
        If a test sample or method does not exist.
    OutputError
        If the folder cannot be written.
    """
    record = read_run(run, data=data)
    check_classifier(record.model)
    result = examine(record)
    if out is None:
        return influence_of(result, tests, folder=run, **options)
    with atomic_folder(out, force=force) as folder:
        outcome = influence_of(result, tests, folder=run, **options)
        figures = {
            f"influence-{one.index}.png": influence_figure(one, outcome.split.train, outcome.split.test)
            for one in (outcome.explanations if holds_photos(outcome.split) else ())
        }
        for name, figure in figures.items():
            save_figure(figure, folder / name)
        outcome = replace(outcome, files=tuple(out / name for name in ("influence.json", *figures)))
        write_atomically(folder / "influence.json", json.dumps(outcome.to_dict(), indent=2) + "\n")
    return outcome


def influence_of(
    result: RunResult,
    tests: Sequence[int] | None = None,
    *,
    folder: Path | None = None,
    method: str = "tracin",
    top: int = 5,
    is_retrained: bool | None = None,
    effort: Budget = THOROUGH,
    n_jobs: int | None = None,
    is_quiet: bool = False,
) -> InfluenceOutcome:
    """Return why a run, as read from its folder, gave its verdicts on some test samples.

    Parameters
    ----------
    result : RunResult
    tests : sequence of int, optional
        Numbers of test samples; default: the most confident mistakes.
    folder : Path, optional
        Where checkpoints may lie, for a training that is not run again.
    method : {"tracin", "tracin-plain", "leave-one-out"}, optional
    top : int, optional
        How many training samples are shown on each side.
    is_retrained : bool, optional
        Whether to train again; default: if one training takes no more than two seconds.
    effort : Effort, optional
        How many trainings the proof may take.
    n_jobs : int, optional
        Processes; default: a core each where that pays.
    is_quiet : bool, optional
        Show no bar.
    """
    started = time.perf_counter()
    rows = _checked(result, tests, method, top)
    seconds = training_seconds(result)
    again = seconds <= QUICK_SECONDS if is_retrained is None else is_retrained
    if method == "leave-one-out" and not again:
        n = len(result.split.train)
        raise OptionError(
            f"leave-one-out: it would train {n} times, about {seconds:.2g} s each. Add --retrain to do it, or use "
            "--method tracin."
        )
    asked_data = result.split.test.take(np.array(rows))
    work = Work(seconds, n_jobs, is_quiet)
    ground = retrain(result, asked_data) if again else from_checkpoints(result, folder, asked_data)
    with work.counting_gradients() as progress:
        influence = trace_influence(
            ground.traced.model,
            ground.traced.moments,
            ground.train,
            ground.asked,
            weights=training_weights(result),
            progress=progress,
        )
    scores, left_out = influence.renormalized, None
    known: dict[tuple[int, ...], Array] = {}
    if method == "tracin-plain":
        scores = influence.tracin
    elif method == "leave-one-out":
        assert ground.retraining is not None
        left_out = leave_one_out(ground.retraining, whole=ground.traced.outputs, run=work.run)
        scores = _pushes(left_out, influence.verdicts)
        known = {(int(i),): Z for i, Z in zip(left_out.rows, left_out.outputs, strict=True)}
    explanations = explain_verdicts(
        influence,
        result.split.train,
        Query(asked_data, tuple(rows), ground.traced.outputs, result.split.classes),
        scores=scores,
        top=top,
        retraining=ground.retraining,
        known=known,
        effort=effort,
        run=work.run,
    )
    return InfluenceOutcome(
        run=str(folder or result.split.name),
        split=result.split,
        method=method,
        influence=influence,
        left_out=left_out,
        explanations=explanations,
        is_proved=again,
        agreement=None if left_out is None else agreement(influence, scores),
        n_trainings=work.n_done + again,
        seconds=time.perf_counter() - started,
        notes=(*result.notes, *ground.notes, *_what_it_rests_on(influence, method, again)),
    )


def agreement(influence: Influence, pushes: Array) -> dict[str, float]:
    """Return the rank correlation of each estimate with exact pushes (m, n), the mean over the asked samples.

    Spearman's; 0 where all ranks are equal.
    """
    estimates = {"tracin": influence.renormalized, "tracin-plain": influence.tracin}
    return {
        name: float(
            np.mean([rank_correlation(s, exact) or 0.0 for s, exact in zip(S.T, pushes.T, strict=True)])
        )
        for name, S in estimates.items()
    }


def _checked(result: RunResult, tests: Sequence[int] | None, method: str, top: int) -> list[int]:
    """Return the rows that are asked for, after checking every option."""
    if method not in METHODS:
        raise OptionError(unknown_name("method", method, METHODS))
    if top < 1:
        raise OptionError(f"--top: expected 1 or more, got {top}.")
    check_classifier(result.model)
    test = result.split.test
    if not len(test):
        raise DataError(f"{result.split.name}: the test part is empty. Give data with samples in both parts.")
    if tests is None:
        kind = "confident mistakes" if not result.predictions.is_correct.all() else "highest losses"
        return [int(i) for i in pick(kind, result.predictions, N_TESTS)]
    wrong = [row for row in tests if not 0 <= row < len(test)]
    if wrong or not tests:
        got = ", ".join(map(str, wrong)) or "none"
        raise OptionError(f"--test: expected numbers of test samples, from 0 to {len(test) - 1}, got {got}.")
    return list(dict.fromkeys(tests))


def _pushes(left_out: LeaveOneOut, verdicts: Array) -> Array:
    """Return by how much each sample moved the verdicts' log-odds up, (m, n)."""
    whole = logit(left_out.whole, verdicts)
    return np.stack([whole - logit(Z, verdicts) for Z in left_out.outputs])


def _what_it_rests_on(influence: Influence, method: str, is_proved: bool) -> tuple[str, ...]:
    if method == "leave-one-out":
        return ()  # exact
    notes = []
    if influence.gradients == "last-layer":
        notes.append(
            "Gradients are those of the last layer alone, an approximation: all of them would have taken too long."
        )
    if is_proved:
        notes.append(
            "Who pushed how hard is an estimate; what counts is the training without them, beside trainings "
            "without as many drawn at random."
        )
    return tuple(notes)
