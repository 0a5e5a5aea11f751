"""Sweeps in sentences and tables."""

from pellucid.evaluation.sweep.records import Sweep, Trial
from pellucid.text import in_seconds, plural, shorten
from pellucid.text_blocks import Block

MOST_LISTED = 20
LONGEST_FAULT = 100


def score_in_words(sweep: Sweep, trial: Trial) -> str:
    """Return a trial's score."""
    score = trial.score(sweep.metric)
    return "failed" if trial.fault else "none" if score is None else f"{score:.4f}"


def spread_in_words(sweep: Sweep, trial: Trial) -> str:
    """Return the lowest and the highest score over folds."""
    scores = trial.scores(sweep.metric)
    return f"{min(scores):.4f} to {max(scores):.4f}" if scores else ""


def finding(sweep: Sweep) -> str:
    """Return which options are best, and by how much."""
    best, n = sweep.best, len(sweep.ranked)
    if best is None:
        return "No trial could be trained."
    over = f"mean of {plural(sweep.n_folds, 'fold')}" if sweep.n_folds > 1 else "on samples held out"
    score = f"{sweep.title} {score_in_words(sweep, best)} ({over})"
    words = f"Best of {plural(n, 'trial')}: {best.in_words()}, {score}."
    if n > 1:
        words += f" The next: {score_in_words(sweep, sweep.ranked[1])}."
    at_end = "" if sweep.is_complete else f" Stopped with {len(sweep.trials)} of {sweep.n_trials} trials."
    return f"{words} Chosen as the best of many, this score is too good; the test part says how good it is.{at_end}"


def trial_rows(sweep: Sweep, most: int | None = None) -> list[tuple[str | int, ...]]:
    """Return a row for each trial that did not fail, the best first: see ``trial_header``."""
    rows: list[tuple[str | int, ...]] = []
    for trial in sweep.ranked[:most]:
        spread = (spread_in_words(sweep, trial),) if sweep.n_folds > 1 else ()
        length = (trial.n_epochs,) if sweep.search == "halving" else ()
        cost = (in_seconds(trial.seconds), trial.n_parameters)
        rows.append((trial.number, score_in_words(sweep, trial), *spread, *length, *cost, trial.in_words()))
    return rows


def trial_header(sweep: Sweep) -> tuple[str, ...]:
    """Return the names of the columns of ``trial_rows``."""
    spread = ("folds",) if sweep.n_folds > 1 else ()
    length = ("epochs",) if sweep.search == "halving" else ()
    return ("trial", sweep.title, *spread, *length, "a training", "parameters", "options")


def failures(sweep: Sweep) -> list[str]:
    """Return a sentence for each trial that failed, and why."""
    failed = [trial for trial in sweep.trials if trial.fault]
    return [
        f"Trial {one.number} ({one.in_words()}) failed: {shorten(one.fault, LONGEST_FAULT)}" for one in failed
    ]


def blocks(sweep: Sweep) -> list[Block]:
    """Return the trials, the best first, those that failed, and the finding."""
    rows = [
        tuple(f"{cell:,}" if isinstance(cell, int) else cell for cell in row)
        for row in trial_rows(sweep, MOST_LISTED)
    ]
    found: list[Block] = [(trial_header(sweep), rows)]
    if len(sweep.ranked) > MOST_LISTED:
        found.append(f"And {len(sweep.ranked) - MOST_LISTED} more.")
    front = ", ".join(str(trial.number) for trial in sweep.front())
    found += [*failures(sweep)[:MOST_LISTED], *sweep.notes]
    found.append(f"Better than all that train faster: {plural(len(sweep.front()), 'trial')} ({front}).")
    found.append(f"{plural(sweep.n_trainings, 'training')}, {in_seconds(sweep.seconds)} together.")
    return [*found, finding(sweep)]
