"""lbfgs in the Network estimators: all samples at once, as the optimizer itself goes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError
from pellucid.estimators import NetworkClassifier
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.types import Array

TOML = """
[[layers]]
type = "Dense"
units = 5
activation = "tanh"
[[layers]]
type = "Dense"
units = 1
[training]
optimizer = "lbfgs"
epochs = 7
"""


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[Array, Array]:
    X = rng.standard_normal((60, 4))
    return X, (X[:, 0] + 0.5 * rng.standard_normal(60) > 0).astype(int)


def test_one_of_your_own_is_copied(data: Any) -> None:
    own = LBFGS(max_iterations=6)
    assert NetworkClassifier(optimizer=own, random_state=0).fit(*data).n_iter_ == 6
    assert NetworkClassifier(optimizer=own, n_epochs=3, random_state=0).fit(*data).n_iter_ == 3
    assert own.result is None
    assert own.max_iterations == 6


def test_a_files_training_may_ask_for_it(data: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(TOML)
    assert NetworkClassifier(path, random_state=0).fit(*data).n_iter_ == 7
    with pytest.raises(OptionError, match="partial_fit is only available for stochastic optimizers"):
        NetworkClassifier(path).partial_fit(*data, classes=[0, 1])


def test_early_stopping_keeps_the_best(data: Any) -> None:
    options = {"early_stopping": True, "n_iter_no_change": 2, "random_state": 0}
    fitted = NetworkClassifier(optimizer="lbfgs", **options).fit(*data, validation_data=data)
    assert len(fitted.validation_scores_) == fitted.n_iter_ < 50
    assert fitted.score(*data) == fitted.best_validation_score_ == max(fitted.validation_scores_)


@every(
    "option",
    [{"learning_rate": 0.1}, {"schedule": "cosine"}, {"augment": "photo"}, {"batch_size": 5}],
    ids=str,
)
def test_what_it_has_no_use_for_is_refused(option: dict[str, Any], data: Any) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(option))}: lbfgs takes all samples"):
        NetworkClassifier(optimizer="lbfgs", **option).fit(*data)
