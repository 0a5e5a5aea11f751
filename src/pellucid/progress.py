"""The one progress bar: in a terminal, in a notebook, or silent; shown once work has taken its time.

Public functions take ``progress``: a bar by default, False for silence, or a callable of a stage, the amount
done, the total and a detail, such as the loss at this point::

    with shown_progress(progress) as show:
        for i, photo in enumerate(photos):
            show("reading photos", i, len(photos))
"""

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any, TypeAlias

ProgressCallback: TypeAlias = Callable[..., None]  # (stage, done, total, detail="")
Progress: TypeAlias = ProgressCallback | bool | None  # of a public function: None is a bar, False is silent
CountCallback: TypeAlias = Callable[[int, int], None]

PATIENCE = 2.0  # seconds of work before a bar is shown
TRAINING_PATIENCE = 0.5  # and of a training
COLUMNS = 80  # of a bar where no terminal says how many there are
COUNTED = "{desc} |{bar}| {n_fmt}/{total_fmt}, {remaining} left"
UNCOUNTED = "{desc}: {n_fmt}, {elapsed}"  # where the total is not known
DETAILED = "{desc} |{bar}| {remaining} left{postfix}"
_ARE_HIDDEN: ContextVar[bool] = ContextVar("hidden", default=False)


def no_progress(stage: str, done: int, total: int, detail: str = "") -> None:
    """Show nothing."""


def stage_of(progress: ProgressCallback, stage: str) -> CountCallback:
    """Return a callback of (done, total) for one stage of the work.

    Examples
    --------
    >>> stage_of(print, "resampling")(3, 10)
    resampling 3 10
    """
    return partial(progress, stage)


@contextmanager
def shown_progress(progress: Progress) -> Iterator[ProgressCallback]:
    """Yield what shows progress: the callable that was given, else a bar, which is removed at the end.

    Examples
    --------
    >>> with shown_progress(print) as show:
    ...     show("resampling", 3, 10)
    resampling 3 10
    """
    if callable(progress):
        yield progress
        return
    with ProgressBar(progress) as bar:
        yield bar


@contextmanager
def hidden_bars() -> Iterator[None]:
    """Show no progress bar in this block, as for --quiet."""
    token = _ARE_HIDDEN.set(True)
    try:
        yield
    finally:
        _ARE_HIDDEN.reset(token)


def are_bars_shown() -> bool:
    """Return whether a bar would be seen: standard error is a terminal, or this is a notebook.

    None is in the processes and threads of a pool, whose bars would run into one another.
    """
    if _ARE_HIDDEN.get() or threading.current_thread() is not threading.main_thread():
        return False
    processes = sys.modules.get("multiprocessing.process")  # which every child of a pool has loaded
    is_main = processes is None or processes.current_process().name == "MainProcess"
    return is_main and (sys.stderr.isatty() or in_notebook())


class ProgressBar:
    """A bar that says what is being done, how much of it, and how long it will take.

    Parameters
    ----------
    is_shown : bool, optional
        False: silent. Default: shown where standard error is a terminal, or in a notebook, but for ``hidden_bars``.
    patience : float, optional
        Seconds of work before it appears.

    Notes
    -----
    Drawn by tqdm as text, as wide as the terminal; in a notebook it is one line that changes. As a context manager
    it is removed at the end, whatever happens; its ``detail`` is shown after the bar (the training loss, say).
    """

    def __init__(self, is_shown: bool | None = None, *, patience: float = PATIENCE) -> None:
        self.is_shown = are_bars_shown() if is_shown is None else is_shown
        self.patience = patience
        self._start = time.perf_counter()
        self._bar: Any = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int, detail: str = "", *, label: str = "") -> None:
        """Show a stage of the work, the amount done and the total, 0 if unknown; ``label`` in place of its name."""
        if not self.is_shown or (self._bar is None and time.perf_counter() - self._start < self.patience):
            return
        is_next = self._bar is not None and stage != self._stage
        if self._bar is None:
            self._bar = _tqdm(total, done, label or stage, detail)
        self._stage, bar = stage, self._bar
        bar.bar_format = _form(detail, total)
        bar.set_description_str(label or stage, refresh=False)
        bar.set_postfix_str(detail, refresh=False)
        bar.total = total or None  # 0: not known
        if is_next:
            bar.initial = 0  # of what was done before the bar was shown, which made the rate negative
            bar.reset(total=bar.total)
        bar.update(done - bar.n)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _tqdm(total: int, done: int, words: str, detail: str) -> Any:
    """Return a bar of tqdm's, as text."""
    from tqdm import tqdm

    width = _width()
    return tqdm(
        total=total or None,
        initial=done,
        desc=words,
        postfix=detail,
        leave=False,
        file=NotebookLine() if in_notebook() else sys.stderr,
        ncols=width,
        dynamic_ncols=width is None,
        nrows=None if width is None else 24,  # in none, tqdm shows no bar
        bar_format=_form(detail, total),
    )


def _width() -> int | None:
    """Return the columns of a bar; None: those of the terminal, which may change. One without a size has 80."""
    import os
    import shutil

    with suppress(OSError, ValueError):
        if os.get_terminal_size(sys.stderr.fileno()).columns:
            return None
    return min(shutil.get_terminal_size((COLUMNS, 24)).columns, COLUMNS)


def _form(detail: str, total: int) -> str:
    return UNCOUNTED if not total else DETAILED if detail else COUNTED


class NotebookLine:
    """One line of a notebook's output, which every line that is written replaces; needs no ipywidgets.

    On standard error each line would be kept, and a notebook of long trainings would be large.
    """

    def __init__(self) -> None:
        self._handle: Any = None

    def write(self, text: str) -> None:
        """Show a line in place of the one before."""
        line = {"text/plain": text.strip()}
        if self._handle is not None:
            self._handle.update(line, raw=True)
        elif text.strip():
            display = importlib.import_module("IPython.display").display  # here for sure: this is a notebook
            self._handle = display(line, raw=True, display_id=True)

    def flush(self) -> None:
        """Do nothing: every line is shown at once."""


def in_notebook() -> bool:
    """Return whether this runs in a Jupyter notebook."""
    shell = sys.modules.get("IPython")
    return bool(shell) and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"  # type: ignore[union-attr]
