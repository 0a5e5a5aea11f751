"""Evaluations run on the kernels that suit their size; a lone prediction never imports the compiler."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.evaluation.robustness.try_perturbations import robustness
from pellucid.nn.model import Model
from pellucid.nn.presets import preset
from pellucid.prediction.predict import predict

pytest.importorskip("numba", reason="needs Numba")


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return what every forward pass ran on."""
    seen: set[str] = set()
    plain = Model.decision_function

    def look(self: Model, X: Any) -> Any:
        seen.add(dispatch.current())
        return plain(self, X)

    monkeypatch.setattr(Model, "decision_function", look)
    monkeypatch.delenv(dispatch.VARIABLE, raising=False)
    return seen


@every(("limit", "kind"), [(1e12, "numpy"), (1.0, "numba")])
def test_the_size_chooses(used: set[str], monkeypatch: pytest.MonkeyPatch, limit: float, kind: str) -> None:
    monkeypatch.setattr(dispatch, "AUTO_OPERATIONS", limit)
    used.clear()
    model = preset("logistic")
    model.initialize((8, 8, 3))
    data = Dataset(np.zeros((4, 8, 8, 3), np.uint8), np.arange(4) % 2)
    predict(model, data)
    assert used == {kind}
    robustness(model, data, perturbations=["darker"])
    assert used == {kind}
    with dispatch.use("numpy"):
        used.clear()
        predict(model, data)
    assert used == {"numpy"}


def test_a_lone_prediction_does_not_import_numba(tmp_path: Path) -> None:
    program = f"""
import sys
import numpy as np, pellucid as pl
model = pl.preset("cnn")
model.initialize((64, 64, 3))
model.preprocessing = pl.data.preprocess.Preprocessing("divide", 255.0)
model.classes = ("no", "yes")
pl.save(model, {str(tmp_path / "m.safetensors")!r})
from pellucid.workflows.predict import predict
from PIL import Image
Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save({str(tmp_path / "a.png")!r})
predict(pl.load({str(tmp_path / "m.safetensors")!r}), [{str(tmp_path / "a.png")!r}])
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
