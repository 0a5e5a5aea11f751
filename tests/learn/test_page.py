"""docs/learn.md: what it prints, and its exercise of one's own."""

import doctest
import re
from pathlib import Path

import pytest

import pellucid as pl
from pellucid.errors import FormatError
from pellucid.learn.exercise import exercise

PAGE = (Path(__file__).parents[2] / "docs" / "learn.md").read_text("utf-8")


def test_an_exercise_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = re.findall(r"```python\n(# softplus.py\n.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "softplus.py").write_text(text)
    assert pl.learn.check_faults("softplus.py").is_ok
    (path,) = pl.learn.start("course", ["softplus.py"])
    assert pl.learn.check(path, "softplus.py").state == "not started"
    path.write_text("import numpy as np\ndef softplus(Z):\n    return np.log(1 + np.exp(-Z))\n")
    verdict = pl.learn.check(path, "softplus.py")
    assert (verdict.line, verdict.causes) == (3, ("sign",))
    (tmp_path / "empty.py").write_text('"""No exercise."""\n')
    with pytest.raises(FormatError, match="needs OUTPUTS, FAULTS, cases, empty"):
        exercise("empty.py")
    imports = (
        "from pellucid.textbook import relu\nfrom pellucid.textbook import sigmoid as s\njoin = ''.join\n"
    )
    for folder in ("imports", "given"):
        (tmp_path / folder).mkdir()
    (tmp_path / "imports" / "softplus.py").write_text(
        text.replace("import numpy", f"{imports}import numpy", 1)
    )
    assert exercise("imports/softplus.py").given == ("relu",)
    (tmp_path / "given" / "softplus.py").write_text(f"{text}\nGIVEN = ('relu',)\n")
    with pytest.raises(FormatError, match="import the functions of GIVEN"):
        exercise("given/softplus.py")


def test_the_verdict_of_the_page(tmp_path: Path) -> None:
    block = re.findall(r"```python\n(>>> import numpy.*?)```", PAGE, re.DOTALL)[0]
    example = doctest.DocTestParser().get_doctest(block, {}, "page", None, None)
    source = "".join(one.source for one in example.examples[2:3])
    (tmp_path / "13_linear_backward.py").write_text("import numpy as np\n" + source)
    verdict = pl.learn.check(tmp_path / "13_linear_backward.py", hints=4)
    told = str(verdict).replace("line 5", "line 4")
    assert told.splitlines() == example.examples[-1].want.splitlines()
