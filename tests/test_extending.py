"""docs/extending.md: each of its files is found where it is put, and its examples run."""

import doctest
import importlib
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pellucid.cli.command import DECLARED, find_commands
from pellucid.dispatch.ops import TWINS
from pellucid.nn.layer import LAYERS
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.base import LOSSES
from pellucid.training.callbacks.base import CALLBACKS
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.schedules.base import SCHEDULES
from tests.ops.cases import HAS_NUMBA

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
TABLES = {table.package: table for table in (CALLBACKS, LAYERS, LOSSES, OPTIMIZERS, SCHEDULES)}


class Section(NamedTuple):
    title: str
    path: str  # of its file, from the page
    file: str
    example: str


def sections() -> list[Section]:
    found = []
    for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        file, example = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        path = re.match(r"# (\S+\.py)", file)
        assert path is not None, f"{text.splitlines()[0]}: the first line of the file is its path"
        found.append(Section(text.splitlines()[0], path[1], file, example))
    return found


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Section], None]]:
    """Yield a function that puts a section's file into its package, which has it until the end of the test."""
    tables = [ACTIVATIONS, DECLARED, TWINS, *(table._load() for table in TABLES.values())]
    before = [dict(table) for table in tables]

    def into_its_package(section: Section) -> None:
        file = tmp_path / Path(section.path).name
        file.write_text(section.file, encoding="utf-8")
        if section.title == "An activation":  # into a file that is there: run here as one of one's own
            runpy.run_path(str(file))
            return
        name = ".".join(Path(section.path).with_suffix("").parts[1:-1])
        package = importlib.import_module(name)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        if name in TABLES:
            monkeypatch.setattr(TABLES[name], "_is_loaded", False)
        elif section.title == "A command":
            find_commands()

    yield into_its_package
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.title)
def test_the_file_is_found_and_the_example_runs(section: Section, put) -> None:
    if section.title == "A kernel" and not HAS_NUMBA:
        pytest.skip("needs Numba: pip install 'pellucid[fast]'")
    put(section)
    test = doctest.DocTestParser().get_doctest(section.example, {}, section.title, "docs/extending.md", 0)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags)
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
    assert runner.tries


def test_there_is_a_section_for_everything() -> None:
    kinds = "A loss, An optimizer, A schedule, A callback, A layer, An activation, A kernel, A command"
    assert [section.title for section in sections()] == kinds.split(", ")
    files = "".join(section.file for section in sections())
    names = re.findall(r'@(?:register|command)\("(\w+)"', files)
    taken = [name for table in TABLES.values() for name in table] + list(DECLARED)
    assert not set(names) & set(taken), "an example has the name of what there is"
