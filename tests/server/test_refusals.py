"""What cannot be answered: a status of 4xx and a reason in JSON, also to clients who send too much or too late."""

import json
import socket
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import HTTPException
from tests.every import every
from tests.server.serving import JSON, Running, form, picture, running

from pellucid.server.models import Served


def bomb() -> bytes:
    """Return a small PNG that says that it has 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")


PHOTO = picture()
IMAGES: dict[str, tuple[bytes, int, str]] = {
    "not an image": (b"hello", 422, "expected an image, found none of JPEG"),
    "no bytes": (b"", 422, "got no bytes"),
    "cut off": (picture(size=(90, 90), kind="JPEG")[:-200], 422, "may be cut off"),
    "a decompression bomb": (bomb(), 413, "larger than 10,000 pixels"),
    "too many pixels": (picture(size=(200, 100)), 413, "larger than 10,000 pixels"),
    "of a kind that needs another program": (b"%!PS-Adobe-3.0 EPSF-3.0\n", 422, "found none of"),
}


@every("kind", IMAGES)
def test_images(kind: str, server: Running) -> None:
    body, status, words = IMAGES[kind]
    answer = server.predict("light", body, "image/jpeg")
    assert (answer.status, words in answer.error) == (status, True), answer.body
    assert answer.error.startswith("image: ")
    answer = server.predict("light", *form(("image", "fine.png", PHOTO), ("image", "bad.jpg", body)))
    assert (answer.status, words in answer.error) == (status, True), answer.body
    assert answer.error.startswith("bad.jpg: ")


FORM, KIND = form(("image", "a.png", PHOTO))
TEXT = b'--edge\r\nContent-Disposition: form-data; name="image"\r\n\r\ncat.png\r\n--edge--\r\n'
FORMS: dict[str, tuple[bytes, str, int, str]] = {
    "of another field": (*form(("imgae", "a.png", PHOTO)), 422, "Did you mean 'image'?"),
    "of too many images": (*form(*[("image", "a.png", PHOTO)] * 4), 413, "at most 3 images"),
    "without an end": (FORM[:-9], KIND, 400, "last boundary is missing"),
    "without a boundary": (FORM, "multipart/form-data", 400, "boundary"),
    "of another boundary": (FORM, form(boundary="other")[1], 400, "damaged"),
    "of a charset that decodes nothing": (FORM, f"{KIND}; charset=undefined", 400, "damaged"),
    "with a text instead of a file": (TEXT, KIND, 422, "with a file"),
    "that is none": (b"\0\1\2\r\n\r\n", KIND, 400, "damaged"),
    "empty": (b"", KIND, 400, "damaged"),
}

JSONS: dict[str, tuple[str, bytes, int, str]] = {
    "NaN": ("sums", b"[[NaN, 0, 0]]", 400, "NaN is not a number of JSON"),
    "infinity": ("sums", b"[[1e999, 0, 0]]", 422, "finite numbers"),
    "damaged": ("sums", b"[[1, 2, 3]", 400, "cannot be read"),
    "not UTF-8": ("sums", b"\xff\xfe\xfd", 400, "cannot be read"),
    "too deep": ("sums", b"[" * 30_000, 400, "nested too deeply"),
    "nested": ("sums", b"[" * 70 + b"]" * 70, 422, "nested too deeply"),
    "empty": ("sums", b"[]", 422, "at least one sample"),
    "without samples": ("sums", b'{"inputs": [[1, 2, 3]]}', 422, '"instances": [...]'),
    "a number": ("sums", b"3", 422, "got an int"),
    "of another shape": ("sums", b"[[1, 2]]", 422, "expected samples of shape (m, 3), got (1, 2)"),
    "one sample": ("sums", b"[1, 2, 3]", 422, "put it into a list"),
    "ragged": ("sums", b"[[1, 2, 3], [1, 2]]", 422, "of one shape"),
    "texts": ("sums", b'[["1", "2", "3"]]', 422, "expected samples of numbers"),
    "objects": ("sums", b'[{"a": 1}]', 422, "got a dict"),
    "beyond 64 bits": ("sums", b"[[1" + b"0" * 40 + b", 0, 0]]", 422, "beyond 64 bits"),
    "of too many digits": ("sums", b"[[1" + b"0" * 5000 + b", 0, 0]]", 400, "cannot be read"),
    "null": ("sums", b"[[null, 0, 0]]", 422, "expected samples of numbers"),
    "too many": ("sums", json.dumps([[1, 2, 3]] * 5).encode(), 413, "at most 4 samples"),
    "too many images": ("light", json.dumps(np.zeros((4, 6, 6, 3)).tolist()).encode(), 413, "at most 3"),
    "pixels out of range": ("light", json.dumps(np.full((1, 6, 6, 3), 300).tolist()).encode(), 422, "uint8"),
    "rows as lists": ("pets", b"[[1, 2, 3]]", 422, "expected an object with age, coat"),
    "a row without a column": ("pets", b'[{"Age": 1, "coat": "plain"}]', 422, "Did you mean 'Age'?"),
    "an empty row": ("pets", b"[{}]", 422, "no columns"),
    "a row without a number": ("pets", b'[{"age": null, "coat": "plain"}]', 422, "no value"),
    "a word for a number": ("pets", b'[{"age": "old", "coat": "plain"}]', 422, "finite numbers"),
    "a list in a row": ("pets", b'[{"age": [1], "coat": "plain"}]', 422, "a number or a text for 'age'"),
    "too large to compute with": ("sums", b"[[1.7e308, 1.7e308, 1.7e308]]", 422, "NaN or infinite"),
}

REQUESTS: dict[str, tuple[tuple[Any, ...], dict[str, str], int, str]] = {
    "unknown model": (("POST", "/predict?model=lihgt", PHOTO), {}, 404, "Did you mean 'light'?"),
    "no model named": (("POST", "/predict", PHOTO), {}, 400, "?model=NAME: light, pets, sums"),
    "unknown model's card": (("GET", "/model?model=x"), {}, 404, "Known: light, pets, sums"),
    "wrong method": (("GET", "/predict"), {}, 405, "GET is not for this path"),
    "another wrong method": (("DELETE", "/model"), {}, 405, "DELETE is not"),
    "unknown path": (("GET", "/predictions"), {}, 404, "no such path"),
    "another type": (("POST", "/predict?model=light", PHOTO, "text/plain"), {}, 415, "curl: -H"),
    "an image for a table": (("POST", "/predict?model=pets", PHOTO, "image/png"), {}, 422, "takes rows"),
    "a form for numbers": (("POST", "/predict?model=sums", FORM, KIND), {}, 422, "takes arrays"),
    "another name": (("GET", "/models"), {"Host": "cats.example"}, 403, "localhost alone"),
    "a foreign page": (("POST", "/predict", PHOTO), {"Origin": "http://cats.example"}, 403, "another origin"),
    "a page of another port": (("GET", "/models"), {"Origin": "http://127.0.0.1:1"}, 403, "another origin"),
    "a body too large by its header": (
        ("POST", "/predict?model=light", bytes(300_000)),
        {},
        413,
        "larger than 104,857 bytes",
    ),
    "a page without an origin": (("POST", "/predict", PHOTO), {"Origin": "null"}, 403, "another origin"),
}


for _kind, (_body, _type, *_wanted) in FORMS.items():
    REQUESTS[f"form {_kind}"] = ("POST", "/predict?model=light", _body, _type), {}, *_wanted  # type: ignore[assignment]
for _kind, (_model, _body, *_wanted) in JSONS.items():
    REQUESTS[f"JSON {_kind}"] = ("POST", f"/predict?model={_model}", _body, JSON), {}, *_wanted  # type: ignore[assignment]


@every("kind", REQUESTS)
def test_requests(kind: str, server: Running) -> None:
    given, headers, status, words = REQUESTS[kind]
    answer = server.ask(*given, **headers)
    assert (answer.status, words in answer.error) == (status, True), answer.body


def test_a_form_without_a_part(server: Running) -> None:
    answer = server.predict("light", *form())
    assert answer.status in (400, 422)  # releases of the parser differ in whether it is damaged
    assert "form" in answer.error


def test_names_of_files_come_back_without_control_characters(server: Running) -> None:
    answer = server.predict("light", *form(("image", "\x1b[31mred" + "x" * 999, b"hello")))
    assert answer.status == 422
    assert "\x1b" not in answer.error
    assert len(answer.error) < 400


def test_a_fault_of_the_server_is_json_too(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret details")

    monkeypatch.setattr(Served, "predict", fail)
    answer = server.predict("light", PHOTO)
    assert answer.status == 500
    assert answer.error == "the server failed; its log says how."
    until = time.monotonic() + 5  # the log is written after the answer
    while "secret details" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)
    assert "secret details" in caplog.text
    monkeypatch.undo()
    assert server.predict("light", PHOTO).status == 200


HEAD = "POST /predict?model=light HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"


def talk(server: Running, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send pieces over a socket, and return what comes back until it is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(pause)
        found = b""
        while data := sock.recv(65536):
            found += data
        return found


CHUNK = b"10000\r\n" + bytes(65536) + b"\r\n"
MODELS = b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n"
SENT: dict[str, tuple[list[bytes], bytes, bytes]] = {  # what is sent, and how the answer begins and what it holds
    "a body that does not come": ([f"{HEAD}Content-Length: 1000\r\n\r\n".encode(), b"\x89PNG"], b"408 ",
                                  b"not complete after 0.5 s (4 bytes came)"),
    "a header that does not end": ([b"POST /predict HTTP/1.1\r\n", *[b"X-Y: 1\r\n"] * 3], b"408 ",
                                   b'{"error":"no request within 0.5 s."'),
    "nothing": ([], b"408 ", b""),
    "a second request that does not end": ([MODELS, b"GET /mod"], b"200 ", b""),
    "a header without bounds": ([b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000], b"4", b""),
    "what is not HTTP": ([b"\x16\x03\x01 hello\r\n\r\n"], b"400 ", b'"status":400'),
    "too large in pieces": ([f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode(), CHUNK, CHUNK, b"0\r\n\r\n"],
                            b"413 ", b""),
}  # fmt: skip


@pytest.mark.slow
@every("what", SENT)
def test_what_is_sent_too_slowly_or_too_much(what: str, server: Running) -> None:
    pieces, status, words = SENT[what]
    found = talk(server, *pieces, pause=0.1)
    assert found.startswith(b"HTTP/1.1 " + status)
    assert words in found
    assert found.count(b"HTTP/1.1") == 1


def test_a_client_that_goes_away_leaves_the_server_well(server: Running) -> None:
    for _ in range(3):
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode() + b"\x89PNG")
        sock.close()
    assert server.predict("light", picture()).status == 200


def test_too_many_at_the_same_time(model_files: dict[str, Path]) -> None:
    files = {"light": model_files["light"]}
    with running(files, max_requests=1, read_seconds=1.0) as server:
        slow = threading.Thread(
            target=talk, args=(server, f"{HEAD}Content-Length: 9\r\n\r\n".encode()), daemon=True
        )
        slow.start()
        time.sleep(0.3)
        answer = server.predict("light", picture())
        assert answer.status == 429
        assert "too many requests" in answer.error
        assert answer.headers["retry-after"] == "1"
        assert server.ask("GET", "/healthz").status == 200
        slow.join()
        assert server.predict("light", picture()).status == 200


def test_bodies_that_together_would_fill_the_memory(server: Running) -> None:
    admitted, most = server.service.admitted, server.service.options.body_bytes
    with admitted(4 * most), admitted(4 * most), pytest.raises(HTTPException, match="same time"), admitted(1):
        pass
    with admitted(8 * most):
        pass
