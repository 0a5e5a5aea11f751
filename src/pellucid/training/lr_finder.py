"""The learning-rate finder: short trainings at many rates, longer ones at the best of them, and the lowest loss."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, TrainingError
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.hooks import same_hooks
from pellucid.nn.model import Model
from pellucid.progress import Progress, ProgressCallback, no_progress, shown_progress
from pellucid.registry import Limits, arguments_of, check_option, validate_call
from pellucid.rng import stream
from pellucid.training.choose_form import is_dual
from pellucid.training.constant import constant_loss
from pellucid.training.events import Event, StepEnd
from pellucid.training.fit import train
from pellucid.training.job import Job
from pellucid.training.loop import train_by_options
from pellucid.training.options import TrainingOptions, fill_in, make_optimizer, recipe_of
from pellucid.training.rate_search import RateSearch, Trial
from pellucid.training.samples import in_range_seen, read_samples
from pellucid.training.training_cache import TrainingCache
from pellucid.types import Array, map_arrays, n_rows

KEPT = (9, 4, 2)  # rates in each round, where there are nine; and the next above the best
LENGTHS = (1 / 62, 2.5 / 62, 6 / 62)  # of a training in each round: two thirds of one in all
LAST = 0.25  # of a training, twice, where nothing was learned by then
SHORTEST = 20  # steps: with fewer, batch norm and a schedule's warm-up make high rates look bad
LEARNED = 0.98  # of the best constant prediction's loss: below it something was learned
FLAT = 1e-6  # of an output's size: a network whose outputs differ by less over the samples gives one answer for all
LOOKED_AT = 200  # samples


# What a search takes of the arguments of a training.
TRAINING = (
    "n_epochs",
    "optimizer",
    "weight_decay",
    "loss",
    "label_smoothing",
    "batch_size",
    "schedule",
    "augment",
    "class_weight",
    "seed",
    "dtype",
    "kernels",
)


@validate_call("optimizer", "schedule")
@arguments_of(train, *TRAINING)
def find_learning_rate(
    model: ModelLike,
    data: Any,
    *,
    min_lr: float = 1e-4,
    max_lr: float = 1.0,
    n_rates: int = 9,
    progress: Progress = None,
    **training: Any,
) -> RateSearch:
    """Train copies of the model for a short time at many learning rates, and suggest the best.

    Parameters
    ----------
    model : Model, str or Path
        Left as it is; initialized or not. A preset's name, or a path, names one.
    data : Dataset, (X, y), Split, str or Path
        Of a Split, or of data by name, the training part.
    n_epochs : int, optional
        Of the training that a rate is sought for. Default: the preset's, else 50.
    optimizer, weight_decay, loss, label_smoothing, batch_size, schedule, augment, class_weight : optional
        As :func:`pellucid.training.fit.train` takes them; give those that will be trained with. Default: the
        recipe of the preset, but for its learning rate.
    min_lr, max_lr : float, optional
        The first and the last rate, above 0.
    n_rates : int, optional
        How many there are from one to the other, each the same ratio above the last; at least 3.
    seed, dtype, kernels : optional
        As for ``train``.
    progress : callable or bool, optional
        Called with a stage, how many steps are done, and of how many. Default: a bar; False: silent.

    Returns
    -------
    RateSearch
        ``suggestion`` is None where nothing was learned at any rate.

    Raises
    ------
    OptionError
        If an option is out of its bounds, or the optimizer has no learning rate.
    TrainingError
        If the loss is not finite at any rate.

    Notes
    -----
    Successive halving (Jamieson and Talwalkar, 2016): all rates are trained for 1/62 of the training, the best 4
    for 2.5/62, the best 2 for 6/62, each from the same start with the same batches and the whole schedule. Short
    trainings make high rates look worse than they are: so with the best goes the next higher rate into each
    further round, and in the last one higher ones are tried until none is better. In all that is two thirds of a
    training, or some 800 steps where that is more. A rate is judged by its training loss over the last quarter.
    Those at which the network has come to give one answer for all samples come last, however fast they fell to the
    loss of that: the fastest are often those at which it soon dies. Only what is below that loss was learned;
    where nothing was by then, the best two have a quarter of the training each.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> data = Dataset(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    >>> found = find_learning_rate(Sequential([Dense(1)]), data, n_epochs=500, optimizer="sgd", max_lr=10.0)
    >>> 0.01 < found.suggestion < 11
    True
    """
    data = as_dataset(data, "find_learning_rate")
    model = as_model(model, "find_learning_rate", data)
    data = read_samples(model, data, "find_learning_rate", loss=training.get("loss"))
    given = {**training, "n_epochs": training.get("n_epochs") or recipe_of(model)["n_epochs"]}
    options = fill_in(model, data, given)
    with shown_progress(progress) as show:
        limits: Any = {"min_lr": min_lr, "max_lr": max_lr, "n_rates": n_rates}
        return search_rates(model, data, options, **limits, progress=show)


def search_rates(
    model: Model,
    data: Dataset,
    options: TrainingOptions,
    *,
    min_lr: float,
    max_lr: float,
    n_rates: int,
    progress: ProgressCallback = no_progress,
) -> RateSearch:
    """Return what :func:`find_learning_rate` does, for a training as options say."""
    where = "find_learning_rate"
    check_option(where, "min_lr", min_lr, float, Limits(above=0))
    check_option(where, "max_lr", max_lr, float, Limits(above=min_lr))
    check_option(where, "n_rates", n_rates, int, Limits(at_least=3))
    data = in_range_seen(model, data, where)
    search = _Search(model, data, replace(options, validation=None, patience=None))
    return search.run(np.geomspace(min_lr, max_lr, n_rates), progress)


class _Search:
    """The trainings of one search: in the form and on the kernels that the whole training would have."""

    def __init__(self, model: Model, data: Dataset, options: TrainingOptions) -> None:
        self.model, self.data, self.shared, twin = model, data, TrainingCache(), copy.deepcopy(model)
        rule = make_optimizer(options)
        if rule.is_full_batch:
            name = type(rule).__name__
            raise OptionError(
                f"find_learning_rate: {name} has no learning rate to find. Try another optimizer, such as 'adamw'."
            )
        with same_hooks(model, twin):
            job = Job(twin, data, copy.deepcopy(options), shared=self.shared)
            form = "dual" if is_dual(job) else "direct"
        self.options = options = replace(options, kernels=job.kernels, form=form)
        k = map_arrays(lambda shape: shape[-1], twin.output_shape)
        self.constant = constant_loss(twin._loss, twin._encode(data.y), k, weights=job.weights)
        m = n_rows(data.X)
        self.batch_size = options.batch_size or m
        self.steps_per_epoch = -(-m // self.batch_size)
        self.n_steps = options.n_epochs * self.steps_per_epoch

    def run(self, rates: Array, progress: ProgressCallback) -> RateSearch:
        """Try all rates, then the best of them for longer."""
        rounds: list[tuple[Trial, ...]] = []
        kept, (nine, four, two) = rates.tolist(), KEPT
        counts = [len(rates), max(two, round(len(rates) * four / nine)), two]
        lengths = [max(SHORTEST * length / LENGTHS[0], length * self.n_steps) for length in LENGTHS]
        total, done = sum((n + 1) * length for n, length in zip(counts, lengths, strict=True)), 0.0
        for length in [*lengths, max(LAST * self.n_steps, 2 * lengths[-1])]:
            trials, waiting = [], list(kept)
            while waiting:
                progress("trying learning rates", int(done), int(max(total, done)))
                trials.append(self.train(waiting.pop(0), length))
                done += length
                best = sorted(trials, key=lambda trial: trial.rank)
                if not waiting and len(rounds) >= len(lengths) - 1 and best[0] is trials[-1]:
                    waiting = _above(best[0], rounds)  # the highest rate so far was the best
            rounds.append(tuple(trials))
            if len(rounds) == len(lengths) and best[0].has_learned:
                break
            n = counts[min(len(rounds), len(lengths) - 1)]
            chosen = {trial.rate for trial in _alive_first(best, rounds)[:n]}
            kept = sorted(chosen.union(_above(best[0], rounds)))
        if all(trial.loss is None for trial in rounds[0]):
            raise TrainingError(
                f"find_learning_rate: the loss became NaN or infinite at every rate from {rates[0]:.2g}. Try lower "
                "rates, or look for outliers in the data."
            )
        suggestion = best[0].rate if best[0].has_learned else None
        return RateSearch(tuple(rounds), self.constant, suggestion, self.n_steps)

    def train(self, rate: float, length: float) -> Trial:
        """Train a copy at a rate for about so many steps."""
        data, n_epochs = self.data, round(length / self.steps_per_epoch)
        if not n_epochs:  # less than an epoch: one epoch over part of the samples
            n_epochs, m = 1, n_rows(data.X)
            rows = stream(self.options.seed, "learning rate").permutation(m)
            data = data.take(rows[: min(m, math.ceil(length) * self.batch_size)])
        options = copy.deepcopy(replace(self.options, n_epochs=n_epochs))
        rule = make_optimizer(options)
        rule.learning_rate = rate
        options = replace(options, optimizer=rule)
        twin, n_steps = copy.deepcopy(self.model), max(1, round(length))
        losses: list[float] = []  # of each step; of the full batch an epoch's is a step's

        def keep(event: Event) -> None:
            if isinstance(event, StepEnd):
                losses.append(event.loss)

        try:
            callbacks = [keep] if options.batch_size else []
            with same_hooks(self.model, twin):
                history = train_by_options(twin, data, options, callbacks, shared=self.shared)
        except TrainingError:
            return Trial(rate, n_steps, None, False, True)
        losses = losses or history.losses
        tail = np.array(losses[-max(1, len(losses) // 4) :])
        loss, noise = float(tail.mean()), float(tail.std() / math.sqrt(len(tail)))
        bound = self.constant - (1 - LEARNED) * abs(self.constant)
        is_dead = _is_flat(twin, self.data)
        has_learned = not is_dead and loss + (noise if options.batch_size else 0.0) < bound
        return Trial(rate, n_steps, loss, has_learned, is_dead)


def _above(best: Trial, rounds: list[tuple[Trial, ...]]) -> list[float]:
    """Return the next rate above the best one, if there is one at which no network died or diverged."""
    rates = [trial.rate for trial in rounds[0]]
    higher = rates[rates.index(best.rate) + 1 :][:1]
    broken = {trial.rate for trials in rounds for trial in trials if trial.is_dead}
    return [] if best.is_dead else [rate for rate in higher if rate not in broken]


def _alive_first(best: list[Trial], rounds: list[tuple[Trial, ...]]) -> list[Trial]:
    """Return the trials of a round, best first; where some died, the living of earlier rounds before those."""
    alive, dead = [trial for trial in best if not trial.is_dead], [trial for trial in best if trial.is_dead]
    seen = {trial.rate for trial in best}
    earlier = [trial for trials in reversed(rounds[:-1]) for trial in trials if not trial.is_dead]
    spare = {
        trial.rate: trial for trial in sorted(earlier, key=lambda trial: trial.rank) if trial.rate not in seen
    }
    return [*alive, *spare.values(), *dead]


def _is_flat(model: Model, data: Dataset) -> bool:
    """Return whether a model gives every sample the same outputs."""
    few = data.take(slice(LOOKED_AT))
    outputs = model.decision_function(few.X)
    return all(
        bool(np.all(np.ptp(Z, axis=0) <= FLAT * (1 + np.abs(Z).max(axis=0))))
        for Z in (outputs.values() if isinstance(outputs, dict) else (outputs,))
    )
