"""Requests that wait together are predicted together, and each gets what is its own."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError
from pellucid.server.models import Served, load_models
from pellucid.server.read_request import Samples
from pellucid.server.service import Batches, Job, Predicted
from pellucid.types import Array


@pytest.fixture
def sums(model_files: dict[str, Path]) -> Served:
    return load_models([str(model_files["sums"])])["sums"]


@pytest.fixture
def pets(model_files: dict[str, Path]) -> Served:
    return load_models([str(model_files["pets"])])["pets"]


def together(
    jobs: Sequence[tuple[Served, Array]], *, largest: int = 8, cancelled: Sequence[int] = ()
) -> list[Any]:
    """Return what each request is answered with, where all wait before the first is predicted."""

    async def run() -> list[Any]:
        gate = threading.Event()
        batches = Batches(largest, 0.0, lambda: gate.wait(10) and None)
        futures = [Future[Any]() for _ in jobs]
        for (served, X), future in zip(jobs, futures, strict=True):
            batches.expect()
            batches.put(Job(served, Samples(X, [*range(len(X))]), future))
        for i in cancelled:
            futures[i].cancel()
        gate.set()
        waiting = [asyncio.wrap_future(future) for future in futures]
        found = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        await asyncio.to_thread(batches.close)
        return found

    return asyncio.run(run())


def values(found: Predicted) -> list[Any]:
    return [each.value for each in found.predictions]


def test_each_gets_its_own_in_one_batch(sums: Served) -> None:
    found = together([(sums, np.full((n, 3), float(n))) for n in (1, 2, 3)])
    assert [values(each) for each in found] == [[3.0], [6.0] * 2, [9.0] * 3]
    assert [each.n_together for each in found] == [6, 6, 6]


def test_a_batch_is_no_larger_than_asked(sums: Served) -> None:
    found = together([(sums, np.ones((n, 3))) for n in (2, 2, 1, 9, 1)], largest=4)
    assert [each.n_together for each in found] == [4, 4, 2, 9, 2]  # closing answers what waits, too


def test_models_and_dtypes_are_not_mixed(sums: Served, pets: Served) -> None:
    ones = np.ones((1, 3))
    found = together([(sums, ones), (pets, ones), (sums, ones), (sums, ones.astype(np.float32))])
    assert [each.n_together for each in found] == [2, 1, 2, 1]
    assert found[1].predictions[0].label == "cat"


def test_one_that_fails_does_not_fail_the_others(sums: Served) -> None:
    found = together([(sums, np.ones((1, 3))), (sums, np.full((1, 3), 1.7e308)), (sums, np.ones((1, 3)))])
    assert [values(found[0]), values(found[2])] == [[3.0], [3.0]]
    assert isinstance(found[1], DataError)


def test_what_nobody_waits_for_is_not_predicted(sums: Served) -> None:
    found = together([(sums, np.ones((1, 3)))] * 3, cancelled=[1])
    assert [found[0].n_together, found[2].n_together] == [2, 2]


def test_a_batch_waits_for_what_is_expected(sums: Served) -> None:
    async def run(then: str) -> list[int]:
        batches = Batches(8, 1000.0)
        futures = [Future[Predicted](), Future[Predicted]()]
        batches.expect()
        if then != "nothing":
            batches.expect()
        batches.put(Job(sums, Samples(np.ones((1, 3)), [0]), futures[0]))
        if then == "given up":
            batches.give_up()
        if then == "put":
            await asyncio.sleep(0.1)
        else:  # it is not waited for
            await asyncio.wait_for(asyncio.wrap_future(futures[0]), 10)
            batches.expect()
        batches.put(Job(sums, Samples(np.ones((1, 3)), [0]), futures[1]))
        found = await asyncio.wait_for(asyncio.gather(*map(asyncio.wrap_future, futures)), 10)
        await asyncio.to_thread(batches.close)
        return [each.n_together for each in found]

    assert [asyncio.run(run(then)) for then in ("put", "given up", "nothing")] == [[2, 2], [1, 1], [1, 1]]
