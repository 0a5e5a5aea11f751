"""What a server does, without HTTP: samples are read in threads, and predicted together by one."""

import asyncio
import gc
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
from fastapi import HTTPException

from pellucid.blas_threads import one_blas_thread
from pellucid.errors import unknown_name
from pellucid.prediction.read_samples import Prediction
from pellucid.server.body import Form
from pellucid.server.logs import log
from pellucid.server.models import Served
from pellucid.server.options import BODIES_HELD, ServerOptions
from pellucid.server.read_request import Samples, known_kinds, read_samples
from pellucid.threads import n_cores

MOST_READERS = 8  # threads that decode


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
        """Say that a request is being decoded: ``put`` or ``give_up`` follows."""
        with self._changed:
            self._n_expected += 1

    def give_up(self) -> None:
        """Say that a request that was expected could not be decoded."""
        with self._changed:
            self._n_expected -= 1
            if not self._n_expected:
                self._changed.notify()

    def put(self, job: Job) -> None:
        """Add a request that was expected."""
        with self._changed:
            self._n_expected -= 1
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


class Service:
    """Models that answer requests.

    Parameters
    ----------
    models : mapping of str to Served
    options : ServerOptions
    token : str, optional
        What clients have to know; "": nothing.

    Attributes
    ----------
    is_ready : bool
        Whether every model has predicted once, and the server is not about to end.
    """

    def __init__(self, models: Mapping[str, Served], options: ServerOptions, token: str = "") -> None:
        self.models, self.options, self.token = dict(models), options, token
        self.is_ready = False
        self._n_requests = self._n_bytes = 0
        self._readers = ThreadPoolExecutor(min(n_cores(), MOST_READERS), thread_name_prefix="pellucid-read")
        self._batches = Batches(options.max_batch, options.batch_wait / 1000, self._warm_up)

    def find(self, name: str | None) -> Served:
        """Return a model by name; without one the only one.

        Raises
        ------
        HTTPException
            404 if there is none of that name, 400 if there are several and none is named.
        """
        if name is None and len(self.models) == 1:
            return next(iter(self.models.values()))
        if name is None:
            raise HTTPException(400, f"name one of the models by ?model=NAME: {', '.join(self.models)}.")
        if name not in self.models:
            raise HTTPException(404, unknown_name("model", name, self.models))
        return self.models[name]

    @contextmanager
    def admitted(self, n_bytes: int) -> Iterator[None]:
        """Count a request, with the bytes that its body may take, while it is answered.

        Raises
        ------
        HTTPException
            429 if there are too many at the same time, or their bodies would fill the memory.
        """
        too_many = self._n_requests >= self.options.max_requests
        if too_many or self._n_bytes + n_bytes > BODIES_HELD * self.options.body_bytes:
            raise HTTPException(429, "too many requests at the same time. Try again.", {"retry-after": "1"})
        self._n_requests += 1
        self._n_bytes += n_bytes
        try:
            yield
        finally:
            self._n_requests -= 1
            self._n_bytes -= n_bytes

    async def predict(self, served: Served, content_type: str, body: bytes | Form) -> Predicted:
        """Return what a model predicts for the samples of a request.

        Raises
        ------
        PellucidError, HTTPException
            If they cannot be read or do not fit the model, or it takes too long.
        """
        future: Future[Predicted] = Future()
        self._batches.expect()
        self._readers.submit(self._read, served, content_type, body, future)
        try:
            async with asyncio.timeout(self.options.answer_seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise HTTPException(
                503,
                f"no prediction within {self.options.answer_seconds:g} s: there is too much to do. Try again.",
                {"retry-after": "5"},
            ) from None

    def _read(self, served: Served, content_type: str, body: bytes | Form, future: Future[Predicted]) -> None:
        """Read the samples of a request, in one of the threads, and hand them on to be predicted."""
        try:
            if future.cancelled():
                raise HTTPException(503, "the request was cancelled")
            samples = read_samples(
                served, content_type, body, self.options, is_waited_for=lambda: not future.cancelled()
            )
        except BaseException as error:
            self._batches.give_up()
            finish(future, error)
        else:
            self._batches.put(Job(served, samples, future))

    def _warm_up(self) -> None:
        """Predict once with each model: what is compiled or loaded at a first call is done before others wait."""
        known_kinds()
        for served in self.models.values():
            is_bytes = served.seen is not None and served.seen.is_bytes
            served.predict(np.zeros((1, *served.shape), np.uint8 if is_bytes else np.float32), ["warm-up"])
        gc.collect()
        gc.freeze()  # what is loaded stays: to look through it again and again stops every request for 0.1 s
        self.is_ready = True
        log("ready", models=list(self.models))

    def close(self) -> None:
        """End the threads, once they have done what they were asked for."""
        self.is_ready = False
        self._readers.shutdown(wait=True)
        self._batches.close()
