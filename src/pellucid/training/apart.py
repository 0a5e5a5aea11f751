"""Networks side by side whose mean predicts: each is trained by itself, on samples and a seed of its own."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.nn.blocks import branches_of
from pellucid.nn.hooks import hooks_of, same_hooks
from pellucid.nn.model import Model, copy_arrays, model_from_config
from pellucid.registry import option
from pellucid.training.callbacks.base import Callback
from pellucid.training.callbacks.early_stopping import BestWeights
from pellucid.training.callbacks.time_limit import TimeLimit
from pellucid.training.checkpoint import checkpoint_settings
from pellucid.training.events import Callback as Listener
from pellucid.training.events import TrainEnd
from pellucid.training.history import History
from pellucid.training.job import Job
from pellucid.training.options import TrainingOptions

APART = 1_000_003  # seeds of neighbours


@dataclass(eq=False)
class Branch(Callback):
    """What a checkpoint keeps besides the network that is trained: which it is, and those before it."""

    number: int = option(at_least=0, help="Of the network that is trained, from 0.")
    changes_training = True

    def begin(self, model: Model) -> "Branch":
        """Keep the weights of the whole, and return itself."""
        self.model, self.weights, self.was_interrupted = model, BestWeights(), False
        self.weights.keep(model)
        return self

    def train_end(self, event: TrainEnd) -> None:
        """Note whether Ctrl-C or the clock ended it."""
        self.was_interrupted = event.run.was_interrupted

    def state(self) -> dict[str, Any]:
        """Return the weights of the whole as they were at the start."""
        return self.weights.state()

    def load_state(self, state: dict[str, Any]) -> None:
        """Give the whole the weights of a ``state()``."""
        self.weights.load_state(state)
        self.weights.restore(self.model)


def train_apart(
    train_one: Callable[..., History],
    model: Model,
    data: Dataset,
    options: TrainingOptions,
    callbacks: Sequence[Listener],
    *,
    resume: str | Path | None = None,
) -> History:
    """Train the networks of a mean one after another, in place, and return what the last of them did.

    All take the inputs as the first does, and have its loss. A fraction that is held out is drawn again for each,
    and so is all that a seed decides (Lakshminarayanan et al., 2017; Breiman, 1996).

    Parameters
    ----------
    train_one : callable
        Trains a model: :func:`pellucid.training.loop.train_by_options`, for one network.
    model, data, options, callbacks, resume :
        Its arguments. A training that goes on begins with the network of the checkpoint.
    """
    Job(model, data, options)  # what is wrong is said now; inputs are scaled, the loss is chosen
    branches, started, took = branches_of(model), time.perf_counter(), 0.0
    alone = [layer._label for layer in (model, model._places[-1]) if any(not i for i, _ in hooks_of(layer))]
    if alone:
        raise OptionError(
            f"hook: {alone[0]} does not run in a training: the networks of its mean are trained one after another. "
            "Hook a layer of one of them."
        )
    first = 0 if resume is None else checkpoint_settings(resume).get("Branch", {}).get("number", 0)
    own = replace(options, loss=None, loss_options={}, label_smoothing=None, dtype=None)
    for i in range(min(first, len(branches) - 1), len(branches)):
        part, kept = branch_model(model, i), Branch(i).begin(model)
        minutes = (time.perf_counter() - started) / 60  # that are gone
        left = [
            replace(one, minutes=max(1e-6, one.minutes - minutes)) if isinstance(one, TimeLimit) else one
            for one in callbacks
        ]
        with ExitStack() as hooked:
            for layer, its in zip([*model._places[:-1], branches[i]], part.layers, strict=True):
                hooked.enter_context(same_hooks(layer, its))
            history = train_one(
                part,
                data,
                replace(own, seed=branch_seed(options.seed, i)),
                [*left, kept],
                resume=resume if i == first else None,
            )
        copy_arrays([branches[i]], [part.layers[-1]])
        model.inputs_seen, took = part.inputs_seen, took + history.loop_seconds
        if kept.was_interrupted:
            for j in range(i + 1, len(branches)):  # until it goes on
                copy_arrays([branches[j]], [branches[j % (i + 1)]])
            break
    history.seconds, history.loop_seconds = time.perf_counter() - started, took
    history.note += f"; the last of {len(branches)} networks whose mean predicts"
    return history


def branch_seed(seed: int, i: int) -> int:
    """Return the seed of a network of a mean; the first has that of the whole."""
    return (seed + APART * i) % 2**32


def branch_model(model: Any, i: int) -> Any:
    """Return a network of a mean as a model of its own, with copies of its weights."""
    config: Any = model.config()
    config["layers"] = [*config["layers"][:-1], config["layers"][-1]["branches"][i]]
    part: Any = model_from_config(config, dtype=model.dtype)
    part.initialize(model.input_shape, dtype=model.dtype)
    copy_arrays([part.layers[-1]], [model.layers[-1].branches[i]])
    part._copy_loss(model)
    part.preprocessing, part._schema, part._recipe = model.preprocessing, model._schema, model._recipe
    part.inputs_seen, part.classes = model.inputs_seen, model.classes
    return part
