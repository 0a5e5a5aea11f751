"""Train into a run folder, with checkpoints that a later call can resume from."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pellucid import dispatch, ranks
from pellucid.checks.check import DataReport
from pellucid.data.dataset import Split
from pellucid.data.hashing import data_hash
from pellucid.data.source import DataSource
from pellucid.errors import OptionError, PellucidError
from pellucid.evaluation.comparison.unfreezing import compare_unfreezing
from pellucid.evaluation.scores.advice import Advice, advise, lines_of
from pellucid.folders import FolderWriter, next_folder, open_folder
from pellucid.nn.model import Model
from pellucid.progress import ProgressBar
from pellucid.runs.build import RunRequest, fit_run, make_model, plan
from pellucid.runs.config import OF_A_NETWORK, RunConfig
from pellucid.runs.run import (
    CHECKPOINTS,
    CONFIG,
    METRICS,
    NONFINITE,
    OF_A_MODEL,
    OF_A_RUN,
    Run,
    holds_run,
    newest_run,
    read_config,
    read_metrics,
    write_config,
    write_run,
)
from pellucid.runs.spelling import naming_a_cure
from pellucid.text import in_seconds, plural, shown
from pellucid.text_blocks import as_json
from pellucid.training.callbacks.base import Callback
from pellucid.training.callbacks.interrupt import StopOnInterrupt
from pellucid.training.callbacks.tensorboard import TensorBoard
from pellucid.training.callbacks.time_limit import LookAhead
from pellucid.training.checkpoint import checkpoints_of, latest_checkpoint, position_of
from pellucid.training.events import TrainStart
from pellucid.training.extension import depends_on_length
from pellucid.training.history import History
from pellucid.training.options import TrainingOptions, make_optimizer
from pellucid.workflows.checkpoints import Checkpoints
from pellucid.workflows.run_words import Say, say_choice, say_end, say_scores, say_start


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training left behind.

    Attributes
    ----------
    run : Run
    signal : int
        The number of the signal that stopped it; 0: none did.
    advice : tuple of Advice
        What to try next; empty where all is well.
    report : Path or None
        Its page, where one was written.
    check : DataReport or None
        What was found in the data before the training, by ``run``.
    """

    run: Run
    signal: int = 0
    advice: tuple[Advice, ...] = ()
    report: Path | None = None
    check: DataReport | None = None

    @property
    def exit_code(self) -> int:
        """Of the command: 0, or of a training that a signal stopped 128 and its number."""
        return 128 + self.signal if self.signal else 0

    def to_dict(self) -> dict[str, Any]:
        """Return folder, report, metrics, what to try next and what was found in the data as JSON can hold them."""
        report = {} if self.report is None else {"report": str(self.report)}
        named = {"folder": str(self.run.folder), **report, "model": self.run.config.model}
        findings = {} if self.check is None else {"findings": [one.to_dict() for one in self.check.findings]}
        return {**named, **self.run.metrics, "advice": as_json(self.advice), **findings}


def run_folder(source: DataSource, model: str) -> Path:
    """Return the folder of a run that was given none: runs/DATA-MODEL-N, the first that is not there yet."""
    return next_folder(Path("runs"), f"{Path(source.name).stem}-{Path(model).stem}")


def train(asked: RunRequest, out: Path, *, say: Say = print, **options: Any) -> Outcome:
    """Train into a folder as :func:`train_into` does; say what the model scores, and what to try next."""
    callbacks = [LookAhead(say), *options.pop("callbacks", ())]
    outcome = train_into(asked, out, callbacks=callbacks, say=say, **options)
    run = outcome.run
    say_scores(run, say)
    advice = advise(run, run.test_predictions, run.scores["train"])
    for line in lines_of(advice):
        say(line)
    return replace(outcome, advice=advice)


def plan_to_resume(
    out: Path | None,
    model: str | None,
    data: DataSource,
    *,
    photo: Path | None = None,
    start: Path | None = None,
    **options: Any,
) -> RunRequest:
    """Return what a training that goes on is asked for; all that is left out is as it was.

    Parameters
    ----------
    out : Path or None
        Its folder.
    model : str or None
        None: the one that it trains.
    data : DataSource
        An option of the reader that is at its default counts as left out, and so does a name of "".
    photo : Path, optional
        Of ``run``: a new photo.
    start : Path, optional
        The trained model that it begins from.
    **options
        ``freeze``, ``body``, ``pixels`` and ``unfreeze`` of :func:`pellucid.runs.build.plan`, and fields of
        :class:`TrainingOptions`; None counts as left out.

    Raises
    ------
    OptionError
        If no folder is named or it holds no training, or an option is wrong.
    """
    if out is None:
        last = newest_run(Path("runs"), data) if data.name else None
        of = "" if last is None else f". The last one of {shown(data.name)}: --out {shlex.quote(str(last))}"
        raise OptionError(f"--resume: name the folder of the training with --out{of}.")
    _check_run(out)
    config = read_config(out / CONFIG)
    if not data.name or data.resolved().name == config.source.name:
        name = data.name or config.source.name
        data = DataSource.from_dict({**config.source.to_dict(), **data.to_dict(), "name": name})
    network = {name: options.pop(name, None) for name in OF_A_NETWORK}
    if start is None and model is None:
        start = config.start
        network = {name: getattr(config, name) if value is None else value for name, value in network.items()}
    asked = plan(model or config.model, data, photo=photo, start=start, **network)
    kept = {name: value for name, value in config.options._option_values().items() if value is not None}
    resolved = TrainingOptions.resolve({}, kept, **options)
    own = asked.config
    own = replace(own, options=resolved, reason=own.reason or config.reason, photo=own.photo or config.photo)
    return asked._replace(config=own)


def train_into(
    asked: RunRequest,
    out: Path,
    *,
    checkpoints: Checkpoints | None = None,
    tensorboard: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    look: Callable[[Split], None] = lambda split: None,
    say: Say = print,
) -> Outcome:
    """Train, and write model, history, configuration and metrics into a folder, checkpoints on the way.

    Parameters
    ----------
    asked : RunRequest
        As :func:`pellucid.runs.build.plan` or :func:`plan_to_resume` returns it.
    out : Path
    checkpoints : Checkpoints, optional
        How often they are written; default: every five minutes. With ``resume`` the training goes on from the
        newest in ``out``; the result is that of a training that never stopped. One that is complete goes on where
        the configuration has more epochs; one that stopped before its first checkpoint starts again.
    tensorboard : bool, optional
        Write event files too.
    overwrite : bool, optional
        Take the place of another run in the folder, once data and options have been checked; what is no part of a
        run is kept.
    callbacks : sequence of callable, optional
        Further callbacks of the training, such as a progress bar. They hear nothing where choosing the model has
        trained it.
    look : callable, optional
        Takes the data, before the training.
    say : callable, optional
        Takes each line that is printed.

    Raises
    ------
    PellucidError
        If data, options or folder cannot be used, before anything is written; if the settings or the data are not
        those of the training that is to be resumed; if a file cannot be written.

    Notes
    -----
    Ctrl-C, SIGTERM or SIGHUP stops the training after a step and writes a checkpoint. Of several ranks (see
    :mod:`pellucid.ranks`) the first writes the folder and goes on after the training; the others raise ``Done``.
    """
    checkpoints = checkpoints or Checkpoints()
    is_used = "add --resume to go on, --overwrite to start again"
    with (
        _own_folder(out) as own,
        open_folder(own, overwrite=checkpoints.resume or overwrite, advice=is_used) as writer,
    ):
        checkpoint = _where_to_resume(out, say) if checkpoints.resume else None
        split = asked.load()
        model = make_model(asked.config, asked.architecture, split)
        config = asked.config.for_data(split.train)
        if checkpoint is not None:
            config = config.going_on_from(read_config(out / CONFIG), position_of(checkpoint)[0])
        look(split)
        say_choice(config, say)
        interrupt = StopOnInterrupt(takes_sigterm=True)
        begin = _Begin(own, writer, config, checkpoint, say)
        written = _written_on_the_way(config, out, checkpoints, has_events=tensorboard)
        # Signals are heard before the folder shows that there is a training to stop.
        listeners: list[Callback] = [interrupt, begin, *callbacks, *written]
        if asked.trained is not None and not tensorboard and checkpoints == Checkpoints():
            model, history = asked.trained
            begin.write(model)
        else:
            with naming_a_cure(config):
                history = fit_run(
                    model, split, config, listeners, resume=checkpoint, nonfinite=out / NONFINITE
                )
        if ranks.rank() > 0:
            raise ranks.Done
        model._summary_of_training["data_sha256"] = data_hash(split.train)
        if config.unfreeze is not None and not interrupt.was_interrupted:
            _find_whether_it_helped(config, split, model, history, say)
        run = Run(out, config, split, model, history)
        with dispatch.use(history.kernels):
            write_run(run, writer.new)
        writer.commit(replaces=OF_A_MODEL if checkpoint else ())  # a report on the model as it was
    say_end(run, say, was_interrupted=interrupt.was_interrupted)
    return Outcome(run, interrupt.signal)


class _Begin(Callback):
    """Writes the configuration when the first step is near: by then the options have been checked against the data.

    A plain function would hear every step, and hold small networks to one step a call.
    """

    def __init__(
        self, out: Path, writer: FolderWriter, config: RunConfig, checkpoint: Path | None, say: Say
    ) -> None:
        self._out, self._writer, self._config, self._say = out, writer, config, say
        self._checkpoint = checkpoint

    def train_start(self, event: TrainStart) -> None:
        """Write it into a new folder, or over that of the training that goes on."""
        ranks.most(0)  # until all have read what is there
        if self._checkpoint is not None:
            write_config(self._config, self._out)
            _say_where(position_of(self._checkpoint)[0], event, self._say)
            return
        self.write(event.run.model)

    def write(self, model: Model) -> None:
        """Write it into a new folder."""
        say_start(self._config, model, self._say)
        write_config(self._config, self._writer.new)
        self._writer.commit(replaces=OF_A_RUN if holds_run(self._out) else ())


def _find_whether_it_helped(
    config: RunConfig, split: Split, model: Model, history: History, say: Say
) -> None:
    """Say and keep what held-out folds score with the body's last blocks trained on, and without."""
    each = in_seconds(history.seconds / max(1, len(history.losses)))
    say(f"An epoch took {each}: augmentation changes the photos, so that all layers look at each again.")
    try:
        if ranks.n_ranks() > 1:
            raise OptionError("folds are trained by one process alone, without mpiexec.")
        with ProgressBar() as progress:
            found = compare_unfreezing(split, config, progress=progress)
    except PellucidError as error:
        say(f"Whether --unfreeze helped is not known: {error}")
        return
    model._summary_of_training["body"]["unfreezing"] = found.to_dict()
    say(found.headline)


def _written_on_the_way(
    config: RunConfig, out: Path, checkpoints: Checkpoints, *, has_events: bool
) -> list[Callback]:
    """Return the callbacks that write checkpoints and event files."""
    written: list[Callback] = [TensorBoard(out / "tensorboard")] if has_events else []
    if not make_optimizer(config.options).is_full_batch:
        return [checkpoints.callback(out / CHECKPOINTS), *written]
    if checkpoints.checkpoint_steps or checkpoints.checkpoint_minutes:
        raise OptionError("checkpoints: a training by L-BFGS cannot go on from one. Leave them out.")
    return written


@contextmanager
def _own_folder(out: Path) -> Iterator[Path]:
    """Yield the folder that this process writes: of several ranks all but the first write one that is deleted."""
    if ranks.rank() == 0:
        yield out
        return
    with TemporaryDirectory(prefix="pellucid-") as folder:
        yield Path(folder, "run")


def _say_where(n_made: int, event: TrainStart, say: Say) -> None:
    n_epochs, n_steps, schedule = event.run.n_epochs, event.run.n_steps, event.run.schedule
    if n_made < n_epochs:
        say(f"Going on after {n_made} of {plural(n_epochs, 'epoch')}.")
        return
    more = n_epochs + max(1, n_epochs // 4)
    flags = f"--epochs {more}"
    if schedule is not None and depends_on_length(
        schedule, n_made * n_steps, n_epochs * n_steps, more * n_steps
    ):
        flags += f" --schedule constant --learning-rate {schedule.base_rate / 10:.2g}"
    say(f"All {plural(n_epochs, 'epoch')} are made. For more, add {flags}.")


def _check_run(out: Path) -> None:
    if not holds_run(out):
        raise OptionError(f"--resume: {out} holds no training to go on from. Name its folder with --out.")


def _where_to_resume(out: Path, say: Say) -> Path | None:
    """Return the checkpoint to go on from; None, which is said, where a training stopped before its first.

    Raises
    ------
    OptionError
        If there is no training in the folder, or it is complete and left no checkpoint.
    """
    _check_run(out)
    for half in (out / CHECKPOINTS).glob(".*.part"):  # by a process that was killed while it wrote
        half.unlink(missing_ok=True)
    if checkpoints_of(out / CHECKPOINTS):
        return latest_checkpoint(out / CHECKPOINTS)
    if (out / METRICS).is_file() and read_metrics(out / METRICS).get("is_complete"):
        raise OptionError(
            f"--resume: the training in {out} is complete, without a checkpoint. Train again: --overwrite "
            "instead of --resume."
        )
    say(f"{out}: the training stopped before its first checkpoint, and starts again.")
    return None
