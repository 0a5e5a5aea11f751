"""The published numbers, to the last digit where the printed line shows it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import shown

from pellucid.textbook import L_model_forward, load_photo, predict, print_mislabeled_images

pytestmark = (
    pytest.mark.slow
)  # the fixture takes all 2,500 steps; pellucid reproduce takes them in the dual form


def test_all_26_costs(published_run, published: dict[str, Any]) -> None:
    wanted = list(published["costs"].values())
    assert len(published_run.costs) == len(wanted) == 26
    np.testing.assert_allclose(published_run.costs, wanted, rtol=1e-10, atol=0)


def test_both_accuracy_lines(published_run, capsys: pytest.CaptureFixture[str]) -> None:
    predict(published_run.train_x, published_run.train_y, published_run.parameters)
    predict(published_run.test_x, published_run.test_y, published_run.parameters)
    assert capsys.readouterr().out == "Accuracy: 0.9856459330143539\nAccuracy: 0.8\n"


def test_ten_mislabeled_images(published_run) -> None:
    _, _, test_x, test_y, classes, parameters, _ = published_run
    p = predict(test_x, None, parameters)
    assert np.sum(p != test_y) == 10
    assert len(shown(print_mislabeled_images(classes, test_x, test_y, p))) == 10


def test_the_new_photo_is_a_cat(published_run, published_dir: Path) -> None:
    photo, x = load_photo(published_dir / "my_cat_1.jpg", num_px=64)
    assert photo.shape == (681, 1024, 3)
    assert predict(x, None, published_run.parameters).tolist() == [[1.0]]
    assert L_model_forward(x, published_run.parameters)[0].item() > 0.9
