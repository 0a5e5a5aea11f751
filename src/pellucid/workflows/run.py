"""A training with its report: the whole tutorial in one go, from loading to the closing line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid import dispatch
from pellucid.errors import DataError
from pellucid.reporting.build import check_probabilities
from pellucid.reporting.findings import find_short
from pellucid.runs.build import RunRequest
from pellucid.runs.photo import new_image
from pellucid.training.callbacks.progress import PrintCosts
from pellucid.workflows.report import write_page
from pellucid.workflows.run_words import Say, is_tutorial, say_goodbye, say_results
from pellucid.workflows.train import Outcome, train_into


def run(asked: RunRequest, out: Path, *, callbacks: Any = (), say: Say = print, **options: Any) -> Outcome:
    """Look at the data, train into a folder, evaluate, show the mistakes, predict a new photo, and report.

    Parameters
    ----------
    asked : RunRequest
        As :func:`pellucid.runs.build.plan` or :func:`.plan_to_resume` returns it.
    out : Path
        The folder to make: what :func:`.train_into` writes, and report.html with its figures.
    callbacks : sequence of callable, optional
        Further callbacks of the training, such as a progress bar.
    say : callable, optional
        Takes each line that is printed.
    **options
        Of :func:`.train_into`.

    Raises
    ------
    PellucidError
        As ``train_into`` does; if the photo cannot be read, or the report is not for such data, before anything is
        written.
    """
    config, split = asked.config, asked.load()
    if split.train.y.ndim > 1 and split.train.y.dtype.kind != "f":
        raise DataError(
            f"{split.name}: `pellucid run` reports on one class a sample or on numbers; for several labels use "
            "`pellucid train` and `pellucid evaluate`."
        )
    if config.photo is not None and not split.classes:
        raise DataError(
            "--photo: a class is predicted for it, and this model predicts numbers. Leave it out."
        )
    if config.options.loss is not None and split.classes:
        check_probabilities("--loss", config.options.loss)
    image = new_image(config, split.train)
    asked, listeners = asked._replace(split=split), [PrintCosts(show=say), *callbacks]
    outcome = train_into(asked, out, callbacks=listeners, shows_data=True, say=say, **options)
    with dispatch.use(outcome.run.history.kernels):
        found = find_short(outcome.run, image)
    say_results(found, say)
    page = write_page(found, out)
    say(f"Report: {page}")
    if is_tutorial(split):
        say_goodbye(say)
    return replace(outcome, advice=found.advice, report=page)
