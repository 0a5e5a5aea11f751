"""A training with its report: the whole tutorial in one go, from loading to the closing line."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pellucid import dispatch
from pellucid.checks.check import DataReport, check_split
from pellucid.data.dataset import Split
from pellucid.data.source import DataSource
from pellucid.errors import DataError
from pellucid.folders import atomic_folder
from pellucid.progress import Progress, ProgressBar
from pellucid.registry import options_of, validate_call
from pellucid.reporting.build import check_probabilities, write_findings
from pellucid.reporting.findings import find_short
from pellucid.runs.build import RunRequest, plan
from pellucid.runs.photo import new_image
from pellucid.training.callbacks.progress import PrintCosts, progress_bar
from pellucid.training.callbacks.time_limit import LookAhead
from pellucid.training.options import TrainingOptions
from pellucid.training.recommend import AUTO
from pellucid.workflows.run_words import Say, is_tutorial, say_check, say_data, say_results
from pellucid.workflows.train import Outcome, run_folder, train_into


@validate_call(
    "tensorboard",
    "overwrite",
    "start",
    "freeze",
    "body",
    "pixels",
    "unfreeze",
    "photo",
    others=partial(options_of, TrainingOptions),
)
def run(
    model: str | Path = AUTO,
    data: DataSource | str | Path = "drawn-cats",
    *,
    out: str | Path | None = None,
    photo: str | Path | None = None,
    start: str | Path | None = None,
    freeze: str | None = None,
    body: str | Path | None = None,
    pixels: str | None = None,
    unfreeze: int | None = None,
    tensorboard: bool = False,
    overwrite: bool = False,
    progress: Progress = None,
    say: Say = print,
    **training: Any,
) -> Outcome:
    """Look at data, train into a folder, evaluate, show the mistakes, predict a new photo, and report.

    Parameters
    ----------
    model : str or Path, optional
        A preset, a ``.toml`` file, or "auto": the preset that suits the data.
    data : DataSource, str or Path, optional
        A name or path: a run keeps where its data are.
    out : str or Path, optional
        The folder of the run; default: runs/DATA-MODEL-N.
    photo : str or Path, optional
        A new photo to predict at the end.
    start : str or Path, optional
        A trained model to begin from, with ``model`` left out.
    freeze : str, optional
        Its last layer that is frozen.
    body : str or Path, optional
        The network that the preset "pretrained" begins with, as for :func:`.pretrained`: a name or a file.
    pixels : str, optional
        What the network of a file was trained on, where it does not say.
    unfreeze : int, optional
        How many of its last blocks are trained on, once the last layer is trained.
    tensorboard : bool, optional
        Write event files too.
    overwrite : bool, optional
        Replace the run in ``out``.
    progress : callable or bool, optional
        Whether a bar of the training is shown, as of :func:`.train`.
    say : callable, optional
        Takes each line that is printed.
    **training
        Fields of :class:`.TrainingOptions`; what is left out is the model's recipe.

    Returns
    -------
    Outcome
        With ``run``, its scores in ``run.metrics``, ``advice`` and the path of the page, ``report``.

    Raises
    ------
    PellucidError
        If an argument, the data or the folder cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> done = run("mlp-small", "moons", out=f"{folder}/moons", n_epochs=2, say=lambda line: None)
    >>> done.report.name
    'report.html'
    """
    named, begin, own = (None if path is None else Path(path) for path in (photo, start, out))
    source = data if isinstance(data, DataSource) else DataSource(str(data))
    of_body: dict[str, Any] = {"body": body, "pixels": pixels, "unfreeze": unfreeze}
    asked = plan(str(model), source, photo=named, start=begin, freeze=freeze, **of_body, **training)
    folder = own or run_folder(source, asked.config.model_name)
    options: dict[str, Any] = {"tensorboard": tensorboard, "overwrite": overwrite, "say": say}
    return run_request(asked, folder, callbacks=progress_bar(progress, ()), **options)


def run_request(
    asked: RunRequest, out: Path, *, callbacks: Any = (), say: Say = print, **options: Any
) -> Outcome:
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
        check_probabilities("--loss", str(config.options.loss))
    image = new_image(config, split.train)
    checks: list[DataReport] = []

    def look(split: Split) -> None:
        say_data(split, say)
        with ProgressBar() as progress:
            checks.append(check_split(split, progress=progress))
        say_check(checks[0], config.source, say)

    listeners = [PrintCosts(as_tutorial=is_tutorial(split), show=say), LookAhead(say), *callbacks]
    read = asked._replace(split=split)
    outcome = train_into(read, out, callbacks=listeners, look=look, say=say, **options)
    with dispatch.use(outcome.run.history.kernels):
        found = find_short(outcome.run, image, *checks)
    say_results(found, say)
    with atomic_folder(out, overwrite=True) as staging:
        page = out / write_findings(found, staging).name
    say(f"Report: {page}")
    if is_tutorial(split):
        say(f"Program executed successfully on: {datetime.now():%Y-%m-%d %H:%M:%S}...Goodbye!")
    return replace(outcome, advice=found.advice, report=page, check=next(iter(checks), None))
