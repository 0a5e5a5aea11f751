"""Back-propagation by hand on XOR: each number of one training step is derived, and compared with pellucid's."""

import numpy as np

import pellucid as pl

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])  # 1 where exactly one input is 1
RATE = 0.5


def main() -> None:
    model = pl.Sequential([pl.Dense(2, activation="tanh"), pl.Dense(1)])
    model.initialize((2,), seed=6, dtype="float64")
    W1, b1, W2, b2 = (array.copy() for layer in model.params.values() for array in layer.values())
    step = pl.trace(model, (X, y[:, 0].astype(int)), learning_rate=RATE)
    hidden, output = step.values()
    differences: list[float] = []

    def compare(name: str, formula: str, by_hand: np.ndarray, traced: np.ndarray) -> np.ndarray:
        differences.append(np.abs(by_hand - traced).max())
        numbers = np.array2string(np.asarray(by_hand), precision=3, suppress_small=True).replace("\n", "")
        print(f"{name:6} = {formula:28} {numbers}")
        return by_hand

    print("Forward: from the inputs to the loss")
    Z1 = compare("Z1", "X W1 + b1", X @ W1 + b1, hidden.Z)
    A1 = compare("A1", "tanh(Z1)", np.tanh(Z1), hidden.A)
    Z2 = compare("Z2", "A1 W2 + b2", A1 @ W2 + b2, output.Z)
    P = compare("P", "1 / (1 + exp(-Z2))", 1 / (1 + np.exp(-Z2)), step.P[:, 1:])
    compare("loss", "-mean(log P of the truth)", -np.mean(np.log(np.where(y == 1, P, 1 - P))), step.loss)

    print("\nBackward: the chain rule, from the loss to the first weights")
    dZ2 = compare("dZ2", "(P - y) / 4", (P - y) / len(y), output.dZ)
    dW2 = compare("dW2", "A1^T dZ2", A1.T @ dZ2, output.dW)
    db2 = compare("db2", "sum of dZ2's rows", dZ2.sum(axis=0), output.db)
    dA1 = compare("dA1", "dZ2 W2^T", dZ2 @ W2.T, hidden.dA)
    dZ1 = compare("dZ1", "dA1 (1 - A1^2)", dA1 * (1 - A1**2), hidden.dZ)
    dW1 = compare("dW1", "X^T dZ1", X.T @ dZ1, hidden.dW)
    db1 = compare("db1", "sum of dZ1's rows", dZ1.sum(axis=0), hidden.db)

    print("\nUpdate: a step against the gradient")
    for name, gradient, moved in (("W1", dW1, hidden.update_W), ("b1", db1, hidden.update_b)):
        compare(f"{name} +", f"-{RATE} d{name}", -RATE * gradient, moved)
    for name, gradient, moved in (("W2", dW2, output.update_W), ("b2", db2, output.update_b)):
        compare(f"{name} +", f"-{RATE} d{name}", -RATE * gradient, moved)

    print(f"\nThe largest difference from pellucid's numbers: {max(differences):.0e}")
    assert max(differences) < 1e-12

    history = pl.train(model, (X, y[:, 0].astype(int)), n_epochs=400, optimizer="adam", learning_rate=0.05)
    print(f"After {history.n_steps} steps the loss is {history['loss'][-1]:.4f}:", model.predict(X))


if __name__ == "__main__":
    main()
