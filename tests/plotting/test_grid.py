"""Pages of pictures: what fits, what is shortened; and the files that figures become."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, features
from tests.every import every
from tests.pictures import assert_readable, frames, shown, words

from pellucid.plotting import saving
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line, width_of, wrapped
from pellucid.plotting.saving import figure_png
from pellucid.plotting.style import RED, WIDTH

LONG = "a class with a name far too long for its picture"


def tiles(n: int, shape: tuple[int, ...] = (8, 8, 3), **options: object) -> list[Tile]:
    return [Tile(np.full(shape, i, np.uint8), **options) for i in range(n)]  # type: ignore[arg-type]


def test_pictures_and_words_are_in_the_order_of_the_page() -> None:
    page = Page("Title")
    page.text("A paragraph.")
    page.row(tiles(2, above=["above"], below=["below"]), name="Name", note="a note", names=1.5)
    page.grid(tiles(5), 3, heading="Heading")
    figure = page.figure()
    assert [len(axes.images) for axes in figure.axes] == [0, 0, 2, 3, 2]
    assert words(figure)[:4] == ["Title", "A paragraph.", "Name", "a note"]
    assert words(figure)[4:] == ["above", "below", "above", "below", "Heading"]
    assert [picture.flat[0] for picture in shown(figure)] == [0, 1, 0, 1, 2, 3, 4]
    assert_readable(figure)


@every(
    "n, n_columns, rows",
    [(7, 6, [4, 3]), (10, 3, [3, 3, 2, 2]), (16, 5, [4] * 4), (6, 6, [6]), (2, 5, [2]), (25, 5, [5] * 5)],
)
def test_no_picture_stands_alone_in_a_row(n: int, n_columns: int, rows: list[int]) -> None:
    page = Page()
    page.grid(tiles(n), n_columns)
    drawn = [axes.images for axes in page.figure().axes if axes.images]
    assert [len(images) for images in drawn] == rows
    widths = {round(np.ptp(image.get_extent()[:2]), 6) for images in drawn for image in images}
    assert len(widths) == 1


@pytest.mark.slow
@every("shape, n_columns", [((8, 8), 1), ((10, 90, 3), 4), ((90, 10, 1), 8), ((3, 3, 3), 4)])
def test_nothing_touches_and_no_picture_is_stretched(shape: tuple[int, ...], n_columns: int) -> None:
    page = Page(LONG * 2)
    lines = [Line("Prediction: {} (97 %)", name=LONG), LONG]
    page.grid(tiles(9, shape, above=lines, below=[LONG, "two"]), n_columns, heading=LONG)
    page.row(tiles(1, shape), words=[Line("Words", is_bold=True), LONG * 3], words_width=4.0)
    figure = page.figure()
    assert_readable(figure)
    for axes in figure.axes:
        for image in axes.images:
            left, right, bottom, top = image.get_extent()
            assert (right - left) / (bottom - top) == pytest.approx(shape[1] / shape[0])
            assert right <= WIDTH


def test_a_name_gives_way_to_what_stands_around_it() -> None:
    line = Line("✗ {} 97 %", name=LONG).fitted(1.2, 7)
    assert line.startswith("✗ a cl")
    assert line.endswith("… 97 %")
    assert width_of(line, 7) <= 1.2
    assert Line("short").fitted(1.2, 7) == "short"
    assert Line("{} 5 %", name="two\nlines").fitted(3, 7) == "two lines 5 %"
    assert Line("odd {braces}").fitted(3, 7) == "odd {braces}"


def test_lines_are_no_wider_than_asked_for() -> None:
    lines = wrapped("of all these words, 50 % stay together with their sign " * 4, 2.0, 9)
    assert len(lines) > 3
    assert max(width_of(line, 9) for line in lines) <= 2.0
    assert not any(line.startswith("%") for line in lines)
    assert wrapped("one\ntwo", 5, 9) == ["one", "two"]


def test_frames_and_empty_places() -> None:
    page = Page()
    page.row([Tile(np.zeros((4, 4)), frame=RED), Tile(np.ones((4, 4))), Tile(None, ["empty"])])
    figure = page.figure()
    assert sum(frames(axes, RED) for axes in figure.axes) == 1
    assert len(shown(figure)) == 2
    assert words(figure) == ["empty"]


def test_a_letter_that_the_font_lacks_does_not_warn() -> None:
    page = Page("猫")
    page.row(tiles(1, above=["猫 " * 40]))
    assert figure_png(page.figure())


def decoded(html: str) -> Image.Image:
    found = re.fullmatch(r'<img src="data:image/(png|webp);base64,([^"]+)" width="\d+">', html)
    assert found is not None
    picture = Image.open(io.BytesIO(base64.b64decode(found[2])))
    assert picture.format == found[1].upper()
    return picture


def noise() -> Figure:
    figure = Figure((3, 3))
    figure.figimage(np.random.default_rng(1).random((300, 300, 3)))
    return figure


def test_a_large_figure_is_webp_of_the_same_size() -> None:
    if not features.check("webp"):
        pytest.skip("this Pillow writes no WebP")
    picture = decoded(saving.figure_html(noise()))
    assert (picture.format, picture.size) == ("WEBP", (300, 300))
    assert len(saving.figure_html(noise())) < len(saving.figure_png(noise(), dpi=100)) / 2


def test_a_small_one_and_one_without_webp_are_png(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decoded(saving.figure_html(Figure((1, 1)))).format == "PNG"
    monkeypatch.setattr(features, "check", lambda name: False)
    assert decoded(saving.figure_html(noise())).format == "PNG"
