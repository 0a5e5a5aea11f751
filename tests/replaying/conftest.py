"""A browser for the pages of replays."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pellucid.formats.html.browser import find_browser
from pellucid.replaying.page import replay_page
from pellucid.replaying.record import Replay


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A Chromium without a window, by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = find_browser()
    if path is None:
        pytest.skip("needs Chromium or Chrome to open the page")
    with playwright.sync_playwright() as started:
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # whom Chromium's sandbox refuses
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"] if is_root else [])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a replay as a page; that it asks for nothing else and has no error is checked at the end."""
    asked: list[str] = []
    errors: list[str] = []
    contexts: list[Any] = []

    def open_page(replay: Replay | str, address: str = "", **options: Any) -> Any:
        path = tmp_path / f"page_{len(contexts)}.html"
        path.write_text(replay if isinstance(replay, str) else replay_page(replay), encoding="utf-8")
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{path.as_uri()}{address and '#' + address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [url for url in asked if not url.startswith("file:")]
    assert not errors
