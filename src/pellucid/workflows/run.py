"""The whole tutorial in one go, from loading to the closing line, into a run folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pellucid import dispatch
from pellucid.errors import DataError
from pellucid.evaluation.scores.advice import Advice
from pellucid.folders import open_folder
from pellucid.formats.architecture import Architecture
from pellucid.prediction.metrics import metrics_of
from pellucid.report.build import check_probabilities, write_findings
from pellucid.report.findings import find_short
from pellucid.runs.build import fit_run, make_model
from pellucid.runs.config import RunConfig
from pellucid.runs.photo import new_image
from pellucid.runs.record import RunRecord, replaced_by_a_run, write_run
from pellucid.runs.spelling import naming_a_cure
from pellucid.training.callbacks.interrupt import StopOnInterrupt
from pellucid.training.callbacks.progress import PrintCosts
from pellucid.training.events import Callback
from pellucid.workflows.run_words import (
    Say,
    is_tutorial,
    say_choice,
    say_data,
    say_goodbye,
    say_results,
    say_start,
)


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What a run left behind."""

    record: RunRecord
    report: Path
    signal: int = 0  # that stopped the training
    advice: tuple[Advice, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return folder, report, metrics and what to try next as JSON can hold them."""
        record = self.record
        named = {"folder": str(record.folder), "report": str(self.report), "model": record.config.model}
        return {**named, **record.metrics, "advice": [one.to_dict() for one in self.advice]}


def run(
    config: RunConfig,
    out: Path,
    *,
    architecture: Architecture | None = None,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Say = print,
) -> RunOutcome:
    """Look at the data, train, evaluate, show the mistakes, predict a new photo, and write the run folder.

    Parameters
    ----------
    config : RunConfig
        As :func:`pellucid.runs.build.plan` returns it.
    out : Path
        The folder to make: report.html, figures, model, history, config and metrics.
    architecture : Architecture, optional
        The network's file, where the model is one.
    force : bool, optional
        Take the place of another run in the folder; what is no part of a run is kept.
    callbacks : sequence of callable, optional
        Further callbacks of the training, such as a progress bar.
    say : callable, optional
        Takes each line that is printed.

    Raises
    ------
    PellucidError
        If data, options, photo or folder cannot be used; ``out`` is then as it was before.
    """
    split = config.load()
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
    model = make_model(config, architecture, split)
    config = config.for_data(split.train)
    image = new_image(config, split.train.X.shape[1:])
    interrupt = StopOnInterrupt(takes_sigterm=True)
    with open_folder(out, force=force) as writer:
        say_data(split, say)
        say_choice(config, say)
        say_start(config, model, say)
        with naming_a_cure(config):
            history = fit_run(model, split, config, [PrintCosts(show=say), interrupt, *callbacks])
        with dispatch.use(history.kernels):
            found = find_short(RunRecord(out, config, split, model, history), image)
        scores = {"train": metrics_of(found.result.trained), "test": metrics_of(found.result.predictions)}
        record = replace(found.result.run, scores=scores)
        say_results(found, say)
        write_run(record, writer.new)
        report = write_findings(found, writer.new)
        writer.commit(replaces=replaced_by_a_run(out))
    say(f"Report: {out / report.name}")
    if is_tutorial(split):
        say_goodbye(say)
    return RunOutcome(record, out / report.name, interrupt.signal, found.result.advice)
