"""A pretrained network of one's own: an ONNX file, or a model that pellucid saved."""

import difflib
import hashlib
import importlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pellucid.data.input_spec import InputsSeen
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import FormatError, OptionError
from pellucid.nn.dense import Dense
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, copy_arrays, model_from_config
from pellucid.nn.norm import Affine
from pellucid.nn.pretrained.pixels import PIXELS, choices_in_words
from pellucid.nn.sequential import Sequential
from pellucid.registry import Limits, check_option
from pellucid.text import shown

RULE = Preprocessing("divide", 255.0)  # of all of them: a layer in front does what else their rule asks for
_BY_KERAS = "model.export('body.onnx', format='onnx')"
EXPORTS = {
    **dict.fromkeys(
        (".pth", ".pt"), "torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), 'body.onnx')"
    ),
    **dict.fromkeys((".h5", ".hdf5", ".keras"), _BY_KERAS),
}


def file_of(name: str | Path) -> Path:
    """Return the file that a path names, of a run folder its model's.

    Raises
    ------
    OptionError, FormatError
        If it is not there, or of a kind that is not read: how it is exported is said.
    """
    path = Path(name).expanduser()
    path = path / "model.safetensors" if path.is_dir() else path
    if path.suffix.lower() in EXPORTS:
        raise FormatError(
            f"pretrained: {path.name}: expected an ONNX file or a model that pellucid saved (.safetensors). Export "
            f"it: {EXPORTS[path.suffix.lower()]}"
        )
    if not path.is_file():
        here = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, here, n=1)
        hint = f" Did you mean {shown(near[0])}, which is there?" if near else ""
        raise OptionError(f"pretrained: there is no file {shown(str(path))}.{hint}")
    if path.suffix.lower() not in (".onnx", ".safetensors"):
        raise FormatError(
            f"pretrained: {path.name}: expected an ONNX file or a model that pellucid saved (.safetensors), got "
            f"the ending {shown(path.suffix)}."
        )
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def network_of(path: Path, pixels: str | None = None) -> Model:
    """Return a file's network, read once while its content is the same; not to be changed."""
    return _read_once(path.resolve(), pixels, sha256_of(path))


@lru_cache(maxsize=2)
def _read_once(path: Path, pixels: str | None, sha256: str) -> Model:
    return read_network(path, pixels)


def read_network(path: Path, pixels: str | None = None) -> Model:
    """Return a file's network, which takes photos as bytes or from 0 to 1.

    Parameters
    ----------
    path : Path
        Of :func:`file_of`.
    pixels : str, optional
        One of :data:`.PIXELS`, where the file does not say what it was trained on.

    Raises
    ------
    FormatError, OptionError, MissingExtraError
        If it cannot be read, takes other things than colour photos, or its pixel rule is unknown, or given twice.
    """
    check_option("pretrained", "pixels", pixels, str | None, Limits(choices=lambda: PIXELS))
    is_onnx, assumed = path.suffix.lower() == ".onnx", None  # by higher rooms
    model: Model
    if is_onnx:
        importing = importlib.import_module("pellucid.formats.onnx.importing")
        model, _, assumed = importing.read_onnx(path, pixels=pixels)
    else:
        model = importlib.import_module("pellucid.formats.safetensors").load(path)
    shape: Any = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 3 or shape[2] != 3:
        raise OptionError(
            f"pretrained: {path.name}: expected a network of colour photos, (height, width, 3), got one of {shape}."
        )
    if not is_onnx and pixels is not None and _knows_pixels(model):
        raise OptionError(f"pixels: {path.name} has its own rule. Leave it out.")
    if assumed or (pixels is None and not _knows_pixels(model)):
        raise OptionError(
            f"pixels: {path.name} does not say which pixels it was trained on. Choose one, for a byte x: "
            f"{choices_in_words()}."
        )
    if not is_onnx and pixels is not None:
        model = _after_rule(model, pixels)
    if model.preprocessing is None or model.preprocessing.kind != "divide":
        model.preprocessing, model.inputs_seen = RULE, None
    return model


def _knows_pixels(model: Model) -> bool:
    """Return whether a model's own rule says what it makes of bytes: it divides them, or saw 0 to 1."""
    rule, seen = model.preprocessing, model.inputs_seen
    if rule is not None and rule.kind == "divide":
        return True
    return isinstance(seen, InputsSeen) and seen.low >= 0 and seen.high <= 1


def _after_rule(model: Model, pixels: str) -> Model:
    """Return a saved model behind a layer that applies a rule to pixels from 0 to 1."""
    first, rest = Affine(), model_from_config(model.config(), dtype=model.dtype)
    made = Sequential([first, rest], dtype=model.dtype)
    made.initialize(model.input_shape)
    first.params["gamma"][...], first.params["beta"][...] = PIXELS[pixels].factor, PIXELS[pixels].shift
    copy_arrays([rest], [model])
    made._copy_loss(model)
    made.classes, made._summary_of_training = model.classes, model._summary_of_training
    return made


def before_head(layer: Layer) -> list[Layer] | None:
    """Return the layers before the Dense that a built network ends in; None where it ends in another layer.

    What follows the Dense without parameters of its own, such as a softmax, is left out. Of a graph, what leads to
    the value that its last Dense takes is one layer.
    """
    if isinstance(layer, Dense):
        return None if layer._further_uses or layer._first_use or len(layer.input_shape) != 1 else []
    if isinstance(layer, Sequential):
        layers = list(layer.layers)
        while layers and not any(leaf.params for leaf in layers[-1]._leaves()):
            layers.pop()
        before = before_head(layers[-1]) if layers else None
        return None if before is None else [*layers[:-1], *before]
    if isinstance(layer, Graph) and isinstance(layer.outputs, str) and len(layer.inputs) == 1:
        nodes: Mapping[str, Any] = layer.nodes  # with lists of sources
        last, (source, *others) = nodes[layer.outputs]
        while isinstance(last, Layer) and source in nodes and not any(leaf.params for leaf in last._leaves()):
            last, (source, *others) = nodes[source]
        before = before_head(last) if isinstance(last, Layer) and not others else None
        if before is None or source in layer.inputs:
            return before
        return [Graph(layer.inputs, _leading_to(source, nodes), source), *before]
    return None


def _leading_to(name: str, nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nodes of a graph that a node depends on, and itself."""
    wanted = {name}
    for one in reversed(list(nodes)):
        wanted |= set(nodes[one][1]) if one in wanted else set()
    return {one: node for one, node in nodes.items() if one in wanted}
