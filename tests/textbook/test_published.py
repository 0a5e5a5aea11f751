"""The published numbers, to the last digit where the printed line shows it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import shown

from pellucid import textbook


@pytest.mark.slow  # it takes all 2,500 steps; pellucid reproduce takes them in the dual form
def test_the_published_run(
    published: dict[str, Any], published_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_x, train_y, test_x, test_y, classes = textbook.load_data(published_dir)
    train_x, test_x = (x.reshape(len(x), -1).T / 255 for x in (train_x, test_x))
    parameters, costs = textbook.L_layer_model(train_x, train_y, [12288, 20, 7, 5, 1], 0.0075, 2500)
    wanted = list(published["costs"].values())
    assert len(costs) == len(wanted) == 26
    np.testing.assert_allclose(costs, wanted, rtol=1e-10, atol=0)

    textbook.predict(train_x, train_y, parameters)
    textbook.predict(test_x, test_y, parameters)
    assert capsys.readouterr().out == "Accuracy: 0.9856459330143539\nAccuracy: 0.8\n"

    p = textbook.predict(test_x, None, parameters)
    assert np.sum(p != test_y) == 10
    assert len(shown(textbook.print_mislabeled_images(classes, test_x, test_y, p))) == 10

    photo, x = textbook.load_photo(published_dir / "my_cat_1.jpg", num_px=64)
    assert photo.shape == (681, 1024, 3)
    assert textbook.predict(x, None, parameters).tolist() == [[1.0]]
    assert textbook.L_model_forward(x, parameters)[0].item() > 0.9
