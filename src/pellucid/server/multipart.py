"""Forms with files (multipart/form-data, RFC 7578): the parts of one field."""

from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from pellucid.errors import unknown_name
from pellucid.server.refusal import Refused
from pellucid.text import printable, shorten

FIELD = "image"
LONGEST_NAME = 200  # characters of a file's name that come back


class Part(NamedTuple):
    """A part of a form."""

    name: str  # of its file
    content: bytes


def read_form(body: bytes, boundary: bytes, *, most: int) -> list[Part]:
    """Return the images of a form, in order.

    Parameters
    ----------
    body : bytes
    boundary : bytes
        Of the header ``Content-Type``.
    most : int
        Parts.

    Raises
    ------
    Refused
        400 if the form is damaged, 413 if it has too many parts, 422 if one is of another field or there are none.
    """
    form = _Form(most)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin,
                "on_header_field": form.header_name,
                "on_header_value": form.header_value,
                "on_header_end": form.header_end,
                "on_headers_finished": form.open,
                "on_part_data": form.data,
                "on_end": form.end,
            },
        )
        parser.write(_without_preamble(body, b"--" + boundary))
        parser.finalize()
    except FormParserError as error:
        raise Refused(400, f"the multipart form is damaged ({printable(str(error))}).") from None
    if not form.is_complete:
        raise Refused(400, "the multipart form is damaged: its last boundary is missing.")
    if not form.parts:
        raise Refused(422, f"expected the form's field {FIELD!r} with a file, found none.")
    return [Part(name, bytes(content)) for name, content in form.parts]


def _without_preamble(body: bytes, delimiter: bytes) -> bytes:
    """Return a body from its first delimiter on: RFC 2046 allows text before it, which is ignored."""
    if body.startswith(delimiter):
        return body
    start = body.find(b"\r\n" + delimiter)
    return body if start < 0 else body[start + 2 :]


class _Form:
    """What the parser found so far."""

    def __init__(self, most: int) -> None:
        self.most, self.is_complete = most, False
        self.parts: list[tuple[str, bytearray]] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""

    def begin(self) -> None:
        self._headers = {}
        if len(self.parts) >= self.most:
            raise Refused(413, f"expected at most {self.most} images in a request, got more. Send fewer.")

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def open(self) -> None:
        """Begin a part, whose headers are known."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if field != FIELD:
            raise Refused(
                422, f"{unknown_name('field of the form', field, [FIELD])} Repeat it for more images."
            )
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        self.parts.append((shorten(name, LONGEST_NAME) or f"image {len(self.parts) + 1}", bytearray()))

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1][1].extend(memoryview(data)[start:end])

    def end(self) -> None:
        self.is_complete = True
