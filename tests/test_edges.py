"""docs/limits.md has the figures that benchmarks/edges.py measures."""

from pathlib import Path

from benchmarks.edges import EDGES

from tests.every import every

PAGE = Path(__file__).parents[1] / "docs" / "limits.md"


@every("name", EDGES)
def test_the_page_has_what_is_measured(name: str) -> None:
    assert EDGES[name]() in PAGE.read_text(encoding="utf-8")
