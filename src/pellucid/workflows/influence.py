"""Which training samples influenced the predictions of a run that is in a folder."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.evaluation.influence.explain import THOROUGH, Budget
from pellucid.evaluation.influence.explained import InfluenceOutcome
from pellucid.evaluation.influence.find_influence import begin_influence
from pellucid.evaluation.influence.plot_influence import influence_figure
from pellucid.files import write_atomically
from pellucid.folders import atomic_folder
from pellucid.plotting.saving import save_figures
from pellucid.progress import ProgressBar, ProgressCallback
from pellucid.registry import validate_call
from pellucid.runs.record import read_run
from pellucid.runs.run import Run


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
    with nullcontext() if out is None else atomic_folder(out, force=force) as folder:
        outcome = influence(run, tests, data=data, **options)
        if out is None or folder is None:
            return outcome
        train, test = outcome.split.train, outcome.split.test
        shown = outcome.explanations if train.has_pictures else ()
        figures = {f"influence-{one.index}": influence_figure(one, train, test) for one in shown}
        names = ("influence.json", *save_figures(figures, folder))
        outcome = replace(outcome, files=tuple(out / name for name in names))
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
    if not isinstance(run, Run):
        folder = Path(run)
        run = read_run(folder, data=data)
    with ProgressBar() if progress is None else nullcontext(progress) as shown:
        return begin_influence(
            run,
            tests,
            folder=folder,
            method=method,
            top=top,
            is_retrained=is_retrained,
            budget=budget,
            n_jobs=n_jobs,
            progress=shown,
        ).result()
