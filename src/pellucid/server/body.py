"""The bytes of a request: no more than the limit, and not longer than a client may take to send them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pellucid.server.refusal import Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
LINGER_SECONDS = (
    2.0  # that a client whose body is too large may go on sending, so that it reads why it is refused
)
LINGER_TIMES = 4  # times the limit


async def read_body(receive: Receive, declared: int | None, *, most: int, seconds: float) -> bytes:
    """Return a request's body.

    Parameters
    ----------
    receive : callable
        ASGI's.
    declared : int or None
        The header ``Content-Length``.
    most : int
        Bytes.
    seconds : float

    Raises
    ------
    Refused
        413 if it is too large, 408 if it comes too slowly or the client has gone.
    """
    if declared is not None and declared > most:
        await _linger(receive, most)
        raise _too_large(most)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(408, "the client closed the connection before its request was complete")
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                if size > most:
                    break
                if not message.get("more_body", False):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError:
        raise Refused(
            408,
            f"the request was not complete after {seconds:g} s ({size:,} bytes came). Send it faster.",
            {"connection": "close"},
        ) from None
    del pieces
    await _linger(receive, most)
    raise _too_large(most)


def _too_large(most: int) -> Refused:
    return Refused(
        413,
        f"the request is larger than {most:,} bytes. Send smaller images, or fewer in one request.",
        {"connection": "close"},
    )


async def _linger(receive: Receive, most: int) -> None:
    """Read on a little and drop it: a client that still sends would not see the answer of a closed connection."""
    left = LINGER_TIMES * most
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
