"""A layer of one's own: forward, backward, a parameter; checked against a numerical gradient, trained and saved."""

import tempfile
from pathlib import Path

import numpy as np

import pellucid as pl
from pellucid.ops.finite_difference import gradcheck


@pl.register  # so that saved models can be loaded again
class Scale(pl.Layer):
    """Multiply every input by a trained factor of its own: Y = X * s."""

    def build(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> None:
        self.input_shape = self.output_shape = input_shape
        self.params = {"s": np.ones(input_shape)}

    def forward(self, X: np.ndarray, *, training: bool = False) -> np.ndarray:
        self.X = X
        return X * self.params["s"]

    def backward(self, dY: np.ndarray) -> np.ndarray:
        np.sum(dY * self.X, axis=0, out=self.grads["s"])
        return dY * self.params["s"]


def main() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 6))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = pl.Sequential([Scale(), pl.Dense(16, activation="relu"), pl.Dense(1)], dtype="float64")
    model.initialize((6,))

    def loss(theta: np.ndarray) -> float:
        model.theta[...] = theta
        return model.loss_and_grad(X, y)

    model.loss_and_grad(X, y)
    errors = gradcheck(loss, {"theta": model.grad.copy()}, {"theta": model.theta.copy()}, rng)
    print(f"gradient error {errors['theta']:.0e}")

    pl.train(model, pl.Dataset(X, y), optimizer=pl.optimizers.Adam(0.01), n_epochs=60, batch_size=50)
    print(f"accuracy {(model.predict(X) == y).mean():.2f}")
    with tempfile.TemporaryDirectory() as folder:
        pl.save(model, Path(folder) / "model.safetensors")
        again = pl.load(Path(folder) / "model.safetensors")
    print(f"saved and loaded: the same predictions: {bool((again.predict(X) == model.predict(X)).all())}")


if __name__ == "__main__":
    main()
