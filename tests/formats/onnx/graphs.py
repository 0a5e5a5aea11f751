"""ONNX files made by hand, node by node, as exporters write them."""

from pathlib import Path
from typing import Any

import numpy as np

import pellucid as pl


class Net:
    """A graph that grows: ``add`` returns the name of what a node gives, ``weight`` that of an array."""

    def __init__(self, seed: int = 1) -> None:
        import onnx

        self.onnx, self.rng = onnx, np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        node = self.onnx.helper.make_node(
            op, list(inputs), [name], name=f"/{op}_{len(self.nodes)}", domain=domain, **attributes
        )
        self.nodes.append(node)
        return name

    def array(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.arrays)}"
        self.arrays.append(self.onnx.numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def weight(self, *shape: int) -> str:
        return self.array(self.rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:]))))

    def conv(
        self, x: str, c_out: int, c_in: int, size: int = 3, *, bias: bool = True, **attributes: Any
    ) -> str:
        groups = attributes.get("group", 1)
        weights = [self.weight(c_out, c_in // groups, size, size), *([self.weight(c_out)] if bias else [])]
        return self.add("Conv", x, *weights, **attributes)

    def norm(self, x: str, c: int) -> str:
        statistics = [self.rng.random(c) + 0.5, self.rng.standard_normal(c)]
        return self.add("BatchNormalization", x, *map(self.array, [*statistics, *statistics[::-1]]))

    def head(self, x: str, n_in: int, n_out: int = 3) -> str:
        return self.add("Gemm", x, self.weight(n_out, n_in), self.weight(n_out), transB=1)

    def flat(self, x: str, n_in: int, n_out: int = 3) -> str:
        return self.head(self.add("Flatten", x), n_in, n_out)

    def made(self, output: str, shape: Any = ("n", 3, 12, 12), kind: str = "FLOAT", opset: int = 17) -> Any:
        helper, types = self.onnx.helper, self.onnx.TensorProto
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "net",
            [value("x", getattr(types, kind), list(shape))],
            [value(output, types.FLOAT, None)],
            self.arrays,
        )
        domains = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
        return helper.make_model(graph, opset_imports=domains, ir_version=8)

    def file(self, path: Path, output: str, *shape: Any, **options: Any) -> Path:
        path.write_bytes(self.made(output, *shape, **options).SerializeToString())
        return path


def outputs_of(path: Path, X: Any) -> Any:
    """Return what onnxruntime makes of samples as the file takes them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return session.run(None, {session.get_inputs()[0].name: X})[0]


def kinds(model: pl.Model) -> list[str]:
    """Return the layers' kinds, an activation function by its name."""
    rows = model.summary().layers
    return [row.activation if row.kind == "Activation" else row.kind for row in rows]
