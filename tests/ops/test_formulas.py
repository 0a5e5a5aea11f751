"""docs/formulas.md is what scripts/formulas prints, and its links lead to names."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "formulas.md"


def test_the_page_is_up_to_date() -> None:
    page = [sys.executable, ROOT / "scripts" / "formulas"]
    done = subprocess.run(page, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == PAGE.read_text(), "write it again: scripts/check --fix"


def test_each_name_is_defined_in_the_file_that_it_is_said_to_be_in() -> None:
    text = PAGE.read_text()
    files = {
        key: PAGE.parent / place for key, place in re.findall(r"^\[(\S+\.py)\]: (\S+)$", text, re.MULTILINE)
    }
    defined = {
        key: {node.name for node in ast.parse(path.read_text()).body if hasattr(node, "name")}
        for key, path in files.items()
    }
    for key, section in re.findall(r"^### \[(\S+)\]$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL):
        for about in re.findall(r"^\*\*\w.*?(?=\n\n)", section, re.MULTILINE | re.DOTALL):
            twin = re.search(r"fast\s+twin\s+\[(\S+)\](?:\s`(\w+)`)?", about)
            if twin:
                assert twin[2] is None or twin[2] in defined[twin[1]], about
                about = about.replace(twin[0], "")
            for name in re.findall(r"`(\w+)`", about):
                assert name in defined[key], (key, name)


def test_the_page_is_readable_as_text() -> None:
    text = PAGE.read_text()
    assert max(map(len, text.splitlines())) <= 120
    assert not re.search(r":\w+:`|``\w|#L\d", text)
