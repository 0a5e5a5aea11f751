"""The dual form of a random training equals the direct one."""

from typing import Any

import numpy as np
from hypothesis import assume, reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.fuzz.layers import Pool, activation_names, after, chains
from tests.fuzz.losses import losses
from tests.fuzz.networks import Network, differences, made, numbers_of_outputs
from tests.fuzz.search import Subject
from tests.fuzz.trainings import Training, many, trainings

from pellucid.errors import DataError, TrainingError
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.sequential import Sequential
from pellucid.types import Array

LIMIT = 1e-7  # of a difference after some steps, relative to the largest number of its array


@st.composite
def begun_by_dense(draw: DrawFn) -> Network:
    """Draw a network whose first trained layer is a Dense; wide rows, tables and images come in."""
    shape = draw(
        st.tuples(st.integers(1, 60)) | st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
    )
    first = Dense(draw(st.integers(1, 4)), activation=draw(activation_names))
    above = draw(chains((first.units,), Pool(), most=3))
    flat = [Flatten()] if len(shape) > 1 else []
    last = [Flatten()] if len(after(above, (first.units,))) > 1 else []
    n_out = draw(numbers_of_outputs)
    model = Sequential([*flat, first, *above, *last, Dense(n_out)])
    return draw(made(model, shape, n_out, losses(n_out), many))


def check_forms(training: Training) -> None:
    """Compare losses, parameters and statistics of both forms."""

    def trained(form: str, jitter: float = 0.0) -> dict[str, Array]:
        noise: Any = () if not jitter else [Jitter(jitter)]
        model, history = training.run(form=form, n_threads=1, callbacks=noise)
        assert history.form == form
        states = {f"{leaf.name}.{key}": a for leaf in model._leaves() for key, a in leaf.state.items()}
        return {"theta": model.theta, **{k: np.array(v) for k, v in history.columns.items()}, **states}

    try:
        direct = trained("direct")
    except (TrainingError, DataError):  # the loss became infinite; a class is too small to hold samples out
        reject()
    wrong = _differ(direct, trained("dual"))
    if wrong:
        assume(not _differ(direct, trained("direct", jitter=1e-11)))  # it meets no kink, nor two equal epochs
        raise AssertionError(f"the dual form differs from the direct one by {wrong}")


def _differ(one: dict[str, Array], two: dict[str, Array]) -> dict[str, float]:
    if any(array.shape != two[name].shape for name, array in one.items()):
        return {"epochs": 1.0}
    return differences(one, two, LIMIT)


class Jitter:
    """Moves all parameters a little when a training starts."""

    def __init__(self, size: float) -> None:
        self.size = size

    def __call__(self, event: Any) -> None:
        if type(event).__name__ == "TrainStart":
            theta = event.run.model.theta
            theta *= 1 + self.size * np.random.default_rng(5).standard_normal(theta.size)


settings = trainings(begun_by_dense(), names=["sgd"], augments=False, dtype="float64")
SUBJECTS = {"dual form": Subject(settings, check_forms, 36)}
