"""What pretrained networks take of a photo's bytes: the one table of such rules."""

from typing import NamedTuple

# Of ImageNet's pixels from 0 to 1, as torchvision's
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PixelRule(NamedTuple):
    """A rule for a byte x: x / 255, times a factor, plus a shift, one of each or one for each channel."""

    formula: str
    factor: tuple[float, ...] = (1.0,)
    shift: tuple[float, ...] = (0.0,)


PIXELS = {
    "0..1": PixelRule("x / 255"),
    "-1..1": PixelRule("x / 127.5 - 1", (2.0,), (-1.0,)),
    "imagenet": PixelRule(
        "(x / 255 - mean) / deviation",
        tuple(1 / s for s in DEVIATION),
        tuple(-m / s for m, s in zip(MEAN, DEVIATION, strict=True)),
    ),
    "lite": PixelRule("(x - 127) / 128", (255 / 128,), (-127 / 128,)),
    "0..255": PixelRule("x", (255.0,)),
}


def choices_in_words() -> str:
    """Return the names of the rules, each with its formula for a byte x.

    Examples
    --------
    >>> choices_in_words()[:32]
    '0..1 (x / 255), -1..1 (x / 127.5'
    """
    return ", ".join(f"{name} ({rule.formula})" for name, rule in PIXELS.items())
