"""How hard are the drawn cats? What five learners make of the 209 pictures.

    python -m benchmarks.drawn_cats            about six minutes on one core
    python -m benchmarks.drawn_cats --quick    one seed of the convolutional net

The shipped test set has 50 pictures, so one picture is 0.02 and chance is 0.07 wide (one standard deviation);
2,000 fresh drawings say it to 0.01.
"""

import argparse
import itertools
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from benchmarks import harness
from scripts.drawn_cats.draw import draw
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import nn

from pellucid.data.built_in import load_drawn_cats
from pellucid.data.dataset import Dataset, Split
from pellucid.rng import legacy_stream
from pellucid.types import Array

FRESH_SEED, N_FRESH, N_EPOCHS = 20_260_101, 2000, 80


def rows(data: Dataset) -> Array:
    """Return each picture as one row of numbers from 0 to 1."""
    return data.X.reshape(len(data), -1) / 255.0


def colour_statistics(data: Dataset) -> Array:
    """Return the mean and the standard deviation of red, green and blue, shape (m, 6)."""
    X = data.X.reshape(len(data), -1, 3) / 255.0
    return np.concatenate([X.mean(axis=1), X.std(axis=1)], axis=1)


def logistic(train: Dataset, test: Dataset, C: float, features: Callable[[Dataset], Array] = rows) -> float:
    """Return the test accuracy of scikit-learn's logistic regression."""
    model = LogisticRegression(C=C, max_iter=2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features(train), train.y)
    return float(model.score(features(test), test.y))


def newcomer(train: Dataset, tests: list[Dataset], n_steps: int = 2500) -> tuple[float, list[float]]:
    """Train the tutorial's network, [12288, 20, 7, 5, 1], and return the last cost and each accuracy.

    Exact, in the dual form: descent moves the first weights only within the span of the training rows, so
    W_t = W_0 - X^T C, and each step needs only the Gram matrix X X^T.
    """
    X, y, m = rows(train), train.y[:, None].astype(float), len(train)
    start, sizes = legacy_stream(1), [X.shape[1], 20, 7, 5, 1]
    W = [start.standard_normal((o, i)).T / np.sqrt(i) for i, o in itertools.pairwise(sizes)]
    b = [np.zeros(width) for width in sizes[1:]]
    first, C, K, Z0 = W[0], np.zeros((m, sizes[1])), X @ X.T, X @ W[0]

    def above(Z: Array) -> list[Array]:
        Zs = [Z]
        for layer in (1, 2, 3):
            Zs.append(np.maximum(Zs[-1], 0) @ W[layer] + b[layer])
        return Zs

    for _ in range(n_steps):
        Zs = above(Z0 - K @ C + b[0])
        dZ = (1 / (1 + np.exp(-Zs[3])) - y) / m
        for layer in (3, 2, 1):
            A = np.maximum(Zs[layer - 1], 0)
            dA = dZ @ W[layer].T
            W[layer] = W[layer] - 0.0075 * (A.T @ dZ)
            b[layer] = b[layer] - 0.0075 * dZ.sum(axis=0)
            dZ = dA * (Zs[layer - 1] > 0)
        C += 0.0075 * dZ
        b[0] = b[0] - 0.0075 * dZ.sum(axis=0)
    Z = above(Z0 - K @ C + b[0])[3]
    cost = float(np.mean(np.logaddexp(0, Z) - y * Z))
    first = first - X.T @ C
    return cost, [float(np.mean((above(rows(t) @ first + b[0])[3] > 0)[:, 0] == t.y)) for t in tests]


def as_tensor(X: Array) -> torch.Tensor:
    """Return pictures as float32 tensors (m, 3, height, width), roughly centred."""
    return torch.from_numpy(X).permute(0, 3, 1, 2).float().div(255).sub(0.5).mul(4)


def shifted(X: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror half of the pictures and move each by up to five pixels."""
    is_mirrored = torch.rand(len(X), generator=generator) < 0.5
    X = torch.where(is_mirrored[:, None, None, None], X.flip(3), X)
    wide = nn.functional.pad(X, (5, 5, 5, 5), mode="replicate")
    dx, dy = torch.randint(0, 11, (2, len(X)), generator=generator)
    return torch.stack([x[:, j : j + 64, i : i + 64] for x, i, j in zip(wide, dx, dy, strict=True)])


def convolutional(train: Dataset, tests: list[Dataset], seed: int, n_epochs: int = N_EPOCHS) -> list[float]:
    """Train a small convolutional net from nothing and return its accuracy on each data set."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    widths, blocks = (3, 24, 48, 96, 96), []
    for i, o in itertools.pairwise(widths):
        blocks += [nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)]
    net = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 2))
    X, y, batch = as_tensor(train.X), torch.from_numpy(train.y), 32
    n_batches = -(-len(X) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=n_epochs * n_batches)
    for _ in range(n_epochs):
        for chosen in torch.randperm(len(X), generator=generator).split(batch):
            loss = nn.functional.cross_entropy(net(shifted(X[chosen], generator)), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        answers = [torch.cat([net(part).argmax(1) for part in as_tensor(t.X).split(250)]) for t in tests]
    return [float(np.mean(a.numpy() == t.y)) for a, t in zip(answers, tests, strict=True)]


def report(cats: Split, fresh: Dataset, n_seeds: int) -> None:
    """Print every figure."""
    print(f"{'learner':<44}{'test (50)':>12}{f'fresh ({len(fresh)})':>14}")
    tests = [cats.test, fresh]
    commoner = int(np.argmax(cats.train.counts))
    a, b = (float(np.mean(t.y == commoner)) for t in tests)
    print(f"{'always the commoner class':<44}{a:>12.2f}{b:>14.3f}")
    statistics = [logistic(cats.train, t, 1.0, colour_statistics) for t in tests]
    print(f"{'logistic regression on colour statistics':<44}{statistics[0]:>12.2f}{statistics[1]:>14.3f}")
    for C in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        a, b = (logistic(cats.train, t, C) for t in tests)
        print(f"{f'logistic regression on pixels, C={C:g}':<44}{a:>12.2f}{b:>14.3f}")
    cost, (a, b) = newcomer(cats.train, tests)
    print(f"{f'the tutorial mlp (last cost {cost:.3f})':<44}{a:>12.2f}{b:>14.3f}")
    found = []
    for seed in range(n_seeds):
        found.append(convolutional(cats.train, tests, seed))
        a, b = found[-1]
        print(f"{f'convolutional net, seed {seed}':<44}{a:>12.2f}{b:>14.3f}", flush=True)
    a, b = np.mean(found, axis=0)
    print(f"{f'convolutional net, mean of {n_seeds}':<44}{a:>12.2f}{b:>14.3f}")


def main() -> None:
    """Draw, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed of the convolutional net")
    n_seeds = 1 if parser.parse_args().quick else 5
    torch.set_num_threads(1)
    print(harness.machine("pillow", "scikit-learn", "torch"))
    start = time.perf_counter()
    fresh = draw(N_FRESH, FRESH_SEED)
    print(f"drawing: {(time.perf_counter() - start) / N_FRESH * 1e3:.1f} ms a picture\n")
    report(load_drawn_cats(), fresh, n_seeds)


if __name__ == "__main__":
    main()
