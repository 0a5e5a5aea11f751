"""A graph with two inputs and two outputs: a small picture and two facts in, a class and a quantity out."""

import numpy as np

import pellucid as pl


def make_data(m: int, rng: np.random.Generator) -> pl.Dataset:
    photo = rng.standard_normal((m, 8, 8, 1))
    facts = rng.standard_normal((m, 2))
    brightness = photo.mean(axis=(1, 2, 3)) * 8
    kind = (brightness + facts[:, 0] > 0).astype(int)  # needs both inputs
    return pl.Dataset({"photo": photo, "facts": facts}, {"kind": kind, "size": brightness + facts[:, 1]})


def main() -> None:
    rng = np.random.default_rng(0)
    data, fresh = make_data(2000, rng), make_data(500, rng)
    model = pl.Graph(
        inputs=["photo", "facts"],
        nodes={
            "pixels": (pl.Flatten(), "photo"),
            "seen": (pl.Dense(16, activation="relu"), "pixels"),
            "both": ("concat", ["seen", "facts"]),
            "hidden": (pl.Dense(16, activation="relu"), "both"),
            "kind": (pl.Dense(1), "hidden"),
            "size": (pl.Dense(1), "hidden"),
        },
        outputs=["kind", "size"],
    )
    history = pl.train(
        model,
        data,
        loss={"kind": "binary_cross_entropy", "size": {"type": "huber", "weight": 0.5}},
        optimizer=pl.optimizers.Adam(0.01),
        n_epochs=15,
        batch_size=50,
    )
    predicted = model.predict(fresh.X)
    error = np.abs(predicted["size"] - fresh.y["size"]).mean()
    print(f"loss {history.losses[0]:.3f} -> {history.losses[-1]:.3f}")
    print(f"kind: accuracy {(predicted['kind'] == fresh.y['kind']).mean():.2f}")
    print(f"size: mean absolute error {error:.2f}, of a spread of {fresh.y['size'].std():.2f}")


if __name__ == "__main__":
    main()
