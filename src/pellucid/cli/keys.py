"""Single keys of a terminal, without the Enter key; lines where there is no terminal."""

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
            key = sys.stdin.read(1) if sys.stdin.isatty() else sys.stdin.readline()
        except (OSError, ValueError):  # an input that cannot be read
            return "q"
        return key.strip()[:1].lower() if key else "q"

    try:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin.fileno())
    except (ImportError, OSError, ValueError):
        yield pressed
        return
    except Exception as error:
        if type(error).__name__ != "error":  # termios.error: no terminal
            raise
        yield pressed
        return
    tty.setcbreak(sys.stdin.fileno())
    try:
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)
