"""Mini-batches: every sample once an epoch, prepared and changed in the batch's own memory."""

from typing import Any

import numpy as np
from tests.every import every

import pellucid as pl
from pellucid.data.augmentation.augment import augment_preset
from pellucid.data.batches import Batches
from pellucid.data.preprocess import Preprocessing
from pellucid.training.job import Job
from pellucid.training.options import TrainingOptions

PIXELS = Preprocessing("divide", 255.0)


@every("shuffle", [True, False])
@every("batch_size", [None, 1, 4, 11])
def test_a_batch_is_prepared_as_the_whole_set_is(
    batch_size: int | None, shuffle: bool, rng: np.random.Generator
) -> None:
    photos, table = rng.integers(0, 256, (11, 4, 3, 1), dtype=np.uint8), rng.random((11, 2))
    Y, weights = np.arange(11.0)[:, None], rng.random(11)
    options: dict[str, Any] = {"weights": weights, "shuffle": shuffle}
    X = {"photo": photos, "table": table}
    prepared = {name: PIXELS.apply(array, "float32") for name, array in X.items()}
    plain = Batches(prepared, Y, batch_size, 3, **options)
    lazy = Batches(X, Y, batch_size, 3, **options, rule=PIXELS, dtype="float32")
    for epoch, skip in ((0, 0), (1, 2)):
        batches = zip(plain.epoch(epoch, skip=skip), lazy.epoch(epoch, skip=skip), strict=True)
        for wanted, got in batches:
            for name in X:
                np.testing.assert_array_equal(got[0][name], wanted[0][name])
                assert got[0][name].dtype == np.float32
            np.testing.assert_array_equal(got[1], wanted[1])
            np.testing.assert_array_equal(got[2], wanted[2])


@every("dtype", [np.uint8, np.float32])
@every("batch_size", [None, 4])
@every("shuffle", [True, False])
def test_augmenting_in_place_leaves_the_data_as_they_are(
    dtype: Any, batch_size: int | None, shuffle: bool, rng: np.random.Generator
) -> None:
    X = rng.integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    data = pl.Dataset(X if dtype == np.uint8 else X / np.float32(255), rng.integers(0, 2, 9))
    before, whole = data.X.copy(), Preprocessing.for_data(data.X).apply(data.X, "float32")
    model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    model.initialize((8, 8, 3))
    augment = augment_preset("photo-cutmix")
    plan = TrainingOptions(2, batch_size or 0, augment=augment, shuffle=shuffle)
    job = Job(model, data, plan)
    lazy = Batches(
        job.X, job.Y, batch_size, 1, rule=job.rule, dtype="float32", change=job.change, shuffle=shuffle
    )
    plain = Batches(whole.copy(), job.Y, batch_size, 1, shuffle=shuffle)
    for step, ((some, Y, _), (got, mixed, _)) in enumerate(zip(plain.epoch(0), lazy.epoch(0), strict=True)):
        wanted, targets = augment.apply(some, Y, pl.rng.stream(1, "augment", step))
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(mixed, targets)
    np.testing.assert_array_equal(data.X, before)


@every(
    ("X", "is_lazy"),
    [
        (np.zeros((6, 4, 4, 3), np.uint8), True),
        (np.zeros((6, 3), np.float32), False),
        (np.zeros((6, 3), np.float64), False),
        (np.zeros((6, 3), np.int64), False),
    ],
)
def test_what_would_not_grow_is_prepared_once(X: Any, is_lazy: bool) -> None:
    model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    job = Job(model, pl.Dataset(X, np.arange(6) % 2), TrainingOptions(1, 2))
    assert (job.rule is not None) == is_lazy
    assert job.X.dtype == (np.uint8 if is_lazy else np.float32)
