"""Networks written down as TOML files."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError, OptionError, OutOfMemoryError, PellucidError, ShapeError
from pellucid.formats.toml.layers import LayerReader
from pellucid.formats.toml.source import TomlSource
from pellucid.formats.toml.training import read_training
from pellucid.formats.toml.writing import architecture_to_toml
from pellucid.nn.container import DTYPES
from pellucid.nn.graph import Graph
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.registry import Limits, validate_call
from pellucid.types import Shape

__all__ = ["Architecture", "architecture_to_toml", "load_architecture"]

OF_BODY = ("body", "pixels")
TABLES = ("model", "layers", "graph", "nodes", "training")
_EXAMPLE = 'Start with [[layers]] and, below it, type = "Flatten".'


@dataclass(frozen=True, eq=False)
class Architecture:
    """A network as a file describes it, with its training options.

    Attributes
    ----------
    model : Model
        Not yet initialized.
    input_shape : tuple of int, dict of str to tuple, or None
        Of one sample; of each input by name where there are several; None where the file leaves it open.
    training : dict
        The [training] table, checked: see :mod:`pellucid.formats.toml.layers`.
    path : str
        The file.
    places : mapping of int to int
        The line of each layer, by its ``id``.
    """

    model: Model
    input_shape: Shape | dict[str, Shape] | None
    training: dict[str, Any]
    path: str
    places: Mapping[int, int] = field(default_factory=dict, repr=False)

    def initialize(
        self,
        input_shape: Shape | Mapping[str, Shape] | None = None,
        *,
        seed: int = 0,
        dtype: str | None = None,
    ) -> None:
        """Do what ``model.initialize`` does, for the file's shape unless another is given; errors name the line.

        Raises
        ------
        FormatError
            If no shape is known, or a layer does not fit what comes before it, naming its line.
        """
        shape = self.shape(input_shape)
        with self.naming_lines():
            self.model.initialize(shape, seed=seed, dtype=dtype)

    def shape(self, given: Shape | Mapping[str, Shape] | None = None) -> Shape | Mapping[str, Shape]:
        """Return the given input shape, else the file's; FormatError if there is neither."""
        shape = self.input_shape if given is None else given
        if shape is None:
            raise FormatError(
                f"{self.path}: the shape of the input is not known. Write [model] and, below it, "
                "input_shape = [64, 64, 3] (height, width, channels), or give one: --input-shape 64x64x3."
            )
        return shape

    @contextmanager
    def naming_lines(self) -> Iterator[None]:
        """Put file and line in front of the error of a layer that is built in this block."""
        try:
            yield
        except (ShapeError, OptionError, OutOfMemoryError) as error:
            line = None
            for frame, _ in traceback.walk_tb(error.__traceback__):  # outermost first: the last is the layer
                line = self.places.get(id(frame.f_locals.get("self")), line)
            where = self.path if line is None else f"{self.path}, line {line}"
            raise FormatError(f"{where}: {error}") from None


@validate_call("path")
def load_architecture(
    path: str | Path, changes: Mapping[tuple[str | int, ...], Any] | None = None
) -> Architecture:
    """Return the network that a TOML file describes.

    Parameters
    ----------
    path : str or Path
        See Notes for its contents.
    changes : mapping, optional
        Values that stand in for the file's, by their place: ``{("layers", 1, "units"): 32}``.

    Returns
    -------
    Architecture

    Raises
    ------
    FormatError
        If the file cannot be read or anything in it is unknown or invalid: one line with the file, the line
        number, what was expected and the nearest valid name.

    Notes
    -----
    ::

        [model]                              # may be left out
        input_shape = [64, 64, 3]            # height, width, channels
        dtype = "float32"
        body = "body.onnx"                   # a pretrained network that the layers follow: pellucid.pretrained
        pixels = "imagenet"                  # what it takes of a photo's bytes, where it does not say

        [[layers]]                           # one for each layer, in order
        type = "Conv2D"
        filters = 16                         # the options of the layer's constructor
        activation = "relu"

        [[layers]]
        type = "Residual"
        body = [                             # a list stands for one layer after another
            { type = "Conv2D", filters = 16 },
            { type = "BatchNorm" },
        ]

        [training]                           # may be left out
        loss = { type = "categorical_cross_entropy", label_smoothing = 0.1 }
        optimizer = "adam"

    A graph has ``[graph]`` with ``inputs`` and ``outputs``, and a ``[[nodes]]`` table with ``name``, ``from`` and
    ``type`` for each node, in place of the layers; the types ``"add"``, ``"multiply"`` and ``"concat"`` join
    several sources.

    A layer that stands in several places, with one set of parameters, has ``shared = "a name"`` besides its type
    and options in the first; in the others that line stands alone.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "net.toml"
    >>> _ = path.write_text('[[layers]]\\ntype = "Flatten"\\n[[layers]]\\ntype = "Dense"\\nunits = 1')
    >>> architecture = load_architecture(path)
    >>> architecture.initialize((8, 8, 3))
    >>> architecture.model.theta.size
    193
    """
    source = TomlSource(path).but(changes or {})
    data = source.data
    source.check_keys((), data, TABLES, "table or key")
    if not data:
        raise FormatError(f"{source.name}: the file is empty. {_EXAMPLE}")
    reader = LayerReader(source)
    model = _read_model(source, reader)
    about = source.table(("model",), data.get("model", {}), "a table")
    source.check_keys(("model",), about, ("input_shape", "dtype", *OF_BODY), "key of [model]")
    if any(key in about for key in OF_BODY):
        model = _after_body(source, model, about)
    if "dtype" in about:
        model._set_dtype(source.one_of(("model", "dtype"), about["dtype"], "dtype", DTYPES))
    shape = None
    if "input_shape" in about:
        shape = _read_shape(source, about["input_shape"], model.inputs if isinstance(model, Graph) else [])
    training = read_training(source, ("training",), data["training"]) if "training" in data else {}
    return Architecture(model, shape, training, source.name, reader.places)


def _read_model(source: TomlSource, reader: LayerReader) -> Model:
    data = source.data
    if "layers" in data:
        for key in ("graph", "nodes"):
            if key in data:
                raise source.fault((key,), f"expected layers or a graph, got both: [[layers]] and {key}.")
        layers = reader.layers(("layers",), data["layers"])
        if not layers:
            raise source.fault(("layers",), f"layers: expected at least one layer, got none. {_EXAMPLE}")
        model = Sequential(layers)
        reader.places[id(model)] = source.line(("layers",))
        return model
    if "graph" in data:
        graph = source.table(("graph",), data["graph"], "a table with inputs and outputs")
        source.check_keys(("graph",), graph, ("inputs", "outputs"), "key of [graph]")
        return reader.graph(
            ("graph",), graph, ("nodes",) if "nodes" in data else ("graph",), data.get("nodes")
        )
    if "nodes" in data:
        raise source.fault(("nodes",), "nodes: expected a [graph] table with inputs and outputs too.")
    raise FormatError(f"{source.name}: it has no layers. {_EXAMPLE}")


def _after_body(source: TomlSource, model: Model, about: Mapping[str, Any]) -> Sequential:
    """Return a network that begins as a pretrained one and goes on with the file's layers."""
    from pellucid.nn.pretrained.body import after_body

    own = [source.checked(("model", key), "model", key, about[key], str) for key in OF_BODY if key in about]
    if not isinstance(model, Sequential) or "body" not in about:
        raise source.fault(
            ("model", *list(about)[:1]), "expected body and, behind it, [[layers]]; pixels are of a body."
        )
    beside = Path(source.name).parent / own[0]
    try:
        return after_body(model.layers, str(beside) if beside.exists() else own[0], *own[1:])
    except PellucidError as error:
        raise source.fault(("model", "body"), str(error)) from None


def _read_shape(source: TomlSource, value: Any, inputs: Sequence[str]) -> Shape | dict[str, Shape]:
    """Return the input shape: a list of sizes, or for a graph's inputs a table of such lists."""
    at = ("model", "input_shape")
    if not isinstance(value, dict):
        if len(inputs) > 1:
            known = ", ".join(inputs)
            raise source.fault(at, f"input_shape: expected a table with a shape for each of {known}.")
        return _sizes(source, at, value)
    if not inputs:
        raise source.fault(at, "input_shape: expected one list of sizes, as [[layers]] have one input.")
    source.check_keys(at, value, inputs, "input")
    for name in inputs:
        if name not in value:
            raise source.fault(at, f"input_shape: the shape of the input {name!r} is missing.")
    return {name: _sizes(source, (*at, name), value[name]) for name in inputs}


def _sizes(source: TomlSource, at: tuple[str, ...], value: Any) -> Shape:
    sizes: Shape = source.checked(at, "model", at[-1], value, tuple[int, ...], Limits(at_least=1))
    if not sizes:
        raise source.fault(at, f"model: expected {at[-1]} such as [64, 64, 3], got [].")
    return sizes
