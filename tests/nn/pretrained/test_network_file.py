"""Bodies of one's own: ONNX files and saved models, with what they take of a photo."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.nn.pretrained.body import body_size
from pellucid.nn.pretrained.feature_memory import MEMORY
from pellucid.nn.pretrained.network_file import before_head
from pellucid.nn.pretrained.pixels import PIXELS
from pellucid.runs.build import plan
from pellucid.runs.config import RunConfig
from pellucid.runs.spelling import command_line

RNG = np.random.default_rng(0)
X = RNG.integers(0, 90, (12, 20, 20, 3), dtype=np.uint8)
X[6:, :, :, 0] += 150
PHOTOS = pl.Dataset(X, np.repeat([0, 1], 6), ("dark", "red"))


@pytest.fixture(scope="module")
def in_torch() -> Any:
    """A residual network in PyTorch, with batch statistics that are not those of the start."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, before: int, width: int) -> None:
            super().__init__()
            stride = width // before
            self.body = nn.Sequential(
                nn.Conv2d(before, width, 3, stride, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, 1, 1, bias=False),
                nn.BatchNorm2d(width),
            )
            self.around = nn.Identity() if stride == 1 else nn.Conv2d(before, width, 1, stride, bias=False)

        def forward(self, x: Any) -> Any:
            return torch.relu(self.body(x) + self.around(x))

    torch.manual_seed(0)
    stem = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)]
    network = nn.Sequential(*stem, Block(8, 8), Block(8, 16), *end)
    network(torch.rand(16, 3, 32, 32))
    return network.eval()


@pytest.fixture(scope="module")
def onnx_file(in_torch: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("body") / "small.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(in_torch, (torch.zeros(1, 3, 32, 32),), path, dynamo=False)
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph that pellucid saved, which ends in a Dense and a softmax's place."""
    conv, dense = pl.Conv2D(4, stride=2, activation="relu"), pl.Dense(3)
    nodes: Any = {
        "first": (conv, "photo"),
        "side": (pl.Conv2D(4, 1, activation="relu"), "first"),
        "sum": ("add", ["first", "side"]),
        "mean": (pl.GlobalAvgPool2D(), "sum"),
        "logits": (dense, "mean"),
        "end": (pl.Activation("linear"), "logits"),
    }
    model = pl.Graph(inputs=["photo"], nodes=nodes, outputs="end")
    y = np.arange(12) % 3
    pl.train(model, pl.Dataset(X, y, ("a", "b", "c")), n_epochs=2, learning_rate=0.01, progress=False)
    path = tmp_path_factory.mktemp("saved") / "own.safetensors"
    model.save(path)
    return path


def test_pixel_rules_are_their_formulas() -> None:
    x = np.arange(256.0)
    mean, deviation = np.array([[0.485, 0.456, 0.406]]), np.array([[0.229, 0.224, 0.225]])
    wanted = {
        "0..1": x[:, None] / 255,
        "-1..1": x[:, None] / 127.5 - 1,
        "imagenet": (x[:, None] / 255 - mean) / deviation,
        "lite": (x[:, None] - 127) / 128,
        "0..255": x[:, None],
    }
    assert set(wanted) == set(PIXELS)
    for name, rule in PIXELS.items():
        found = x[:, None] / 255 * np.array(rule.factor) + np.array(rule.shift)
        np.testing.assert_allclose(found, wanted[name], atol=1e-12)


def test_a_file_gives_what_pytorch_gives(in_torch: Any, onnx_file: Path) -> None:
    torch = pytest.importorskip("torch")
    photos = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    for name, rule in PIXELS.items():
        prepared = photos / 255 * np.array(rule.factor) + np.array(rule.shift)
        with torch.no_grad():
            wanted = in_torch(torch.from_numpy(prepared).float().permute(0, 3, 1, 2)).numpy()
        model = pl.pretrained(onnx_file, pixels=name)
        for given in (photos, photos / 255, photos.astype(np.float32)):
            np.testing.assert_allclose(
                model.decision_function(given), wanted, atol=1e-4 * np.abs(wanted).max()
            )


@every("dtype", ["uint8", "float32"])
def test_a_new_head_on_a_file(dtype: str, in_torch: Any, onnx_file: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    data = PHOTOS if dtype == "uint8" else pl.Dataset(X / np.float32(255), PHOTOS.y, PHOTOS.classes)
    model = pl.preset("pretrained", body=onnx_file, pixels="imagenet")
    pl.train(model, data, progress=False)
    assert model.predict(data.X).tolist() == data.y.tolist()
    assert model.theta.size == 17
    model.save(tmp_path / "model.safetensors")
    loaded = pl.load(tmp_path / "model.safetensors")
    np.testing.assert_allclose(loaded.predict_proba(data.X), model.predict_proba(data.X), atol=1e-6)
    about = loaded._summary_of_training["body"]
    assert (about["name"], len(about["sha256"])) == ("small.onnx", 64)
    assert str(onnx_file.parent) not in str(about)
    # What the head gets is what PyTorch's network has before its last layer.
    fresh = pl.preset("pretrained", body=str(onnx_file), pixels="imagenet")
    fresh.initialize((32, 32, 3))
    photos = RNG.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        x = (torch.from_numpy(photos).float() / 255 - mean) / deviation
        F = in_torch[:-1](x.permute(0, 3, 1, 2)).numpy()
    head = fresh.layers[-1].params
    np.testing.assert_allclose(fresh(photos / np.float32(255)), F @ head["W"] + head["b"], atol=1e-4)


def test_a_graph_that_was_saved(saved: Path) -> None:
    source = pl.load(saved)
    model = pl.preset("pretrained", body=saved, n_outputs=2)
    model.initialize((20, 20, 3))
    source.nodes["logits"][0].params["W"][...] = 0
    source.nodes["logits"][0].params["W"][0, 0] = 1
    source.nodes["logits"][0].params["b"][...] = 0
    head = model.layers[-1].params
    head["W"][...], head["b"][...] = 0, 0
    head["W"][0] = 1
    np.testing.assert_allclose(model.decision_function(X)[:, 0], source.decision_function(X)[:, 0], atol=1e-6)
    assert body_size(str(saved)) == (20, 20)
    assert [type(layer).__name__ for layer in before_head(source) or ()] == ["Graph"]


def test_one_trained_on_floats_from_0_to_1_divides_bytes(tmp_path: Path) -> None:
    model = pl.preset("cnn-small")
    pl.train(model, (X / np.float32(255), PHOTOS.y), n_epochs=1, progress=False)
    model.save(tmp_path / "model.safetensors")
    found = pl.pretrained(tmp_path / "model.safetensors")
    np.testing.assert_allclose(found.predict_proba(X), model.predict_proba(X / 255), atol=1e-5)


def test_what_a_saved_model_does_not_say_is_asked_for(tmp_path: Path) -> None:
    model = pl.preset("cnn-small")
    pl.train(model, (X / np.float32(16), PHOTOS.y), n_epochs=1, progress=False)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(PellucidError, match=r"does not say which pixels.*0\.\.255 \(x\)"):
        pl.pretrained(tmp_path / "model.safetensors")
    found = pl.pretrained(tmp_path / "model.safetensors", pixels="lite")
    wanted = model((X.astype(np.float32) - 127) / 128)
    np.testing.assert_allclose(found.decision_function(X), wanted[:, 0], atol=1e-5)


def test_the_memory_of_features_goes_by_content(saved: Path, tmp_path: Path) -> None:
    for n, name in ((12, "one"), (12, "two")):
        copy = tmp_path / f"{name}.safetensors"
        copy.write_bytes(saved.read_bytes())
        pl.train(pl.preset("pretrained", body=copy), PHOTOS, progress=False)
        assert len(MEMORY) == n
    model = pl.load(saved)
    model.theta *= 0.9
    model.save(copy)
    pl.train(pl.preset("pretrained", body=copy), PHOTOS, progress=False)
    assert len(MEMORY) == 24


def test_a_run_keeps_and_spells_the_body(onnx_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(onnx_file.parent)
    config = plan("auto", "drawn-cats", body="small.onnx", pixels="imagenet", unfreeze=2).config
    assert (config.model, config.body) == ("pretrained", str(onnx_file.resolve()))
    assert RunConfig.from_toml(config.to_toml()) == config
    line = "pellucid run drawn-cats --model pretrained --body small.onnx --pixels imagenet --unfreeze 2"
    assert command_line("run", config) == line


def test_a_folder_is_read_at_the_body_s_size(saved: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for k, name in enumerate(("dark", "red")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(6):
            photo = X[6 * k + i].repeat(2, axis=0).repeat(2, axis=1)
            image.fromarray(photo).save(tmp_path / "pets" / name / f"{i}.png")
    source = plan("auto", str(tmp_path / "pets"), body=saved).config.source
    assert source.image_size == (20, 20)
    from pellucid.estimators import ImageClassifier

    fitted = ImageClassifier("pretrained", body=saved).fit(tmp_path / "pets")
    assert fitted.sample_shape_ == (20, 20, 3)
    assert fitted.score(tmp_path / "pets") == 1
    found = pl.compare("pretrained", data=str(tmp_path / "pets"), cv=2, body=saved, progress=False)
    assert found.means()[0].mean == 1


def _ends_in_a_pool(folder: Path) -> Path:
    model = pl.Sequential(pl.Conv2D(3), pl.GlobalAvgPool2D())
    pl.train(model, (X, np.arange(12) % 3), n_epochs=1, progress=False)
    model.save(folder / "pool.safetensors")
    return folder / "pool.safetensors"


def _of(shape: tuple[int, ...], folder: Path) -> Path:
    model = pl.preset("mlp-small")
    X = RNG.integers(0, 256, (4, *shape), dtype=np.uint8)
    pl.train(model, (X, [0, 1, 0, 1]), n_epochs=1, progress=False)
    model.save(folder / "other.safetensors")
    return folder / "other.safetensors"


@every(
    "make, words",
    [
        (lambda folder: folder / "body.pth", r"torch\.onnx\.export"),
        (lambda folder: folder / "body.keras", r"model\.export\('body\.onnx'"),
        (lambda folder: folder / "near.onnxx", "Did you mean 'near.onnx'"),
        (lambda folder: folder / "none" / "body.onnx", "there is no file"),
        (lambda folder: "efficientnet-lite", "Did you mean 'efficientnet-lite"),
        (_ends_in_a_pool, "does not end in a Dense"),
        (lambda folder: _of((8, 8, 1), folder), "expected a network of colour photos"),
        (lambda folder: _of((6,), folder), "expected a network of colour photos"),
    ],
)
def test_refused_in_one_line(make: Any, words: str, tmp_path: Path) -> None:
    (tmp_path / "near.onnx").write_bytes(b"")
    with pytest.raises(PellucidError, match=words) as raised:
        pl.preset("pretrained", body=make(tmp_path))
    assert "\n" not in str(raised.value)


def test_pixels_are_asked_for_once(onnx_file: Path, saved: Path) -> None:
    with pytest.raises(PellucidError, match=r"does not say which pixels.*imagenet"):
        pl.pretrained(onnx_file)
    with pytest.raises(PellucidError, match="has its own rule"):
        pl.pretrained(saved, pixels="imagenet")
    with pytest.raises(PellucidError, match="Did you mean 'imagenet'"):
        pl.pretrained(onnx_file, pixels="imagnet")
    with pytest.raises(PellucidError, match="it is of the model 'pretrained'"):
        pl.preset("cnn", body=saved)


def test_a_file_of_our_own_export_keeps_its_rule(saved: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pl.export_onnx(pl.load(saved), tmp_path / "own.onnx")
    found = pl.pretrained(tmp_path / "own.onnx")
    np.testing.assert_allclose(found.predict_proba(X), pl.load(saved).predict_proba(X), atol=1e-5)


def test_a_toml_file_goes_on_behind_a_body(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "body.safetensors").write_bytes(saved.read_bytes())
    head = (
        '[[layers]]\ntype = "Dense"\nunits = 5\nactivation = "tanh"\n[[layers]]\ntype = "Dense"\nunits = 1\n'
    )
    (tmp_path / "net.toml").write_text(f'[model]\nbody = "body.safetensors"\n{head}')
    asked = plan(str(tmp_path / "net.toml"), "drawn-cats")
    assert asked.architecture is not None
    model = asked.architecture.model
    pl.train(model, PHOTOS, n_epochs=200, optimizer="adam", learning_rate=0.05, progress=False)
    assert model.predict(X).tolist() == PHOTOS.y.tolist()
    assert model.theta.size == 4 * 5 + 5 + 5 + 1
    for text, words in (
        (f'[model]\npixels = "lite"\n{head}', "line 2: expected body"),
        (f'[model]\nbody = "none.onnx"\n{head}', "line 2: .*there is no file"),
        (f'[model]\nbody = "body.safetensors"\npixels = "lite"\n{head}', "has its own rule"),
    ):
        (tmp_path / "net.toml").write_text(text)
        with pytest.raises(PellucidError, match=words):
            plan(str(tmp_path / "net.toml"), "drawn-cats")


def test_the_command(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from pellucid.cli.main import main

    monkeypatch.chdir(tmp_path)
    assert main(["train", "drawn-cats", "--body", str(saved), "--out", "run", "--quiet"]) == 0
    assert pl.load("run")._summary_of_training["body"]["name"] == "own.safetensors"
    capsys.readouterr()
    assert main(["train", "drawn-cats", "--start", "run", "--unfreeze", "1"]) == 2
    err = capsys.readouterr().err
    assert "Leave it out, or --start" in err
    assert err.count("\n") <= 2
