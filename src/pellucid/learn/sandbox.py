"""What a learner's code may not do in its process: end it, write files, start others, use gigabytes, print forever.

The limits protect against accidents, not against an attacker.
"""

import _thread
import io
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

MEMORY = 2 << 30  # bytes beyond what the process has when the learner's code begins
MOST_PRINTED = 4000  # characters that are kept

BLOCKED = {
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.rmdir": "removes a folder",
    "os.mkdir": "makes a folder",
    "os.truncate": "empties a file",
    "os.link": "links a file",
    "os.symlink": "links a file",
    "os.utime": "changes a file's time",
    "os.setxattr": "changes a file's attributes",
    "os.removexattr": "changes a file's attributes",
    "os.chmod": "changes a file's permissions",
    "os.chown": "changes a file's owner",
    "shutil.rmtree": "removes a folder",
    "shutil.move": "moves a file",
    "os.system": "starts another program",
    "os.exec": "starts another program",
    "os.posix_spawn": "starts another program",
    "os.spawn": "starts another program",
    "os.fork": "starts another process",
    "os.forkpty": "starts another process",
    "subprocess.Popen": "starts another program",
    "_thread.start_new_thread": "starts a thread",
    "_thread.start_joinable_thread": "starts a thread",  # from Python 3.13 on
    "os.kill": "stops another process",
    "os.killpg": "stops other processes",
    "signal.pthread_kill": "stops a thread",
    "socket.connect": "opens a connection",
    "socket.bind": "opens a server",
    "socket.sendto": "sends over the network",
    "socket.sendmsg": "sends over the network",
    "sqlite3.connect": "opens a database",
    "resource.setrlimit": "changes the limits",
    "ctypes.dlopen": "loads a library",
}


class NotAllowed(PermissionError):
    """What the code tried is not part of any exercise."""


class Printed(io.TextIOBase):
    """What a learner's code prints: its beginning, and how much more there was."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.n_characters = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Keep a text, as far as there is room."""
        room = MOST_PRINTED - self.n_characters
        if room > 0:
            self._parts.append(text[:room])
        self.n_characters += len(text)
        return len(text)

    @property
    def text(self) -> str:
        """What is kept, with a note of what is not."""
        more = self.n_characters - MOST_PRINTED
        return "".join(self._parts) + (f"... and {more:,} characters more" if more > 0 else "")


class Sandbox:
    """The process's limits, from :meth:`close` on.

    Attributes
    ----------
    printed : Printed
    blocked : list of str
        What was tried and is not allowed.
    """

    def __init__(self) -> None:
        self.printed, self.blocked = Printed(), list[str]()
        self._numpy = {module: dict(vars(module)) for module in (np, np.linalg, np.random)}

    def close(self, seconds: float, memory: int = MEMORY) -> None:
        """Set the limits, for good: seconds of the processor, and bytes beyond what the process has."""
        sys.dont_write_bytecode = True
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        sys.stdin = io.StringIO()
        sys.stdout = sys.stderr = self.printed
        vars(os)["_exit"] = self._no_exit
        for module in (_thread, threading):
            for name in ("start_new_thread", "_start_new_thread"):
                if name in vars(module):
                    vars(module)[name] = self._no_thread
        try:
            import resource
        except ImportError:  # Windows
            pass
        else:
            for kind, most in (
                (resource.RLIMIT_AS, _address_space() + memory),
                (resource.RLIMIT_CPU, int(seconds) + 10),
                (resource.RLIMIT_CORE, 0),
                (resource.RLIMIT_FSIZE, 0),  # bytes of a file that something else opens
            ):
                hard = resource.getrlimit(kind)[1]
                resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))
        sys.addaudithook(self._hook)

    def _no_exit(self, code: int) -> Any:
        raise SystemExit(code)

    def _no_thread(self, *arguments: Any) -> Any:
        self._hook("_thread.start_new_thread", ())

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        tried = BLOCKED.get(event, "")
        if event == "open" and isinstance(arguments[2], int):
            writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            tried = (
                f"writes the file {arguments[0]!r}"
                if arguments[2] & writes and arguments[0] != os.devnull
                else ""
            )
        if tried:
            self.blocked.append(tried)
            raise NotAllowed(f"the code {tried}")

    def replaced(self) -> list[str]:
        """Return the functions of NumPy that were replaced, and put them back."""
        found = []
        for module, before in self._numpy.items():
            for name, one in before.items():
                if vars(module).get(name) is not one and not name.startswith("__"):
                    found.append(f"{module.__name__.replace('numpy', 'np')}.{name}")
                    setattr(module, name, one)
        return found


def _address_space() -> int:
    """Return the bytes of addresses that this process has; a guess where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 4 << 30
