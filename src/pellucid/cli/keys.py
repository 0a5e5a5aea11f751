"""Single keys of a terminal, without the Enter key; where there is no terminal, characters of the input."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT = 0.3  # seconds that a key is waited for


@contextmanager
def keys() -> Iterator[Callable[[], str]]:
    """Give a function that returns the key that was pressed, or "" after a while; "q" at the end of the input."""

    def pressed() -> str:
        try:
            if not select.select([sys.stdin], [], [], WAIT)[0]:
                return ""
            key = os.read(sys.stdin.fileno(), 1)  # a buffer of stdin's would hold keys back from select
        except (OSError, ValueError):  # an input that cannot be read
            return "q"
        return key.decode(errors="replace").strip().lower() if key else "q"

    try:
        import termios
        import tty

        is_terminal = sys.stdin.isatty()
    except (ImportError, ValueError):  # Windows, or an input that is closed
        is_terminal = False
    if not is_terminal:
        yield pressed
        return
    before = termios.tcgetattr(sys.stdin.fileno())
    tty.setcbreak(sys.stdin.fileno())
    try:
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)
