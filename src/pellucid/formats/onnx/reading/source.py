"""What an ONNX file says, checked: its nodes, constants, inputs and outputs."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.data.readers.table_schema import TableSchema
from pellucid.errors import FormatError, PellucidError
from pellucid.formats.onnx.columns import TABLE, without_columns
from pellucid.formats.onnx.export import needed
from pellucid.formats.onnx.reading.tensors import MOST_BYTES, array_of
from pellucid.text import shown
from pellucid.types import Array

MOST_NODES = 20_000
_WRITTEN_BY = {  # what files of other kinds are, by their ends, and how an ONNX file is made of the same network
    **dict.fromkeys((".pt", ".pth", ".ckpt"), 'torch.onnx.export(model.eval(), (x,), "net.onnx")'),
    **dict.fromkeys((".h5", ".keras"), 'model.export("net.onnx", format="onnx")'),
    **dict.fromkeys((".pkl", ".joblib"), "pl.import_sklearn(estimator), in Python"),
}


class Node(NamedTuple):
    """An operation of the file."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    opset: int = 17

    @property
    def label(self) -> str:
        """The words for it in messages."""
        return f"the node {shown(self.name or self.outputs[0])} ({self.op})"


class Slot(NamedTuple):
    """An input or an output of the file: its name, ONNX's number of its type, and its lengths, None where free."""

    name: str
    kind: int
    dims: tuple[int | None, ...] | None


class Source(NamedTuple):
    """A file that was read."""

    nodes: list[Node]
    constants: dict[str, Array]
    inputs: list[Slot]
    outputs: list[Slot]
    metadata: dict[str, str]
    content: bytes
    path: Path

    def json(self, key: str) -> Any:
        """Return an entry of the metadata, None where there is none or it is not JSON."""
        try:
            return json.loads(self.metadata.get(key, "null"))
        except (ValueError, RecursionError):
            return None


def read_source(path: Path) -> Source:
    """Return what a file says; FormatError where it is no ONNX file, or cut off, or larger than it may be."""
    onnx = needed("onnx")
    try:
        is_there, size = path.is_file(), path.stat().st_size if path.exists() else 0
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}.") from None
    if not is_there:
        raise FormatError(f"{path}: there is no such file. Export one from PyTorch, Keras or scikit-learn.")
    if size > MOST_BYTES:
        raise FormatError(f"{path}: {size} bytes, more than an ONNX file can have.")
    content = path.read_bytes()
    try:
        model = onnx.load_from_string(content)
    except Exception as error:  # protobuf's own, which is not a public class
        reason = str(error).partition("\n")[0] or type(error).__name__
        by = _WRITTEN_BY.get(path.suffix.lower())
        advice = f"Take {by}." if by else "It is cut off or of another kind."
        raise FormatError(f"{path}: not a whole ONNX file ({reason}). {advice}") from None
    if any(TABLE in each.output for each in model.graph.node):
        without_columns(onnx, model, _width(model))
        content = model.SerializeToString()
    graph = model.graph
    if not graph.node:
        raise FormatError(f"{path}: not an ONNX file with a network: it has no nodes.")
    if len(graph.node) > MOST_NODES:
        raise FormatError(f"{path}: {len(graph.node)} nodes, more than the {MOST_NODES} that are read.")
    if graph.sparse_initializer:
        raise FormatError(f"{path}: it has sparse arrays, which are not read. Export them as dense ones.")
    opset = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)
    try:
        folder = path.parent
        computed = {name for each in graph.node if each.op_type != "Cast" for name in each.input}
        constants = {
            each.name: array_of(each, folder, half=each.name not in computed) for each in graph.initializer
        }
        nodes = [_node(onnx, each, i, folder, opset) for i, each in enumerate(graph.node)]
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    return Source(
        nodes,
        constants,
        [_slot(each) for each in graph.input if each.name not in constants],
        [_slot(each) for each in graph.output],
        {each.key: each.value for each in model.metadata_props},
        content,
        path,
    )


def _width(model: Any) -> int:
    """Return how many numbers a table's columns make, by the schema in the metadata; FormatError without one."""
    texts = {each.key: each.value for each in model.metadata_props}
    try:
        return len(TableSchema.from_config(json.loads(texts["schema"])).feature_names)
    except (KeyError, ValueError, RecursionError, PellucidError) as error:
        raise FormatError(f"its metadata do not describe its columns ({error}).") from None


def _node(onnx: Any, proto: Any, i: int, folder: Path, opset: int) -> Node:
    domain = proto.domain if proto.domain not in ("", "ai.onnx", "ai.onnx.ml") else ""
    op = f"{domain}::{proto.op_type}" if domain else proto.op_type
    if not proto.output:
        raise FormatError(f"the node {shown(proto.name or str(i))} ({shown(op)}) has no output.")
    attributes = {}
    for each in proto.attribute:
        try:
            value = onnx.helper.get_attribute_value(each)
        except ValueError:
            raise FormatError(
                f"the node {shown(proto.name or str(i))}: unknown attribute {each.name}."
            ) from None
        if isinstance(value, onnx.TensorProto):
            value = array_of(value, folder)
        elif isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        attributes[each.name] = value
    return Node(op, proto.name, tuple(proto.input), tuple(proto.output), attributes, opset)


def _slot(proto: Any) -> Slot:
    kind = proto.type.tensor_type  # of a sequence: of type 0, without a shape
    dims = [dim.dim_value if dim.dim_value > 0 else None for dim in kind.shape.dim]
    return Slot(proto.name, kind.elem_type, tuple(dims) if kind.HasField("shape") else None)
