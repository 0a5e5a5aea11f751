"""Trainings that are stopped somewhere and resumed end with the same bits as those that never stopped."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from tests.fuzz.dual import begun_by_dense
from tests.fuzz.networks import graphs, images, networks, rows
from tests.fuzz.search import Subject
from tests.fuzz.trainings import Training, many, trainings

from pellucid.errors import DataError, OptionError, TrainingError
from pellucid.nn.freezing import freeze
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.model import Model
from pellucid.nn.rebuild import named_arrays
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.events import StepEnd
from pellucid.training.history import History


@dataclass
class Resume:
    """A training, and where it is stopped."""

    training: Training
    # Steps from 1 after which it is stopped and resumed; those after its end stop nothing
    stops: tuple[int, ...]
    every_steps: int  # between checkpoints: it is resumed from an earlier step than it was stopped at
    frozen: float | None = None  # the fraction of the layers that is, counted from the first


def resumes(trainings: Any, frozen: Any = st.none()) -> Any:  # noqa: B008
    """Return a strategy for trainings that are stopped once or twice."""
    stops = st.lists(st.integers(1, 12), min_size=1, max_size=2, unique=True).map(sorted).map(tuple)
    return st.builds(Resume, trainings, stops, st.sampled_from([1, 1, 2, 3]), frozen)


class StopAfter:
    """Ends the training after a step, whatever it has seen."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, event: Any) -> bool:
        return isinstance(event, StepEnd) and event.step + 1 == self.step


def check_resume(case: Resume) -> None:
    """Compare a training that was stopped and resumed with one that never stopped."""
    before = {} if case.frozen is None else freeze_some(case.training, case.frozen)
    try:
        whole = case.training.run()
    except (TrainingError, DataError):  # the loss became infinite; a class is too small to hold samples out
        reject()
    with tempfile.TemporaryDirectory() as folder:
        more: dict[str, Any] = {}
        for i, stop in enumerate(case.stops):
            saving = Checkpoint(folder, every_steps=case.every_steps, keep=2)
            case.training.run(callbacks=[saving, StopAfter(stop)], **more)
            if list(Path(folder).iterdir()):
                more = {"resume": folder}
                if not case.training.network.model._is_initialized:
                    more["seed"] = 1000 + i  # the checkpoint's first weights count, not this seed's
        resumed = case.training.run(**more)
    assert_same(whole, resumed)
    for name, array in before.items():
        np.testing.assert_array_equal(named_arrays(resumed[0])[name], array, err_msg=name)


def freeze_some(training: Training, fraction: float) -> dict[str, Any]:
    """Freeze the first layers of a network, check its gradients, and return the frozen arrays by name."""
    network, settings = training.network, training.settings
    model = network.model
    model.initialize(network.input_shape, seed=settings["seed"], dtype=settings["dtype"])
    leaves = model._leaves()
    try:
        freeze(model, leaves[int(fraction * len(leaves))].name)
    except OptionError:  # nothing would be frozen, or nothing left to train
        reject()
    result = check_gradients(model)
    assert result.is_ok, str(result)
    frozen = {leaf.name for leaf in leaves if leaf._is_frozen}
    arrays = named_arrays(model).items()
    return {name: array.copy() for name, array in arrays if name.split(".")[0] in frozen}


def assert_same(one: tuple[Model, History], two: tuple[Model, History]) -> None:
    """Compare two trained models and their histories, bit for bit."""
    (model, history), (twin, resumed) = one, two
    np.testing.assert_array_equal(twin.theta, model.theta)
    for leaf, other in zip(model._leaves(), twin._leaves(), strict=True):
        for key in leaf.state:
            np.testing.assert_array_equal(other.state[key], leaf.state[key], err_msg=f"{leaf.name}.{key}")
    np.testing.assert_equal(resumed.columns, history.columns)  # NaN is NaN
    assert (resumed.n_steps, resumed.is_complete) == (history.n_steps, history.is_complete)
    assert (resumed.form, resumed.kernels) == (history.form, history.kernels)


in_dual_form = trainings(begun_by_dense(), names=["sgd"], augments=False, form="dual")
SUBJECTS = {
    "resumes of rows": Subject(resumes(trainings(networks(rows, many))), check_resume, 18),
    "resumes of images": Subject(resumes(trainings(networks(images, many))), check_resume, 18),
    "resumes of graphs": Subject(resumes(trainings(graphs(many))), check_resume, 18),
    "frozen layers before rows": Subject(
        resumes(trainings(networks(rows, many)), st.floats(0, 0.9)), check_resume, 9
    ),
    "frozen layers before images": Subject(
        resumes(trainings(networks(images, many)), st.floats(0, 0.9)), check_resume, 18
    ),
    "frozen layers in graphs": Subject(resumes(trainings(graphs(many)), st.floats(0, 0.9)), check_resume, 9),
    "resumes of the dual form": Subject(resumes(in_dual_form), check_resume, 24),
    "resumes on kernels": Subject(
        resumes(trainings(begun_by_dense(), augments=False, kernels="numba")),
        check_resume,
        5,
        on_kernels=True,
    ),
}
