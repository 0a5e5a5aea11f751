"""What tests of the command share: what it left behind, and the text of the page that it wrote."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


def assert_refused(done: Done, *words: str) -> None:
    """Check that a command ended with exit 2, one to three lines with these words, and no traceback."""
    assert done.code == 2, (done.out, done.err)
    assert 1 <= len(done.err.strip().splitlines()) <= 3, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err


def words_of(report: Path) -> str:
    """Return the text of a page, without tags, style and line ends."""
    page = re.sub(r"<style>.*?</style>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = (
        html.unescape(re.sub(r"<[^>]+>", " ", page))
        .replace("\N{NO-BREAK SPACE}", " ")
        .replace("\N{WORD JOINER}", "")
    )
    return re.sub(r"\s+", " ", text)
