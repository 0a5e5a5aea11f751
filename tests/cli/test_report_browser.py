"""The report in a real browser: nothing on the console, nothing wider than a phone, a click that shows photos."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

from pellucid.reporting.elements import ReportContent, Section, Table
from pellucid.reporting.html import write_report

pytestmark = pytest.mark.slow
LENGTHS = ((134, ""), (134, "Its layers"), (30, "Its layers"))  # of tables; those with a summary are folded
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--force-prefers-reduced-motion", "--allow-file-access-from-files", "--virtual-time-budget=3000"),
    "--enable-logging=stderr",
]
PROBE = """<!DOCTYPE html><meta charset="utf-8"><iframe width="360" height="800" src="{page}"></iframe><pre></pre>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument, found = {{}};
  const link = page.querySelector("td.miss a") || page.querySelector("td.hit a");
  const inside = page.getElementById(link.getAttribute("href").slice(1));
  const shown = () => getComputedStyle(inside).display;
  found.width = page.documentElement.scrollWidth;
  found.room = page.documentElement.clientWidth;
  found.is_in_tab_order = link.tabIndex >= 0;
  found.before = shown();
  link.click();
  setTimeout(() => {{
    found.after = shown();
    const photo = inside.querySelector(".photo"), box = photo.getBoundingClientRect();
    found.photo = [box.width, box.height, getComputedStyle(photo).backgroundImage.slice(0, 15)];
    document.querySelector("pre").textContent = JSON.stringify(found);
  }}, 100);
}};
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"needs a browser to look at the page: none of {', '.join(NAMES)} is installed")
    return found


def visit(browser: str, page: Path, home: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open a page, and return what the browser wrote."""
    return subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={home}", *flags, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def console(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def probe(browser: str, text: str, page: Path, **words: object) -> dict[str, object]:
    """Return what a page found in a frame with another page in it."""
    (page.parent / "probe.html").write_text(text.format(page=page.as_uri(), **words))
    done = visit(browser, page.parent / "probe.html", page.parent / "home", "--dump-dom")
    assert console(done) == []
    said = re.search(r"<pre>(\{.*?\})</pre>", done.stdout)
    assert said is not None, done.stdout[-500:]
    found: dict[str, object] = json.loads(said[1])
    return found


def test_a_fault_of_a_page_would_be_seen(browser: str, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<script>nobody.knows()</script>")
    done = visit(browser, tmp_path / "bad.html", tmp_path / "home", f"--screenshot={tmp_path / 'bad.png'}")
    assert "nobody is not defined" in "".join(console(done))


def test_reports_in_a_browser(
    browser: str, trained: Path, full_report: tuple[Path, str], tmp_path: Path
) -> None:
    report, picture, paper = trained / "report.html", tmp_path / "page.png", tmp_path / "report.pdf"
    assert console(visit(browser, report, tmp_path / "home", f"--print-to-pdf={paper}")) == []
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", paper.read_bytes())) <= 20
    shutil.copy(full_report[0] / "report.html", report)
    done = visit(browser, report, tmp_path / "home", "--window-size=1000,1500", f"--screenshot={picture}")
    assert console(done) == []
    with Image.open(picture) as image:
        assert image.size == (1000, 1500)
        pixels = np.asarray(image.convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50  # words and figures, not an empty page
    found = probe(browser, PROBE, report)
    assert found["width"] <= found["room"] <= 360  # nothing to scroll to the side for
    assert found["is_in_tab_order"]
    assert (found["before"], found["after"]) == ("none", "block")
    assert found["photo"] == [60, 60, 'url("data:image']  # 6 x 6 pixels, ten times as large


HEIGHTS = """<!DOCTYPE html><meta charset="utf-8"><pre></pre>
<iframe width="{width}" height="800" src="{page}"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument;
  const top = (query) => page.querySelector(query).getBoundingClientRect().top;
  const tops = [...page.querySelectorAll("dl div")].map((fact) => fact.getBoundingClientRect().top);
  const rows = tops.map((at) => tops.filter((other) => other === at).length);
  frame.contentWindow.scrollTo(0, 2000);
  document.querySelector("pre").textContent = JSON.stringify({{
    height: page.documentElement.scrollHeight, picture: top("main img") + frame.contentWindow.scrollY,
    loneliest: Math.min(...rows), contents: page.querySelector("nav").getBoundingClientRect().top,
  }});
}};
</script>"""


def test_the_report_is_short_and_its_contents_stay(browser: str, pellucid: Command) -> None:
    pellucid.ok("run drawn-cats --model cnn-small --epochs 1 --kernels numpy --out out --quiet")
    found = {}
    for width in (1280, 390):
        found[width] = probe(browser, HEIGHTS, Path("out/report.html").resolve(), width=width)
        assert abs(found[width]["contents"]) <= 1  # still there, two screens down
        assert found[width]["loneliest"] >= 2  # no fact alone in its row
    assert found[1280]["height"] <= 6050
    assert found[1280]["picture"] <= 1600


PAPER = """<!DOCTYPE html><meta charset="utf-8"><pre></pre>
<iframe width="700" height="900" src="{page}"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument, box = (each) => each.getBoundingClientRect();
  const cells = [...page.querySelectorAll(".matrix td.hit, .matrix td.miss")];
  const names = [...page.querySelectorAll(".matrix tbody th span")];
  document.querySelector("pre").textContent = JSON.stringify({{
    n: cells.length, narrowest: Math.min(...cells.map((cell) => box(cell).width)),
    right: Math.max(...cells.map((cell) => box(cell).right)),
    edge: box(page.querySelector("#confusion .table")).right,
    names: names.map((name) => name.textContent),
    is_cut: names.some((name) => name.scrollHeight > name.clientHeight + 2),
  }});
}};
</script>"""


def test_every_column_of_20_classes_is_on_paper(browser: str, pellucid: Command) -> None:
    """The page as it is printed, with classes whose long names begin alike."""
    rng = np.random.default_rng(0)
    for k in range(20):
        folder = Path("kinds", f"a long name of a species {k:02d}")
        folder.mkdir(parents=True)
        for i in range(6):
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    pellucid.ok("run kinds --model logistic --epochs 1 --kernels numpy --out out --quiet")
    page = Path("out/report.html").absolute()
    page.write_text(page.read_text().replace("@media print", "@media all"))
    found: Any = probe(browser, PAPER, page)
    assert found["n"] == 400
    assert found["right"] <= found["edge"] + 1
    assert found["narrowest"] >= 18
    assert len(set(found["names"])) == 20
    assert not found["is_cut"]


ROWS = """<!DOCTYPE html><meta charset="utf-8"><pre></pre>
<iframe width="700" height="900" src="{page}"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument, tables = [...page.querySelectorAll(".table")];
  const isShown = (row) => row.getClientRects().length > 0;
  const found = tables.map((table) => [
    [...table.querySelectorAll("tbody tr")].filter(isShown).length,
    frame.contentWindow.getComputedStyle(table, "::after").content,
  ]);
  document.querySelector("pre").textContent = JSON.stringify({{ found }});
}};
</script>"""


def test_of_a_long_folded_table_the_first_rows_are_on_paper(browser: str, tmp_path: Path) -> None:
    tables = [
        Table(("Layer", "Units"), [(f"dense{i}", i) for i in range(n)], summary) for n, summary in LENGTHS
    ]
    sections = [Section(f"Part {i}", table=table) for i, table in enumerate(tables)]
    page = write_report(ReportContent(title="Layers", sections=sections), tmp_path / "report.html")
    page.write_text(page.read_text().replace("@media print", "@media all"))
    more = '"and 114 more rows in the page itself"'
    assert probe(browser, ROWS, page) == {"found": [[134, "none"], [20, more], [30, "none"]]}
