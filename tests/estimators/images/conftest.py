"""A folder of small photos, and a classifier that is trained in no time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.estimators import ImageClassifier, image_paths
from pellucid.types import Array

HEIGHT, WIDTH, N = 8, 6, 12
FIVE: list[Any] = ["predict", "predict_proba", "decision_function", "transform", "predict_log_proba"]


def quick(**options: Any) -> ImageClassifier:
    return ImageClassifier(**{"model": "mlp-wide", "n_epochs": 4, "random_state": 0, **options})


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 dark and 12 light pictures of 8 x 6 pixels, one sub-folder per class."""
    rng = np.random.default_rng(3)
    root = tmp_path_factory.mktemp("photos") / "sky"
    for name, start in (("night", 0), ("day", 130)):
        (root / name).mkdir(parents=True)
        for i in range(N):
            pixels = rng.integers(start, start + 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i:02d}.png")
    return root


@pytest.fixture(scope="session")
def listed(folder: Path) -> tuple[Array, Array]:
    paths, labels = image_paths(folder)
    assert labels is not None
    return paths, labels


@pytest.fixture(scope="session")
def fitted(folder: Path) -> ImageClassifier:
    done: ImageClassifier = ImageClassifier(model="mlp-wide", n_epochs=30, random_state=0).fit(folder)
    return done
