"""Photos a second that a trained network classifies, 640, 64 and one at a time, against onnxruntime and PyTorch.

    python -m benchmarks.prediction

`cnn` on photos of 64x64, and a residual network on photos of 128x128 (benchmarks/zoo.py), both trained for a few
steps first, so that their norms have statistics. Ours is `decision_function` on float32 photos: on kernels, on
NumPy, and with no flag, as users call it, once the process has changed over by itself. The rivals get the
same network by PyTorch's ONNX export; what they fold and fuse is their affair: onnxruntime with all its
optimizations on two threads (one photo: on one, too), PyTorch in inference mode, eager and compiled with its
parameters frozen. Their outputs are compared with ours first.
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import harness
from benchmarks.harness import Contestant

MODULE = "benchmarks.prediction"
NETWORKS = ("cnn", "large-photos")
BATCHES = (640, 64, 1)
LONGEST = 60.0  # seconds until a process has changed over to kernels
SECONDS = {"full": 1.0, "quick": 0.2}  # of a round


def photos(name: str, n: int) -> np.ndarray:
    from benchmarks.zoo import NETWORKS

    return NETWORKS[name].samples(n, 2)[0]


def prepare(name: str, folder: Path) -> float:
    """Train a network briefly, write it for everybody, and return by how much onnxruntime's outputs differ."""
    import onnxruntime
    import torch
    from benchmarks.in_pytorch import to_torch
    from benchmarks.zoo import NETWORKS

    import pellucid as pl

    network = NETWORKS[name]
    model = network.build()
    model.initialize(network.shape)
    X, y = network.samples(128, model.output_shape[0])
    pl.train(model, (X, y), n_epochs=3, batch_size=32, optimizer="adam", learning_rate=0.001, kernels="numpy")
    pl.save(model, folder / f"{name}.safetensors")
    theirs, pixels = to_torch(model).eval(), np.ascontiguousarray(X[:64].transpose(0, 3, 1, 2))
    options: dict[str, Any] = {"dynamo": False, "input_names": ["X"], "dynamic_axes": {"X": {0: "m"}}}
    torch.onnx.export(theirs, (torch.from_numpy(pixels),), folder / f"{name}.onnx", **options)
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    Z = model.decision_function(X[:64])
    return float(np.abs(session.run(None, {"X": pixels})[0].reshape(Z.shape) - Z).max() / np.abs(Z).max())


def serve(predict: Callable[[], Any], seconds: float) -> None:
    harness.serve(harness.steps_for(predict, seconds))


def pellucid(name: str, folder: Path, batch: int, seconds: float) -> None:
    import pellucid as pl

    model, X = pl.load(folder / f"{name}.safetensors"), photos(name, batch)
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
    serve(lambda: session.run(None, {"X": pixels}), seconds)


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
        for way in ("eager", "compiled"):
            for layout in ("channels_last", "default"):
                environment = {**harness.TUNED_ALLOCATOR, "OMP_NUM_THREADS": n}
                contestant = Contestant(("pytorch", *task, n, way, layout), environment)
                found[f"PyTorch {way}, {layout}, {threads}"] = contestant
    return found


def main() -> None:
    """Measure and print."""
    options = harness.arguments(__doc__ or "").parse_args()
    if options.child:
        who, name, folder, batch, seconds, *rest = options.child
        WHO[who](name, Path(folder), int(batch), float(seconds), *rest)
        return
    warnings.simplefilter("ignore")  # that PyTorch has another way to export, too
    n_rounds, lock = 1 if options.quick else options.rounds, harness.Lock(options.lock)
    seconds = SECONDS["quick" if options.quick else "full"]
    print(harness.machine("onnxruntime", "onnx", "torch"))
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            with lock.shared():
                error = prepare(name, Path(folder))
            print(f"\n{name}: outputs of onnxruntime differ from ours by {error:.1e} of the largest")
            for batch in BATCHES:
                who = contestants(name, folder, batch, seconds)
                print_batch(name, batch, *harness.contest(MODULE, who, n_rounds, lock))


def print_batch(name: str, batch: int, times: dict[str, harness.Times], rate: float) -> None:
    """Print everybody's times, and photos a second."""
    from benchmarks.zoo import NETWORKS

    title = f"{name}, {batch} photo{'s' * (batch > 1)}"
    harness.print_times(title, times, "pellucid, numba", n=batch)
    model = NETWORKS[name].build()
    model.initialize(NETWORKS[name].shape)
    harness.print_floor(batch * model._n_operations, rate)


if __name__ == "__main__":
    main()
