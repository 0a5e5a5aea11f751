"""What is declared once: options as fields, the one check of a value, names for classes."""

import inspect
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from pellucid.data.augmentation.augment import Augment
from pellucid.errors import OptionError
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.layer import LAYERS, Layer
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import LOSSES
from pellucid.registry import (
    Configurable,
    Limits,
    check_option,
    checked_names,
    option,
    options_of,
    register,
    required_options,
    takes_others,
)
from tests.every import every


@dataclass(repr=False)
class Blur(Configurable):
    name: str
    radius: float = option(1.0, above=0)
    size: int | tuple[int, int] = option(3, at_least=1, check=lambda n: (n, n) if isinstance(n, int) else n)
    mode: Literal["edge", "wrap"] = "edge"
    cache: str = option("", in_config=False)


class Own:
    """A class with a constructor of its own, and further options by any name."""

    _registry: Any = None

    def __init__(self, width: int, depth: "Nowhere" = 2, **others: float) -> None:  # type: ignore[name-defined] # noqa: F821
        self.width, self.depth, self.others = width, depth, others


class OwnConfigurable(Own, Configurable):
    pass


RIGHT = [
    (3, int, Limits(at_least=1), 3),
    (np.int64(3), int, Limits(), 3),
    (10**400, int, Limits(above=0), 10**400),
    (3, float, Limits(), 3.0),
    (np.float32(0.5), float, Limits(below=1), 0.5),
    ([3, 5], int | tuple[int, int], Limits(at_least=1), (3, 5)),
    (((1, 2), [3, 4]), tuple[tuple[int, int], tuple[int, int]], Limits(), ((1, 2), (3, 4))),
    ((1, 2), Sequence[int], Limits(), (1, 2)),
    (None, float | None, Limits(above=0), None),
    ("same", Literal["same", "valid"] | int, Limits(), "same"),
    ({"a": [1, "x"]}, Mapping[str, tuple[float, str]], Limits(), {"a": (1.0, "x")}),
]


@every(("value", "hint", "limits", "kept"), RIGHT)
def test_a_value_is_kept_as_the_type_that_is_wanted(value: Any, hint: Any, limits: Limits, kept: Any) -> None:
    got = check_option("Here", "it", value, hint, limits)
    assert got == kept
    assert type(got) is type(kept)


WRONG = [
    (3.0, int, Limits()),
    (True, int, Limits()),
    (True, float, Limits()),
    ("3", int, Limits()),
    (0, int, Limits(at_least=1)),
    (float("nan"), float, Limits()),
    (float("inf"), float, Limits()),
    (10**400, float, Limits()),
    (1.0, float, Limits(below=1)),
    ([3, 0], int | tuple[int, int], Limits(at_least=1)),
    ([3, 3, 3], tuple[int, int], Limits()),
    ("ab", Sequence[str], Limits()),
    ("smae", Literal["same", "valid"], Limits()),
    ({"a": 1}, Mapping[str, str], Limits()),
    (None, int, Limits()),
]


@every(("value", "hint", "limits"), WRONG)
def test_a_wrong_value_is_named_with_what_was_expected(value: Any, hint: Any, limits: Limits) -> None:
    with pytest.raises(OptionError, match=r"^Here: expected it to be .+, got .+\.$"):
        check_option("Here", "it", value, hint, limits)


def test_choices_name_the_nearest() -> None:
    words = r"Here: unknown colour 'rde'\. Did you mean 'red'\? Known: blue, red"
    with pytest.raises(OptionError, match=words):
        check_option("Here", "colour", "rde", str, Limits(choices=lambda: ["red", "blue"]))


def test_config_repr_and_back() -> None:
    blur = Blur("a", size=5, cache="x")
    assert repr(blur) == "Blur(name='a', size=(5, 5))"
    assert repr(Blur("a", 1, 3)) == "Blur(name='a')"
    config = blur.config()
    assert config == {"type": "Blur", "name": "a", "radius": 1.0, "size": [5, 5], "mode": "edge"}
    del config["type"]
    assert Blur(**checked_names(Blur, config)).config() == blur.config()


def test_options_of_fields_and_of_constructors() -> None:
    assert list(options_of(Blur)) == ["name", "radius", "size", "mode"]
    assert (required_options(Blur), takes_others(Blur)) == (["name"], False)
    assert list(options_of(OwnConfigurable)) == ["width", "depth"]
    assert (required_options(OwnConfigurable), takes_others(OwnConfigurable)) == (["width"], True)
    own = OwnConfigurable(3, slope=0.5)
    assert own.config() == {"type": "OwnConfigurable", "width": 3, "depth": 2, "slope": 0.5}
    assert repr(own) == "OwnConfigurable(width=3, slope=0.5)"
    again = OwnConfigurable(**checked_names(OwnConfigurable, {"width": 1, "slope": 2.0}))
    assert again.others == {"slope": 2.0}


def test_unknown_and_missing_options_are_named() -> None:
    for call, words in (
        (lambda: checked_names(Blur, {"radus": 1}), "Blur: unknown option 'radus'. Did you mean 'radius'"),
        (lambda: checked_names(Blur, {"name": "a", "cache": "x"}), "Blur: unknown option 'cache'"),
        (lambda: checked_names(Blur, {}), "Blur: name is missing"),
        (lambda: LAYERS.from_config({"type": "Flatten", "axis": 1}), "Flatten: takes no options, got 'axis'"),
        (lambda: Dense(3, activaton="relu"), "Dense: unknown option 'activaton'. Did you mean 'activation'?"),
        (lambda: LOSSES["huber"](dleta=2), "Did you mean 'delta'?"),
        (lambda: Flatten(axis=1), "Flatten: "),
        (lambda: Dense(), "Dense: missing a required argument: 'units'"),
        (lambda: Augment("flip", copies=2), "Augment: unknown option 'copies'"),
        (lambda: Dense(3, units=4), "Dense: multiple values for argument 'units'"),
    ):
        with pytest.raises(OptionError, match=re.escape(words)):
            call()


def test_objects_inside_are_made_from_their_config() -> None:
    model = Sequential([Flatten(), Sequential([Dense(2)])])
    assert repr(LAYERS.from_config(model.config())) == repr(model)
    given: Any = {"type": "Dense", "units": 2}
    assert repr(Sequential([given])) == "Sequential(layers=[Dense(units=2)])"


class Same(Layer):
    def forward(self, X: Any, *, training: bool = False) -> Any:
        return X

    def backward(self, dY: Any) -> Any:
        return dY


def test_registering_needs_a_family_and_may_be_done_twice() -> None:
    with pytest.raises(OptionError, match="belongs to no family"):
        register(Own)
    assert type("Derived", (Flatten,), {})().config() == {"type": "Derived"}  # it goes by its own name
    try:
        assert register("same")(register("same")(Same)) is Same
        assert isinstance(LAYERS.make("same"), Same)
        assert Same().config() == {"type": "same"}
    finally:
        LAYERS.remove("same")


def test_a_repr_has_what_is_not_at_its_default() -> None:
    @dataclass
    class Plain(Configurable):
        width: int = option(2)
        depth: int = option(1)

    assert repr(Plain(depth=3)) == "Plain(depth=3)"
    assert repr(type("Named", (Plain,), {"__repr__": lambda self: "one of its own"})()) == "one of its own"
    assert Plain(1) == Plain(1) != Plain(2)


def test_a_table_finds_modules_and_resolves_names_dictionaries_and_objects() -> None:
    assert {"Dense", "Conv2D", "Graph", "Parallel", "UpSample2D"} <= set(LAYERS)
    assert LAYERS["Dense"] is Dense
    with pytest.raises(OptionError, match=r"unknown layer 'Dens'\. Did you mean 'Dense'"):
        LAYERS["Dens"]
    with pytest.raises(OptionError, match="layer: expected a name, or a dictionary with 'type'"):
        LAYERS.from_config({})
    dense = Dense(3)
    assert LAYERS.resolve(dense) is dense
    assert LAYERS.resolve({"type": "Dense", "units": 3}).config() == dense.config()
    assert LAYERS.split("Flatten") == ("Flatten", {})
    for wrong in (3, None, {"units": 3}, Blur("a")):
        with pytest.raises(OptionError, match=r"layer: expected a name"):
            LAYERS.resolve(wrong)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="unknown layer 3"):
        LAYERS.from_config({"type": 3})


def test_a_registered_class_documents_its_options_and_its_heirs_are_not_registered() -> None:
    Huber = LOSSES["huber"]
    assert "delta : a number above 0, default 1.0\n    Error above which the loss is linear" in (
        Huber.__doc__ or ""
    )
    assert type("Heir", (Huber,), {})._registered_as == ""


def test_an_explained_constructor_is_still_that_of_the_dataclass() -> None:
    assert list(inspect.signature(Dense).parameters)[:2] == ["units", "activation"]
    dense = Dense(3, activation="relu")
    assert pickle.loads(pickle.dumps(dense)).config() == dense.config()

    @register
    @dataclass(repr=False)
    class Fails(Same):
        strength: int = 1

        def __post_init__(self) -> None:
            len(self.strength)  # type: ignore[arg-type]

    try:
        with pytest.raises(TypeError, match="has no len"):
            Fails(2)
        with pytest.raises(OptionError, match=r"Fails: .*Did you mean 'strength'\?"):
            Fails(strenth=2)  # type: ignore[call-arg]
    finally:
        LAYERS.remove("Fails")
