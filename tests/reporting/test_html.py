"""The report is one safe, complete file."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from pellucid.plotting.saving import figure_png, save_figure
from pellucid.plotting.training import cost_curve
from pellucid.reporting.elements import (
    Captioned,
    Card,
    Confusion,
    Fact,
    Gallery,
    Photo,
    ReportContent,
    Section,
    Table,
)
from pellucid.reporting.html import write_report
from pellucid.reporting.sprites import photo_sheet

EVIL = '<script>alert("x")</script>'


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text in each."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: dict[str, list[str]] = {}
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            self.words.setdefault(self.open[-1], []).append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def curve() -> Figure:
    return cost_curve([0, 100, 200], [0.77, 0.67, 0.64])


@pytest.fixture
def content(curve: Figure) -> ReportContent:
    png, rows = figure_png(curve), [(3, "cat", 0.5), (np.int64(1234), EVIL, 0.98765)]
    figures = [
        Captioned(png, "Lower is better.", "A falling curve."),
        Captioned(png, EVIL, f'"><img src=x onerror=alert(1)> {EVIL}'),
    ]
    mistakes = Section("Mistakes", table=Table(["Image", EVIL, "Probability"], rows))
    return ReportContent(
        title=f"Cats & {EVIL}",
        summary=["The model is right in 40 of 50 photos.", f"Classes: {EVIL}"],
        facts=[Fact("Test accuracy", "80 %"), Fact(EVIL, 245_973, EVIL), Fact("Learning rate", 0.0075)],
        points=[f"A point {EVIL}"],
        sections=[Section(f"Training {EVIL}", [EVIL, "It went well."], figures), mistakes],
        closing="Goodbye!",
    )


@pytest.fixture
def page(content: ReportContent, tmp_path: Path) -> Page:
    return Page(write_report(content, tmp_path / "report.html"))


def test_every_tag_is_closed_and_every_word_is_there_and_none_becomes_markup(page: Page) -> None:
    assert page.open == []
    assert page.words["h1"] == page.words["title"] == [f"Cats & {EVIL}"]
    assert "The model is right in 40 of 50 photos." in page.words["p"]
    assert "Goodbye!" in page.words["p"]
    assert page.words["dt"] == ["Test accuracy", EVIL, "Learning rate"]
    assert page.words["dd"] == ["80 %", "245,973", EVIL, "0.0075"]
    assert page.words["th"] == ["Image", EVIL, "Probability"]
    assert page.words["td"] == ["3", "cat", "0.5", "1,234", EVIL, "0.9877"]
    assert page.words["figcaption"] == ["Lower is better.", EVIL]
    assert page.words["b"] == ["Figure 1.", "Figure 2."]
    assert [a.get("class") for a in page.all("th")] == ["number", None, "number"]  # numbers stand right
    assert not page.all("script")
    assert len(page.all("img")) == 2
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]


def test_every_picture_is_inside_the_file_with_its_alt_text_and_size(page: Page, curve: Figure) -> None:
    for attrs in page.all("img"):
        assert attrs["alt"]
        kind, data = (attrs["src"] or "").split(",")
        assert kind == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.size == tuple(round(150 * side) for side in curve.get_size_inches())
        assert [attrs["width"], attrs["height"]] == ["800", "420"]


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    for _, attrs in page.tags:
        for name, value in attrs.items():
            if name in {"src", "href", "srcset", "action", "poster", "data"}:
                assert (value or "").startswith(("data:", "#")), (name, value)
    assert not page.all("link")
    style = " ".join(page.words["style"])
    assert not re.search(r"url\((?!data:)|@import|https?:", style)
    policy = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_contents_lead_to_the_sections_and_labels_to_their_titles(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [a["href"] for a in page.all("a")] == ["#part-1", "#part-2"]
    named = [attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs]
    assert {"part-1", "part-2", *named} <= set(ids)
    assert page.all("html")[0]["lang"] == "en"


def test_a_saved_figure_is_the_file_and_the_same_bytes_again_and_never_too_high(
    curve: Figure, tmp_path: Path
) -> None:
    path = tmp_path / "figures" / "cost.png"
    data = save_figure(curve, path)
    assert path.read_bytes() == data == figure_png(curve)
    save_figure(curve, path, dpi=50)
    with Image.open(path) as image:
        assert image.size == (400, 210)
    with Image.open(io.BytesIO(figure_png(Figure(figsize=(0.1, 600))))) as image:  # too high for matplotlib
        assert image.size[1] <= 60_000


@pytest.fixture
def with_photos(curve: Figure) -> ReportContent:
    cards = [
        Card(Photo(i, f"photo {i} {EVIL}"), (f"Answer {EVIL}", f"number {i}"), is_right=i > 1)
        for i in range(4)
    ]
    near = Card(Photo(0, "asked"), ("cat",), None, [(Photo(3, f"near {EVIL}"), (EVIL, "12"))])
    cells = {(0, 0): cards[:2], (0, 1): cards[2:3], (1, 0): cards[3:]}
    inside = Section("Inside", confusion=Confusion(["a", EVIL], [[2, 1], [1, 0]], "How to read it.", cells))
    deep = Section("Deep", ["words"], [Captioned(figure_png(curve), "c", "a")])
    small = Section("All", gallery=Gallery(cards, "Small.", True))
    large = Section("Gallery", gallery=Gallery([near], "Nearest below."), parts=[small])
    sheet = photo_sheet(np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8))
    return ReportContent("Photos", sections=[Section("Score", parts=[inside, deep]), large], sheet=sheet)


def test_photos_are_embedded_once_and_shown_often_and_every_cell_is_a_link_to_its_own(
    with_photos: ReportContent, tmp_path: Path
) -> None:
    path = write_report(with_photos, tmp_path / "report.html")
    page = Page(path)
    assert page.open == []
    assert path.read_text().count("data:image/png") == 2  # the sheet, and the one figure
    shown = [attrs for _, attrs in page.tags if attrs.get("role") == "img"]
    assert len(shown) == 4 + 2 + 4  # in cells, with a near one, in the small gallery
    assert all(attrs["aria-label"] for attrs in shown)
    assert {attrs["style"] for attrs in shown} == {"--x:0;--y:0", "--x:1;--y:0", "--x:0;--y:1", "--x:1;--y:1"}
    assert not page.all("script")
    assert [name for _, attrs in page.tags for name in attrs if name.startswith("on")] == []
    links = {attrs["href"]: attrs for attrs in page.all("a")}
    cells = {f"#{attrs['id']}" for _, attrs in page.tags if (attrs.get("id") or "").startswith("cell-")}
    assert cells == {"#cell-0-0", "#cell-0-1", "#cell-1-0"}
    assert cells | {"#confusion", "#part-1", "#part-2"} == set(links)
    assert links["#cell-0-1"]["aria-label"] == f"1 of class a predicted as {EVIL}, 33 %: show them"
    named = [attrs["title"] for attrs in page.all("span") if "title" in attrs]
    assert named == ["a", EVIL] * 2  # above the columns and before the rows, however the page shortens them
    assert page.words["h3"] == ["Inside", "Deep", "All"]
    assert [word for word in page.words["td"] if word] == ["·"]  # nothing was predicted so


def test_more_classes_than_a_matrix_can_show_become_a_list_of_the_commonest_mistakes(tmp_path: Path) -> None:
    k = 40
    matrix = np.eye(k, dtype=int) * 5
    matrix[3, 7], matrix[9, 1] = 4, 2
    cells = {(3, 7): [Card(Photo(0, "one"), ("7",))]}
    confusion = Confusion([f"kind {i}" for i in range(k)], matrix.tolist(), "Caption.", cells)
    assert confusion.pairs() == [(3, 7, 4), (9, 1, 2)]
    sheet = photo_sheet(np.zeros((1, 4, 4), np.uint8))
    content = ReportContent("Many", sections=[Section("s", confusion=confusion)], sheet=sheet)
    page = Page(write_report(content, tmp_path / "report.html"))
    assert len(page.all("table")) == 1
    assert [attrs["href"] for attrs in page.all("a")] == ["#cell-3-7", "#confusion"]
    assert "kind 9" in page.words["td"]


def test_a_long_table_is_folded_and_long_cells_may_break(tmp_path: Path) -> None:
    rows = [(1, "short"), (2, "so many words that they need several lines")]
    table = Table(["p", "words"], rows, summary="Open me")
    page = Page(write_report(ReportContent("t", sections=[Section("s", table=table)]), tmp_path / "r.html"))
    assert page.words["summary"] == ["Open me"]
    assert page.words["th"] == ["p", "Words"]
    assert [attrs.get("class") for attrs in page.all("td")] == ["number", None, "number", "long"]
