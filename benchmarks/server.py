"""The server under load: clients that each send one photo a request, over and over, through the 4-layer model.

    python -m benchmarks.server                     32 clients, 50,000 requests
    python -m benchmarks.server --quick             2,000 requests: to see that it runs

`pellucid serve` runs in a process of its own, its log of a line a request goes to a file, and the clients run in
another process on the same machine, over loopback. Every answer is compared with what the model predicts in this
process: the wrong class, or any status but 200, is an error. Afterwards one client alone shows what a request takes
that does not wait.
"""

import argparse
import io
import json
import multiprocessing
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks import harness
from PIL import Image

import pellucid as pl
from pellucid.data.readers.images import read_image

N_PHOTOS = 64
ALONE = 2000  # requests of the one client
LIMIT = 300.0  # seconds after which the clients give up


class Load(NamedTuple):
    """What the clients saw."""

    seconds: float
    cpu_seconds: float  # of the clients themselves
    latencies: list[float]
    errors: list[str]


def jpegs() -> list[bytes]:
    """Return 64x64 photos as JPEG files: drawn cats, shifted."""
    X = pl.load_data("drawn-cats").train.X
    found = []
    for i in range(N_PHOTOS):
        file = io.BytesIO()
        Image.fromarray(np.roll(X[i], i, axis=1)).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def request_of(photo: bytes, port: int) -> bytes:
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/jpeg\r\n"
    return f"{head}Content-Length: {len(photo)}\r\n\r\n".encode() + photo


def clients(port: int, photos: list[bytes], labels: list[str], n_clients: int, n: int) -> Load:
    """Keep as many requests in flight as there are clients until n are answered.

    Plain sockets in one thread: the clients share the processor with the server, and are to take little of it.
    """
    requests = [request_of(photo, port) for photo in photos]
    expected = [f'"label":"{label}"'.encode() for label in labels]
    selector, latencies, errors = selectors.DefaultSelector(), array("d"), list[str]()
    sent_at, which, answers = [0.0] * n_clients, [0] * n_clients, [bytearray() for _ in range(n_clients)]
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(n_clients)]
    n_sent = 0

    def send(i: int) -> None:
        nonlocal n_sent
        which[i], n_sent = n_sent % len(requests), n_sent + 1
        sent_at[i] = time.perf_counter()
        sockets[i].sendall(requests[which[i]])

    for i, each in enumerate(sockets):
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(each, selectors.EVENT_READ, i)
    started, cpu = time.perf_counter(), time.process_time()
    for i in range(min(n_clients, n)):
        send(i)
    while len(latencies) < n:
        if time.perf_counter() - started > LIMIT:
            errors.append(f"{n - len(latencies)} requests had no answer after {LIMIT:g} s")
            break
        for key, _ in selector.select(1.0):
            i = key.data
            data = sockets[i].recv(65536)
            answers[i] += data
            if data and not is_complete(answers[i]):
                continue
            latencies.append(time.perf_counter() - sent_at[i])
            answer = bytes(answers[i])
            if not answer.startswith(b"HTTP/1.1 200 ") or expected[which[i]] not in answer:
                errors.append(answer[-200:].decode("ascii", "replace") or "the connection was closed")
            answers[i].clear()
            if not data:
                selector.unregister(sockets[i])
            elif n_sent < n:
                send(i)
    return Load(time.perf_counter() - started, time.process_time() - cpu, list(latencies), errors)


def is_complete(answer: bytearray) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[:end]).lower()
    at = head.find(b"content-length:")
    return len(answer) - end - 4 >= int(head[at + 15 :].split(b"\r\n", 1)[0])


def in_a_process(*given: object) -> Load:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: Load = pool.apply(clients, given)
    return found


class Memory(threading.Thread):
    """Looks at a process's memory while it is under load."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.megabytes, self.is_over = pid, list[float](), False

    def run(self) -> None:
        status = Path(f"/proc/{self.pid}/status")
        while not self.is_over and status.exists():
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            self.megabytes.append(int(line.split()[1]) / 1024)
            time.sleep(0.5)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(title: str, load: Load) -> None:
    ms = sorted(1000 * seconds for seconds in load.latencies)
    at = {name: ms[min(int(len(ms) * q), len(ms) - 1)] for name, q in {"99 %": 0.99, "99.9 %": 0.999}.items()}
    print(
        f"\n{title}: {len(ms):,} requests in {load.seconds:.1f} s, {len(ms) / load.seconds:,.0f} photos a second"
    )
    slow = ", ".join(f"{name} under {value:.2f}" for name, value in at.items())
    print(f"    milliseconds: median {statistics.median(ms):.2f}, {slow}, longest {ms[-1]:.1f}")
    print(f"    errors: {len(load.errors)}{''.join(f'{chr(10)}        {each}' for each in load.errors[:3])}")
    print(f"    processor seconds of the clients: {load.cpu_seconds:.1f}", flush=True)


def measure(n_clients: int, n: int, folder: Path) -> bool:
    """Print what one server does, and return whether there was no error."""
    model = pl.preset("mlp")
    data = pl.load_data("drawn-cats")
    pl.train(model, data.train, n_epochs=100)
    pl.save(model, folder / "cats.safetensors")
    photos = jpegs()
    X = np.stack([read_image(photo) for photo in photos])
    labels = [model.classes[int(i)] for i in model.predict(X)]

    command = [sys.executable, "-m", "pellucid", "serve", str(folder / "cats.safetensors"), "--port", "0"]
    started = time.perf_counter()
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert probe.recv(1000).startswith(b"HTTP/1.1 200")
        print(f"/healthz answers {time.perf_counter() - started:.2f} s after the start of the command")
        in_a_process(port, photos, labels, n_clients, min(n, 1000))  # a warm-up
        memory, cpu = Memory(server.pid), cpu_seconds(server.pid)
        memory.start()
        load = in_a_process(port, photos, labels, n_clients, n)
        memory.is_over = True
        show(f"{n_clients} clients", load)
        print(f"    processor seconds of the server: {cpu_seconds(server.pid) - cpu:.1f}")
        seen = memory.megabytes
        print(
            f"    memory of the server: {seen[0]:.1f} MB at first, {seen[-1]:.1f} at last, most {max(seen):.1f}"
        )
        alone = in_a_process(port, photos, labels, 1, min(n, ALONE))
        show("one client", alone)
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(30)
    lines = [json.loads(line) for line in (folder / "log").read_bytes().splitlines() if line.startswith(b"{")]
    batches = [line["batch"] for line in lines if line.get("batch")][: n + 1000]
    print(f"\nsamples predicted together: {statistics.mean(batches):.1f} on average; exit status {code}")
    return not load.errors and not alone.errors and code == 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--quick", action="store_true", help="2,000 requests: to see that it runs")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the server would outlive this process
    print(harness.machine("pillow", "fastapi", "uvicorn", "httptools", "uvloop"))
    with tempfile.TemporaryDirectory() as folder:
        is_good = measure(options.clients, 2000 if options.quick else options.requests, Path(folder))
    raise SystemExit(0 if is_good else 1)


if __name__ == "__main__":
    main()
