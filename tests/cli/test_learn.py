"""pellucid learn."""

import json
from pathlib import Path

from tests.commands import Command

from pellucid.learn.exercise import exercise


def test_start_and_check(pellucid: Command, tmp_path: Path) -> None:
    folder = tmp_path / "course"
    assert "33 exercises written, 0 kept" in pellucid.ok(f"learn start {folder}").out
    assert "0 exercises written, 33 kept" in pellucid.ok(f"learn start {folder}").out
    one = exercise("relu")
    (folder / one.file_name).write_text(one.solutions[0].source.replace("maximum", "minimum"))
    done = pellucid(f"learn check {folder} relu")
    assert done.code == 1
    assert "Look at line 2: A = np.minimum(0, Z)" in done.out
    (folder / one.file_name).write_text("import numpy as np\n" + one.solutions[0].source)
    assert "1 of 1 exercise right" in pellucid.ok(f"learn check {folder} relu").out
    found = json.loads(pellucid.ok(f"learn check {folder} relu --json").out)
    assert [(each["exercise"], each["state"]) for each in found] == [("relu", "right")]


def test_bugs_writes_a_replay(pellucid: Command, tmp_path: Path) -> None:
    page = tmp_path / "step.html"
    assert f"{page}" in pellucid.ok(f"learn bugs 3 -o {page}").out
    assert "Training 3: its first step" in page.read_text()
    assert "add --overwrite" in pellucid(f"learn bugs 3 -o {page}").err
    assert "Name its number" in pellucid(f"learn bugs -o {page}").err
    assert "Did you mean" in pellucid("learn bugs 3 --answer mask").err
