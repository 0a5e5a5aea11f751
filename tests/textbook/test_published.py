"""The published numbers, to the last digit where the printed line shows it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import shown

from pellucid.textbook import L_model_forward, load_photo, predict, print_mislabeled_images


@pytest.mark.slow  # the fixture takes all 2,500 steps; pellucid reproduce takes them in the dual form
def test_the_published_run(
    published_run: Any, published: dict[str, Any], published_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_x, train_y, test_x, test_y, classes, parameters, costs = published_run
    wanted = list(published["costs"].values())
    assert len(costs) == len(wanted) == 26
    np.testing.assert_allclose(costs, wanted, rtol=1e-10, atol=0)

    predict(train_x, train_y, parameters)
    predict(test_x, test_y, parameters)
    assert capsys.readouterr().out == "Accuracy: 0.9856459330143539\nAccuracy: 0.8\n"

    p = predict(test_x, None, parameters)
    assert np.sum(p != test_y) == 10
    assert len(shown(print_mislabeled_images(classes, test_x, test_y, p))) == 10

    photo, x = load_photo(published_dir / "my_cat_1.jpg", num_px=64)
    assert photo.shape == (681, 1024, 3)
    assert predict(x, None, parameters).tolist() == [[1.0]]
    assert L_model_forward(x, parameters)[0].item() > 0.9
