"""Requests that wait at the same time are predicted together, by one thread."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from pellucid.blas_threads import one_blas_thread
from pellucid.prediction.predicted import Prediction
from pellucid.server.logs import log
from pellucid.server.models import Served
from pellucid.server.read_request import Samples


class Predicted(NamedTuple):
    """What a request is answered with."""

    predictions: list[Prediction]
    notes: tuple[str, ...]  # what to mind about its samples
    n_together: int  # samples that were predicted at the same time


class Job(NamedTuple):
    """The samples of a request, and who waits for the predictions."""

    served: Served
    samples: Samples
    future: Future[Predicted]

    @property
    def n(self) -> int:
        """How many samples there are."""
        return len(self.samples.X)

    def fits(self, other: "Job") -> bool:
        """Return whether two can be predicted together."""
        return self.served is other.served and self.samples.X.dtype == other.samples.X.dtype


class Batches:
    """A thread that predicts what waits, several requests together.

    A batch is what waits when the thread is free. While further requests are being decoded it waits for them, a few
    milliseconds at most, so that a request that comes alone never waits.

    Parameters
    ----------
    largest : int
        Samples in a batch; a request of more is predicted by itself.
    wait : float
        Seconds that a batch waits for requests that are being decoded.
    warm_up : callable
        Called first, in the thread.
    """

    def __init__(self, largest: int, wait: float, warm_up: Callable[[], None] = lambda: None) -> None:
        self.largest, self.wait, self._warm_up = largest, wait, warm_up
        self._waiting: deque[Job] = deque()
        self._n_samples = self._n_expected = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="pellucid-predict", daemon=True)
        self._thread.start()

    def expect(self) -> None:
        """Say that a request is being decoded: ``put`` follows."""
        with self._changed:
            self._n_expected += 1

    def put(self, job: Job | None) -> None:
        """Add a request that was expected; None for one that could not be decoded."""
        with self._changed:
            self._n_expected -= 1
            if job is not None:
                self._waiting.append(job)
                self._n_samples += job.n
            if len(self._waiting) == 1 or not self._n_expected or self._n_samples >= self.largest:
                self._changed.notify()

    def close(self) -> None:
        """Predict what waits, and end the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        """Predict until the end; a second thread of BLAS, which waits busily, would slow those that decode."""
        with one_blas_thread():
            try:
                self._warm_up()
            except Exception as error:
                log("warm-up failed", level=logging.ERROR, error=str(error))
            while jobs := self._next():
                jobs = [job for job in jobs if not job.future.cancelled()]
                if jobs:
                    self._predict(jobs)

    def _next(self) -> list[Job]:
        """Return the next batch, once there is one; empty when the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            until = time.monotonic() + self.wait
            while self._n_expected and 0 < self._n_samples < self.largest:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            batch: list[Job] = []
            others: deque[Job] = deque()
            n = 0
            for job in self._waiting:
                if not batch or (job.fits(batch[0]) and n + job.n <= self.largest):
                    batch.append(job)
                    n += job.n
                else:
                    others.append(job)
            self._waiting = others
            self._n_samples -= n
            return batch

    def _predict(self, jobs: list[Job]) -> None:
        """Predict a batch; where that fails each request by itself, so that one is not refused for another."""
        try:
            arrays = [job.samples.X for job in jobs]
            X = arrays[0] if len(jobs) == 1 else np.concatenate(arrays)
            found = jobs[0].served.predict(X, [name for job in jobs for name in job.samples.names])
        except Exception as error:
            if len(jobs) == 1:
                finish(jobs[0].future, error)
            else:
                for job in jobs:
                    self._predict([job])
            return
        start = 0
        for job in jobs:
            stop = start + job.n
            finish(job.future, Predicted(found[start:stop], job.samples.notes, len(X)))
            start = stop


def finish(future: Future[Any], result: Any) -> None:
    """Give a result, or an exception to raise, to who waits for it."""
    with suppress(InvalidStateError):  # cancelled
        (future.set_exception if isinstance(result, BaseException) else future.set_result)(result)
