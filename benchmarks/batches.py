"""What happens to a batch before the network sees it, on one thread.

    python benchmarks/batches.py            a few seconds

32 photos of 64x64 are picked from 2,048, scaled and augmented; the 136,057 parameters of `cnn` are
averaged. Medians are printed, in milliseconds.
"""

import os
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from pellucid.data.augmentation.augment import AUGMENT_PRESETS, augment_preset
from pellucid.data.augmentation.colour import Brightness
from pellucid.data.augmentation.geometry import Rotation
from pellucid.data.preprocess import Preprocessing
from pellucid.training.callbacks.weight_ema import WeightEMA

N_ROUNDS = 100


def work() -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    rng = np.random.default_rng(0)
    photos, rows = rng.integers(0, 256, (2048, 64, 64, 3), dtype=np.uint8), rng.permutation(2048)[:32]
    rule, Y = Preprocessing.for_data(photos), np.eye(2, dtype=np.float32)[rng.integers(0, 2, 32)]
    batch = rule.apply(photos, np.float32, rows=rows)
    out, whole, theta = np.empty_like(batch), np.empty(photos.shape, np.float32), batch.ravel()[:136_057]
    average = WeightEMA()
    average.start(theta)
    return {
        "pick 32 photos and scale them": lambda: rule.apply(photos, np.float32, rows=rows, out=out),
        "scale all 2,048": lambda: rule.apply(photos, np.float32, out=whole),
        "rotate": lambda: Rotation()(batch, rng, out=out),
        "brighten": lambda: Brightness()(batch, rng, out=out),
        **{
            f"augment: {name}": lambda name=name: augment_preset(name).apply(batch, Y, rng, out=out)  # type: ignore[misc]
            for name in AUGMENT_PRESETS
        },
        "average 136,057 parameters": lambda: average.update(theta),
    }


def main() -> None:
    for name, function in work().items():
        times = []
        for _ in range(10 if "all" in name else N_ROUNDS):
            start = time.perf_counter()
            function()
            times.append(1e3 * (time.perf_counter() - start))
        print(f"{name:32}{np.median(times):8.3f}")


if __name__ == "__main__":
    main()
