"""How raw samples become what a file's first layer takes: as the file begins, or as its user says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.formats.onnx.reading.inputs import COLOURS
from pellucid.formats.onnx.reading.source import Slot
from pellucid.formats.onnx.reading.steps import Step
from pellucid.formats.onnx.reading.values import Value
from pellucid.nn.affine import Affine
from pellucid.types import Array, Shape

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels from 0 to 1
PIXELS = ("unit", "signed", "imagenet", "bytes")
_BYTES = 2  # ONNX's number of uint8


class Lead(NamedTuple):
    """What comes before the layers.

    Attributes
    ----------
    rule : Preprocessing or None
        The model's.
    step : str
        The file's own step that the rule stands for; "" where there is none.
    source : str
        What that step takes.
    factor, shift : Array or None
        Of a layer that is added before the file's: what its user said of pixels.
    is_of_file : bool
        Whether the file takes raw samples itself.
    """

    rule: Preprocessing | None = None
    step: str = ""
    source: str = ""
    factor: Array | None = None
    shift: Array | None = None
    is_of_file: bool = False

    def taken_from(self, steps: dict[str, Step], outputs: list[str]) -> tuple[dict[str, Step], list[str]]:
        """Return the steps without the one that the rule stands for."""
        if not self.step:
            return steps, outputs
        kept = {name: step for name, step in steps.items() if name != self.step}
        for step in kept.values():
            step.sources = [self.source if each == self.step else each for each in step.sources]
        return kept, [self.source if name == self.step else name for name in outputs]

    def samples(self, rng: np.random.Generator, shape: Shape, kind: int) -> Array:
        """Return random raw samples."""
        rule = self.rule
        if kind == _BYTES or (rule is not None and rule.kind == "divide"):
            return rng.integers(0, 256, shape, dtype=np.uint8)
        if rule is not None and rule.kind == "standardize":
            return np.asarray(rule.mean) + np.asarray(rule.scale) * rng.standard_normal(shape)
        return rng.random(shape) if len(shape) > 2 else rng.standard_normal(shape)

    def prepared(self, X: Array, dtype: Any) -> Array:
        """Return raw samples as the model's first layer takes them."""
        return (self.rule or Preprocessing()).apply(X, dtype)

    def for_the_file(self, X: Array) -> Array:
        """Return raw samples as the file takes them."""
        if self.is_of_file:
            return X
        P = self.prepared(X, np.float64)
        return P if self.factor is None else P * self.factor + self.shift


def lead_of(slot: Slot, value: Value, steps: Mapping[str, Step]) -> Lead:
    """Return the preprocessing that the file begins with."""
    users = [(name, step) for name, step in steps.items() if slot.name in step.sources]
    step = users[0][1] if len(users) == 1 else None
    is_bytes = slot.kind == _BYTES
    if step is None or not isinstance(step.layer, Affine):
        return Lead(Preprocessing("divide", 1.0), is_of_file=True) if is_bytes else Lead()
    gamma, beta, name = step.arrays["gamma"], step.arrays["beta"], users[0][0]
    if value.is_image:
        is_plain = bool(np.ptp(gamma) == 0 and gamma[0] > 0 and not beta.any())
        if is_plain and 2 <= 1 / gamma[0] <= 2**16:
            divisor = float(1 / gamma[0])
            whole = round(divisor)
            divisor = float(whole) if abs(divisor - whole) < 1e-5 * divisor else divisor
            return Lead(Preprocessing("divide", divisor), name, slot.name, is_of_file=True)
    elif not is_bytes and gamma.min() > 0 and value.order is None:
        rule = Preprocessing(
            "standardize", mean=tuple(map(float, -beta / gamma)), scale=tuple(map(float, 1 / gamma))
        )
        return Lead(rule, name, slot.name, is_of_file=True)
    return Lead(Preprocessing("divide", 1.0), is_of_file=True) if is_bytes else Lead()


def with_pixels(
    lead: Lead, value: Value, pixels: str | None, steps: dict[str, Step]
) -> tuple[Lead, str | None]:
    """Return what comes before the layers as the user says it, and what was assumed; adds a layer if needed."""
    is_photo = value.is_image and value.n_channels in COLOURS
    if pixels is None and (lead.is_of_file or not is_photo):
        return lead, None
    if lead.is_of_file:
        raise OptionError(f"pixels: the file prepares its samples itself ({lead.rule}). Leave it out.")
    if not value.is_image or (pixels == "imagenet" and value.n_channels != 3):
        raise OptionError(
            f"pixels: expected a network of {'colour ' if pixels == 'imagenet' else ''}images, got samples of the "
            f"shape {value.own_shape}."
        )
    assumed = "unit" if pixels is None else None
    if pixels == "bytes":
        return Lead(), assumed
    rule = Preprocessing("divide", 255.0)
    if pixels in (None, "unit"):
        return Lead(rule), assumed
    c = value.n_channels
    factor = np.full(c, 2.0) if pixels == "signed" else 1 / np.array(DEVIATION)
    shift = np.full(c, -1.0) if pixels == "signed" else -np.array(MEAN) * factor
    name = "pixels"
    while name in steps or name == value.step:
        name += "_"
    for step in steps.values():
        step.sources = [name if each == value.step else each for each in step.sources]
    others = dict(steps)
    steps.clear()
    steps[name] = Step(Affine(), [value.step], {"gamma": factor, "beta": shift})
    steps.update(others)
    return Lead(rule, factor=factor, shift=shift), assumed
