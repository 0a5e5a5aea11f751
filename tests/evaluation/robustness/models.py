"""A model whose answers to changed photos are known."""

import math

import pellucid as pl

SHAPE = (8, 8, 3)


def brightness_model(
    shape: tuple[int, ...] = SHAPE,
    threshold: float = 0.5,
    classes: tuple[str, ...] = ("dark", "bright"),
    loss: str = "",
) -> pl.Model:
    """A model that says 1 where the photo's mean value is above the threshold."""
    model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    model.initialize(shape, dtype="float64")
    model.theta[:-1] = 20 / math.prod(shape)
    model.theta[-1] = -20 * threshold
    model.preprocessing = pl.Preprocessing("divide", 255.0)
    model.classes = classes
    if loss:
        model.set_loss(loss)
    return model
