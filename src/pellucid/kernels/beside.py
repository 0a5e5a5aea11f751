"""A second process that compiles the same kernels, the last first: each process loads what the other has compiled.

It calls what calls the kernels, but runs none of them: their types are all that it needs, and so it has the whole
list at once. Whatever goes wrong there, this process compiles everything by itself.
"""

import gc
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from numba.core import event
from numba.core.dispatcher import Dispatcher

from pellucid.threads import allowed_threads


@contextmanager
def helped(function: Callable[..., Any], *arguments: Any) -> Iterator[None]:
    """Have the kernels that ``function(*arguments)`` calls compiled by another process too, while this block runs.

    It is started with the second kernel that this thread compiles, where there is a core to spare. Function and
    arguments are pickled.
    """
    if allowed_threads() == 1 or not _is_python(sys.executable):
        yield
        return
    helper = _Helper((function, *arguments))
    with event.install_listener("numba:compile", helper):
        try:
            yield
        finally:
            helper.end()


def _is_python(executable: str | None) -> bool:
    """Return whether it can be started with a module: not a program that has Python within it."""
    return Path(executable or "").stem.lower().startswith("python")


class _Helper(event.Listener):
    def __init__(self, call: tuple[Any, ...]) -> None:
        self.call, self.n_begun, self.thread = call, 0, threading.get_ident()
        self.process: subprocess.Popen[bytes] | None = None

    def on_start(self, event: Any) -> None:
        self.n_begun += threading.get_ident() == self.thread
        if self.n_begun == 2 and self.process is None:
            with suppress(Exception):  # what cannot be pickled; no room for a file or a process
                self.process = start(self.call)

    def on_end(self, event: Any) -> None:
        pass

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def start(call: tuple[Any, ...]) -> "subprocess.Popen[bytes]":
    """Start a process that compiles what a call, a function and its arguments, needs."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
    with tempfile.TemporaryFile() as file:  # a pipe holds little before it is read
        pickle.dump(call, file)
        file.seek(0)
        return subprocess.Popen(
            [sys.executable, "-m", "pellucid.kernels.beside"],
            stdin=file,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **paths},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows
        )


def compile_backwards(file: BinaryIO) -> None:
    """Compile what a pickled call needs, the last first. From now on kernels do nothing in this process."""
    called: dict[tuple[Any, tuple[Any, ...]], None] = {}

    def note(kernel: Any, *arguments: Any) -> int:
        called[kernel, tuple(map(kernel.typeof_pyval, arguments))] = None
        return 0

    gc.disable()
    kernels: Any = Dispatcher
    kernels.__call__ = note
    function, *arguments = pickle.load(file)
    with suppress(Exception):  # what was called until then is known
        function(*arguments)
    for kernel, kinds in reversed(called):
        kernel.compile(kinds)


if __name__ == "__main__":
    compile_backwards(sys.stdin.buffer)
