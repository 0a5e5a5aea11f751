"""``pellucid import``: a network of another library becomes a model that every command takes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command
from tests.formats.onnx.graphs import Net

import pellucid as pl
from pellucid.nn.freezing import frozen_names

pytest.importorskip("onnx")


def small_mobilenet(net: Net, n_out: int = 3) -> str:
    """Return the logits of what a MobileNetV3 is, in small."""

    def swish(x: str) -> str:
        return net.add("Mul", x, net.add("HardSigmoid", x, alpha=1 / 6))

    x = swish(net.conv("x", 6, 3, strides=[2, 2], pads=[1, 1, 1, 1]))
    wide = swish(net.conv(x, 12, 6, 1))
    wide = swish(net.conv(wide, 12, 12, group=12, pads=[1, 1, 1, 1]))
    gate = net.add("Relu", net.conv(net.add("GlobalAveragePool", wide), 4, 12, 1))
    wide = net.add("Mul", wide, net.add("HardSigmoid", net.conv(gate, 12, 4, 1), alpha=1 / 6))
    x = net.add("Add", x, net.conv(wide, 6, 12, 1))
    return net.flat(net.add("GlobalAveragePool", x), 6, n_out)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    net = Net()
    return net.file(tmp_path / "net.onnx", small_mobilenet(net), ("n", 3, "height", "width"))


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


def done(pellucid: Command, *arguments: Any) -> str:
    result = pellucid(*arguments)
    assert result.code == 0, result.err
    return result.out + result.err


def test_a_network_in_every_command(pellucid: Command, network: Path, photos: Path, tmp_path: Path) -> None:
    said = done(pellucid, "import", network, "--input-shape", "16x16x3", "--classes", "red,green,blue")
    model = tmp_path / "net.safetensors"
    assert "conv2d_1" in said
    assert "GlobalAvgPool2D" in said
    assert str(model) in said
    assert "Its outputs are the file's, within" in said
    assert "Photos are divided by 255" in said
    loaded = pl.load(model)
    assert (loaded.input_shape, loaded.classes) == ((16, 16, 3), ("red", "green", "blue"))
    photo = photos / "red" / "0.png"
    assert " %" in done(pellucid, "predict", model, photo)
    assert "accuracy" in done(pellucid, "evaluate", model, photos)
    assert "Predicted " in done(pellucid, "explain", model, photo, "--methods", "gradient")
    assert "within" in done(pellucid, "export", model, "--to", "onnx", "-o", tmp_path / "again.onnx")
    again = pl.import_onnx(tmp_path / "again.onnx")
    assert (again.classes, again.preprocessing) == (loaded.classes, loaded.preprocessing)
    assert "2 of 4 photos are correct" in done(
        pellucid, "robustness", model, photos, "--perturbations", "blur", "--strengths", 1
    )


def test_a_body_under_a_new_head(pellucid: Command, network: Path, photos: Path, tmp_path: Path) -> None:
    done(pellucid, "import", network, "--input-shape", "16x16x3", "-o", tmp_path / "body.safetensors")
    options = ["--start", tmp_path / "body.safetensors", "--freeze", "globalavgpool2d_2", "--epochs", 60]
    said = done(pellucid, "train", photos, *options, "--learning-rate", 0.1, "-o", tmp_path / "own")
    assert "a new last layer" in said
    body, own = pl.load(tmp_path / "body.safetensors"), pl.load(tmp_path / "own")
    assert (own.classes, own.output_shape, own.theta.size) == (("green", "red"), (1,), 7)
    assert frozen_names(own)[-1] == "globalavgpool2d_2"
    np.testing.assert_array_equal(own._leaves()[0].params["W"], body._leaves()[0].params["W"])
    scores = json.loads((tmp_path / "own" / "metrics.json").read_text())
    assert scores["train"]["accuracy"] > 0.8


def test_json_quiet_and_a_file_that_is_there(pellucid: Command, network: Path, tmp_path: Path) -> None:
    shape = ["--input-shape", "16x16x3"]
    assert pellucid("import", network, *shape, "--quiet").out.strip() == str(tmp_path / "net.safetensors")
    (tmp_path / "names.txt").write_text("a\nb\n\nc\n")
    options = ("--classes", tmp_path / "names.txt", "--pixels", "imagenet", "--overwrite", "--json")
    told = json.loads(pellucid("import", network, *shape, *options).out)
    assert told["largest_difference"] <= 1e-5
    assert told["model"]["input_shape"] == [16, 16, 3]
    assert pl.load(told["file"]).classes == ("a", "b", "c")
