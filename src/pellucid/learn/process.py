"""The seam between the coach and a learner's code: a process of its own, which is stopped when its time is over."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

SECONDS = 3.0  # for all calls of a function together
GRACE = 10.0  # more, for the search of the line, a code that catches the alarm, and the start of the process


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that imports what this one does, with variables of its own."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | more


@contextmanager
def started(module: str, folder: str | None = None, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that runs a module; it is ended with the block, and so is what it has started."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(**variables),
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def send(process: subprocess.Popen[str], job: dict[str, Any]) -> None:
    """Give a process its job."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()


def examine(
    name: str, source: str, *, seconds: float = SECONDS, folders: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the parts of a verdict on a learner's file, examined in another process.

    Parameters
    ----------
    name : str
        Of an exercise.
    source : str
    seconds : float, optional
        For all calls together.
    folders : sequence of str, optional
        Where the learner's own modules are.
    """
    job = {"exercise": name, "source": source, "seconds": seconds, "folders": list(folders)}
    single = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    with (
        tempfile.TemporaryDirectory() as folder,
        started("pellucid.learn.examine", folder, **single) as process,
    ):
        try:
            said, errors = process.communicate(json.dumps(job), timeout=seconds + GRACE)
        except subprocess.TimeoutExpired:
            said, errors = "", ""
            headline = (
                f"It did not end within {seconds:g} s, and could not be stopped. Does a loop never end?"
            )
        else:
            last = errors.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
            headline = f"The process of the code ended before it had returned anything ({last[0][:120]})."
    with suppress(ValueError):
        found: dict[str, Any] = json.loads(said)
        return found
    return {"state": "cannot run", "headline": headline}
