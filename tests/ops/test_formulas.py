"""docs/formulas.md is what scripts/formulas prints."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    page = [sys.executable, ROOT / "scripts" / "formulas"]
    done = subprocess.run(page, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "docs" / "formulas.md").read_text(), "write it again: scripts/check --fix"
