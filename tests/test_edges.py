"""docs/limits.md has the figures that benchmarks/edges.py measures."""

from pathlib import Path

import pytest
from benchmarks.edges import EDGES

PAGE = Path(__file__).parents[1] / "docs" / "limits.md"


@pytest.mark.parametrize("name", EDGES)
def test_the_page_has_what_is_measured(name: str) -> None:
    assert EDGES[name]() in PAGE.read_text(encoding="utf-8")
