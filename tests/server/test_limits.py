"""Clients that send too much, too slowly, or too many requests at the same time."""

import socket
import threading
import time
from pathlib import Path

import pytest
from tests.every import every
from tests.server.serving import Running, picture, running

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


def test_a_body_that_is_too_large_by_its_header(server: Running) -> None:
    answer = server.predict("light", bytes(300_000))
    assert answer.status == 413
    assert "larger than 104,857 bytes" in answer.error


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
    from fastapi import HTTPException

    most = server.service.options.body_bytes
    with (
        server.service.admitted(4 * most),
        server.service.admitted(4 * most),
        pytest.raises(HTTPException, match="same time"),
        server.service.admitted(1),
    ):
        pass
    with server.service.admitted(8 * most):
        pass
