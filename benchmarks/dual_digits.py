"""How many digits the dual form keeps in float32: the table of docs/limits.md.

::

    python -m benchmarks.dual_digits
"""

import numpy as np

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.types import Array

SIZES = (200, 400), (100, 100), (100, 60)  # samples, inputs
MEANS = 0, 5, 20


def outputs(m: int, n_in: int, mean: float, form: str, dtype: str) -> Array:
    """Return what one Dense layer gives for targets of pure noise after 4,000 full-batch steps."""
    rng = np.random.default_rng(0)
    X = (mean + rng.standard_normal((m, n_in))).astype(np.float32)
    data = pl.Dataset(X, rng.standard_normal(m))
    model = pl.Sequential([pl.Dense(1)], dtype=dtype)
    model.initialize((n_in,), seed=1)
    model.preprocessing = Preprocessing()
    optimizer = pl.optimizers.SGD(0.5 / (n_in * (1 + mean**2)), momentum=0.9)
    how = {"form": form, "optimizer": optimizer, "kernels": "numpy"}
    pl.train(model, data, loss="mean_squared_error", n_epochs=4000, batch_size=None, **how)
    found: Array = model._raw_outputs(X.astype(dtype)).astype(np.float64)
    return found


def main() -> None:
    """Print the table."""
    print("| samples x inputs | mean | direct, float32 | dual, float32 |\n|---|---|---|---|")
    for m, n_in in SIZES:
        for mean in MEANS:
            exact = outputs(m, n_in, mean, "direct", "float64")
            errors = [outputs(m, n_in, mean, form, "float32") - exact for form in ("direct", "dual")]
            size = f"{m} x {n_in}" if mean == MEANS[0] else ""
            print(f"| {size} | {mean} | {' | '.join(f'{np.sqrt(np.mean(e**2)):.0e}' for e in errors)} |")


if __name__ == "__main__":
    main()
