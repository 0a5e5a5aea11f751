"""Which training samples influenced a run's predictions: what the command ``influence`` does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.errors import OptionError
from pellucid.evaluation.influence.explain import N_DRAWS
from pellucid.evaluation.influence.find_influence import begin_influence
from pellucid.evaluation.influence.outcome import InfluenceOutcome
from pellucid.evaluation.influence.plot_influence import influence_figure
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.runs.run import Run, read_run
from pellucid.workflows.results import results_folder


@validate_call("samples", "method", "top", "retrain", "n_draws", "n_jobs", "overwrite")
def influence(
    run: str | Path | Run,
    samples: Sequence[int | str] | None = None,
    *,
    data: str | None = None,
    folder: Path | None = None,
    method: str = "tracin",
    top: int = 5,
    retrain: bool | None = None,
    n_draws: int = N_DRAWS,
    n_jobs: int | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> InfluenceOutcome:
    """Return which training samples influenced a run's predictions, and what these would be without them.

    Parameters
    ----------
    run : str, Path or Run
        A run folder of ``pellucid run`` or ``pellucid train``, or what was read from one.
    samples : sequence of int or str, optional
        Numbers of test samples, or their files; default: the most confident mistakes.
    data : str, optional
        Where the run's data are now; default: where they were.
    folder : Path, optional
        Where checkpoints may lie, for a training that is not run again; default: the run folder.
    method : {"tracin", "tracin-plain", "leave-one-out"}, optional
    top : int, optional
        How many training samples are shown on each side.
    retrain : bool, optional
        Whether to train again; default: if one training takes no more than two seconds.
    n_draws : int, optional
        How many times as many training samples, drawn at random, are left out for comparison.
    n_jobs : int, optional
        Processes; default: a core each where that pays.
    out : str or Path, optional
        A folder for ``influence.json`` and, of photos, a figure each; default: nothing is written.
    overwrite : bool, optional
        Allow a folder that is not empty.
    progress : callable or bool, optional
        Called with each stage, gradients or trainings, how many are done, and of how many; default: a bar; False:
        silent.

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
    how: dict[str, Any] = {"is_retrained": retrain, "n_draws": n_draws, "n_jobs": n_jobs}
    with results_folder(out, overwrite=overwrite) as results, shown_progress(progress) as show:
        if not isinstance(run, Run):
            if not isinstance(run, str | Path):
                raise OptionError(
                    f"influence: expected a run or its folder, got a {type(run).__name__}. A run has the training "
                    "and its data: pl.run(...).run, or the folder that `pellucid run` wrote."
                )
            folder = Path(run)
            run = read_run(folder, data=data)
        asked = begin_influence(run, samples, folder=folder, method=method, top=top, progress=show, **how)
        outcome = asked.result()
        train, test = outcome.split.train, outcome.split.test
        shown = outcome.explanations if train.has_pictures else ()
        return results.write(
            outcome,
            "influence",
            lambda: {f"influence-{one.index}": influence_figure(one, train, test) for one in shown},
        )
