"""The nodes and constants of an ONNX graph while it is written, and what is known of each of its values."""

from typing import Any, NamedTuple

import numpy as np

from pellucid.formats.half_precision import stored
from pellucid.types import Array, Shape


class Value(NamedTuple):
    """A value of the graph. Images are kept as ONNX has them, (m, c, h, w), from one layer to the next."""

    name: str
    shape: Shape  # of one sample, as pellucid has it: (h, w, c) for an image

    @property
    def is_image(self) -> bool:
        """Whether it is (m, c, h, w) in the file."""
        return len(self.shape) == 3

    @property
    def channel_axis(self) -> int:
        """The axis of its channels in the file: what is the last one in pellucid."""
        return 1 if self.is_image else len(self.shape)


class Parts:
    """Collects nodes and constants, and gives each a name of its own."""

    def __init__(self, onnx: Any, dtype: str = "float32") -> None:
        self.onnx = onnx
        self.dtype = dtype  # of weights in the file; all is computed in float32
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.where = ""  # the layer that is written: names begin so
        self._n: dict[str, int] = {}
        self._weights: set[str] = set()

    def add(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        out = name or self._name(op.lower())
        self.nodes.append(self.onnx.helper.make_node(op, list(inputs), [out], name=out, **attributes))
        return out

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        """Add an array, and return its name."""
        name = self._name("constant")
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array, dtype), name))
        return name

    def weights(self, key: str, array: Array) -> str:
        """Add an array of the layer that is written, once if the layer is used again, and return its name."""
        name = f"{self.where}.{key}"
        if name in self._weights:
            return name
        self._weights.add(name)
        kept = stored(array, self.dtype)
        own = name if kept.dtype == np.float32 else f"{name}.{self.dtype}"
        self.constants.append(self.onnx.numpy_helper.from_array(kept, own))
        return name if own == name else self.add("Cast", own, name=name, to=self.onnx.TensorProto.FLOAT)

    def _name(self, kind: str) -> str:
        stem = f"{self.where}.{kind}" if self.where else kind
        self._n[stem] = self._n.get(stem, 0) + 1
        return stem if self._n[stem] == 1 else f"{stem}_{self._n[stem]}"

    def channels_last(self, value: Value) -> str:
        """Return a value with its channels at the last axis, as pellucid has it."""
        return self.add("Transpose", value.name, perm=[0, 2, 3, 1]) if value.is_image else value.name

    def channels_first(self, name: str, shape: Shape) -> str:
        """Return a value whose channels are at the last axis as it is kept from layer to layer."""
        return self.add("Transpose", name, perm=[0, 3, 1, 2]) if len(shape) == 3 else name
