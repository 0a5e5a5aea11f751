"""Many trainings, each with other options: what the command ``sweep`` does."""

import importlib.util
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pellucid.data.coerce import as_split
from pellucid.data.dataset import Split
from pellucid.data.hashing import data_hash
from pellucid.data.source import DataSource
from pellucid.errors import FormatError, MissingExtraError, OptionError, TrainingError, unknown_name
from pellucid.evaluation.comparison.splitting import CV, check_counts, folds_of, make_folds
from pellucid.evaluation.sweep.result import COSTS, METRICS, Sweep, Trial, rank
from pellucid.evaluation.sweep.space import MODEL, Space, read_space
from pellucid.evaluation.sweep.study import (
    JOURNAL,
    STUDY,
    Search,
    Study,
    clear_study,
    count_trials,
    joined,
)
from pellucid.evaluation.sweep.train_trial import NextTrial, make_candidate
from pellucid.folders import open_folder
from pellucid.parallel import jobs_run_by
from pellucid.progress import Progress, ProgressCallback, shown_progress
from pellucid.registry import options_of, validate_call
from pellucid.runs.train_many import train_many, undivided
from pellucid.text import join_some
from pellucid.threads import n_cores
from pellucid.training.options import TrainingOptions
from pellucid.training.recommend import AUTO, recommend

TrialCallback = Callable[[Trial, Trial | None, str], None]  # one that is done, the best so far, the metric
OLD = "results.jsonl"  # of a sweep before Optuna
HOLD_OUT = 5  # one of so many parts is held out, where there are no folds


def no_trial(trial: Trial, best: Trial | None, metric: str) -> None:
    """Show nothing."""


@validate_call(
    "search", "n_trials", "seed", "n_jobs", "resume", "overwrite", others=partial(options_of, TrainingOptions)
)
def sweep(
    model: str | Path,
    data: Split | DataSource | str | Path,
    space: str | Path | Mapping[str, Any],
    *,
    search: Literal["random", "grid", "tpe", "hyperband"] = "random",
    n_trials: int | None = None,
    cv: Any = None,
    metric: str | Sequence[str] | None = None,
    seed: int = 1,
    n_jobs: int | None = None,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = None,
    on_trial: TrialCallback = no_trial,
    **training: Any,
) -> Sweep:
    """Train with many choices of options, and return which are best on samples that were held out of each training.

    Needs the extra ``sweep``: the study is Optuna's.

    Parameters
    ----------
    model : str or Path
        A preset, "auto", or a TOML file.
    data : Split, DataSource or str
        Only the training part is used: the test part is left for the model that is trained at last.
    space : str, Path or mapping
        Which options are tried: see :mod:`pellucid.evaluation.sweep.space`.
    search : {"random", "grid", "tpe", "hyperband"}, optional
        Draw at random; try all combinations; draw near the best so far (tree-structured Parzen estimator); or that,
        and stop trials early that are worse than others after as many epochs.
    n_trials : int, optional
        Default: 20, or all combinations of a grid.
    cv : int or splitter, optional
        Train for every fold: their number, or a splitter of scikit-learn. Default: one fifth of the samples is held
        out.
    metric : str or sequence of str, optional
        What trials are ranked by: of classes balanced_accuracy (the default), accuracy or log_loss; of quantities
        root_mean_squared_error, mean_absolute_error or r_squared; of labels label_accuracy or exact_match. Several
        objectives are a sequence, or joined by commas; all but the first may be seconds and n_parameters.
    seed : int, optional
        Of the draws and of each trial's training.
    n_jobs : int, optional
        Processes; default: one a core.
    out : Path, optional
        The folder of the study, which other processes may join. Default: one that is removed at the end.
    resume : bool, optional
        Go on with the study there, or join the processes that work on it.
    overwrite : bool, optional
        Remove the study there.
    progress : callable, optional
        Called with a stage, how many trials are done, of how many, and the best so far.
    on_trial : callable, optional
        Called with each trial that is done, the best so far, and the metric.
    **training
        Fields of :class:`pellucid.training.options.TrainingOptions` for all trials.

    Returns
    -------
    Sweep
        With one process the same each time but for seconds, however often it was resumed; "random" and "grid" with
        several, too. After Ctrl-C, or where a process was lost, which is warned of, with the trials that are done.

    Raises
    ------
    FormatError
        If something is wrong in the space, with its line, or the folder holds no sweep that can be resumed.
    OptionError, DataError
        If options contradict one another, or do not suit the data or the study in the folder.
    TrainingError
        If every trial fails.
    MissingExtraError
        If Optuna is not installed.

    Examples
    --------
    >>> space = {"learning_rate": [0.001, 0.01]}
    >>> found = sweep("logistic", "drawn-cats", space, search="grid", n_epochs=20, n_jobs=1)
    >>> found.best.options, found.n_trainings
    ({'learning_rate': 0.01}, 2)
    """
    if not importlib.util.find_spec("optuna"):
        raise MissingExtraError("sweep: Optuna is not installed. Try pip install 'pellucid[sweep]'.")
    for flag, value in (("n_trials", n_trials), ("n_jobs", n_jobs)):
        if value is not None and value < 1:
            raise OptionError(f"sweep: expected {flag} to be 1 or more, got {value}.")
    asked = CV(HOLD_OUT) if cv is None else folds_of(cv)
    name = str(model)
    read = read_space(space, name)
    n_trials = count_trials(search, read, n_trials)
    source = as_split(data, "sweep: data")
    split = source.load() if isinstance(source, DataSource) else source
    if name == AUTO:
        name = recommend(split).model
    named = source if isinstance(source, DataSource) else source.name
    objectives = _objectives(split, metric)
    training = {**training, "seed": seed}
    models = read.entries.get(MODEL, [name])
    configs = [make_candidate({MODEL: one}, name, named, training).config for one in models]
    lengths = {config.options.n_epochs for config in configs if config is not None}
    if search == "hyperband":
        _check_hyperband(read, objectives, lengths)
    if split.classes and split.train.y.ndim == 1:
        check_counts(split.train, split.name, asked.n_splits)
    folds = make_folds(split.train, *asked)
    rows = folds.rows if cv is not None else folds.rows[:1]
    identity = {
        "data": data_hash(split.train),
        "model": name,
        "network": {path: Path(path).read_text("utf-8") for path in models if path.endswith(".toml")},
        "space": read.tables,
        "search": search,
        "metric": list(objectives),
        "cv": "" if cv is None else f"{asked.n_splits}x{asked.n_repeats}",
        "seed": seed,
        "training": {key: value for key, value in sorted(training.items()) if value is not None},
    }
    how = Search(search, read, objectives, seed, n_trials, max(lengths))
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory()) if out is None else out
        folder = _open_study(Path(place), resume=resume, overwrite=overwrite)
        stack.enter_context(joined(folder))
        study = Study(folder, how)
        study.check_identity(json.loads(json.dumps(identity)))
        watch = _Watch(study, stack.enter_context(shown_progress(progress)), on_trial)
        watch()
        next_trial = NextTrial(folder, how, undivided(split.train, split), rows, name, named, training)
        with jobs_run_by(None):  # also within a cluster: a study is a folder of this machine
            train_many(
                next_trial,
                range(n_trials - len(watch.trials)),
                n_jobs=n_jobs or n_cores(),
                on_done=watch,
                is_enough=lambda done: watch.best is not None,
            )
        watch()
    trials = tuple(watch.trials[number] for number in sorted(watch.trials))
    if all(trial.fault for trial in trials):
        raise TrainingError(f"sweep: every trial failed. {trials[0].fault}")
    return Sweep(
        data=split.name,
        model=name,
        search=search,
        objectives=objectives,
        n_samples=len(split.train),
        n_folds=len(rows),
        seed=seed,
        trials=trials,
        n_trials=n_trials,
        is_complete=len(trials) >= n_trials,
        about_folds=folds.notes,
    )


@dataclass
class _Watch:
    """Tells of each trial that is done, by this process or another."""

    study: Study
    progress: ProgressCallback
    on_trial: TrialCallback
    trials: dict[int, Trial] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        return self.study.search.objectives[0]

    @property
    def best(self) -> Trial | None:
        return next(iter(rank(list(self.trials.values()), self.metric)), None)

    def __call__(self, *of_job: Any) -> None:
        """Look for new ones."""
        for trial in self.study.trials():
            if trial.number not in self.trials:
                self.trials[trial.number] = trial
                self.on_trial(trial, self.best, self.metric)
        best = self.best
        words = "" if best is None else f"best {best.score(self.metric):.4f}: {best.in_words()}"
        self.progress("trials", len(self.trials), self.study.search.n_trials, words[:60])


def _check_hyperband(space: Space, objectives: Sequence[str], lengths: set[int]) -> None:
    """Raise OptionError where Hyperband cannot choose among trials by one score and their epochs."""
    for is_wrong, why in (
        (len(objectives) > 1, "it takes one metric. Take --search tpe for several objectives."),
        ("epochs" in space.entries, "it chooses the epochs, so these cannot be in the space."),
        (len(lengths) > 1, "these models have different epochs. Say how many with --epochs."),
    ):
        if is_wrong:
            raise OptionError(f"--search hyperband: {why}")


def _open_study(place: Path, *, resume: bool, overwrite: bool) -> Path:
    """Return the folder of the study, which is made.

    Raises
    ------
    OutputError
        If the folder holds other files, or cannot be written.
    OptionError
        If it holds no sweep to resume.
    FormatError
        If it holds a sweep of an older version.
    """
    folder = place / STUDY
    is_old = (place / OLD).exists() and not folder.exists()
    if is_old and not overwrite:
        raise FormatError(
            f"{place}: the sweep there is of an older version ({OLD}) and cannot be resumed. Choose another "
            "folder with --out, or add --overwrite to replace it."
        )
    if resume:
        if not (folder / JOURNAL).exists():
            raise OptionError(f"--resume: {place} holds no sweep to go on from. Name its folder with --out.")
        return folder
    with open_folder(place, overwrite=overwrite, advice="add --resume to go on, --overwrite to start again"):
        clear_study(folder)
        (place / OLD).unlink(missing_ok=True)
        folder.mkdir()
    return folder


def _objectives(split: Split, metric: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return what is optimized; OptionError for a metric that the data have not."""
    y = split.train.y
    if isinstance(y, Mapping):
        raise OptionError(f"sweep: expected data of one target, {split.name} has {join_some(y)}.")
    metrics = METRICS[
        "regression" if not split.classes else "classification" if y.ndim == 1 else "multi_label"
    ]
    names = metric.split(",") if isinstance(metric, str) else [*(metric or metrics[:1])]
    for i, name in enumerate(names):
        known = (*metrics, *COSTS) if i else metrics
        if name not in known:
            raise OptionError(f"--metric: {unknown_name('metric', name, known)}")
        if name in names[:i]:
            raise OptionError(f"--metric: {name} stands there twice. Leave it out once.")
    return tuple(names)
