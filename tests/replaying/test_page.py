"""The page of a replay in a real browser: what people see, by mouse, keyboard and screen reader, and on paper."""

import html
import re
import unicodedata
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.formats.html.inline import join_modules
from pellucid.nn.model import Model
from pellucid.replaying.help import help_texts
from pellucid.replaying.page import modules_of, replay_page, style
from pellucid.replaying.record import Replay, replay_of
from pellucid.training.trace import trace_prediction

pytestmark = pytest.mark.slow
Open = Callable[..., Any]
MOST_BYTES = 150_000  # of JavaScript and CSS
STOPS = "document.querySelector('pellucid-replay').stops.map(({part, step}) => `${part}/${step}`)"
SEEN = """() => {
  const focused = document.activeElement;
  focused.dataset.seen ??= String(Math.random());
  return focused.closest("pellucid-replay") ? focused.dataset.seen : "";
}"""
UNEXPLAINED = """without => [...document.querySelectorAll("pellucid-replay *")].filter((e) => e.checkVisibility()
  && (e.localName.startsWith("pellucid-") || e.matches(".unit:not(:empty), figure"))
  && !without.includes(e.localName) && !e.querySelector(".what")).map((e) => e.localName)"""


def photos(m: int) -> Any:
    return np.random.default_rng(3).integers(0, 256, (m, 16, 16, 3), np.uint8)


def step_of(model: Model, m: int, labels: Any = None, **options: Any) -> Replay:
    y = np.arange(m) % 2 if labels is None else labels
    return replay_of(pl.trace(model, (photos(m), y), learning_rate=0.1, **options), title="One step")


def four_layers(m: int = 1) -> Replay:
    layers = [pl.Flatten(), pl.Dense(20, "relu"), pl.Dense(7, "relu"), pl.Dense(5, "relu"), pl.Dense(1)]
    return step_of(pl.Sequential(layers), m)


def convolutions() -> Replay:
    """Return a step with all that a photo network has: batch norm, a residual, pooling, dropout, three classes."""
    body = [pl.Conv2D(4, 3), pl.BatchNorm(), pl.Activation("relu")]
    layers = [pl.Conv2D(4, 3), pl.Residual(pl.Sequential(body)), pl.MaxPool2D(4), pl.Flatten()]
    return step_of(pl.Sequential([*layers, pl.Dropout(0.5), pl.Dense(3)]), 4, [0, 1, 2, 0], optimizer="adam")


REPLAYS: dict[str, Callable[[], Replay]] = {"four layers": four_layers, "convolutions": convolutions}


def violations(page: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    if page.evaluate("() => !window.axe"):
        page.evaluate(axe.Axe().axe_script)
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def go(page: Any, address: str) -> None:
    page.evaluate("address => { location.hash = address; }", address)
    page.wait_for_timeout(20)


def press(page: Any, key: str, n: int = 1) -> None:
    for _ in range(n):
        page.keyboard.press(key)


def hash_of(page: Any) -> str:
    page.wait_for_timeout(200)  # while it is scrubbed the address follows a little later
    found: str = page.evaluate("location.hash")
    return found


@pytest.mark.parametrize("name", REPLAYS)
def test_no_place_has_a_violation_or_scrolls_sideways(opened: Open, name: str) -> None:
    replay = REPLAYS[name]()
    for n, width in enumerate((400, 1600)):
        page = opened(replay, viewport={"width": width, "height": 900})
        for i, address in enumerate([*page.evaluate(STOPS), *DEEP[name]]):
            go(page, address + ("?mode=numbers" if i % 3 == 2 else ""))
            page.locator(".difference [role=status]").wait_for(state="detached")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
            if i % 2 == n:  # each by one width and one scheme: a look takes half a second
                page.emulate_media(color_scheme=(scheme := "dark" if i % 4 < 2 else "light"))
                assert not violations(page), (address, width, scheme)


DEEP = {  # derivations, units and tables
    "four layers": ["forward/1/Z/3/terms", "backward/1/dW/5", "loss/loss/value/0", "forward/1/W/7/table"],
    "convolutions": ["forward/0/Z/700", "forward/1/W/8", "update/1/update_W/3"],
}


def test_the_keyboard_reaches_all_and_walks_back_to_the_loss(opened: Open) -> None:
    page = opened(four_layers())
    press(page, "ArrowRight", 2)
    assert hash_of(page) == "#forward/1"
    page.locator("pellucid-tensor[data-name=W] .frame").focus()
    press(page, "ArrowRight", 3)
    assert "W[0, 0] = " not in (said := page.locator("pellucid-tensor[data-name=W] output").inner_text())
    assert re.match(r"W\[6, 0\] = ", said)  # two pixels of three channels
    press(page, "Enter")
    assert page.locator("pellucid-derivation h2").inner_text() == "W[6, 0] of dense_1"
    page.get_by_role("button", name="Gradient of the loss for it").focus()
    press(page, "Enter")
    assert hash_of(page) == "#backward/1/dW/120"
    for expected in ("dZ", "dA"):  # each number of the formula is a button
        number = page.locator(f"pellucid-derivation .formula button[data-at^='1/{expected}']").first
        number.focus()
        press(page, "Enter")
        assert hash_of(page).startswith(f"#backward/1/{expected}")
    crumbs = page.get_by_role("navigation", name="Path of the derivation").get_by_role("button")
    assert crumbs.count() == 3
    crumbs.first.click()
    assert hash_of(page) == "#forward/1/W/120"
    page.go_back()
    assert hash_of(page).startswith("#backward/1/dA")


def test_tab_alone_reaches_every_control_in_the_order_of_the_page(opened: Open) -> None:
    page = opened(four_layers(), "backward/3/dZ/2")
    n = page.evaluate(
        "[...document.querySelectorAll('pellucid-replay :is(button, input, select, [tabindex=\"0\"])')]"
        ".filter(e => e.checkVisibility({visibilityProperty: true})).length"
    )
    seen = set()
    for _ in range(n + 5):
        press(page, "Tab")
        seen.add(page.evaluate(SEEN))
    assert len(seen - {""}) == n


def test_numbers_of_formulas_are_buttons_for_a_screen_reader(opened: Open) -> None:
    page = opened(four_layers(), "forward/2/Z/3")
    number, button = page.locator("math .at").first, page.locator(".formula button").first
    assert page.locator("math .at").count() == page.locator(".formula button").count() > 3
    assert button.bounding_box() == pytest.approx(number.bounding_box(), abs=1)
    names = page.locator(".formula").last.aria_snapshot()
    assert re.search(r'button "W\[\d+, 3\] = ', names)
    page.wait_for_selector(".difference .good")  # made when there is time
    assert page.locator("pellucid-derivation .good").all_inner_texts() == ["equal but for rounding", "agree"]
    before = page.locator("pellucid-derivation h2").inner_text()
    button.click()
    assert page.locator("pellucid-derivation h2").inner_text() != before


def test_every_element_says_what_it_is(opened: Open) -> None:
    without = ("pellucid-replay", "pellucid-table", "pellucid-unit", "pellucid-kernel", "pellucid-overview")
    for make in REPLAYS.values():
        page = opened(make(), viewport={"width": 1200, "height": 900})
        for stop in [*page.evaluate(STOPS), "forward/1/Z/3", "backward/1/dA/2"]:
            go(page, stop)
            assert not page.evaluate(UNEXPLAINED, without), stop
            keys = page.evaluate("[...document.querySelectorAll('.what')].map(e => e.dataset.key)")
            assert set(keys) <= set(help_texts()), stop
        page.locator("pellucid-scrubber .what").click()
        assert page.get_by_role("dialog").get_by_role("heading").inner_text() == "The scrubber"
        press(page, "Escape")
        assert page.evaluate("document.activeElement.dataset.key") == "scrubber"


def test_every_picture_is_a_table_too(opened: Open) -> None:
    replay = convolutions()
    page = opened(replay, "forward/0/Z/2052")
    for picture in page.locator("pellucid-tensor, pellucid-curve").all():
        toggle = picture.get_by_role("button", name=re.compile("as a table"))
        toggle.click()
        assert toggle.get_attribute("aria-pressed") == "true"
        assert picture.locator("table td").count()
        toggle.click()
        assert not picture.locator("table").count()
    assert page.locator("pellucid-tensor").count() == 8  # three: the filter, its window and the products
    picture = page.locator("pellucid-tensor[data-name=Z]")
    picture.get_by_role("button", name="Z as a table").click()
    given = replay.header["steps"][0]["arrays"]["Z"]
    start, _, shape = replay.header["arrays"][given]
    Z = np.frombuffer(replay.content, np.float32, int(np.prod(shape)), start).reshape(shape)
    shown = picture.locator("td button[data-at='0/Z/2048']").inner_text()
    assert float(shown.replace("\u2212", "-")) == pytest.approx(Z[2, 0, 0, 0], rel=1e-3)
    go(page, "forward/input")
    page.get_by_role("button", name="Photo as a table").click()
    assert page.locator("figure td").first.inner_text() == str(photos(4)[0, 0, 0, 0])


def test_an_address_leads_to_its_view(opened: Open) -> None:
    page = opened(four_layers(3), "backward/2/dZ/8?sample=1&mode=numbers")
    assert page.locator("pellucid-derivation h2").inner_text() == "dZ[1, 1] of dense_2"
    assert page.locator("select").input_value() == "1"
    assert page.get_by_role("button", name="Numbers only").get_attribute("aria-pressed") == "true"
    for address, heading in {
        "forward/input": "Input",
        "forward/1": "dense_1",
        "loss/loss": "Loss",
        "update/4/update_b/0": "dense_4",
        "nothing/9/that/is": "dense_4",
    }.items():
        go(page, address)
        assert page.locator("pellucid-layer h2").first.inner_text() == heading
    page = opened(four_layers(), "forward/2")
    page.get_by_role("button", name="W as a table").click()
    address = hash_of(page)[1:]
    assert address == "forward/2/W//table"
    page = opened(four_layers(), address)
    assert page.locator("pellucid-tensor[data-name=W] table").count() == 1
    page.locator("pellucid-tensor[data-name=Z] .cell").first.click()
    page.get_by_text("All 20 terms").click()
    assert hash_of(page) == "#forward/2/Z/0/terms"
    page = opened(four_layers(), "forward/77/Z/99")
    assert page.locator("pellucid-layer h2").first.inner_text() == "Input"
    for name in ("dense_1", "dense_2"):
        page.locator(".node", has_text=name).click()
    page.go_back()
    assert page.locator("pellucid-layer h2").first.inner_text() == "dense_1"


def test_in_a_frame_without_an_address_it_works_too(opened: Open) -> None:
    inner = f'<iframe width="900" height="700" srcdoc="{html.escape(replay_page(four_layers()))}"></iframe>'
    frame = opened(f"<!DOCTYPE html><title>A notebook</title>{inner}").frame_locator("iframe")
    frame.get_by_role("button", name="Next stop").click()
    frame.locator(".node", has_text="dense_1").click()
    frame.locator("pellucid-tensor[data-name=Z] .cell").first.click()
    assert frame.locator("pellucid-derivation h2").inner_text() == "Z[0, 0] of dense_1"


def test_scrubbing_playing_and_reduced_motion(opened: Open) -> None:
    page = opened(four_layers(), reduced_motion="reduce")
    slider = page.get_by_role("slider")
    slider.focus()
    press(page, "End")
    assert slider.get_attribute("aria-valuetext") == "Update: dense_4"
    press(page, "Home")
    assert page.evaluate("getComputedStyle(document.querySelector('.node')).transitionDuration") == "0s"
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1500)
    assert hash_of(page) == "#forward/0"
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Backward").click()
    assert page.locator("pellucid-scrubber strong").inner_text() == "Backward: dense_4"
    page.locator(".node", has_text="dense_2").click()
    assert hash_of(page) == "#backward/2"


def test_a_prediction_has_a_verdict_and_no_backward_pass(opened: Open) -> None:
    model = pl.Sequential([pl.Flatten(), pl.Dense(2)])
    model.initialize((16, 16, 3))
    page = opened(replay_of(trace_prediction(model, photos(1).astype(np.float32) / 255)))
    assert page.evaluate(STOPS) == ["forward/input", "forward/0", "forward/1", "loss/loss"]
    go(page, "loss/loss")
    assert "No label was given" in page.locator("pellucid-layer").inner_text()
    assert page.locator("pellucid-layer h2").first.inner_text() == "Verdict"
    assert not violations(page)


def test_names_with_markup_are_text(opened: Open) -> None:
    evil = "<img src=x onerror=alert(1)></script><b>cat</b>\x1b[31m"
    trace = pl.trace(pl.Sequential([pl.Flatten(), pl.Dense(2)]), (photos(2), ["<b>dog</b>", evil]))
    page = opened(replay_of(trace, title=evil, names=[evil, "\u202eother"], notes=[evil]))
    for address in ("forward/1/Z/0", "loss/loss/Z/0"):
        go(page, address)
        assert not page.locator("img, b").count()
    assert "<b>dog</b>" in page.locator("pellucid-loss").inner_text()


def test_what_is_not_there_is_said(opened: Open) -> None:
    text = replay_page(four_layers())
    start = text.index('id="numbers"') + 500
    for share in (0.02, 0.3, 0.7, 0.999, None):
        part = text[:start] + text[start + 4000 :] if share is None else text[: int(len(text) * share)]
        assert "incomplete" in opened(part).get_by_role("alert").inner_text(), share
    page = opened(text, "rubbish")
    assert not page.get_by_role("alert").count()
    assert page.get_by_role("status").first.inner_text() == 'This page has no place "rubbish".'


def derivation(page: Any) -> str:
    page.locator(".difference [role=status]").wait_for(state="detached")
    found: str = page.locator("pellucid-derivation").inner_text()
    return found


def test_the_derivation_says_what_it_cannot_compare(opened: Open) -> None:
    trace = pl.trace(pl.Sequential([pl.Flatten(), pl.Dense(200), pl.Dense(1)]), (photos(1), [1]))
    page = opened(replay_of(trace, most_mb=0.8), "forward/1/Z/7")
    assert re.search(r"W is not in this page: it is too large; --most-mb \d", said := derivation(page))
    assert said.count("W is not in this page") == 2  # of the central difference too
    assert "no rule" not in said
    model = pl.Sequential([pl.Flatten(), pl.Dense(4, "relu"), pl.Dense(3)])
    model.initialize((16, 16, 3))
    model.params["dense_2"]["W"][1, 1] = np.nan
    page = opened(replay_of(pl.trace(model, (photos(2), [0, 1]))), "forward/2/Z/1")
    assert derivation(page).count("cannot be compared") == 2
    assert not page.locator(".good").count()
    go(page, "loss/loss")
    assert page.locator(".bar i").first.bounding_box()["width"] == 0
    page = opened(four_layers(), "backward/3/dW/5")
    assert "not stored: computed from X and dZ" in (said := derivation(page))
    assert "equal but for rounding" not in said
    assert "relative error" in said
    value = page.locator("pellucid-derivation .value").inner_text()
    assert len(re.sub(r"e.*|\D", "", value).lstrip("0")) <= 9  # digits of float32
    go(page, "update/3/update_W/5")
    assert "It checks dW[1, 0], which the update is made from." in derivation(page)
    go(page, "update/3/new_W/5")
    assert page.locator("pellucid-derivation h2").inner_text() == "new W[1, 0] of dense_3"
    assert "not stored: computed from W and ΔW" in derivation(page)


def test_a_sample_has_its_own_loss_and_targets_and_another_shows_the_same_unit(opened: Open) -> None:
    page = opened(convolutions(), "loss/loss?sample=1")
    assert re.search(r"; of \S.* alone \d", page.locator("pellucid-loss").inner_text())
    targets = page.locator("pellucid-loss td:nth-child(4) .number").all_inner_texts()
    assert targets == ["0", "1", "0"]
    page = opened(four_layers(3), "forward/2/Z/2?sample=1")
    assert hash_of(page) == "#forward/2/Z/2"
    page.locator("select").select_option("2")
    assert page.locator("pellucid-derivation h2").inner_text() == "Z[2, 2] of dense_2"
    assert hash_of(page) == "#forward/2/Z/16?sample=2"


def test_the_derivation_stays_in_sight(opened: Open) -> None:
    for width in (400, 1000):
        page = opened(four_layers(), "forward/1", viewport={"width": width, "height": 900})
        page.locator("pellucid-tensor[data-name=A] .cell").last.click()
        cell, found = (page.locator(each).bounding_box() for each in (".cell.here", "pellucid-derivation h2"))
        assert 0 < found["y"] < 900
        assert 0 < cell["y"] < 900
        assert found["x"] > cell["x"] if width == 1000 else cell["y"] < found["y"]


def printed(page: Any) -> Any:
    """Return what a page prints, as it would lie on paper."""
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    return page.locator("pellucid-overview")


def deep(n: int) -> Replay:
    return step_of(pl.Sequential([pl.Flatten(), *[pl.Dense(3, "tanh") for _ in range(n)], pl.Dense(1)]), 2)


def test_printed_it_is_two_pages_and_weight_decay_stands_in_the_formula(opened: Open) -> None:
    layers = [pl.Flatten(), pl.Dense(5, "relu"), pl.Dense(5), pl.Dense(1)]
    adamw = step_of(pl.Sequential(layers), 2, optimizer="adamw")
    for replay in (four_layers(), convolutions(), adamw, deep(60), deep(300)):
        page = opened(replay, "forward/1/Z/2", color_scheme="dark")
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 2
    page = opened(adamw, "update/1/update_W/5")
    for kind in ("layer .formulas", "derivation .formula"):  # with weight decay
        assert "λ" in page.locator(f"pellucid-{kind}").first.inner_text().replace("𝜆", "λ")


def test_printed_each_layer_has_its_formula_and_the_numbers_of_a_unit(opened: Open) -> None:
    replay = four_layers()
    page = opened(replay, "forward/2/Z/3")
    sheet = printed(page)
    forward, backward = sheet.locator(".sheet").all()
    for i, name in enumerate(("dense_1", "dense_2", "dense_3", "dense_4")):
        row = forward.locator("tr", has_text=name)
        general, filled = row.locator(".broken").all()[:2]
        assert "\u2211" in general.inner_text()
        value = page.evaluate(
            "([step, text]) => [...document.querySelector('pellucid-replay').replay.array(step, 'Z').data]"
            ".some((z) => Math.abs(z - text) <= 1e-5 * Math.abs(z))",
            [i + 1, float(filled.inner_text().split("=")[-1].replace("\u2212", "-"))],
        )
        assert value, name
        assert backward.locator("tr", has_text=name).locator(".broken").count() >= 3
    numbers = forward.locator("tr", has_text="dense_2").locator(".broken").nth(1).inner_text()
    selected = unicodedata.normalize("NFKC", numbers)
    assert re.match(r"\s*z\s*0\s*,\s*3\s*=", selected)
    for each in (forward, backward):
        assert each.locator("p").last.inner_text() == "Not printed: other units and weights."
    assert not page.locator(".screen").is_visible()


def test_printed_a_deep_network_shows_its_ends_and_what_is_odd(opened: Open) -> None:
    replay = deep(300)
    odd = {replay.header["steps"][each["step"]]["name"] for each in replay.header["remarks"]}
    for sheet in printed(opened(replay)).locator(".sheet").all():
        names = {text.split("\n")[0] for text in sheet.locator("tbody th").all_inner_texts()}
        assert {"flatten_1", "dense_1", "dense_2", "dense_300", "dense_301"} | odd <= names
        left = len(replay.header["steps"]) - len(names)
        assert f"Not printed: {left} of 302 layers" in sheet.locator("p").last.inner_text()
        assert sheet.locator(".broken").count() >= len(names) - 2


def test_no_formula_scrolls_on_a_window_of_1000(opened: Open) -> None:
    images = [pl.Conv2D(3, 3), pl.BatchNorm(), pl.Activation("gelu"), pl.Flatten(), pl.LayerNorm()]
    model = pl.Sequential([*images, pl.Dense(3)])
    trace = pl.trace(model, (photos(4), [0, 1, 2, 0]), optimizer={"type": "adamw", "weight_decay": 0.1})
    page = opened(replay_of(trace), viewport={"width": 1000, "height": 900})
    for address in (
        "update/0/update_W/3", "update/5/update_b/1", "forward/1/var/1", "backward/1/dX/70",
        "backward/2/dX/9", "backward/4/dX/11", "forward/4/var/2", "loss/loss/value/0", "loss/loss/P/2",
    ):  # fmt: skip
        go(page, address)
        page.wait_for_timeout(80)  # lines are broken where they are too wide
        assert page.locator("pellucid-derivation .formula").count(), address
        formulas = "[...document.querySelectorAll('.formula, .formulas')]"
        assert not page.evaluate(f"{formulas}.some(e => e.scrollWidth > e.clientWidth)"), address
        for number in page.locator("pellucid-derivation .at").all()[:3]:
            button = page.locator(f".cover[data-at='{number.get_attribute('data-at')}']").first
            assert button.bounding_box()["width"] > 3, address


def test_a_layer_of_one_unit_and_a_cost_are_called_so(opened: Open) -> None:
    page = opened(four_layers(), "forward/4/Z/0")
    assert page.locator(".unit h3").first.inner_text() == "The one unit"
    assert page.locator(".about").inner_text().count("loss 0.") == 1
    page = opened(four_layers(3), "forward/3/Z/0")
    assert page.locator(".unit h3").first.inner_text() == "Unit 0 (of 0 to 4)"
    assert "cost (mean of the batch) 0." in page.locator(".about").inner_text()
    go(page, "loss/loss")
    assert page.locator("pellucid-loss .value").inner_text().startswith("cost (mean of the batch) ")


TILES = """given => {
  const wrong = [];
  for (const [shape, image] of given) {
    const n = shape.reduce((a, b) => a * b, 1), tiles = layOut(new Float32Array(n), shape, 0, image);
    const { height, width } = sizeOf(tiles);
    for (let i = 0; i < n; i++) {
      const [row, column] = whereIs(tiles, i) ?? [-1, -1];
      if (indexAt(tiles, row, column) !== i || row >= height || column >= width) wrong.push([shape, i, row]);
    }
    let seen = 0;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) seen += indexAt(tiles, row, column) >= 0;
    if (seen !== n) wrong.push([shape, seen, n]);
    if (shape.length === 4 && (width < height || width > 6 * height)) wrong.push([shape, width, height]);
  }
  return wrong;
}"""


def test_every_number_of_a_picture_has_one_place(chromium: Any) -> None:
    views = files("pellucid.replaying") / "views"
    modules = {path.name: path.read_text() for path in views.iterdir() if path.name.endswith(".js")}
    page = chromium.new_page()
    cases = [
        ([3, 3, 3, 24], None), ([3, 3, 1, 7], None), ([5, 5, 12, 6], None), ([1, 1, 8, 5], None),
        ([6, 5, 7], None), ([4, 9], None), ([75, 8], [5, 5, 3]), ([90], None), ([75], [5, 5, 3]), ([500, 3], None),
    ]  # fmt: skip
    code = f"given => {{ {join_modules(modules, 'tiles.js')}\nreturn ({TILES})(given); }}"
    assert page.evaluate(code, cases) == []
    page.close()


def test_javascript_and_css_are_small() -> None:
    assert len((modules_of(four_layers()) + style()).encode()) < MOST_BYTES
