"""A residual network on digits, built from the parts: each block adds what it computes to what it was given."""

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
    parser.add_argument("--epochs", type=int, default=6)
    epochs = parser.parse_args().epochs

    digits = pl.load_data("digits")
    model = pl.Sequential(
        [
            pl.Conv2D(16, activation="relu"),
            block(16),
            pl.Activation("relu"),
            pl.MaxPool2D(),
            block(16),
            pl.Activation("relu"),
            pl.Flatten(),
            pl.Dense(10),
        ]
    )
    history = pl.train(
        model,
        digits.train,
        optimizer=pl.optimizers.AdamW(0.005),
        n_epochs=epochs,
        batch_size=32,
        schedule=pl.schedules.OneCycle(),
    )
    print(model.summary())
    print(f"loss {history.losses[0]:.3f} -> {history.losses[-1]:.3f}")
    print(f"test accuracy {pl.evaluate(model, digits.test).accuracy:.2f}")


if __name__ == "__main__":
    main()
