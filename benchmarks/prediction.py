"""Photos a second that a trained network classifies, many and one at a time, against onnxruntime and PyTorch.

    python -m benchmarks.prediction [--only efficientnet-lite0 resnet-18] [--one-core]

`cnn` on photos of 64x64, and a residual network on photos of 128x128 (benchmarks/zoo.py), both trained for a few
steps first, so that their norms have statistics. Ours is `decision_function` on float32 photos: on kernels, on
NumPy, and with no flag, as users call it, once the process has changed over by itself. The rivals get the
same network by PyTorch's ONNX export; what they fold and fuse is their affair: onnxruntime with all its
optimizations on two threads (one photo: on one, too), PyTorch in inference mode, eager and compiled with its
parameters frozen. Their outputs are compared with ours first.

Imported networks on photos of 224x224, 16 and one at a time: MobileNetV3 and ResNet-18
(benchmarks/torch_networks.py) by PyTorch's export, as onnxruntime takes the file and as `pl.import_onnx` reads it;
and EfficientNet-Lite0 as `pl.pretrained` has it, on photos of bytes, against its file on floats that are prepared.

Then one photo, and a training step of `cnn`, beside processes that never rest: as called and on one thread of our
own, turn by turn in one process, in the 95th percentile and at most.

With --one-core everybody has one core and one thread, and the processor's time is counted: what others do on the
machine then matters little.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import harness
from benchmarks.harness import Contestant

MODULE = "benchmarks.prediction"
OWN, IMPORTED, PRETRAINED = ("cnn", "large-photos"), ("mobilenet-v3", "resnet-18"), "efficientnet-lite0"
NETWORKS = (*OWN, *IMPORTED, PRETRAINED)
BATCHES = {name: (640, 64, 1) if name in OWN else (16, 1) for name in NETWORKS}
SIDE = 224  # of the photos of imported networks
LONGEST = 60.0  # seconds until a process has changed over to kernels
SECONDS = {"full": 1.0, "quick": 0.2}  # of a round


def photos(name: str, n: int) -> np.ndarray:
    """Return photos of floats from 0 to 1."""
    from benchmarks.zoo import NETWORKS

    if name not in OWN:
        return np.random.default_rng(0).random((n, SIDE, SIDE, 3), dtype=np.float32)
    return NETWORKS[name].samples(n, 2)[0]


def as_given(name: str, X: np.ndarray) -> np.ndarray:
    """Return photos as our model gets them."""
    return (X * 255).round().astype(np.uint8) if name == PRETRAINED else X


def prepare(name: str, folder: Path) -> float:
    """Write a network for everybody, and return by how much onnxruntime's outputs differ."""
    import onnxruntime

    import pellucid as pl

    (train if name in OWN else load_pretrained if name == PRETRAINED else import_from_torch)(name, folder)
    model, X = pl.load(folder / f"{name}.safetensors"), as_given(name, photos(name, 4))
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    Z, pixels = model.decision_function(X), X / np.float32(255 if name == PRETRAINED else 1)
    feed = {session.get_inputs()[0].name: np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))}
    return float(np.abs(session.run(None, feed)[0].reshape(Z.shape) - Z).max() / np.abs(Z).max())


def export(network: Any, pixels: np.ndarray, path: Path) -> None:
    """Write a module of PyTorch's as an ONNX file."""
    import torch

    options: dict[str, Any] = {"dynamo": False, "input_names": ["X"], "dynamic_axes": {"X": {0: "m"}}}
    torch.onnx.export(network.eval(), (torch.from_numpy(pixels),), path, **options)


def import_from_torch(name: str, folder: Path) -> None:
    """Write a module whose norms have seen some photos, and what is imported of its file."""
    import torch
    from benchmarks.torch_networks import NETWORKS

    import pellucid as pl

    torch.manual_seed(0)
    network, pixels = NETWORKS[name](), np.ascontiguousarray(photos(name, 4).transpose(0, 3, 1, 2))
    with torch.no_grad():
        for _ in range(3):
            network(torch.from_numpy(pixels))
    export(network, pixels, folder / f"{name}.onnx")
    pl.save(pl.import_onnx(folder / f"{name}.onnx", pixels="0..1"), folder / f"{name}.safetensors")


def load_pretrained(name: str, folder: Path) -> None:
    """Write the pretrained network, and its file without preprocessing, of photos with their channels first."""
    import pellucid as pl
    from pellucid.formats.onnx.export import to_onnx

    model = pl.pretrained(name)
    pl.save(model, folder / f"{name}.safetensors")
    file = to_onnx(model, raw=True)
    graph, first = file.graph, file.graph.node[0]
    assert first.op_type == "Transpose"
    graph.input[0].name = first.output[0]
    for dim, n in zip(graph.input[0].type.tensor_type.shape.dim[1:], (3, SIDE, SIDE), strict=True):
        dim.dim_value = n
    del graph.node[0]
    (folder / f"{name}.onnx").write_bytes(file.SerializeToString())


def train(name: str, folder: Path) -> None:
    """Train a network briefly, and write it."""
    from benchmarks.in_pytorch import to_torch
    from benchmarks.zoo import NETWORKS

    import pellucid as pl

    network = NETWORKS[name]
    model = network.build()
    model.initialize(network.shape)
    X, y = network.samples(128, model.output_shape[0])
    pl.train(model, (X, y), n_epochs=3, batch_size=32, optimizer="adam", learning_rate=0.001, kernels="numpy")
    pl.save(model, folder / f"{name}.safetensors")
    export(to_torch(model), np.ascontiguousarray(X[:64].transpose(0, 3, 1, 2)), folder / f"{name}.onnx")


def serve(predict: Callable[[], Any], seconds: float) -> None:
    if "ONE_CORE" not in os.environ:
        harness.serve(harness.steps_for(predict, seconds))
        return

    def processor_seconds() -> float:
        started = time.process_time()
        predict()
        return time.process_time() - started

    n_steps = max(5, round(seconds / min(processor_seconds() for _ in range(3))))
    harness.serve(lambda: [processor_seconds() for _ in range(n_steps)])


def pellucid(name: str, folder: Path, batch: int, seconds: float) -> None:
    import pellucid as pl

    model, X = pl.load(folder / f"{name}.safetensors"), as_given(name, photos(name, batch))
    end = time.monotonic() + (0 if "PELLUCID_KERNELS" in os.environ else LONGEST)
    while time.monotonic() < end and not model._warming.is_ready:
        model.decision_function(X)
    serve(lambda: model.decision_function(X), seconds)


def onnx(name: str, folder: Path, batch: int, seconds: float, n_threads: str) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(n_threads)
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options)
    pixels = np.ascontiguousarray(photos(name, batch).transpose(0, 3, 1, 2))
    X = session.get_inputs()[0].name
    serve(lambda: session.run(None, {X: pixels}), seconds)


def pytorch(
    name: str, folder: Path, batch: int, seconds: float, n_threads: str, way: str, layout: str
) -> None:
    import torch
    import torch._inductor.config
    from benchmarks.in_pytorch import to_torch

    import pellucid as pl

    torch.set_num_threads(int(n_threads))
    torch.set_flush_denormal(True)
    order = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    network: Any = to_torch(pl.load(folder / f"{name}.safetensors")).eval()
    network = network.to(memory_format=order)
    X = torch.from_numpy(photos(name, batch)).permute(0, 3, 1, 2).contiguous(memory_format=order)
    if way == "compiled":
        torch._inductor.config.freezing = True
        network = torch.compile(network)
    with torch.inference_mode():
        serve(lambda: network(X), seconds)


NEIGHBOURS, N_BESIDE = (1, 2), 300  # busy processes; photos or steps beside them


@contextmanager
def one_thread() -> Iterator[None]:
    """Have nothing split within the block."""
    from pellucid.blas_threads import one_blas_thread
    from pellucid.threads import side_by_side

    with one_blas_thread(), side_by_side():
        yield


def photo_beside(name: str, folder: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return what predicts one photo as called, and on one thread."""
    import pellucid as pl

    model, X = pl.load(folder / f"{name}.safetensors"), as_given(name, photos(name, 1))

    def alone() -> None:
        with one_thread():
            model.decision_function(X)

    return lambda: model.decision_function(X), alone


def step_beside(opened: ExitStack) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return what takes a training step of `cnn` on all cores, and on one thread."""
    from benchmarks.zoo import NETWORKS

    import pellucid as pl
    from pellucid.threads import n_cores
    from pellucid.training.executor.choose import executor_for

    network, steps = NETWORKS["cnn"], []
    for n in (n_cores(), 1):
        model = network.build()
        model.initialize(network.shape)
        X, y = network.samples(32, model.output_shape[0])
        optimizer = pl.optimizers.Adam()
        optimizer.start_for(model)
        executor = opened.enter_context(executor_for(model, n, optimizer))
        steps.append(partial(step, executor, optimizer, X, model._encode(y)))
    return steps[0], steps[1]


def step(executor: Any, optimizer: Any, X: np.ndarray, Y: np.ndarray) -> None:
    executor.loss_and_grad(X, Y)
    executor.update(optimizer)


def beside(name: str, folder: Path, n: str) -> None:
    """Print how long both ways take in turn, beside some busy processes."""
    from pellucid import dispatch

    with dispatch.use("numba"), ExitStack() as opened:
        as_called, alone = step_beside(opened) if name == "step" else photo_beside(name, folder)
        ways = {"as called": as_called, "one thread": alone}
        for call in [*ways.values()] * 3:
            call()
        for n_busy in NEIGHBOURS:
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            try:
                time.sleep(0.5)
                for way in [*ways] * int(n):
                    started = time.perf_counter()
                    ways[way]()
                    seconds[way].append(time.perf_counter() - started)
            finally:
                for other in others:
                    other.kill()
                    other.wait()
            (p95, p95_alone), (most, most_alone) = (
                [1e3 * of(each) for each in seconds.values()]
                for of in (lambda each: np.percentile(each, 95), max)
            )
            print(
                f"beside {n_busy} busy: 95th percentile {p95:.3g} ms, one thread {p95_alone:.3g} "
                f"({p95 / p95_alone:.2f}); slowest {most:.3g} and {most_alone:.3g} ({most / most_alone:.2f})"
            )


WHO: dict[str, Callable[..., None]] = {"pellucid": pellucid, "onnxruntime": onnx, "pytorch": pytorch}


def contestants(name: str, folder: str, batch: int, seconds: float) -> dict[str, Contestant]:
    task = (name, folder, str(batch), str(seconds))
    found = {
        f"pellucid, {kernels}": Contestant(("pellucid", *task), harness.with_kernels(kernels))
        for kernels in ("numba", "numpy")
    }
    if batch > 1:
        found["pellucid, no flag"] = Contestant(("pellucid", *task))
    for n in ("2", "1") if batch == 1 else ("2",):
        threads = f"{n} thread{'s' * (n == '2')}"
        found[f"onnxruntime, {threads}"] = Contestant(("onnxruntime", *task, n))
        for way in ("eager", "compiled") if name in OWN else ():
            for layout in ("channels_last", "default"):
                environment = {**harness.TUNED_ALLOCATOR, "OMP_NUM_THREADS": n}
                contestant = Contestant(("pytorch", *task, n, way, layout), environment)
                found[f"PyTorch {way}, {layout}, {threads}"] = contestant
    return found


def on_one_core(who: dict[str, Contestant]) -> dict[str, Contestant]:
    """Return those on kernels and onnxruntime, with one thread."""
    found = {}
    for name, (arguments, environment) in who.items():
        if name.startswith("onnx"):
            found["onnxruntime"] = Contestant((*arguments[:-1], "1"), {"ONE_CORE": "1"})
        elif name.startswith("pellucid") and environment:
            found[name] = Contestant(arguments, {**environment, "ONE_CORE": "1", "OPENBLAS_NUM_THREADS": "1"})
    return found


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--one-core", action="store_true", help="count the processor's time, on one core")
    parser.add_argument(
        "--only", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NAME", help="some networks"
    )
    options = parser.parse_args()
    if options.child:
        who, name, folder, *rest = options.child
        if "ONE_CORE" in os.environ:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        if who == "beside":
            beside(name, Path(folder), *rest)
            return
        batch, seconds, *rest = rest
        WHO[who](name, Path(folder), int(batch), float(seconds), *rest)
        return
    warnings.simplefilter("ignore")  # that PyTorch has another way to export, too
    n_rounds, lock = 1 if options.quick else options.rounds, harness.Lock(options.lock)
    seconds = SECONDS["quick" if options.quick else "full"]
    print(harness.machine("onnxruntime", "onnx", "torch"))
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only:
            with lock.shared():
                error = prepare(name, Path(folder))
            print(f"\n{name}: outputs of onnxruntime differ from ours by {error:.1e} of the largest")
            for batch in BATCHES[name]:
                who = contestants(name, folder, batch, seconds)
                if options.one_core:
                    who = on_one_core(who)
                print_batch(name, folder, batch, *harness.contest(MODULE, who, n_rounds, lock))
            if not options.one_core:
                print_beside(name, folder, N_BESIDE // 10 if options.quick else N_BESIDE, lock)
        if "cnn" in options.only and not options.one_core:
            print("\na training step of cnn, batch 32")
            print_beside("step", folder, N_BESIDE // 10 if options.quick else N_BESIDE, lock)


def print_beside(name: str, folder: str, n: int, lock: harness.Lock) -> None:
    """Print one photo, or a step, beside busy processes."""
    with lock.shared():
        harness.wait_until_idle()
        subprocess.run([sys.executable, "-m", MODULE, "--child", "beside", name, folder, str(n)], check=True)


def print_batch(name: str, folder: str, batch: int, times: dict[str, harness.Times], rate: float) -> None:
    """Print everybody's times, and photos a second; of ours and onnxruntime's the least, too."""
    import pellucid as pl

    title = f"{name}, {batch} photo{'s' * (batch > 1)}"
    harness.print_times(title, times, "pellucid, numba", n=batch)
    least = {who: min(found.seconds) for who, found in times.items()}
    ours, theirs = (min(t for who, t in least.items() if who.startswith(one)) for one in ("pellucid", "onnx"))
    print(f"least: {1e3 * ours:.4g} ms, onnxruntime {1e3 * theirs:.4g} ms: {theirs / ours:.2f} of its speed")
    harness.print_floor(batch * pl.load(Path(folder) / f"{name}.safetensors")._n_operations, rate)


if __name__ == "__main__":
    main()
