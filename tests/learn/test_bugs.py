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


def test_answers() -> None:
    assert len(set(names())) == 10
    assert answer(1, BUGS[0].name)[0]
    assert "has another fault" in answer(1, BUGS[1].name)[1]
    with pytest.raises(OptionError, match="Did you mean 'mask left out'"):
        answer(1, "mask left ou")
    with pytest.raises(OptionError, match="from 1 to 10"):
        pl.learn.train_bug(11)
