"""`pellucid serve` as a process: how it starts, what it prints, and how it ends."""

import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command, assert_refused

import pellucid as pl

needs_server = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart")),
    reason="needs the extra serve",
)


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """The file of a model that adds three numbers."""
    model = pl.Sequential([pl.Dense(1)])
    model.initialize((3,))
    model.layers[0].params["W"][...] = 1
    model.set_loss("mean_squared_error")
    pl.save(model, tmp_path / "sums.safetensors")
    return tmp_path / "sums.safetensors"


@contextmanager
def started(*arguments: object, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Yield the command's process and the port that it listens on; it is ended with the block."""
    command = [sys.executable, "-m", "pellucid", "serve", "--port", "0", *map(str, arguments)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env={**os.environ, **environment}, **pipes)
    try:
        assert process.stdout is not None
        url = process.stdout.readline()
        assert url.startswith("http://127.0.0.1:"), process.communicate()
        yield process, int(url.rpartition(":")[2])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def get(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=120).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
@needs_server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_once_what_is_in_flight_is_answered(sums: Path, number: int) -> None:
    body = b"[[1, 2, 3]]"
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with started(sums, f"other={sums}") as (process, port):
        assert get(port, "/models") == {"models": ["sums", "other"]}
        with socket.create_connection(("127.0.0.1", port), timeout=120) as sock:
            sock.sendall(f"{head.replace('predict', 'predict?model=sums')}".encode())
            sock.sendall(f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
            get(port, "/healthz")  # by now the first request is being read
            process.send_signal(number)
            while is_listening(port):
                pass
            sock.sendall(body[5:])
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
            assert b'"value":6.0' in answer
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "")
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    told = [line for line in err.splitlines() if not line.startswith("{")]
    assert told == ["Serving sums, other. Ctrl-C ends it."]
    events = [line["event"] for line in lines]
    assert set(events) == {"started", "ready", "request", "stopped"}
    assert events[-1] == "stopped"
    (asked,) = (line for line in lines if line.get("path") == "/predict")
    expected = {"method": "POST", "status": 200, "model": "sums", "bytes": 11, "samples": 1, "batch": 1}
    assert {key: asked[key] for key in expected} == expected


@needs_server
def test_ctrl_c_ends_it_without_a_traceback(sums: Path) -> None:
    with started(sums, "--quiet", PELLUCID_TOKEN="a-long-enough-token") as (process, port):
        assert get(port, "/healthz") == {"status": "ok"}
        assert get(port, "/models")["status"] == 401
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")


def test_without_the_extra(sums: Path, pellucid: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert_refused(pellucid("serve", sums), "pip install 'pellucid[serve]'")
