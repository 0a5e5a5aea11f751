"""The command ``pellucid sweep``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, TRAINING, flag, options
from pellucid.cli.terminal import Answer, Line, echo

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.evaluation.sweep.result import Trial


def _metrics() -> list[str]:
    from pellucid.evaluation.sweep.result import COSTS, METRICS

    return [*dict.fromkeys(name for names in (*METRICS.values(), COSTS) for name in names)]


@command("sweep", order=115, short_help="Try many options, and find the best.")
@options(source=SOURCE, training=TRAINING)
def sweep(
    *,
    source: "DataSource",
    training: Mapping[str, Any],
    space: Path = flag(metavar="FILE", help="A TOML file of the options to try."),
    model: str = o.MODEL_NAME,
    search: str = flag(
        "random",
        choices="pellucid.evaluation.sweep.study:SEARCHES",
        help="At random; all combinations; near the best so far; tpe that stops bad trials early.",
    ),
    n_trials: int | None = flag(None, at_least=1, help="How many are tried; default: 20, or all of a grid."),
    cv: str | None = flag(
        None, metavar="FOLDSxREPEATS", help="Folds, such as 5x1; default: one fifth is held out."
    ),
    metric: list[str] | None = flag(
        None,
        choices=_metrics,
        help="What trials are ranked by, or several objectives, such as accuracy,seconds; default: "
        "balanced_accuracy, or the error.",
    ),
    n_jobs: int | None = o.JOBS,
    out: Path | None = o.out("The folder; default: runs/DATA-MODEL-sweep-N."),
    resume: bool = flag(
        False, group="Output", needs=("out",), help="Go on with the sweep in --out, or join it."
    ),
    overwrite: bool = flag(False, group="Output", needs=("out",), help="Replace the sweep in --out."),
) -> Answer:
    """Train with many choices of options, and say which are best on samples that were held out of each training.

    The space says which options are tried: learning_rate = { log = [1e-4, 1e-1] }, batch_size = [16, 32], and of a
    network's file layers.1.units = [8, 16]. Every training is in the folder as soon as it is done, so that --resume
    goes on where a sweep was stopped; a second command with --resume joins one that runs. The test part of the data
    is not looked at.
    """
    from pellucid.evaluation.comparison.splitting import folds_of_text
    from pellucid.workflows.sweep import sweep_into
    from pellucid.workflows.train import run_folder

    how = {"search": search, "n_trials": n_trials, "metric": metric, "n_jobs": n_jobs, "seed": 1, **training}
    outcome = o.call(
        sweep_into,
        locals(),
        out=out or run_folder(source, f"{Path(model).stem}-sweep"),
        data=source,
        on_trial=o.say_nothing if o.is_quiet() else _say_trial,
        options={**how, "cv": None if cv is None else folds_of_text(cv)},
    )
    found, best = outcome.sweep, Line(outcome.command)
    told = [
        *found.blocks(),
        Line("Train with the best options:"),
        Line(f"    {best}"),
        Line(f"Page, figures and numbers: {outcome.folder}"),
    ]
    if not found.is_complete:
        told.append(
            "Stopped before all trials were made. What was finished is kept; --resume goes on from here."
        )
    return Answer(outcome, told, [best], code=0 if found.is_complete else 130)


def _say_trial(trial: "Trial", best: "Trial | None", metric: str) -> None:
    """Print a trial that is done; a star marks the best so far."""
    from pellucid.text import in_seconds, shorten

    score = trial.score(metric)
    words = f"failed: {shorten(trial.fault, 80)}" if score is None else f"{score:.4f}"
    words += " (pruned)" if trial.is_pruned else ""
    star = "*" if best is trial else " "
    echo(f"{star} trial {trial.number:<4} {words}  {in_seconds(trial.seconds):>7}  {trial.in_words()}")
