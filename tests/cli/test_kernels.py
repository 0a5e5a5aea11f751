"""``--kernels``: every command that computes has it, and it holds for all that the command does."""

import os
from pathlib import Path

import pytest
from tests.commands import Command

from pellucid import dispatch
from pellucid.cli.command import DECLARED, build

DATA = {"data list", "data info", "data check", "data fetch", "data augment"}
IDLE = {"export", "import", *DATA, "model list", "model show"}
COMMANDS = {
    "run": "PHOTOS --epochs 2 -o again",
    "train": "PHOTOS --epochs 2 -o again",
    "evaluate": "RUN PHOTOS",
    "predict": "RUN PHOTO",
    "explain": "RUN PHOTO -o explained --methods gradient",
    "influence": "RUN --no-retrain",
    "robustness": "RUN PHOTOS --perturbations rotation --strengths 15",
    "compare": "RUN RUN --data PHOTOS",
    "report": "RUN -o page",
    "sweep": "PHOTOS --model mlp --space SPACE --trials 2 --jobs 1 --epochs 2 -o swept",
    "find-lr": "PHOTOS --epochs 20",
    "model check": "mlp --input-shape 6x6x3",
}
LONG = {"reproduce", "serve"}  # too long for a test; they read the environment as the others do


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What ran, of compiled kernels and NumPy, since the beginning of the test."""
    choices: set[str] = set()
    current = dispatch.current

    def note() -> str:
        choices.add(current())
        return current()

    monkeypatch.setattr(dispatch, "current", note)
    return choices


@pytest.fixture
def arguments(trained: Path, photos: Path) -> dict[str, str]:
    from pellucid.data import drawn

    photo = Path(drawn.__file__).with_name("drawn-cat-new.png")
    space = photos.with_name("space.toml")
    space.write_text("learning_rate = [0.01, 0.1]")
    return {"SPACE": str(space), "RUN": str(trained), "PHOTOS": str(photos), "PHOTO": str(photo)}


def test_every_command_that_computes_has_the_flag() -> None:
    commands = {name for name, each in DECLARED.items() if each.function is not None}
    have = {name for name in commands if "kernels" in {p.name for p in build(DECLARED[name]).params}}
    assert have == commands - IDLE == COMMANDS.keys() | LONG


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_it_holds_for_all_that_a_command_does(
    name: str,
    pellucid: Command,
    arguments: dict[str, str],
    seen: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(dispatch.VARIABLE, "numba")  # which the flag overrides
    words = [arguments.get(word, word) for word in COMMANDS[name].split()]
    assert pellucid(*name.split(), *words, "--kernels", "numpy", "--quiet").code == 0
    assert seen == {"numpy"}
    assert os.environ[dispatch.VARIABLE] == "numba"


def test_compiled_kernels_on_request(pellucid: Command, arguments: dict[str, str], seen: set[str]) -> None:
    pytest.importorskip("numba")
    plain = pellucid("predict", arguments["RUN"], arguments["PHOTO"], "--quiet")
    assert seen == {"numpy"}
    seen.clear()
    compiled = pellucid("predict", arguments["RUN"], arguments["PHOTO"], "--quiet", "--kernels", "numba")
    assert seen == {"numba"}
    assert compiled.out == plain.out
    assert dispatch.VARIABLE not in os.environ


def test_a_command_that_fails_leaves_the_environment_as_it_was(pellucid: Command, trained: Path) -> None:
    assert pellucid("predict", trained, "none.png", "--kernels", "numpy").code == 2
    assert dispatch.VARIABLE not in os.environ


def test_a_choice_that_there_is_not(pellucid: Command, trained: Path) -> None:
    refused = pellucid("predict", trained, "none.png", "--kernels", "fast")
    assert refused.code == 2
    assert "--kernels" in refused.err
    assert "auto" in refused.err
