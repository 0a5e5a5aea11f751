"""The bytes of a request: no more than the limit, and not longer than a client may take to send them."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import HTTPException
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive

from pellucid.errors import unknown_name

Form = list[tuple[str, bytes]]  # of each image the name of its file, and its content
FIELD = "image"  # of a form
PIECE = 2**16  # bytes of a form that are parsed before others have their turn
LINGER_SECONDS = 2.0  # that a client whose body is too large may go on sending: it reads why it is refused
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
    HTTPException
        413 if it is too large, 408 if it comes too slowly or the client has gone.
    """
    pieces: list[bytes] = []
    size, is_too_large = 0, declared is not None and declared > most
    try:
        async with asyncio.timeout(seconds):
            while not is_too_large:
                message = await receive()
                if message["type"] != "http.request":
                    raise HTTPException(
                        408, "the client closed the connection before its request was complete"
                    )
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                is_too_large = size > most
                if not is_too_large and not message.get("more_body", False):
                    return b"".join(pieces)
    except TimeoutError:
        raise HTTPException(
            408,
            f"the request was not complete after {seconds:g} s ({size:,} bytes came). Send it faster.",
            {"connection": "close"},
        ) from None
    del pieces
    await _linger(receive, most)
    raise HTTPException(
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


async def read_form(headers: Headers, body: bytes, *, most: int) -> Form:
    """Return the images of a form (multipart/form-data, RFC 7578), in order.

    Raises
    ------
    HTTPException
        400 if the form is damaged, 413 if it has too many parts, 422 if one is of another field or no file, or
        there are none.
    """
    try:
        form = await _Parser(headers, body, most).parse()
    except (MultiPartException, ValueError) as error:  # ValueError: of charsets that decode nothing
        raise HTTPException(400, f"the multipart form is damaged ({str(error).rstrip('.')}).") from None
    try:
        files = []
        for field, file in form.multi_items():
            if field != FIELD:
                raise HTTPException(
                    422, f"{unknown_name('field of the form', field, [FIELD])} Repeat it for more images."
                )
            if isinstance(file, UploadFile):
                files.append((file.filename or "", await file.read()))
        if not files or len(files) < len(form.multi_items()):
            raise HTTPException(422, f"expected the form's field {FIELD!r} with a file, found none.")
        return files
    finally:
        await form.close()


class _Parser(MultiPartParser):
    """Starlette's parser, which keeps files in memory, since the body has a limit, and wants the form's end."""

    spool_max_size = 0  # bytes from which a file goes to disk; 0: never

    def __init__(self, headers: Headers, body: bytes, most: int) -> None:
        super().__init__(headers, self._pieces(body), max_files=most, max_fields=most)
        self.most, self.n_parts, self.is_complete = most, 0, False

    async def _pieces(self, body: bytes) -> AsyncGenerator[bytes]:
        """Yield a form piece by piece, so that a large one does not hold others up.

        It begins with the first delimiter: RFC 2046 allows text before it, which the parser does not.
        """
        delimiter = b"--" + parse_options_header(self.headers["content-type"])[1].get(b"boundary", b"")
        before = -2 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter)
        for start in range(before + 2 if before >= 0 else 0, len(body), PIECE):
            yield body[start : start + PIECE]
            await asyncio.sleep(0)
        if not self.is_complete:
            raise MultiPartException("its last boundary is missing")

    def on_part_begin(self) -> None:
        self.n_parts += 1
        if self.n_parts > self.most:
            raise HTTPException(
                413, f"expected at most {self.most} images in a request, got more. Send fewer."
            )
        super().on_part_begin()

    def on_end(self) -> None:
        self.is_complete = True
