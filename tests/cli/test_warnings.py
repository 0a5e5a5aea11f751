"""No warning of another library reaches a terminal with the file and line of its code."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from tests.commands import Command

from pellucid.cli.main import _note


def test_a_table_from_one_end_of_all_numbers_to_the_other(pellucid: Command) -> None:
    """The tests turn warnings into errors: a warning would end the command with its traceback."""
    signs = np.random.default_rng(0).choice(["1e308", "-1e308", "1.7e308"], 30)
    rows = "".join(f"{sign},{i * 3 % 7},{'xy'[i % 2]}\n" for i, sign in enumerate(signs))
    Path("far.csv").write_text(f"a,b,c\n{rows}")
    for line in ("data info far.csv", "data check far.csv", "train far.csv --epochs 2 -o run"):
        assert pellucid.ok(line, "--target", "c").err == ""


def test_a_warning_is_one_line_of_ours() -> None:
    code = (
        "import sys, warnings; from pellucid.cli import main, terminal\n"
        "import numpy as np, pellucid.data.download as d\n"
        "def fetch(*a, **k):\n"
        "    warnings.warn('mind the \\x1b[31m gap'); np.float64(1e308) * 10; return 'here'\n"
        "d.fetch = fetch\n"
        "sys.exit(main.main(['data', 'fetch']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stderr.splitlines()
    assert first == "Note: mind the ?[31m gap"
    assert second.startswith("Note: a number is too large or too small to compute with (overflow")


def test_a_warning_of_ours_keeps_its_words() -> None:
    line = _note(RuntimeWarning("kernels: nothing can be compiled here."), RuntimeWarning, "", 0)
    assert line == "Note: kernels: nothing can be compiled here.\n"
    assert "Look for extreme values" in _note("overflow encountered in exp", RuntimeWarning, "", 0)
