"""What tests of the command share: what it left behind, and the text of the page that it wrote."""

import html
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass
class Command:
    """Runs command lines; the first of the words may be several, with spaces between them."""

    run: Callable[[list[str]], Done]

    def __call__(self, line: object = "", *more: object) -> Done:
        return self.run([*map(str, line.split() if isinstance(line, str) else [line]), *map(str, more)])

    def ok(self, line: object, *more: object) -> Done:
        """Run a command that ends with exit 0."""
        done = self(line, *more)
        assert done.code == 0, done.err
        return done

    def json(self, line: object, *more: object) -> Any:
        """Return the one object that a command prints with --json, on a clean standard error."""
        done = self.ok(line, *more, "--json")
        assert done.err == ""
        return json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def assert_refused(done: Done, *words: str) -> None:
    """Check that a command ended with exit 2, one to three lines with these words, and no traceback."""
    assert done.code == 2, (done.out, done.err)
    assert 1 <= len(done.err.strip().splitlines()) <= 3, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def full_disk(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size: a write fails in the middle, as on a full disk."""
    resource = pytest.importorskip("resource", reason="limits of files are POSIX's")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)  # or half a .pyc stays
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def words_of(report: Path) -> str:
    """Return the text of a page, without tags, style and line ends."""
    page = re.sub(r"<style>.*?</style>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", ""))
