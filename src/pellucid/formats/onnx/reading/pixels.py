"""How raw samples become what a file's first layer takes: as the file begins, or as its user says."""

from typing import Any, NamedTuple

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.formats.onnx.reading.inputs import COLOURS
from pellucid.formats.onnx.reading.source import Slot
from pellucid.formats.onnx.reading.structure import Step
from pellucid.formats.onnx.reading.values import Value
from pellucid.nn.norm import Affine
from pellucid.nn.pretrained.pixels import PIXELS
from pellucid.types import Array, Shape

DEFAULT = "0..1"
_BYTES, _DOUBLES = 2, 11  # ONNX's numbers of uint8 and float64


class Lead(NamedTuple):
    """What comes before the layers.

    Attributes
    ----------
    rule : Preprocessing or None
        The model's.
    factor, shift : Array or None
        Of a layer that is added before the file's: what its user said of pixels.
    is_of_file : bool
        Whether the file takes raw samples itself.
    """

    rule: Preprocessing | None = None
    factor: Array | None = None
    shift: Array | None = None
    is_of_file: bool = False

    def samples(
        self, rng: np.random.Generator, shape: Shape, kind: int, *, as_bytes: bool
    ) -> tuple[Array, Array]:
        """Return random raw samples as the model takes them, bytes or floats, and as the file takes them."""
        rule = self.rule or Preprocessing()
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        if kind == _BYTES:
            return pixels if as_bytes or rule.kind != "divide" else pixels / rule.divisor, pixels
        X: Array = pixels
        if rule.scale:
            X = np.asarray(rule.middle) + np.asarray(rule.scale) * rng.standard_normal(shape)
        elif not as_bytes:
            X = rng.random(shape) if len(shape) > 2 else rng.standard_normal(shape)
        if self.is_of_file:
            return X, X
        P = self.prepared(X, np.float64)
        return X, P if self.factor is None else P * self.factor + self.shift

    def prepared(self, X: Array, dtype: Any) -> Array:
        """Return raw samples as the model's first layer takes them."""
        return (self.rule or Preprocessing()).apply(X, dtype)


def lead_of(slot: Slot, value: Value, steps: dict[str, Step], own: Preprocessing | None = None) -> Lead:
    """Return the preprocessing that the file begins with; ``own``: that of our own export, by its metadata.

    A step that the rule stands for is taken out of ``steps``.

    Files of bytes give models for which floats count as divided already. Files of floats that begin with a division
    keep it as a layer: they divide floats as well.
    """
    users = [(name, step) for name, step in steps.items() if slot.name in step.sources]
    name = users[0][0] if len(users) == 1 and isinstance(users[0][1].layer, Affine) else ""
    if slot.kind == _BYTES:
        rule = own if own is not None and own.kind == "divide" else Preprocessing("divide", 255.0)
        return _led_by(rule, slot, value, steps, name)
    if own is not None and slot.kind == _DOUBLES and len(own.mean) == value.n_channels and not value.is_image:
        return _led_by(own, slot, value, steps, name)
    if own is not None and own.kind in ("none", "robust"):
        return Lead(own, is_of_file=True)
    if not name:
        return Lead()
    gamma, beta = (steps[name].arrays[key] for key in ("gamma", "beta"))
    if value.is_image:
        is_division = bool(np.ptp(gamma) == 0 and 2**-16 <= gamma[0] <= 0.5 and not beta.any())
        return Lead(Preprocessing(), is_of_file=True) if is_division else Lead()
    if gamma.min() > 0 and value.order is None:
        rule = Preprocessing(
            "standardize", mean=tuple(map(float, -beta / gamma)), scale=tuple(map(float, 1 / gamma))
        )
        _take_out(steps, name, slot.name)
        return Lead(rule, is_of_file=True)
    return Lead()


def _led_by(rule: Preprocessing, slot: Slot, value: Value, steps: dict[str, Step], name: str) -> Lead:
    """Return a rule as what the file begins with; a first layer, ``name`` or a new one, does the rest."""
    arrays = steps[name].arrays if name else {}
    gamma = arrays.get("gamma", np.ones(value.n_channels))
    beta = arrays.get("beta", np.zeros(value.n_channels))
    mean, scale = np.asarray(rule.mean or 0.0), np.asarray(rule.scale or rule.divisor)
    factor, shift = gamma * scale, beta + gamma * mean
    is_all = np.abs(factor - 1).max() <= 1e-6 and (np.abs(shift) <= 1e-9 * (1 + np.abs(gamma * mean))).all()
    if name and is_all:
        _take_out(steps, name, slot.name)
    elif name:
        steps[name].arrays = {"gamma": factor, "beta": shift}
    elif not is_all:
        _begin_with(steps, value, factor, shift)
    return Lead(rule, is_of_file=True)


def _take_out(steps: dict[str, Step], name: str, source: str) -> None:
    """Remove the step that takes an input; those behind it take that themselves."""
    del steps[name]
    for step in steps.values():
        step.sources = [source if each == name else each for each in step.sources]


def _begin_with(steps: dict[str, Step], value: Value, factor: Array, shift: Array) -> None:
    """Put a factor and a shift for each channel before all steps."""
    name = "pixels"
    while name in steps or name == value.step:
        name += "_"
    for step in steps.values():
        step.sources = [name if each == value.step else each for each in step.sources]
    others = dict(steps)
    steps.clear()
    steps[name] = Step(Affine(), [value.step], {"gamma": factor, "beta": shift})
    steps.update(others)


def with_pixels(
    lead: Lead, value: Value, pixels: str | None, steps: dict[str, Step]
) -> tuple[Lead, str | None]:
    """Return what comes before the layers as the user says it, and what was assumed; adds a layer if needed."""
    is_photo = value.is_image and value.n_channels in COLOURS
    if pixels is None and (lead.is_of_file or not is_photo):
        return lead, None
    if lead.is_of_file:
        raise OptionError("pixels: the file prepares its samples itself. Leave it out.")
    if not value.is_image or (pixels == "imagenet" and value.n_channels != 3):
        raise OptionError(
            f"pixels: expected a network of {'colour ' if pixels == 'imagenet' else ''}images, got samples of the "
            f"shape {value.own_shape}."
        )
    rule, assumed = PIXELS[pixels or DEFAULT], DEFAULT if pixels is None else None
    divided = Preprocessing("divide", 255.0)
    factor, shift = (np.full(value.n_channels, numbers) for numbers in (rule.factor, rule.shift))
    if (factor == 1).all() and not shift.any():
        return Lead(divided), assumed
    _begin_with(steps, value, factor, shift)
    return Lead(divided, factor=factor, shift=shift), assumed
