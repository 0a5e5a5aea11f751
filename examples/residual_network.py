"""A residual network on drawn-cats, built from the parts: each block adds what it computes to what it was given."""

import argparse

import pellucid as pl


def block(width: int) -> pl.Residual:
    return pl.Residual(
        pl.Sequential(
            [
                pl.Conv2D(width, use_bias=False),
                pl.BatchNorm(),
                pl.Activation("relu"),
                pl.Conv2D(width, use_bias=False),
                pl.BatchNorm(),
            ]
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=2)
    epochs = parser.parse_args().epochs

    cats = pl.load_data("drawn-cats")
    model = pl.Sequential(
        [
            pl.Conv2D(16, stride=2, activation="relu"),
            pl.MaxPool2D(),
            block(16),
            pl.Activation("relu"),
            pl.MaxPool2D(),
            block(16),
            pl.Activation("relu"),
            pl.GlobalAvgPool2D(),
            pl.Dense(1),
        ]
    )
    history = pl.train(
        model,
        cats.train,
        optimizer=pl.optimizers.AdamW(0.003),
        n_epochs=epochs,
        batch_size=32,
        schedule=pl.schedules.OneCycle(),
    )
    print(model.summary())
    print(f"loss {history.losses[0]:.3f} -> {history.losses[-1]:.3f}")
    print(f"test accuracy {pl.evaluate(model, cats.test).accuracy:.2f}")


if __name__ == "__main__":
    main()
