"""``pellucid import``: a network of another library becomes a model that every command takes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command
from tests.formats.onnx.graphs import Net

import pellucid as pl

pytest.importorskip("onnx")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    net = Net()
    features = net.add("GlobalAveragePool", net.add("Relu", net.conv("x", 6, 3, strides=[2, 2])))
    return net.file(tmp_path / "net.onnx", net.flat(features, 6, 3), ("n", 3, "height", "width"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of photos of two classes."""
    rng = np.random.default_rng(1)
    for i, name in enumerate(("red", "green")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(10):
            pixels = rng.integers(0, 120, (24, 20, 3), dtype=np.uint8)
            pixels[..., i] += 120
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{n}.png")
    return tmp_path / "photos"


def test_a_network_in_every_command(pellucid: Command, network: Path, photos: Path) -> None:
    done = pellucid.ok("import net.onnx --input-shape 16x16x3 --classes red,green,blue")
    told = ("conv2d_1", "GlobalAvgPool2D", "net.safetensors", "Its outputs are the file's, within")
    for words in (*told, "Photos are divided by 255"):
        assert words in done.out + done.err
    loaded = pl.load("net.safetensors")
    assert (loaded.input_shape, loaded.classes) == ((16, 16, 3), ("red", "green", "blue"))
    for line, words in (
        ("predict net.safetensors photos/red/0.png", " %"),
        ("evaluate net.safetensors photos", "accuracy"),
        ("explain net.safetensors photos/red/0.png --methods gradient", "Predicted "),
        ("export net.safetensors --to onnx -o again.onnx", "within"),
        ("robustness net.safetensors photos --perturbations blur --strengths 1", "2 of 4 photos are correct"),
    ):
        done = pellucid.ok(line)
        assert words in done.out + done.err
    again = pl.import_onnx("again.onnx")
    assert (again.classes, again.preprocessing) == (loaded.classes, loaded.preprocessing)


def test_json_quiet_and_a_file_that_is_there(pellucid: Command, network: Path) -> None:
    line = "import net.onnx --input-shape 16x16x3"
    assert pellucid(line, "--quiet").out == "net.safetensors\n"
    Path("names.txt").write_text("a\nb\n\nc\n")
    told = pellucid.json(line, "--classes", "names.txt", "--pixels", "imagenet", "--overwrite")
    assert told["largest_difference"] <= 1e-5
    assert told["model"]["input_shape"] == [16, 16, 3]
    assert pl.load(told["file"]).classes == ("a", "b", "c")
