"""Training on samples that stay in their file: the same bits as in memory, batch by batch and in the dual form."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.stored import base
from pellucid.data.stored import files as in_files
from pellucid.errors import DataError, OptionError, OutputError, TrainingError
from pellucid.evaluation.explain.neighbours import nearest
from pellucid.prediction.predict import predict
from pellucid.training import choose_form
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.dual import rows as dual_rows
from pellucid.training.events import EpochEnd

M, SHAPE = 90, (12, 12, 3)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bytes in compressed chunks of three photos, and floats as they are; a quarter is for testing."""
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(5)
    pixels, y = rng.integers(0, 256, (M, *SHAPE), np.uint8), rng.integers(0, 2, M)
    with h5py.File(folder / "bytes.h5", "w") as file:
        file.create_dataset("X", data=pixels, chunks=(3, *SHAPE), compression="gzip")
        file["y"] = y
    np.savez(folder / "floats.npz", X=rng.random((M, *SHAPE), np.float32), y=y)
    return {"bytes": folder / "bytes.h5", "floats": folder / "floats.npz"}


def network(dtype: str = "float32") -> pl.Sequential:
    return pl.Sequential([pl.Flatten(), pl.Dense(6, activation="relu"), pl.Dense(1)], dtype=dtype)


def use_small_blocks(patch: pytest.MonkeyPatch) -> None:
    """Read in several blocks, and by way of a temporary file."""
    for module in (base, in_files, dual_rows):
        patch.setattr(module, "BLOCK_BYTES", 5000)


def how(form: str) -> dict[str, Any]:
    return {"optimizer": "sgd", "form": form, **({"batch_size": 16} if form == "direct" else {})}


def both(path: Path) -> tuple[pl.Split, pl.Split]:
    return pl.load_data(path), pl.load_data(path, on_disk=True)


CASES: dict[str, dict[str, Any]] = {
    "shuffled": {"optimizer": "adam", "batch_size": 16},
    "in order": {"optimizer": "adam", "batch_size": 16, "shuffle": False},
    "augmented": {"optimizer": "adam", "batch_size": 16, "augment": "photo"},
    "held out": {"optimizer": "adam", "batch_size": 16, "validation": 0.25, "metrics": ["f1"]},
    "small full batch": {"optimizer": "adam"},
    "small full batch, augmented": {"optimizer": "adam", "augment": "photo"},
    "dual": {"optimizer": "sgd", "form": "dual"},
    "dual batches": {"optimizer": "sgd", "form": "dual", "batch_size": 16},
    "dual held out": {"optimizer": "sgd", "form": "dual", "validation": 0.25},
}


@every("case", CASES)
@every("kind", ["bytes", "floats"])
def test_the_numbers_are_those_in_memory(
    files: dict[str, Path], kind: str, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_small_blocks(monkeypatch)
    monkeypatch.setattr(dual_rows, "SLICE_COLUMNS", 100)
    found = []
    for split in both(files[kind]):
        model = network()
        history = pl.train(model, split.train, n_epochs=3, progress=False, **CASES[case])
        scores = predict(model, split.test).probabilities
        found.append((model.theta.copy(), history.columns, model.inputs_seen, scores))
    for one, other in zip(*found, strict=True):
        np.testing.assert_equal(one, other)


@every("form", ["direct", "dual"])
def test_a_resumed_training_gives_the_same_bits(files: dict[str, Path], tmp_path: Path, form: str) -> None:
    data = pl.load_data(files["floats"], on_disk=True).train
    options: dict[str, Any] = {**how(form), "batch_size": 16, "n_epochs": 4}
    whole, stopped = network(), network()
    pl.train(whole, data, **options)

    def stop(event: Any) -> bool:
        return isinstance(event, EpochEnd) and event.epoch == 1

    pl.train(stopped, data, callbacks=[Checkpoint(tmp_path, every_steps=1), stop], **options)
    again = network()
    data = pl.load_data(files["floats"]).train  # from memory: the data are the same
    pl.train(again, data, resume=tmp_path, **options)
    np.testing.assert_array_equal(again.theta, whole.theta)


@every("n_epochs", [1, 300])
def test_the_dual_form_reads_the_file_twice_however_many_steps(files: dict[str, Path], n_epochs: int) -> None:
    data = pl.load_data(files["floats"], on_disk=True).train
    before = data.X.base.n_read
    history = pl.train(network(), data, n_epochs=n_epochs, form="dual")
    assert (history.n_steps, history.form) == (n_epochs, "dual")
    assert data.X.base.n_read - before == 2 * data.X.nbytes


def test_compressed_chunks_are_decoded_once(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_blocks(monkeypatch)
    data = pl.load_data(files["bytes"], on_disk=True).train
    assert data.X.survey.high.max() == 255  # looked at once, here
    before = data.X.base.n_read
    pl.train(network(), data, n_epochs=20, form="dual")
    assert data.X.base.n_read - before == data.X.nbytes  # into the temporary file


def test_no_room_for_a_decoded_copy(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_files, "BLOCK_BYTES", 5000)
    monkeypatch.setattr(in_files.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1})())
    data, model = pl.load_data(files["bytes"], on_disk=True).train, network()
    with pytest.raises(OutputError, match=r"uncompressed copy, .* has 1\. Set TMPDIR"):
        pl.train(model, data, n_epochs=2, form="dual")
    assert model.predict(data.X).shape == (len(data),)


def test_a_full_batch_that_has_no_dual_form_is_refused_where_it_is_large(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_form, "BLOCK_BYTES", 5000)
    data = pl.load_data(files["floats"], on_disk=True).train
    with pytest.raises(OptionError, match=r"Adam is not linear in the gradient.*Choose batch_size=32"):
        pl.train(network(), data, n_epochs=2, optimizer="adam")


@every("form", ["direct", "dual"])
def test_a_loss_that_becomes_infinite_is_explained(files: dict[str, Path], form: str, tmp_path: Path) -> None:
    data = pl.load_data(files["floats"], on_disk=True).train
    options: dict[str, Any] = {"n_epochs": 400, "learning_rate": 1e30, "nonfinite": tmp_path / "step"}
    with pytest.raises(TrainingError, match="It began in"):
        pl.train(network(), data, **options, **how(form))


@every("form", ["direct", "dual"])
def test_a_file_that_goes_during_the_training(files: dict[str, Path], form: str, tmp_path: Path) -> None:
    path = tmp_path / "floats.npz"
    path.write_bytes(files["floats"].read_bytes())
    data, model = pl.load_data(path, on_disk=True).train, network()

    def remove(event: Any) -> None:
        if isinstance(event, EpochEnd):
            path.unlink(missing_ok=True)

    with pytest.raises(DataError, match=r"floats\.npz.*cannot read the file any more"):
        pl.train(model, data, n_epochs=3, callbacks=[remove], **how(form))
    assert model.predict(np.zeros((2, *SHAPE))).shape == (2,)  # a plain model again


def test_a_learning_rate_is_found(files: dict[str, Path]) -> None:
    here, there = (
        pl.find_learning_rate(network(), split.train, optimizer="sgd", n_epochs=20)
        for split in both(files["floats"])
    )
    assert (there.suggestion, there.n_steps) == (here.suggestion, here.n_steps)


def test_the_nearest_training_photos_are_found(files: dict[str, Path]) -> None:
    found = [nearest(split.train.X, split.test.X) for split in both(files["bytes"])]
    np.testing.assert_equal(found[1], found[0])


LARGE = """
import sys
from pathlib import Path
import numpy as np
import pellucid as pl
from pellucid.data.stored import base, files
from pellucid.nn import model
from pellucid.training.dual import rows

model.PREDICT_NUMBERS, rows.SLICE_COLUMNS = 2**19, 512
base.BLOCK_BYTES = files.BLOCK_BYTES = rows.BLOCK_BYTES = 2**21

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1e3

def train(name, **options):
    data = pl.load_data(f"{sys.argv[1]}/{name}/X_train.npy", on_disk=True).train
    network = pl.Sequential([pl.Flatten(), pl.Dense(4, activation="relu"), pl.Dense(1)])
    pl.train(network, data, kernels="numpy", n_threads=1, progress=False, n_epochs=2, **options)
    pl.evaluate(network, data)

for name in ("small", "large"):  # the first loads libraries
    train(name, form="dual")
    train(name, batch_size=8, optimizer="adam")
    print(peak())
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak memory from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    for name, m in (("small", 16), ("large", 320)):  # 3 MB and 63 MB
        folder = tmp_path / name
        folder.mkdir()
        for part, n in (("train", m), ("test", 2)):
            shape = (n, 128, 128, 3)
            X = np.lib.format.open_memmap(folder / f"X_{part}.npy", "w+", np.float32, shape)
            X[:, 0, 0, 0] = np.arange(n) / n
            X.flush()
            np.save(folder / f"y_{part}.npy", np.arange(n) % 2)
    done = subprocess.check_output([sys.executable, "-c", LARGE, str(tmp_path)], text=True)
    small, large = map(float, done.split())
    assert large - small < 30  # MB; the inputs alone are 63
