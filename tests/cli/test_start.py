"""What ``pellucid predict`` loads to predict one photo: little enough that it starts at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl

OTHERS = {"PIL", "lazy_loader", "numpy"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a small convolutional model's file, beside a photo."""
    network = pl.Sequential(pl.Conv2D(2, activation="relu"), pl.MaxPool2D(), pl.Flatten(), pl.Dense(1))
    network.initialize((8, 8, 3))
    network.preprocessing = pl.data.preprocess.Preprocessing("divide", 255.0)
    network.classes = ("cat", "no cat")
    pl.save(network, tmp_path / "m.safetensors")
    Image.fromarray(np.full((9, 9, 3), 90, np.uint8)).save(tmp_path / "photo.jpg")
    return tmp_path / "m.safetensors"


def loaded(folder: Path, *arguments: object) -> set[str]:
    """Return the modules that a command of its own process has loaded at its end, without the standard library."""
    code = (
        "import sys; from pellucid.cli.main import main; code = main(sys.argv[1:]); print(*sys.modules, code)"
    )
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=True, cwd=folder
    )
    *modules, code = done.stdout.splitlines()[-1].split(" ")
    assert code == "0", done.stderr
    return set(modules)


def others(modules: set[str]) -> set[str]:
    roots = {name.partition(".")[0] for name in modules}
    return roots - {"pellucid", "__main__", "__mp_main__", *sys.stdlib_module_names}


UNNEEDED = {"multiprocessing", "concurrent", "numpy.random", "csv", "tomllib", "urllib.request", "unittest"}
ROOMS = {"training", "evaluation", "runs", "report", "plotting", "checks", "estimators", "textbook"}
PARTS = {"kernels.compiled", "nn.graph", "nn.blocks", "nn.presets", "data.source", "aliases"}
CONVOLUTION = {"nn.fusion", "nn.conv", "nn.norm", "nn.pooling"}


@pytest.mark.parametrize("flags", [(), ("--jsonl", "--quiet")])
def test_one_photo_loads_numpy_pillow_and_ours(model: Path, flags: tuple[str, ...]) -> None:
    if flags:  # and of a network of Dense layers no convolution
        network = pl.Sequential(pl.Flatten(), pl.Dense(2, activation="relu"), pl.Dense(1))
        network.initialize((8, 8, 3))
        pl.save(network, model)
    modules = loaded(model.parent, "predict", model, "photo.jpg", *flags)
    ours = {name.partition(".")[2] for name in modules if name.partition(".")[0] == "pellucid"}
    assert others(modules) == OTHERS
    assert not UNNEEDED & modules
    assert not ROOMS & {name.partition(".")[0] for name in ours}
    assert not PARTS & ours
    assert "nn.dense" in ours
    assert not (flags and CONVOLUTION & ours)


def test_flags_need_click_and_no_training(model: Path) -> None:
    modules = loaded(model.parent, "predict", model, "photo.jpg", "--skip-bad")
    assert others(modules) == {*OTHERS, "click"}
    assert not {name for name in modules if name.startswith(("pellucid.training", "pellucid.runs"))}
