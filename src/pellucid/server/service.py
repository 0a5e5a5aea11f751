"""What a server does, without HTTP: find a model, read the samples in a thread, predict them with others."""

import asyncio
import gc
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from fastapi import HTTPException

from pellucid.errors import unknown_name
from pellucid.server.batches import Batches, Job, Predicted, finish
from pellucid.server.body import Form
from pellucid.server.logs import log
from pellucid.server.models import Served
from pellucid.server.options import BODIES_HELD, ServerOptions
from pellucid.server.pictures import known_kinds
from pellucid.server.read_request import read_samples
from pellucid.threads import n_cores

MOST_READERS = 8  # threads that decode


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
        if name is None and len(self.models) != 1:
            raise HTTPException(400, f"name one of the models by ?model=NAME: {', '.join(self.models)}.")
        name = next(iter(self.models)) if name is None else name
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
            self._batches.put(None)
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
