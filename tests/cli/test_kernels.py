"""``--kernels``: every command that computes has it, and it holds for all that the command does."""

import os
from pathlib import Path

import pytest
from tests.commands import Command, assert_refused
from tests.every import every

from pellucid import dispatch
from pellucid.cli.command import DECLARED, build
from pellucid.data import built_in

DATA = {"data list", "data info", "data check", "data fetch", "data augment"}
LEARN = {"learn start", "learn check", "learn watch", "learn train", "learn bugs"}  # the learner's own code
IDLE = {"export", "import", *DATA, *LEARN, "model list", "model show", "runs"}
IDLE |= {"replay"}  # layer by layer on NumPy; the steps of a run on the kernels that it had
COMMANDS = {
    "run": "photos.npz --epochs 2 -o again --overwrite",
    "train": "photos.npz --epochs 2 -o again --overwrite",
    "evaluate": "trained photos.npz",
    "predict": "trained PHOTO",
    "explain": "trained PHOTO -o explained --methods gradient",
    "influence": "trained --no-retrain",
    "robustness": "trained photos.npz --perturbations rotation --strengths 15",
    "compare": "trained trained --data photos.npz",
    "report": "trained -o page",
    "sweep": "photos.npz --model mlp --space space.toml --trials 2 --jobs 1 --epochs 2 -o swept",
    "find-lr": "photos.npz --epochs 20",
    "model check": "mlp --input-shape 6x6x3",
}
PHOTO = str(Path(built_in.__file__).with_name("drawn-cat-new.png"))
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


def test_every_command_that_computes_has_the_flag() -> None:
    commands = {name for name, each in DECLARED.items() if each.function is not None}
    have = {name for name in commands if "kernels" in {p.name for p in build(DECLARED[name]).params}}
    assert have == commands - IDLE == COMMANDS.keys() | LONG


@pytest.mark.slow
@every("name", COMMANDS)
def test_it_holds_for_all_that_a_command_does(
    name: str, pellucid: Command, trained: Path, seen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen.clear()
    monkeypatch.setenv(dispatch.VARIABLE, "numba")  # which the flag overrides
    Path("space.toml").write_text("learning_rate = [0.01, 0.1]")
    pellucid.ok(f"{name} {COMMANDS[name]} --kernels numpy --quiet".replace("PHOTO", PHOTO))
    assert seen == {"numpy"}
    assert os.environ[dispatch.VARIABLE] == "numba"


def test_compiled_kernels_on_request(pellucid: Command, trained: Path, seen: set[str]) -> None:
    pytest.importorskip("numba")
    line = f"predict trained {PHOTO} --quiet"
    plain = pellucid.ok(line)
    assert seen == {"numpy"}
    seen.clear()
    assert pellucid.ok(line, "--kernels", "numba").out == plain.out
    assert seen == {"numba"}
    assert_refused(pellucid("predict trained none.png --kernels numpy"))
    assert dispatch.VARIABLE not in os.environ
    assert_refused(pellucid("predict trained none.png --kernels fast"), "--kernels", "auto")
