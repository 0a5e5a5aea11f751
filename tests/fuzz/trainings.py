"""Random settings of a training: what ``train`` is called with."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests.fuzz.networks import Network

from pellucid.data.augmentation.augment import AUGMENT_PRESETS
from pellucid.data.augmentation.transform import TRANSFORMS
from pellucid.data.dataset import Dataset
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.executor import thread_shards
from pellucid.training.fit import train
from pellucid.training.history import History

many = st.integers(8, 14)  # samples
momenta = st.sampled_from([0.0, 0.5, 0.9])
durations = st.sampled_from([1, 2, 5, 0.2, 0.5])
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": momenta},
    "adam": {"beta1": st.just(0.8), "beta2": st.just(0.99)},
    "adamw": {"beta1": st.just(0.8)},
    "rmsprop": {"momentum": momenta},
    "adagrad": {"initial_sum": st.just(0.1)},
}
SCHEDULES = {
    "constant": {},
    "cosine": {"warmup": durations, "final": st.just(0.1)},
    "exponential": {"every": durations},
    "one_cycle": {"warmup": durations},
    "reduce_on_plateau": {"patience": st.integers(0, 1), "cooldown": st.integers(0, 1)},
    "step": {"every": durations, "factor": st.just(0.5)},
}


@st.composite
def optimizers(draw: DrawFn, names: Any = tuple(OPTIMIZERS)) -> dict[str, Any]:
    """Draw an optimizer of one of these names."""
    name = draw(st.sampled_from(names))
    own = {"weight_decay": st.sampled_from([0.0, 0.1]), "decay_biases": st.booleans(), **OPTIMIZERS[name]}
    options = draw(st.fixed_dictionaries({"learning_rate": st.sampled_from([0.02, 0.2])}, optional=own))
    if options.get("momentum") and name == "sgd":
        options["nesterov"] = draw(st.booleans())
    clips = [{}, {}, {"clip_norm": 0.5}] + [{"clip_value": 0.1}] * (name != "sgd")
    return {"type": name, **options, **draw(st.sampled_from(clips))}


@st.composite
def schedules(draw: DrawFn) -> dict[str, Any] | None:
    """Draw a schedule, or none."""
    name = draw(st.sampled_from([None, *sorted(SCHEDULES)]))
    return (
        None if name is None else {"type": name, **draw(st.fixed_dictionaries({}, optional=SCHEDULES[name]))}
    )


@dataclass
class Training:
    """A network, the settings that it is trained with, and the callbacks that go with them."""

    network: Network
    settings: dict[str, Any]  # arguments of train
    callbacks: list[str]  # keys of CALLBACKS

    @property
    def data(self) -> Dataset:
        """The samples: images that are augmented are bytes."""
        X, y, _ = self.network.data()
        if self.settings.get("augment") is not None:
            X = np.clip(128 + 60 * X, 0, 255).astype(np.uint8)
        return Dataset(X, y)

    def run(
        self,
        *,
        seed: int | None = None,
        callbacks: Any = (),
        within: Callable[[Model], AbstractContextManager[object]] = nullcontext,
        **more: Any,
    ) -> tuple[Model, History]:
        """Train a new model, begun by ``train`` itself or from another seed, and return it with its history."""
        model, settings = copy.deepcopy(self.network.model), {**copy.deepcopy(self.settings), **more}
        if seed is not None:
            model.initialize(self.network.input_shape, seed=seed, dtype=settings["dtype"])
        if self.network.is_weighted:
            settings["sample_weight"] = self.network.data()[2]
        own = [CALLBACKS[name]() for name in self.callbacks]
        with (
            within(model),
            mock.patch.object(thread_shards, "UPDATE_SIZE", 1),  # threads divide the update, too
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),
        ):
            history = train(model, self.data, callbacks=[*own, *callbacks], **settings)
        return model, history


CALLBACKS = {
    "best loss": lambda: EarlyStopping("loss", patience=1),
    "best accuracy": lambda: EarlyStopping("validation_accuracy", patience=0, mode="max"),
    "average": lambda: WeightEMA(0.8),
    "statistics": PreciseBatchNorm,
}


@st.composite
def trainings(
    draw: DrawFn,
    networks: SearchStrategy[Network],
    *,
    names: Any = tuple(OPTIMIZERS),
    augments: bool = True,
    **more: str,
) -> Training:
    """Draw a network and settings that suit it: an optimizer of those names, and ``more`` that all have."""
    network = draw(networks)
    is_joint = isinstance(network.n_out, dict)
    kind = "joint" if is_joint else LOSSES.resolve(network.loss).kind
    settings: dict[str, Any] = {
        "loss": network.loss,
        "optimizer": draw(optimizers(names)),
        "n_epochs": draw(st.sampled_from([4, 3, 6, 5, 2])),
        "batch_size": draw(st.sampled_from([4, 3, 0, 5, 1])),
        "schedule": draw(schedules()),
        "shuffle": draw(st.sampled_from([True, False])),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "seed": draw(st.integers(0, 99)),
        "n_threads": draw(st.sampled_from([1, 1, 2, 3])),
        "validation": draw(st.sampled_from([None, 0.3])),
        "precise_bn": draw(st.booleans()),
        **more,
    }
    callbacks = [] if settings["precise_bn"] else draw(st.sampled_from([[], ["statistics"]]))
    ends = ["", "average", "best loss"] + ["patience"] * (settings["validation"] is not None)
    ends += ["best accuracy"] * (settings["validation"] is not None and kind == "classification")
    match draw(st.sampled_from(ends)):
        case "patience":
            settings["patience"] = draw(st.sampled_from([1, 0]))
        case "average" if draw(st.booleans()):
            settings["weight_ema"] = 0.7
        case name if name:
            callbacks = [name, *callbacks]
    if kind == "classification":
        settings["class_weight"] = draw(st.sampled_from([None, "balanced"]))
    if augments and _are_photos(network) and draw(st.booleans()):
        some = st.lists(st.sampled_from(sorted(TRANSFORMS)), min_size=1, max_size=3, unique=True)
        settings["augment"] = draw(st.sampled_from(sorted(AUGMENT_PRESETS)) | some)
    return Training(network, settings, callbacks)


def _are_photos(network: Network) -> bool:
    shape = network.input_shape
    return isinstance(shape, tuple) and len(shape) == 3 and shape[2] in (1, 3)
