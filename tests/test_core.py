"""The core is NumPy at run time: it trains, saves, loads, evaluates and predicts where all else is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = "scipy", "sklearn", "h5py", "safetensors"
CODE = """
import sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Blocked())
import numpy as np
import pellucid as pl
import pellucid.textbook

folder, kernels = Path(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
X, y = rng.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8), np.arange(60) % 2
data, held = pl.Dataset(X[:40], y[:40], ("cat", "dog")), pl.Dataset(X[40:], y[40:], ("cat", "dog"))
middle = [pl.Flatten(), pl.Dense(5, "relu"), pl.Dropout(0.2), pl.BatchNorm(), pl.LayerNorm(), pl.Dense(1)]
model = pl.Sequential([pl.Conv2D(12, activation="relu"), pl.MaxPool2D(), *middle])
options = {{"n_epochs": 3, "validation": held, "kernels": kernels, "progress": False}}
pl.train(model, data, optimizer="adam", batch_size=8, schedule="one_cycle", augment="photo", patience=2, **options)
pl.train(pl.preset("mlp"), data, callbacks=[pl.callbacks.Checkpoint(folder, every_steps=1)], **options)
pl.train(pl.preset("mlp"), data, resume=folder, **options)
pl.save(model, folder / "m.safetensors")
again = pl.load(folder / "m.safetensors")
assert (again.predict_proba(X) == model.predict_proba(X)).all()
assert 0 <= pl.evaluate(again, held).accuracy <= 1
pl.trace(again, (X[:2], y[:2]))
table = pl.load(folder / "table.safetensors")
assert table.predict(table._schema.encode([{{"kg": "4.5", "coat": "tabby"}}]).X).shape == (1,)
pellucid.textbook.two_layer_model(X.reshape(60, -1).T / 255.0, y[None], (192, 4, 1), num_iterations=3)
taken = {{name.partition(".")[0] for name in sys.modules}} & set({blocked!r})
print("taken:", *sorted(taken))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["plain", "numpy"])
def test_the_core_needs_numpy_alone(kernels: str, tmp_path: Path) -> None:
    import pellucid as pl

    rows = "\n".join(f"{i % 7}.5,{('tabby', 'black')[i % 3 == 0]},{('cat', 'dog')[i % 2]}" for i in range(40))
    (tmp_path / "t.csv").write_text(f"kg,coat,pet\n{rows}\n")
    table, split = pl.preset("mlp-small"), pl.load_data(tmp_path / "t.csv", target="pet")
    pl.train(table, split.train, n_epochs=2)
    table._schema = split.schema
    pl.save(table, tmp_path / "table.safetensors")
    code = CODE.format(blocked=BLOCKED)
    done = subprocess.run([sys.executable, "-c", code, tmp_path, kernels], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "taken:\n", ""), done.stderr
