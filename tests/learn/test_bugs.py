"""Ten trainings with a fault: each can be told from the others by what is shown."""

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.learn.bugs import BUGS, answer, names


@every("number", range(1, len(BUGS) + 1))
def test_each_training_differs_from_the_right_one(number: int) -> None:
    found = pl.learn.train_bug(number)
    assert not np.allclose(found.costs, found.right_costs)
    assert len(found.to_rows()) == len(found.costs)
    assert BUGS[number - 1].name in str(found)
    gradients_are_right = max(found.gradients.values()) < 1e-6
    assert gradients_are_right == BUGS[number - 1].why.startswith("Every gradient is right")


# The numbers that the page computes otherwise; of the others it shows what is odd.
WHERE: tuple[set[str], ...] = (
    {"1 dZ", "2 dZ"},
    set(),
    {f"{i} dW" for i in (1, 2, 3)},
    set(),
    {f"{i} update_{name}" for i in (1, 2, 3) for name in "Wb"},
    set(),
    {f"{i} update_b" for i in (1, 2, 3)},
    {f"{i} db" for i in (1, 2, 3)},
    {"2 dX"},
    {"loss dZ"},
)


@every("number", range(1, len(BUGS) + 1))
def test_the_replay_of_a_step_differs_from_what_its_page_computes_where_the_fault_is(number: int) -> None:
    step = pl.learn.trace_bug(number)
    right = {"loss dZ": (step.dZ, (1 / (1 + np.exp(-step.Z)) - step.Y) / len(step.Z))}
    for i, layer in enumerate(step.values(), start=1):
        right[f"{i} dW"] = layer.dW, layer.X.T @ layer.dZ
        right[f"{i} db"] = layer.db, layer.dZ.sum(axis=0)
        right[f"{i} dZ"] = layer.dZ, layer.dA * (layer.Z > 0) if i < 3 else layer.dA
        for name in "Wb":
            slope = layer[f"d{name}"]
            right[f"{i} update_{name}"] = layer[f"update_{name}"], -BUGS[number - 1].learning_rate * slope
        if i > 1:
            right[f"{i} dX"] = layer.dX, layer.dZ @ layer.W.T
            np.testing.assert_allclose(step[f"dense_{i - 1}"].dA, layer.dX)
    wrong = {name for name, (stored, made) in right.items() if not np.allclose(stored, made)}
    assert wrong == WHERE[number - 1]
    header = step._replay().header
    assert all(isinstance(one, int) for each in header["steps"] for one in each["arrays"].values())
    assert "fault" in header["about"]["notes"][0]
    assert BUGS[number - 1].name not in step.to_html()


def test_answers() -> None:
    assert len(set(names())) == 10
    assert answer(1, BUGS[0].name)[0]
    assert "has another fault" in answer(1, BUGS[1].name)[1]
    with pytest.raises(OptionError, match="Did you mean 'mask left out'"):
        answer(1, "mask left ou")
    with pytest.raises(OptionError, match="from 1 to 10"):
        pl.learn.train_bug(11)
