"""Which training samples influenced a run's predictions, and what these would be without them.

TracIn follows the gradients over a training: cheap, an estimate. Leave-one-out trains again without each sample:
exact, and affordable where the dual form makes a training short. Then the most influential are left out together,
next to as many drawn at random: where a training amplifies any small change, only that comparison tells.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np

from pellucid.aliases import nearest
from pellucid.data.dataset import Split
from pellucid.errors import DataError, OptionError, unknown_name
from pellucid.evaluation.influence.explain import N_DRAWS, explain_predictions
from pellucid.evaluation.influence.linear import linear_estimate
from pellucid.evaluation.influence.logits import check_classifier, logit
from pellucid.evaluation.influence.outcome import METHODS, InfluenceOutcome
from pellucid.evaluation.influence.retraining import Group
from pellucid.evaluation.influence.run_trace import (
    decay_of,
    from_checkpoints,
    is_start_gone,
    measured_seconds,
    retrain,
    training_seconds,
    training_weights,
)
from pellucid.evaluation.influence.tracin import Influence, trace_influence
from pellucid.evaluation.scores.galleries import pick
from pellucid.job_threads import submit
from pellucid.nn.blocks import branches_of
from pellucid.progress import ProgressCallback, no_progress, stage_of
from pellucid.runs.run import Run
from pellucid.runs.train_many import train_many
from pellucid.stats.ranks import rank_correlation
from pellucid.text import in_minutes, join_some
from pellucid.threads import n_cores
from pellucid.types import Array

WORTH_SECONDS = 1.5  # of work, below which starting other processes does not pay
QUICK_SECONDS = 2.0  # a training this short is run again without asking
LAST_LAYER = "Gradients are those of the last layer alone, an approximation: all of them would take too long."
SMOOTHED = (
    "Scores are of the loss as trained, with label smoothing: a training {noun} predicted with more certainty than "
    "its target of {target:.3g} counts against its own class."
)


def begin_influence(
    run: Run,
    samples: Sequence[int | str] | None = None,
    *,
    folder: Path | None = None,
    method: str = "tracin",
    top: int = 5,
    is_retrained: bool | None = None,
    n_draws: int = N_DRAWS,
    n_jobs: int | None = None,
    progress: ProgressCallback = no_progress,
    executor: Executor | None = None,
) -> Future[InfluenceOutcome]:
    """Return the outcome of :func:`pellucid.influence`, which describes the arguments, as a future.

    Parameters
    ----------
    is_retrained : bool, optional
        What is ``retrain`` there.
    executor : Executor, optional
        For the trainings that prove it, the longest part, where they are spent in kernels: elsewhere they would
        wait for the interpreter's lock at every step. See :func:`pellucid.job_threads.in_background`.
    """
    started = time.perf_counter()
    rows = chosen_rows(run, samples, method, top)
    seconds = training_seconds(run)
    again, is_mean = is_retrained, bool(branches_of(run.model))
    if is_mean and (again or method == "leave-one-out"):
        raise OptionError(
            "influence: the model is the mean of networks, each trained by itself, and cannot be trained again "
            "here. Leave --retrain out, and use --method tracin."
        )
    if again is None:
        again = seconds <= QUICK_SECONDS and not is_start_gone(run) and not is_mean
    if method == "leave-one-out" and not again:
        n = len(run.split.train)
        each = in_minutes(measured_seconds(run))
        raise OptionError(
            f"leave-one-out: it would train {n} times, about {each} each. Add --retrain to do it, or use "
            "--method tracin."
        )
    query_data = run.split.test.take(np.array(rows))
    if again:
        trace = retrain(run, query_data, progress)
    else:
        trace = from_checkpoints(run, folder, query_data, is_asked=is_retrained is False)
    weights = training_weights(run)
    influence = trace_influence(
        trace.traced.model,
        trace.traced.snapshots,
        trace.train,
        trace.query,
        weights=weights,
        progress=stage_of(progress, "gradients"),
    )
    n_done = int(again)

    def train_without(train: Callable[[Group], Array], groups: Sequence[Group]) -> dict[Group, Array]:
        """Train side by side where that pays."""
        nonlocal n_done
        n_done += len(groups)
        progress("training without", 0, len(groups))
        pays = len(groups) * seconds > WORTH_SECONDS
        return train_many(
            train,
            groups,
            n_jobs=n_jobs or (n_cores() if pays else 1),
            on_threads=trace.on_threads,
            on_done=lambda n, group, outputs: progress("training without", n, len(groups)),
        )

    scores, known = influence.tracin if method == "tracin-plain" else influence.renormalized, {}
    if method == "leave-one-out":
        assert trace.retraining is not None
        known = train_without(trace.retraining.without, [(i,) for i in range(len(trace.train))])
        outputs = [trace.traced.outputs, *(known[i,] for i in range(len(known)))]
        before, *after = (logit(Z, influence.predicted_labels) for Z in outputs)
        scores = before - np.stack(after)
    linear = None
    if known and run.model._n_body and len(trace.traced.model._leaves()) == 1:
        own, labels = trace.traced.model, influence.predicted_labels
        linear = linear_estimate(own, trace.train, trace.query, labels, decay_of(run), weights)

    notes = [LAST_LAYER] if influence.gradients == "last-layer" else []
    if smoothing := float(run.model.loss_config.get("label_smoothing", 0.0)):
        target = 1 - smoothing * (1 - 1 / max(2, len(run.split.classes)))
        notes.append(SMOOTHED.format(noun=run.noun, target=target))
    if method == "leave-one-out":
        notes = []  # exact

    def prove() -> InfluenceOutcome:
        explanations = explain_predictions(
            influence,
            run.split.train,
            query_data,
            rows,
            trace.traced.outputs,
            scores=scores,
            top=top,
            retraining=trace.retraining,
            known=known,
            n_draws=n_draws,
            run=train_without,
        )
        return InfluenceOutcome(
            run=str(folder or run.split.name),
            split=run.split,
            method=method,
            influence=influence,
            explanations=explanations,
            is_retrained=again,
            agreement=agreement(influence, scores, linear) if known else None,
            n_trainings=n_done,
            seconds=time.perf_counter() - started,
            notes=(*run.notes, *trace.notes, *notes),
        )

    return submit(executor if trace.on_threads else None, prove)


def agreement(influence: Influence, changes: Array, linear: Array | None = None) -> dict[str, float]:
    """Return the rank correlation of each estimate with exact changes (m, n), the mean over the query samples.

    Spearman's; 0 where all ranks are equal.
    """
    estimates = {"tracin": influence.renormalized, "tracin-plain": influence.tracin}
    estimates |= {} if linear is None else {"linear": linear}
    return {
        name: float(
            np.mean([rank_correlation(s, exact) or 0.0 for s, exact in zip(S.T, changes.T, strict=True)])
        )
        for name, S in estimates.items()
    }


N_TESTS = 3  # the most confident mistakes, where nothing else is asked for


def chosen_rows(run: Run, samples: Sequence[int | str] | None, method: str, top: int) -> list[int]:
    """Return the rows that are asked for, after checking every option."""
    if method not in METHODS:
        raise OptionError(unknown_name("method", method, METHODS))
    if top < 1:
        raise OptionError(f"--top: expected 1 or more, got {top}.")
    check_classifier(run.model)
    test = run.split.test
    if not len(test):
        raise DataError(f"{run.split.name}: the test part is empty. Give data with samples in both parts.")
    if samples is None:
        kind = "confident mistakes" if not run.test_predictions.is_correct.all() else "highest losses"
        return [int(i) for i in pick(kind, run.test_predictions, N_TESTS)]
    rows = [_row(run.split, one) if isinstance(one, str) else one for one in samples]
    wrong = [row for row in rows if not 0 <= row < len(test)]
    if wrong or not rows:
        got = ", ".join(map(str, wrong)) or "none"
        raise OptionError(
            f"--samples: expected numbers of test samples, from 0 to {len(test) - 1}, got {got}."
        )
    return list(dict.fromkeys(rows))


def _row(split: Split, file: str) -> int:
    """Return the number of the test sample that is a file, named by its path or the end of it."""
    if split.test.files is None:
        raise OptionError(f"--samples: expected numbers of test samples such as 3,17,20, got {file!r}.")
    files: list[str] = split.test.files.tolist()
    found = [i for i, name in enumerate(files) if f"/{name}".endswith(f"/{file}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise OptionError(
            f"--samples: {len(found)} test samples are called {file}: {join_some(files[i] for i in found)}."
        )
    if split.train.files is not None and file in split.train.files:
        raise OptionError(f"--samples: {file} is in the training part. Name a sample of the test part.")
    near = nearest(file, files)
    hint = f" Did you mean {near}?" if near else ""
    raise OptionError(f"--samples: no test sample is the file {file}.{hint}")
