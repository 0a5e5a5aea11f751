"""Many trainings, each with other options: what the command ``sweep`` does.

scikit-learn's ParameterGrid, ParameterSampler and splitters choose what is trained and on what. Its GridSearchCV
and HalvingRandomSearchCV are not used: they return once all is done, so that nothing could be shown or kept on the
way, and they know no options of a network's file.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.hashing import data_hash
from pellucid.data.pairs import as_split
from pellucid.data.source import DataSource
from pellucid.errors import OptionError, TrainingError, unknown_name
from pellucid.evaluation.comparison.splitting import FOLD_SEED, Folds, check_counts, folds_of, make_folds
from pellucid.evaluation.sweep.records import METRICS, Sweep, Trial, rank
from pellucid.evaluation.sweep.results import Results
from pellucid.evaluation.sweep.running import Running, TrialCallback, measure
from pellucid.evaluation.sweep.space import MODEL, Range, read_space
from pellucid.evaluation.sweep.trials import FACTOR, draw, make_candidates, rounds_of
from pellucid.progress import DetailCallback, no_detail
from pellucid.registry import validate_call
from pellucid.runs.candidates import Candidate
from pellucid.runs.train_many import TrainingJob, Trainings, undivided
from pellucid.text import join_some
from pellucid.threads import n_cores
from pellucid.training.recommend import AUTO, recommend

HOLD_OUT = 5  # one of so many parts is held out, where there are no folds


def no_trial(trial: Trial, best: Trial | None, metric: str) -> None:
    """Show nothing."""


@validate_call("search", "n_trials", "cv", "metric", "seed", "n_jobs", "resume", "replace")
def sweep(
    data: Split | DataSource | str | Path,
    model: str | Path,
    space: str | Path | Mapping[str, Any],
    *,
    search: Literal["random", "grid", "halving"] = "random",
    n_trials: int | None = None,
    cv: str | None = None,
    metric: str | None = None,
    seed: int = 1,
    n_jobs: int | None = None,
    results: Path | None = None,
    resume: bool = False,
    replace: bool = False,
    progress: DetailCallback = no_detail,
    on_trial: TrialCallback = no_trial,
    **training: Any,
) -> Sweep:
    """Train with many choices of options, and return which are best on samples that were held out of each training.

    Parameters
    ----------
    data : Split, DataSource or str
        Only the training part is used: the test part is left for the model that is trained at last.
    model : str or Path
        A preset, "auto", or a TOML file.
    space : str, Path or mapping
        Which options are tried: see :mod:`pellucid.evaluation.sweep.space`.
    search : {"random", "grid", "halving"}, optional
        Draw at random; try all combinations; or begin many short trainings and go on with the best third of them,
        three times as long each time.
    n_trials : int, optional
        Default: 20, or all combinations of a grid.
    cv : str, optional
        FOLDSxREPEATS such as ``5x1``: train anew for every fold. Default: one fifth of the samples is held out.
    metric : str, optional
        What trials are ranked by: of classes balanced_accuracy (the default), accuracy or log_loss; of quantities
        root_mean_squared_error, mean_absolute_error or r_squared; of labels label_accuracy or exact_match.
    seed : int, optional
        Of the draws and of each trial's training.
    n_jobs : int, optional
        Trainings side by side; default: one a core. Within ``pl.jobs_on`` they run on a cluster.
    results : Path, optional
        A file that each training is written to as soon as it is done, a line of JSON each.
    resume : bool, optional
        Take from that file what is done already.
    replace : bool, optional
        Take the file's place.
    progress : callable, optional
        Called with a stage, how many trainings are done, of how many, and the best so far.
    on_trial : callable, optional
        Called with each trial that is done, the best so far, and the metric.
    **training
        Fields of :class:`pellucid.training.options.TrainingOptions` for all trials.

    Returns
    -------
    Sweep
        The same whatever ``n_jobs`` is, and however often it was resumed, but for seconds. After Ctrl-C, or where
        workers are lost, which is warned of, with the trials that are done.

    Raises
    ------
    FormatError
        If something is wrong in the space, with its line.
    OptionError, DataError
        If options contradict one another, or do not suit the data.
    TrainingError
        If every trial fails.

    Examples
    --------
    >>> space = {"learning_rate": [0.001, 0.01]}
    >>> found = sweep("drawn-cats", "logistic", space, search="grid", n_epochs=20, n_jobs=1)
    >>> found.best.options, found.n_trainings
    ({'learning_rate': 0.01}, 2)
    """
    for flag, value in (("n_trials", n_trials), ("n_jobs", n_jobs)):
        if value is not None and value < 1:
            raise OptionError(f"sweep: expected {flag} to be 1 or more, got {value}.")
    n_splits, n_repeats = (HOLD_OUT, 1) if cv is None else folds_of(cv)
    name = str(model)
    read = read_space(space, name)
    source = as_split(data, "sweep: data")
    split = source.load() if isinstance(source, DataSource) else source
    if name == AUTO:
        name = recommend(split).model
    chosen = _metric(split, metric)
    drawn = dict(enumerate(draw(read, search, n_trials, seed), start=1))
    named = source if isinstance(source, DataSource) else source.name
    candidates = make_candidates(drawn, name, named, {**training, "seed": seed})
    ready = {number: one for number, one in candidates.items() if isinstance(one, Candidate)}
    configs = {number: one.config for number, one in ready.items() if one.config is not None}
    lengths = {config.options.n_epochs for config in configs.values()}
    if search == "halving" and len(lengths) > 1:
        raise OptionError(
            "--search halving: the best trials get more epochs, so these cannot be in the space."
        )
    folds = _folds(split, n_splits, n_repeats)
    rows = folds.rows if cv is not None else folds.rows[:1]
    models = read.entries.get(MODEL, [])
    networks = [name, *([] if isinstance(models, Range) else models)]
    identity = {
        "data": data_hash(split.train),
        "model": name,
        "network": {path: Path(path).read_text("utf-8") for path in networks if path.endswith(".toml")},
        "cv": cv or "",
        "seed": seed,
        "training": {key: value for key, value in sorted(training.items()) if value is not None},
    }
    if replace and results is not None:
        results.unlink(missing_ok=True)
    with closing(Results(results, identity, resume=resume)) as kept:
        trainings = Trainings(ready, undivided(split.train, split), measure, rows)
        running = Running(trainings, drawn, chosen, kept, progress, on_trial)
        is_complete = _run(running, search, sorted(ready), max(lengths), n_jobs or n_cores(), seed)
        for number in sorted(drawn.keys() - ready.keys()) if is_complete else ():
            running.cannot(number, str(candidates[number]))
    trials = tuple(running.trials[number] for number in sorted(running.trials))
    if all(trial.fault for trial in trials):
        raise TrainingError(f"sweep: every trial failed. {trials[0].fault}")
    return Sweep(
        data=split.name,
        model=name,
        search=search,
        metric=chosen,
        n_samples=len(split.train),
        n_folds=len(rows),
        seed=seed,
        trials=trials,
        n_trials=len(drawn),
        n_trainings=running.n_trainings,
        seconds=running.seconds,
        is_complete=is_complete,
        configs=configs,
        notes=folds.notes,
    )


def _run(running: Running, search: str, numbers: list[int], n_epochs: int, n_jobs: int, seed: int) -> bool:
    """Make every round, and return whether all are made.

    Of successive halving each has the best third of the one before, and longer trainings.
    """
    lengths, n_folds = rounds_of(search, len(numbers), n_epochs), running.n_folds
    counts = [len(numbers)]
    for _ in lengths[1:]:
        counts.append(-(-counts[-1] // FACTOR))
    running.n_total = n_folds * sum(counts)
    for i, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        if i:
            done = rank([running.trials[number] for number in numbers], running.metric)
            numbers = sorted(trial.number for trial in done[:count])
        asked = length if search == "halving" else None
        jobs = [TrainingJob(n, seed + fold, fold, asked) for n in numbers for fold in range(n_folds)]
        if not running.run(jobs, n_jobs, i):
            return False
    return True


def _metric(split: Split, metric: str | None) -> str:
    """Return the metric that trials are ranked by; OptionError for one that the data have not."""
    y = split.train.y
    if isinstance(y, Mapping):
        raise OptionError(f"sweep: expected data of one target, {split.name} has {join_some(y)}.")
    kind = "regression" if not split.classes else "classification" if y.ndim == 1 else "multi_label"
    if metric is not None and metric not in METRICS[kind]:
        raise OptionError(f"--metric: {unknown_name('metric', metric, METRICS[kind])}")
    return metric or METRICS[kind][0]


def _folds(split: Split, n_splits: int, n_repeats: int) -> Folds:
    """Return the folds of the training part: stratified by class, groups on one side."""
    data = split.train
    if split.classes and data.y.ndim == 1:
        check_counts(data, split.name, n_splits)
        return make_folds(data, n_splits, n_repeats)
    from sklearn.model_selection import GroupKFold, RepeatedKFold

    if len(data) < n_splits:
        raise OptionError(f"--cv: {n_splits} folds need as many samples, and {split.name} has {len(data)}.")
    X = np.zeros(len(data))
    if data.groups is not None:
        return Folds(list(GroupKFold(n_splits).split(X, groups=data.groups)))
    return Folds(list(RepeatedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=FOLD_SEED).split(X)))
