"""Every fast path: what it serves, what is next, and how much longer a whole training takes without it.

    python -m benchmarks.twins                  all: fifteen minutes, and what is to be compiled the first time
    python -m benchmarks.twins --only winograd  some, by the beginning of their names

A path stands in ``PATHS``, once. It is measured by two processes that take turns, one of which has it switched
off by an assignment to the module that chooses it: nothing in the package asks whether it is on. The whole is a
step of a network of benchmarks/zoo.py within `pl.train`, or what is named; the op is a forward and a backward on
one thread. Lines are code, without docstrings. A path stays from 1.25 on, or where docs/architecture.md says why.
"""

import ast
import importlib
import io
import os
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks import harness
from benchmarks.harness import Contestant

import pellucid as pl
from pellucid.dispatch import ops as switches
from pellucid.nn.fusion import fused
from pellucid.workspace import Workspace

MODULE = "benchmarks.twins"
SOURCE = Path(pl.__file__).parent
SECONDS = {"full": 0.5, "quick": 0.1}  # of a round
SAME = ((1, 1), (1, 1))
PHOTOS = (32, 32, 32, 48)


class Job(NamedTuple):
    """An op of :mod:`pellucid.dispatch`, the shapes of its arguments, and its options."""

    op: str
    shapes: tuple[tuple[int, ...], ...]
    options: dict[str, Any] = {}  # noqa: RUF012


class FastPath(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    files : tuple of str
        Its own, below ``src/pellucid``.
    serves, simpler : str
        What it is for, and what serves in its place.
    off : callable
        Switches it off for the rest of the process.
    whole : str
        A network of the zoo, or a function of ``WHOLES``.
    op : Job, optional
    kernels : {"numba", "numpy"}, optional
    """

    files: tuple[str, ...]
    serves: str
    simpler: str
    off: Callable[[], None]
    whole: str
    op: Job | None = None
    kernels: str = "numba"


def without_twins(*ops: str, numpy: bool = False) -> Callable[[], None]:
    """Return what leaves ops to NumPy, or with ``numpy`` to the plain ops."""

    def off() -> None:
        for name, twins in switches.TWINS.items():
            if name.startswith(ops) and numpy:
                twins.numpy = twins.plain
            elif name.startswith(ops):
                twins.module = None

    return off


def without_algorithm(name: str) -> Callable[[], None]:
    """Return what leaves the convolutions of a compiled algorithm to the others."""

    def off() -> None:
        from pellucid.kernels import conv

        conv.ALGORITHMS = tuple(one for one in conv.ALGORITHMS if one.__name__ != name)

    return off


def replaced(module: str, name: str, value: Any) -> Callable[[], None]:
    """Return what puts another value into a module or, by ``module.Class``, into a class."""

    def off() -> None:
        path, _, last = module.rpartition(".")
        owner = (
            getattr(importlib.import_module(path), last)
            if last[:1].isupper()
            else importlib.import_module(module)
        )
        setattr(owner, name, value)

    return off


def _always_lay_out(self: Any, algorithm: Any, W: Any, scale: Any) -> None:
    algorithm.set_weights(W if scale is None else (W * scale).astype(W.dtype))


def _no(*_: Any) -> bool:
    return False


STACK = "pellucid.training.executor"
FORM = "pellucid.training.choose_form"
ONE_THREAD = replaced("pellucid.training.cost", "n_cores", lambda: 1)

PATHS = {
    "compiled kernels": FastPath(
        ("kernels/compiled.py", "kernels/disk_cache.py", "kernels/arrays.py", "kernels/blas.py"),
        "all compiled loops",
        "NumPy's twins",
        lambda: os.environ.update(PELLUCID_KERNELS="numpy"),
        "cnn",
    ),
    "Winograd": FastPath(
        ("kernels/conv_winograd.py",),
        "3x3, stride 1",
        "direct convolution",
        without_algorithm("WinogradConv"),
        "cnn",
        Job("conv2d", ((32, 32, 32, 24), (3, 3, 24, 48)), {"padding": SAME}),
    ),
    "depthwise": FastPath(
        ("kernels/conv_depthwise.py",),
        "a group for each channel",
        "direct convolution",
        without_algorithm("DepthwiseConv"),
        "mobilenet",
        Job("conv2d", (PHOTOS, (3, 3, 1, 48)), {"padding": SAME, "groups": 48}),
    ),
    "direct convolution": FastPath(
        (
            "kernels/conv.py",
            "kernels/conv_algorithm.py",
            "kernels/conv_direct.py",
            "kernels/tiles.py",
        ),
        "all other convolutions",
        "NumPy's im2col",
        without_twins("conv"),
        "lenet",
        Job("conv2d", ((32, 64, 64, 3), (3, 3, 3, 24)), {"padding": SAME}),
    ),
    "conv blocks": FastPath(
        ("nn/fusion.py", "kernels/fused.py", "kernels/passes.py"),
        "convolution, norm, relu, max pooling in one",
        "layers one after another",
        replaced("pellucid.nn.fusion", "fused", list),
        "cnn",
    ),
    "fixed weights": FastPath(
        ("kernels/conv_affine.py",),
        "one photo predicted",
        "weights laid out each time",
        replaced("pellucid.kernels.conv_affine.FixedWeights", "_lay_out", _always_lay_out),
        "one photo",
    ),
    "runs of convolutions": FastPath(
        ("kernels/conv_run.py", "kernels/programs.py"),
        "prediction: some rows at a time, bias and activation in the same loop",
        "one after another",
        replaced("pellucid.nn.fusion", "fused_for_prediction", fused),
        "photos by lite0",
    ),
    "batch norm": FastPath(
        ("kernels/batch_norm.py",),
        "a norm that follows no convolution",
        "plain",
        without_twins("batch", "gradient_sums"),
        "norm first",
        Job("batch_norm", (PHOTOS, (48,), (48,))),
    ),
    "layer norm": FastPath(
        ("kernels/layer_norm.py",),
        "layer norm",
        "plain",
        without_twins("layer_norm"),
        "dense-layer-norm",
        Job("layer_norm", (PHOTOS, (48,), (48,))),
    ),
    "activations": FastPath(
        ("kernels/activations.py", "kernels/maths.py"),
        "bias and activation",
        "plain",
        without_twins("bias_activation"),
        "silu-average",
    ),
    "pooling": FastPath(
        ("kernels/pool.py",),
        "pooling that follows no 3x3",
        "NumPy's",
        without_twins("max_pool", "average_pool"),
        "squeezenet",
        Job("max_pool", (PHOTOS,), {"size": (2, 2)}),
    ),
    "optimizers": FastPath(
        ("kernels/optimizers.py",),
        "Adam, SGD",
        "plain, in blocks",
        without_twins("adam", "sgd"),
        "dense-layer-norm",
    ),
    "Dense stack": FastPath(
        (
            "kernels/dense_stack.py",
            "training/executor/dense_stack.py",
            "training/executor/stack_layers.py",
        ),
        "stacks of Dense layers",
        "layers, shards",
        replaced(f"{STACK}.choose", "layers_of", lambda model: []),
        "mlp-32",
    ),
    "several steps a call": FastPath(
        (),
        "the same, where no callback asks for each step",
        "one step a call",
        replaced(f"{STACK}.dense_stack.DenseStack", "_takes_several", _no),
        "digits",
    ),
    "threads in a stack": FastPath(
        ("training/executor/pace.py",),
        "wide Dense layers",
        "one thread",
        replaced(f"{STACK}.dense_stack", "n_parts", lambda *_: 1),
        "wide-dense",
    ),
    "shards on threads": FastPath(
        ("training/executor/thread_shards.py",),
        "batches of all other networks",
        "one thread",
        ONE_THREAD,
        "cnn",
    ),
    "dual form": FastPath(
        ("training/dual/dense.py", "training/dual/rows.py", "training/dual/form.py"),
        "fewer samples than inputs",
        "direct form",
        replaced(FORM, "why_not_dual", lambda *_: "it is switched off"),
        "wide rows",
        kernels="numpy",
    ),
    "its steps on kernels": FastPath(
        ("kernels/dual.py", "training/dual/many_steps.py"),
        "the same, full batch",
        "the flat step on NumPy",
        lambda: os.environ.update(PELLUCID_KERNELS="numpy"),
        "wide rows",
    ),
    "its flat step": FastPath(
        ("training/dual/full_batch.py",),
        "the same, full batch, NumPy",
        "layers",
        replaced(FORM, "fits", _no),
        "wide rows",
        kernels="numpy",
    ),
    "NumPy's convolutions": FastPath(
        tuple(
            f"kernels/uncompiled/{name}.py"
            for name in (
                "blocks",
                "columns",
                "conv",
                "conv_depthwise",
                "conv_im2col",
                "conv_pointwise",
                "conv_winograd",
            )
        ),
        "photos without Numba",
        "plain",
        without_twins("conv2d", numpy=True),
        "cnn",
        Job("conv2d", ((32, 32, 32, 24), (3, 3, 24, 48)), {"padding": SAME}),
        "numpy",
    ),
    "NumPy's pooling": FastPath(
        ("kernels/uncompiled/pool.py",),
        "the same",
        "plain",
        without_twins("max_pool", "average_pool", numpy=True),
        "cnn",
        Job("max_pool", (PHOTOS,), {"size": (2, 2)}),
        "numpy",
    ),
    "second compiler": FastPath(
        ("kernels/beside.py",),
        "the first training after an installation",
        "one process",
        replaced("pellucid.kernels.beside", "start", None),
        "first compile",
    ),
}


def steps_of(network: Any, seconds: float) -> Callable[[], list[float]]:
    """Return a round of steps within `pl.train`."""
    from benchmarks.networks import trained_steps

    model = network.build()
    model.initialize(network.shape)
    return trained_steps(network, model, seconds)


def whole_training(model: Callable[[], Any], data: Any, **options: Any) -> Callable[[], list[float]]:
    """Return a round of one training from start to end, which is done once before."""

    def train() -> list[float]:
        return [pl.train(model(), data, **options).seconds]

    train()
    return train


def norm_first(seconds: float) -> Callable[[], list[float]]:
    """Steps of a residual network whose norms come before its convolutions."""
    from benchmarks.zoo import Network

    def block() -> Any:
        body = [layer for _ in range(2) for layer in (pl.BatchNorm(), pl.Activation("relu"), pl.Conv2D(48))]
        return pl.Residual(pl.Sequential(body))

    def build() -> Any:
        return pl.Sequential(
            [pl.Conv2D(48), *(block() for _ in range(3)), pl.GlobalAvgPool2D(), pl.Dense(10)]
        )

    return steps_of(Network(build, 32, (32, 32, 3), ""), seconds)


def one_photo(seconds: float) -> Callable[[], list[float]]:
    """Predictions of one photo by `cnn`."""
    model = pl.preset("cnn")
    model.initialize((64, 64, 3))
    X = np.random.default_rng(0).random((1, 64, 64, 3), dtype=np.float32)
    return harness.steps_for(lambda: model.predict(X), seconds)


def photos_by_lite0(seconds: float) -> Callable[[], list[float]]:
    """Predictions of 16 photos of 224x224 by the layers of EfficientNet-Lite0, untrained."""
    from pellucid.nn.pretrained.efficientnet_lite import VARIANTS, features

    model = pl.Sequential(features(VARIANTS["efficientnet-lite0"]))
    model.initialize((224, 224, 3))
    X = np.random.default_rng(0).random((16, 224, 224, 3), dtype=np.float32)
    return harness.steps_for(lambda: model(X), seconds)


def digits(seconds: float) -> Callable[[], list[float]]:
    """Epochs of 784-128-64-10 on 20,000 rows, in batches of 32."""
    from benchmarks.zoo import NETWORKS

    network = NETWORKS["mlp-32"]
    return whole_training(
        network.build, network.samples(20_000, 10), n_epochs=2, batch_size=32, optimizer="adam"
    )


def wide_rows(seconds: float) -> Callable[[], list[float]]:
    """100 full-batch steps of the published network on as many random rows."""
    rng = np.random.default_rng(0)
    data = rng.random((209, 12288)), rng.integers(0, 2, 209)
    return whole_training(lambda: pl.preset("mlp"), data, n_epochs=100, optimizer="sgd", learning_rate=0.0075)


def first_compile(seconds: float, state: str = "on") -> Callable[[], list[float]]:
    """First trainings of `cnn`, with nothing on disk."""
    command = [sys.executable, "-m", MODULE, "--child", "second compiler", state, "cnn", "0.1"]

    def run() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
            return [
                harness.seconds_of(
                    lambda: subprocess.run(
                        command, check=True, env=environment, input=b"", stdout=subprocess.DEVNULL
                    )
                )
            ]

    return run


WHOLES = {
    "norm first": norm_first,
    "one photo": one_photo,
    "photos by lite0": photos_by_lite0,
    "digits": digits,
    "wide rows": wide_rows,
    "first compile": first_compile,
}


def one_pass(job: Job, seconds: float) -> Callable[[], list[float]]:
    """Return a round of forwards and backwards of an op, with the buffers of a layer."""
    rng = np.random.default_rng(0)
    arguments = [rng.standard_normal(shape).astype(np.float32) for shape in job.shapes]
    forward, backward = (getattr(switches, f"{job.op}_{way}") for way in ("forward", "backward"))
    extra = {"workspace": Workspace()} if "workspace" in switches.TWINS[f"{job.op}_forward"].extra else {}

    def run() -> None:
        Z, *_, cache = forward(*arguments, **job.options, **extra)
        backward(np.ones_like(Z), cache)

    return harness.steps_for(run, seconds)


def measured(path: FastPath, state: str, what: str, seconds: float) -> Callable[[], list[float]]:
    """Return a round of a whole or of the op ("op"), with the path on or off."""
    from benchmarks.zoo import NETWORKS

    if what == "first compile":
        return first_compile(seconds, state)
    if state == "off":
        path.off()
    if what == "op":
        assert path.op is not None
        return one_pass(path.op, seconds)
    return steps_of(NETWORKS[what], seconds) if what in NETWORKS else WHOLES[what](seconds)


def code_lines(file: str) -> int:
    """Return how many lines of a file are code: no docstrings, comments and blank lines."""
    source, lines, texts = (SOURCE / file).read_text(), set(), set()
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            texts |= {*range(node.lineno, (node.end_lineno or 0) + 1)}
    skipped = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped:
            lines |= {*range(token.start[0], token.end[0] + 1)}
    return len(lines - texts)


def row_of(name: str, path: FastPath, options: Any, lock: harness.Lock) -> str:
    """Return a path's row of the table, measured."""
    seconds = str(SECONDS["quick" if options.quick else "full"])
    ratios = []
    for what in (path.whole, *(["op"] if path.op else [])):
        who = {
            state: Contestant(
                (name, state, what, seconds),
                {
                    **harness.with_kernels(path.kernels),
                    **({"OPENBLAS_NUM_THREADS": "1"} if what == "op" else {}),
                },
            )
            for state in ("on", "off")
        }
        times, _ = harness.contest(MODULE, who, 1 if options.quick else options.rounds, lock)
        ratios.append(f"{times['off'].median / times['on'].median:.2f}" if len(times) == 2 else "failed")
    lines = sum(map(code_lines, path.files))
    own = ", ".join(f"`{file}`" for file in path.files)
    cells = (
        f"{name}: {own}",
        path.serves,
        path.simpler,
        f"{ratios[0]} on {path.whole}",
        (*ratios, "")[1],
        str(lines),
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="beginnings of the paths' names")
    options = parser.parse_args()
    if options.child:
        name, state, what, seconds = options.child
        harness.serve(measured(PATHS[name], state, what, float(seconds)))
        return
    print(harness.machine())
    print(
        f"\n| fast path | serves | next simpler | whole without it | op without it | lines |\n{'|---' * 6}|"
    )
    for name, path in PATHS.items():
        if options.only is None or name.startswith(tuple(options.only)):
            print(row_of(name, path, options, harness.Lock(options.lock)), flush=True)


if __name__ == "__main__":
    main()
