"""One table of ops: what is asked of all of them, with shapes and options, for tests that go through it."""

import functools
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.every import every

import pellucid.ops
from pellucid.dispatch import WAYS
from pellucid.dispatch.ops import TWINS
from pellucid.ops.activations import ACTIVATIONS, get_activation
from pellucid.types import Array, Shape

SAME = ((1, 1), (1, 1))
DISTINCT = ("elu", "gelu", "relu", "softmax")
HAS_NUMBA = importlib.util.find_spec("numba") is not None
WAYS_HERE = WAYS if HAS_NUMBA else WAYS[:2]


class Case(NamedTuple):
    """An op and what it is called with."""

    op: str  # module and name: "conv.conv2d"
    shapes: dict[str, Shape]  # of the arguments that have a gradient, in the backward's order
    options: dict[str, Any] = {}  # noqa: RUF012
    note: str = ""
    is_elementwise: bool = False  # may be done in place
    mixes_samples: bool = False
    overwrites: bool = False  # may spoil its first argument

    @property
    def is_alike(self) -> bool:
        """Whether its kernel, which takes a second or two to compile, is another one's but for a formula."""
        activation = self.options.get("activation")
        return activation is not None and activation not in [ACTIVATIONS[name] for name in DISTINCT]

    def __str__(self) -> str:
        return f"{self.op.partition('.')[2]}{f', {self.note}' if self.note else ''}"

    def draw(self, rng: np.random.Generator, dtype: Any = np.float64) -> dict[str, Array]:
        """Return arguments; scales of a norm are of both signs and none is small."""
        arrays = {name: rng.standard_normal(shape).astype(dtype) for name, shape in self.shapes.items()}
        if "gamma" in arrays:
            arrays["gamma"] += np.copysign(0.5, arrays["gamma"])
            if "W" not in arrays:
                arrays["XZ"["X" not in arrays]] += 2
        return arrays

    def forward(self, choice: str, arguments: dict[str, Array], **buffers: Any) -> tuple[Any, ...]:
        """Return what the plain or the fast forward returns: output first, cache last."""
        dtype = next(iter(arguments.values())).dtype
        options = {
            name: value() if callable(value) else value.astype(dtype) if hasattr(value, "astype") else value
            for name, value in self.options.items()
        }
        return function(f"{self.op}_forward", choice)(**arguments, **options, **buffers)

    def backward(self, choice: str, upstream: Array, cache: Any, /, **buffers: Any) -> dict[str, Array]:
        """Return the gradient of every argument that has one."""
        gradients = function(f"{self.op}_backward", choice)(upstream, cache, **buffers)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        names = [name for name in self.shapes if not (name == "X" and len(self.shapes) > len(gradients))]
        return dict(zip(names, gradients, strict=True))


def pairs() -> dict[str, Callable[..., Any]]:
    """Return every public forward and backward of ops, losses apart: "conv.conv2d_forward" and so on."""
    found = {}
    for module_name in (module.name for module in pkgutil.iter_modules(pellucid.ops.__path__)):
        module = importlib.import_module(f"pellucid.ops.{module_name}")
        for name, value in inspect.getmembers(module, inspect.isfunction):
            if name.endswith(("_forward", "_backward")) and value.__module__ == module.__name__:
                found[f"{module_name}.{name}"] = value
    return found


PAIRS = pairs()


def function(name: str, choice: str) -> Callable[..., Any]:
    """Return an op's plain function or its twin; the plain one where there is no twin."""
    plain, twins = PAIRS[name], TWINS.get(name.partition(".")[2])
    if twins is None or twins.plain is not plain or choice == "plain":
        return plain
    if choice == "numpy":
        return twins.numpy
    kernel = twins.kernel
    if kernel is None:
        return plain

    @functools.wraps(kernel)
    def run(*arguments: Any, **options: Any) -> Any:
        result = kernel(*arguments, **options)
        if result is not NotImplemented:
            return result
        taken = inspect.signature(plain).parameters
        return plain(*arguments, **{name: value for name, value in options.items() if name in taken})

    return run


def has_twin(op: str, choice: str = "numpy") -> bool:
    """Return whether a forward or a backward of that op has a faster twin in NumPy, or a kernel ("numba")."""
    for way in ("forward", "backward"):
        twins = TWINS.get(f"{op.partition('.')[2]}_{way}")
        is_its = twins is not None and twins.plain is PAIRS[f"{op}_{way}"]
        if is_its and (twins.module is not None if choice == "numba" else twins.numpy is not twins.plain):
            return True
    return False


def each_op(subjects: list[tuple[Case, str]], slow: Collection[str] = ()) -> Callable[[Any], Any]:
    """Do what ``every`` does with a case and the way it is computed, in one test for each op and way.

    Those ways are slow, and on kernels the activations that are much like another one.
    """
    groups: dict[tuple[str, str], list[Case]] = {}
    for case, way in subjects:
        alike = ", alike" * (way == "numba" and case.is_alike)
        groups.setdefault((f"{case.op}{alike}", way), []).append(case)
    keys = []
    for op, way in groups:
        marks = [pytest.mark.slow] if way in slow or op.endswith("alike") else []
        keys.append(pytest.param(op, way, marks=marks, id=f"{op}-{way}"))

    def decorate(test: Any) -> Any:
        wanted = inspect.signature(test)

        @functools.wraps(test)
        def loop(op: str, way: str, **fixtures: Any) -> None:
            every("case", groups[op, way], ids=str)(test)(way=way, **fixtures)

        left = [parameter for name, parameter in wanted.parameters.items() if name not in ("case", "way")]
        own = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("op", "way")]
        loop.__signature__ = wanted.replace(parameters=[*own, *left])  # type: ignore[attr-defined]
        return pytest.mark.parametrize(("op", "way"), keys)(loop)

    return decorate


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


def _norm(op: str, *shape: int) -> Case:
    shapes = {"X": shape, "gamma": shape[-1:], "beta": shape[-1:]}
    is_batch = op.startswith("batch")  # whose backward reads X
    return Case(op, shapes, note=str(shape), is_elementwise=not is_batch, mixes_samples=is_batch)


def _conv(note: str, X: Shape, W: Shape, **options: Any) -> Case:
    return Case("conv.conv2d", {"X": X, "W": W, "b": W[3:]}, options, note)


def _images(op: str, note: str = "", **options: Any) -> Case:
    return Case(op, {"X": (3, 6, 5, 3)}, options, note)


OVERLAPPING = {"size": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1))}
LINEAR = np.random.default_rng(0).standard_normal((9, 9))
CASES = [
    Case("linear.linear", {"X": (5, 3), "W": (3, 2), "b": (2,)}),
    Case("linear.linear", {"X": (1, 1), "W": (1, 4), "b": (4,)}, note="one sample"),
    *(
        Case(f"activations.{name}", {"Z": shape}, options, f"{shape}{options or ''}", is_elementwise=True)
        for name, options in [
            *((name, {}) for name in ACTIVATIONS),
            ("elu", {"alpha": 0.3}),
            ("hard_sigmoid", {"slope": 0.2}),
            ("leaky_relu", {"slope": 0.3}),
            ("relu6", {"high": 0.7}),
        ]
        for shape in [(1, 1), (5, 6), (2, 3, 4, 5)]
    ),
    *(
        Case(
            "bias_activation.bias_activation",
            {"Z": shape, "b": shape[-1:]},
            {"activation": f},
            f"{name} {shape}",
        )
        for name, f in [*ACTIVATIONS.items(), ("elu 0.3", get_activation("elu", alpha=0.3))]
        for shape in [(1, 1), (1, 7), (3, 4, 5, 6), (209, 3), (2, 2051)]
    ),
    *(
        Case("affine.affine", {"X": shape, "gamma": shape[-1:], "beta": shape[-1:]}, note=str(shape))
        for shape in [(5, 4), (1, 1), (3, 4, 5, 6)]
    ),
    *(_norm("batch_norm.batch_norm", *shape) for shape in [(5, 4), (2, 1), (3, 4, 5, 6), (9, 2051)]),
    *(_norm("layer_norm.layer_norm", *shape) for shape in [(5, 4), (1, 3), (3, 4, 5, 6), (33, 7)]),
    Case(
        "batch_norm.batch_norm_inference",
        {"X": (3, 4, 5, 6), "gamma": (6,), "beta": (6,)},
        {"mean": np.linspace(-1, 1, 6), "var": np.linspace(0.1, 2, 6)},
    ),
    Case(
        "dropout.dropout", {"X": (7, 3)}, {"rate": 0.4, "rng": _rng}, is_elementwise=True, mixes_samples=True
    ),
    _conv("strides, groups", (3, 7, 4, 4), (3, 2, 2, 6), stride=(2, 1), padding=((1, 2), (0, 1)), groups=2),
    _conv("few channels, dilation", (3, 7, 6, 2), (3, 2, 2, 6), stride=(1, 2), dilation=(2, 1)),
    _conv("many channels, dilation", (3, 7, 6, 9), (3, 2, 9, 6), stride=(1, 2), dilation=(2, 1)),
    _conv("pointwise", (3, 5, 6, 4), (1, 1, 2, 6), groups=2),
    _conv("depthwise", (3, 7, 6, 4), (3, 3, 1, 8), padding=SAME, groups=4),
    _conv("depthwise, strides", (3, 7, 11, 4), (3, 3, 1, 4), stride=(2, 2), groups=4),
    _conv("3x3, 16 channels", (3, 8, 8, 16), (3, 3, 16, 17), padding=SAME),
    _conv("3x3, 16 channels, ragged", (3, 6, 11, 16), (3, 3, 16, 16), padding=((0, 1), (2, 0))),
    _images("pool.max_pool", size=(2, 2)),
    _images("pool.max_pool", "overlapping", **OVERLAPPING),
    _images("pool.max_pool", "gaps", size=(2, 1), stride=(3, 2)),
    _images("pool.average_pool", size=(2, 2)),
    _images("pool.average_pool", "overlapping", **OVERLAPPING, count_include_pad=False),
    _images("pool.global_average"),
    _images("resize.resample", down=LINEAR[:4, :6], across=LINEAR[:7, :5]),
    _images("resize.upsample", factor=(2, 3)),
    _images("resize.zero_pad", padding=((1, 0), (2, 3))),
    Case(
        "fused.conv_norm",
        {"X": (3, 4, 6, 2), "W": (3, 3, 2, 5), "gamma": (5,), "beta": (5,)},
        {"padding": SAME, "pool": True},
        mixes_samples=True,
    ),
    Case(
        "fused.conv_relu", {"X": (3, 4, 6, 2), "W": (3, 3, 2, 5), "b": (5,)}, {"padding": SAME, "pool": True}
    ),
]
