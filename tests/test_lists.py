"""Wherever losses, optimizers or schedules are listed, the list is that of the registry."""

import re
from pathlib import Path

import pytest

import pellucid.ops.losses
import pellucid.training.optimizers
import pellucid.training.schedules
from pellucid.estimators.mlp import MLPClassifier, MLPRegressor
from pellucid.estimators.network import NetworkClassifier, NetworkRegressor
from pellucid.estimators.solvers import SOLVERS
from pellucid.ops.losses.base import LOSSES
from pellucid.registry import Registry, options_of
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.schedules.base import SCHEDULES
from tests.commands import Command
from tests.every import every

ROOT = Path(__file__).parents[1]
TABLES = {"loss": LOSSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
every_table = every(("flag", "table"), TABLES.items())
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def mentioned(text: str, table: Registry) -> set[str]:
    """Return the names of a table that a text has between quotes, bars, commas and the like."""
    return {name for name in table if re.search(rf"(?<![\w-]){name}(?![\w-])", text)}


@every_table
@every("command", ["run", "train", "find-lr", "compare"])
def test_the_help_lists_every_name(pellucid: Command, command: str, flag: str, table: Registry) -> None:
    shown = pellucid(command, "--help").out
    if f"--{flag} " not in shown:
        pytest.skip(f"{command} has no --{flag}")
    listed = re.search(rf"--{flag} (?:NAME [^\[]*)?\[([^\]]*)\]", " ".join(shown.split()))
    assert listed is not None
    assert set(re.split(r"[|,]\s*", listed[1])) == set(table)


def test_estimators_take_every_name() -> None:
    taken = {name: _words(NetworkClassifier, name) for name in ("loss", "optimizer", "schedule")}
    assert taken["optimizer"] - {"auto"} == set(OPTIMIZERS) == set(SOLVERS) == _words(MLPClassifier, "solver")
    assert taken["schedule"] - {"auto"} == set(SCHEDULES) == _words(MLPRegressor, "schedule")
    both = taken["loss"] | _words(NetworkRegressor, "loss")
    assert both - {"log_loss", "squared_error", "absolute_error"} == set(LOSSES)
    assert _words(MLPClassifier, "loss") == taken["loss"]
    assert _words(MLPRegressor, "loss") == _words(NetworkRegressor, "loss")


def _words(estimator: type, parameter: str) -> set[str]:
    """Return the texts that a parameter of an estimator may be."""
    constraints = estimator._parameter_constraints[parameter]  # type: ignore[attr-defined]
    return {word for one in constraints for word in getattr(one, "options", ())}


@every_table
@every("page", PAGES, ids=lambda page: page.name)
def test_a_list_in_the_documentation_is_complete(page: Path, flag: str, table: Registry) -> None:
    """A paragraph, or a row of a table, that names more than half of them names them all."""
    # Targets of links
    text = re.sub(r"^\[.*\]: .*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=\|)|\n(?=- )", text):
        found = mentioned(paragraph, table)
        if len(found) > len(table) / 2:
            assert found == set(table), paragraph


@every(
    ("module", "flag"),
    [
        (pellucid.ops.losses, "loss"),
        (pellucid.training.optimizers, "optimizer"),
        (pellucid.training.schedules, "schedule"),
    ],
)
def test_the_room_offers_its_classes_and_every_option_says_what_it_is(module, flag: str) -> None:
    table = TABLES[flag]
    assert {flag.capitalize(), *(cls.__name__ for _, cls in table.items())} <= set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'Ghost'"):
        module.Ghost  # noqa: B018
    for name, cls in table.items():
        assert getattr(module, cls.__name__) is cls
        for option, (_, limits) in options_of(cls).items():
            assert limits.help, f"{name}: {option}"
            assert f"{option} : " in (cls.__doc__ or ""), f"{name}: {option}"
