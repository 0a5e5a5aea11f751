"""Options that are set after construction act or are refused in one line: every one of every family."""

import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import MissingExtraError, OptionError
from pellucid.ops.activations import ACTIVATIONS
from pellucid.registry import check_option, options_of
from pellucid.registry.configurable import SetOnceMapping, _fields_of
from pellucid.training.events import StepEnd
from pellucid.training.optimizers import OPTIMIZERS, SGD, Adam
from pellucid.training.optimizers.base import Optimizer
from tests.every import every
from tests.ops.cases import HAS_NUMBA, WAYS_HERE

needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba: pip install 'pellucid[fast]'")

DATA = pl.Dataset(np.ones((4, 2)), np.array([0, 1, 0, 1]))
FAMILIES = {
    "pellucid.training.optimizers.base.OPTIMIZERS",
    "pellucid.training.schedules.base.SCHEDULES",
    "pellucid.training.callbacks.base.CALLBACKS",
    "pellucid.nn.layer.LAYERS",
    "pellucid.ops.losses.base.LOSSES",
    "pellucid.data.augmentation.transform.TRANSFORMS",
}
NEEDED = {  # what has no default, or goes with another option
    "Activation": {"activation": "relu"},
    "Checkpoint": {"folder": "here", "every_steps": 3},
    "Conv2D": {"filters": 2},
    "Dense": {"units": 2},
    "Graph": {"inputs": ["a"], "nodes": {"b": (pl.Dense(1), "a")}, "outputs": "b"},
    "MaxPool2D": {"size": 2},
    "Metrics": {"metrics": ["accuracy"]},
    "MultiLabel": {"positive_weight": 1.0},
    "PreciseBatchNorm": {"data": DATA},
    "TensorBoard": {"folder": "here"},
}
CANDIDATES: tuple[Any, ...] = (
    *(
        True,
        False,
        1,
        2,
        3,
        5,
        0.25,
        0.75,
        4.0,
        (0.2, 0.4),
        (0.6, 0.9),
        ["f1"],
        "min",
        "max",
        "tanh",
        "zeros",
    ),
    *(
        "same",
        "reflect",
        "edge",
        "fill",
        "add",
        "mean",
        "float64",
        "there",
        "loss",
        [pl.Dense(3)],
        pl.Dense(3),
    ),
    *({"c": (pl.Dense(1), "a")}, ["b"], ["a", "b"], print, DATA.take(slice(2)), [0.5, 0.5], None),
)


class Later(NamedTuple):
    """An option that is set to another value after construction."""

    cls: Any
    name: str
    value: Any

    def make(self, **options: Any) -> Any:
        needed: dict[str, Any] = NEEDED.get(self.cls.__name__, {})
        tried: list[dict[str, Any]] = [{}, {"size": 2}, {"padding": 1}, {"factor": 2}, {"rate": 0.5}]
        tried += [
            {"body": pl.Dense(1)},
            {"branches": [pl.Dense(1)]},
            {"layers": [pl.Dense(1)]},
            {"amount": 0.1},
        ]
        for more in tried:
            try:
                return self.cls(**needed | more | options)
            except (TypeError, ValueError) as error:
                failure = error
        raise failure


def families() -> Iterator[tuple[type, Any]]:
    """Every class of the families with one of it, but for those whose optional package is not installed."""
    for place in sorted(FAMILIES):
        module, name = place.rsplit(".", 1)
        for _, cls in getattr(importlib.import_module(module), name).items():
            if not cls.__module__.startswith("pellucid."):  # not what other tests registered
                continue
            try:
                yield cls, Later(cls, "", None).make()
            except MissingExtraError:
                continue


def every_option() -> Iterator[Later]:
    for cls, one in families():
        fields = _fields_of(cls) or options_of(cls)
        for name, (hint, limits) in fields.items():
            kept = getattr(one, name)
            for value in CANDIDATES:
                try:
                    is_other = not np.array_equal(check_option("", name, value, hint, limits), kept)
                except (OptionError, ValueError):
                    continue
                if is_other:
                    yield Later(cls, name, value)
                    break
            else:
                raise AssertionError(f"no other value of {cls.__name__}.{name}")


ALL = list(every_option())


@every("later", ALL, ids=lambda one: f"{one.cls.__name__}.{one.name}")
def test_what_is_set_later_acts_or_is_refused(later: Later) -> None:
    one = later.make()
    before = repr(vars(one).get(later.name))
    if later.name in getattr(one, "number_names", ()):  # see below that they act
        setattr(one, later.name, later.value)
        assert getattr(one, later.name) == later.value
        return
    with pytest.raises((OptionError, dataclasses.FrozenInstanceError), match=r"\A.*\Z"):  # one line
        setattr(one, later.name, later.value)
    assert repr(vars(one).get(later.name)) == before


def test_the_walk_has_met_them_all() -> None:
    assert len(ALL) > 120
    assert {"SGD", "Cosine", "EarlyStopping", "Dropout", "Huber", "Rotation"} <= {
        one.cls.__name__ for one in ALL
    }


def stepped(optimizer: Optimizer, kernels: str, change: Mapping[str, Any], n_before: int) -> np.ndarray:
    """What three steps make of parameters, some options set after the first few."""
    theta = np.linspace(-1, 1, 50)
    with dispatch.use(kernels):
        optimizer.start(theta, np.ones(50))
        for step in range(3):
            if step == n_before:
                for name, value in change.items():
                    setattr(optimizer, name, value)
            optimizer.step(theta, np.cos(theta) + 0.1)
    return theta


CHANGES = [
    (SGD, {}, {"learning_rate": 0.3}),
    (SGD, {"momentum": 0.5}, {"momentum": 0.9, "learning_rate": 0.2}),
    (SGD, {"momentum": 0.5, "nesterov": True}, {"momentum": 0.1}),
    (Adam, {}, {"beta1": 0.5}),
    *((OPTIMIZERS[name], {}, {"learning_rate": 0.2}) for name in OPTIMIZERS if name != "lbfgs"),
]


@every("cls, made, change", CHANGES)
@every("kernels", WAYS_HERE)
def test_what_may_be_set_acts(cls: Any, made: Any, change: Any, kernels: str) -> None:
    set_first = stepped(cls(**made), kernels, change, 0)
    np.testing.assert_array_equal(set_first, stepped(cls(**made | change), kernels, {}, 0))
    between = stepped(cls(**made), kernels, change, 1)
    assert np.abs(between - stepped(cls(**made), kernels, {}, 0)).max() > 1e-4
    np.testing.assert_allclose(between, stepped(cls(**made), "plain", change, 1), rtol=1e-12)


def trained(change: Mapping[str, Any], made: Mapping[str, Any], **options: Any) -> np.ndarray:
    """The first parameters of a network whose optimizer is changed in the middle of a training."""
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((24, 40)), rng.integers(0, 2, 24)
    model = pl.Sequential([pl.Dense(5, "relu"), pl.Dense(1)], dtype="float64")
    optimizer = SGD(0.05, **made)

    def set_later(event: Any) -> None:
        if isinstance(event, StepEnd) and event.step == 4:
            for name, value in change.items():
                setattr(optimizer, name, value)

    pl.train(model, (X, y), n_epochs=8, optimizer=optimizer, callbacks=[set_later], progress=False, **options)
    return model.theta


FORMS = [
    *({"form": form, "kernels": kernels} for form in ("direct", "dual") for kernels in ("numpy", "numba")),
    {"form": "direct", "kernels": "numpy", "n_threads": 2},
    {"form": "direct", "kernels": "numba", "n_threads": 2},
]


@needs_numba
@every("change", [{"learning_rate": 0.5}, {"learning_rate": 0.2, "momentum": 0.1}])
@every("options", FORMS)
def test_every_kind_of_training_goes_by_it(change: Any, options: Any) -> None:
    made = {"momentum": 0.6}
    wanted = trained(change, made, form="direct", kernels="plain")
    assert np.abs(wanted - trained({}, made, form="direct", kernels="plain")).max() > 1e-3
    np.testing.assert_allclose(trained(change, made, **options), wanted, atol=1e-10)


def test_an_activation_functions_options_are_its_constructors() -> None:
    for name, function in ACTIVATIONS.items():
        for option in function.options:
            layer = pl.Activation(name, **{option: 0.5})
            assert getattr(layer, option) == 0.5
            with pytest.raises(OptionError, match=rf"Make another: Activation\('{name}', {option}=0\.25\)"):
                setattr(layer, option, 0.25)
            with pytest.raises(TypeError, match="does not support item assignment"):
                layer.options[option] = 0.25  # type: ignore[index] # what is tested


def test_lists_and_dictionaries_are_not_changed_either() -> None:
    for cls, one in families():
        for name, value in vars(one).items():
            if name in _fields_of(cls):
                assert not isinstance(value, list | dict), (cls, name)
    graph = Later(pl.Graph, "", None).make()
    assert isinstance(graph.nodes, SetOnceMapping)


def test_momentum_needs_a_velocity() -> None:
    with pytest.raises(
        OptionError, match=r"sgd: momentum is set by the constructor alone\. Make another: SGD\("
    ):
        SGD().momentum = 0.9
    with pytest.raises(
        OptionError, match="sgd: expected momentum to be a number of at least 0 and below 1, got 2"
    ):
        SGD(momentum=0.5).momentum = 2
