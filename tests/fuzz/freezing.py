"""Trainings of networks that begin with frozen layers: these stay as they are, stopped and resumed too."""

from dataclasses import dataclass

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from tests.fuzz.networks import graphs, images, networks, rows
from tests.fuzz.resumes import Resume, check_resume, resumes
from tests.fuzz.search import Subject
from tests.fuzz.trainings import many, trainings

from pellucid.errors import OptionError
from pellucid.nn.freezing import freeze
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.rebuild import named_arrays


@dataclass
class Frozen:
    """A training that is stopped and resumed, and how much of its network is frozen.

    Attributes
    ----------
    resume : Resume
    fraction : float
        Of the layers, counted from the first.
    """

    resume: Resume
    fraction: float


def check_frozen(case: Frozen) -> None:
    """Freeze, check the gradients, and compare a resumed training with one that never stopped."""
    training = case.resume.training
    network, settings = training.network, training.settings
    model = network.model
    model.initialize(network.input_shape, seed=settings["seed"], dtype=settings["dtype"])
    leaves = model._leaves()
    try:
        freeze(model, leaves[int(case.fraction * len(leaves))].name)
    except OptionError:  # nothing would be frozen, or nothing left to train
        reject()
    result = check_gradients(model)
    assert result.is_ok, str(result)
    frozen = [leaf.name for leaf in leaves if leaf._is_frozen]
    before = {
        name: array.copy() for name, array in named_arrays(model).items() if name.split(".")[0] in frozen
    }
    check_resume(case.resume)
    after, _ = training.run()
    for name, array in before.items():
        np.testing.assert_array_equal(named_arrays(after)[name], array, err_msg=name)


def frozen(cases: st.SearchStrategy[Resume]) -> st.SearchStrategy[Frozen]:
    """Return a strategy for such trainings with frozen layers."""
    return st.builds(Frozen, cases, st.floats(0, 0.9))


SUBJECTS = {
    "frozen layers before rows": Subject(frozen(resumes(trainings(networks(rows, many)))), check_frozen, 15),
    "frozen layers before images": Subject(
        frozen(resumes(trainings(networks(images, many)))), check_frozen, 30
    ),
    "frozen layers in graphs": Subject(frozen(resumes(trainings(graphs(many)))), check_frozen, 15),
}
