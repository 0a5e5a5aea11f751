"""The command: argv -> use case -> text. Each command has its own file, and so does its workflow."""

import gc
import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from pellucid.cli.terminal import echo, say
from pellucid.errors import PellucidError
from pellucid.launched import launched
from pellucid.text import first_line, one_line

PREDICT_FLAGS = {"--json": "as_json", "--jsonl": "as_lines", "--quiet": "quiet"}


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 (a check fails), 2 (bad use or input), 128 and a signal's."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if launched()[1] == 1:
            return run(arguments)
        from pellucid.cli.ranks import run_in_ranks

        return run_in_ranks(run, arguments)
    finally:
        if argv is None:  # the process ends, and would look through all that is loaded three times more
            gc.freeze()


def run(arguments: Sequence[str]) -> int:
    """Run the command as one process, and return its exit code."""
    for name in ("stdout", "stderr"):  # of one that is closed, Python has none
        if getattr(sys, name) is None:
            setattr(sys, name, io.StringIO())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # "?" for a letter that a terminal's encoding does not have
            stream.reconfigure(errors="replace")
    kept, warnings.formatwarning = warnings.formatwarning, _note
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:  # whoever read the output, such as ``head``, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in arguments:
            raise
        message = message_of(error)
        if message is None:
            raise
        lines = [line for line in message.splitlines() if line.strip()]
        for line in (f"pellucid: {lines[0]}", *lines[1:3]):
            say(line, err=True)
        return 2
    finally:
        warnings.formatwarning = kept


def _run(arguments: Sequence[str]) -> int:
    """Run the command; ``predict`` with few flags by itself: what reads others takes longer than its work."""
    flags = {argument for argument in arguments if argument.startswith("-") and argument != "-"}
    words = [argument for argument in arguments if argument not in flags]
    if len(words) > 2 and arguments[0] == "predict" and flags <= PREDICT_FLAGS.keys():
        from pathlib import Path

        from pellucid.cli.predicting import predict
        from pellucid.progress import hidden_bars

        chosen: dict[str, Any] = {PREDICT_FLAGS[flag]: True for flag in flags}
        with hidden_bars() if flags else nullcontext():
            return predict(Path(words[1]), words[2:], **chosen)
    from pellucid.cli.app import run_command

    return run_command(arguments)


def _note(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return a warning as one line, without the file and line of code that a terminal's user has no use for."""
    words = one_line(str(message))
    if issubclass(category, RuntimeWarning) and " encountered in " in words:  # NumPy's
        words = f"a number is too large or too small to compute with ({words}). Look for extreme values."
    return f"Note: {words}\n"


def message_of(error: Exception) -> str | None:
    """Return what to print for an expected error; None for one that is a fault of ours, and needs its traceback.

    Examples
    --------
    >>> message_of(FileNotFoundError(2, "No such file or directory", "a.toml"))
    'a.toml: no such file or directory. Check its name, its permissions and the space on its disk.'
    """
    if isinstance(error, PellucidError):
        return str(error)
    if hasattr(error, "format_message"):  # click's usage errors
        from pellucid.cli.usage import usage_message

        return usage_message(error)
    if isinstance(error, MemoryError):
        details = f" ({first_line(error)})" if str(error) else ""
        return f"it does not fit in memory{details}. Try a smaller batch, a smaller image size or a smaller model."
    if isinstance(error, RecursionError):
        return "a network is nested too deeply. Write it as a graph, or as one list of layers."
    if isinstance(error, OSError):
        where = error.filename or "the system"
        return f"{where}: {first_line(error)}. Check its name, its permissions and the space on its disk."
    return None


if __name__ == "__main__":
    sys.exit(main())
