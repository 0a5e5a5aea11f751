"""A browser without a window, to run a page before it is handed out."""

import os
import re
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
)
SECONDS = 120  # that it may take


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def said_by(page: Path, browser: str, home: Path, *flags: str) -> str | None:
    """Return what a page writes into its element ``<pre id="said">``, or None where the browser does not run.

    Parameters
    ----------
    page : Path
        An absolute path.
    browser : str
    home : Path
        A folder for the browser's own files.
    *flags : str
        More of the browser's own.
    """
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium's sandbox refuses to run as root
    sandbox = ["--no-sandbox"] if is_root else []
    command = [browser, *FLAGS, *sandbox, *flags, f"--user-data-dir={home}", page.as_uri()]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    found = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)
    return found[1] if found else None
