"""A scheduler and workers of Dask in processes of their own, as a user starts them, for tests that kill them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def scheduler_of_its_own(
    scheme: str = "tcp", environment: Mapping[str, str] = {}
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Yield the address of a scheduler with one worker, and its process."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        command = [sys.executable, "-m", *words, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, env={**os.environ, **environment}, **quiet))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"{scheme}://127.0.0.1:{port}"
    try:
        start("distributed.cli.dask_scheduler", "--host", address)
        while started[0].poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny")
        yield address, started[0]
    finally:
        for process in started:
            process.kill()
            process.wait()
