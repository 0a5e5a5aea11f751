"""Event files are read back by TensorBoard's own loader."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pellucid import Dataset, preset, train
from pellucid.errors import MissingExtraError
from pellucid.training.callbacks.tensorboard import TensorBoard


def test_without_the_package_it_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules, "tensorboard"]:
        if name.split(".")[0] == "tensorboard":
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[tensorboard\]'"):
        TensorBoard(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_figure_of_every_epoch_is_written(tmp_path: Path, rng: np.random.Generator) -> None:
    pytest.importorskip("tensorboard", reason="needs TensorBoard: pip install 'pellucid[tensorboard]'")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    data = Dataset(rng.standard_normal((20, 4)), np.arange(20) % 2, ("a", "b"))
    history = train(preset("logistic"), data, n_epochs=5, validation=0.2, callbacks=[TensorBoard(tmp_path)])
    (path,) = tmp_path.iterdir()
    found: dict[str, list[float]] = {}
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            number = value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
            found.setdefault(value.tag, []).append(number)
    assert set(found) == set(history.columns)
    for name, values in history.columns.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6)
