"""docs/python.md: every block runs, in order, and no public name is missing."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

import pellucid as pl
import pellucid.estimators
from pellucid.cli.main import main
from pellucid.nn.layer import LAYERS
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.metrics import METRICS
from pellucid.registry import Registry
from pellucid.training.callbacks.base import CALLBACKS
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.schedules.base import SCHEDULES

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OWN = {LOSSES: ["cubic"], LAYERS: ["Square", "Power"]}  # what the page registers


@pytest.fixture(autouse=True)
def as_before() -> "pytest.FixtureRequest":  # type: ignore[misc]
    yield
    for table, names in OWN.items():
        for name in names:
            if name in table:
                table.remove(name)


@pytest.mark.slow
def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for language, code in BLOCKS:
        if language == "sh":
            for line in code.splitlines():
                assert main(shlex.split(line.removeprefix("pellucid "))) == 0
            continue
        test = doctest.DocTestParser().get_doctest(code, names, "docs/python.md", "docs/python.md", 0)
        runner.run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
    assert not runner.failures, "".join(said)


def test_every_public_name_occurs() -> None:
    missing = [name for name in pl.__all__ if not re.search(rf"\bpl\.{name}\b", PAGE)]
    tables: list[Registry] = [LOSSES, OPTIMIZERS, SCHEDULES, CALLBACKS]
    names = [cls.__name__ for table in tables for _, cls in table.items()]
    names += [*METRICS, *pellucid.estimators.__all__]
    missing += [name for name in names if not re.search(rf"\b{name}\b", PAGE)]
    assert not missing
