"""``pellucid sweep``: the folder, the command that it ends with, and that nothing is lost when it is killed."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command, words_of

from pellucid.evaluation.sweep.train_trial import make_candidate
from pellucid.runs.build import plan

NET = """
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 4
activation = "relu"
[[layers]]
type = "Dense"
units = 1
[training]
optimizer = "adam"
epochs = 3
"""
SPACE = """
learning_rate = { log = [1e-3, 1e-1] }
optimizer = ["adam", { type = "sgd", momentum = 0.5 }]
layers.1.units = [2, 4, 8]
"""
TOLD = b'"state":1'  # in a line of the journal: a trial is complete
EIGHT = ("--model", "net.toml", "--space", "space.toml", "--trials", 8)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "net.toml").write_text(NET)
    (tmp_path / "space.toml").write_text(SPACE)
    (tmp_path / "rates.toml").write_text("learning_rate = { log = [1e-3, 1e-1] }\nbatch_size = [8, 16]")
    return tmp_path


def table(folder: Path) -> dict[str, Any]:
    """What sweep.json holds but for what depends on time and place."""
    record: dict[str, Any] = json.loads((folder / "sweep.json").read_text())
    for name in ("seconds", "front", "folder", "command"):
        del record[name]
    for trial in record["trials"]:
        del trial["seconds"]
        for training in trial["trainings"]:
            del training["seconds"]
    return record


def test_the_best_network_is_written_and_trains(pellucid: Command, photos: Path, files: Path) -> None:
    words = ("sweep", photos, "--model", "net.toml", "--space", "space.toml", "--trials", 4, "--jobs", 1)
    done = pellucid(*words, "-o", "found")
    assert (done.code, done.err) == (0, "")
    record = json.loads(Path("found/sweep.json").read_text())
    best = record["trials"][record["best"] - 1]
    lines = done.out.splitlines()
    assert sum("trial " in line and "learning_rate=" in line for line in lines) >= 4
    network = tomllib.loads(Path("found/best.toml").read_text())
    assert network["layers"][1]["units"] == best["options"]["layers.1.units"]
    assert network["training"]["optimizer"] == best["options"]["optimizer"]
    assert network["training"]["learning_rate"] == best["options"]["learning_rate"]
    command = shlex.split(record["command"])
    assert f"    {record['command']}" in lines
    assert pellucid(*command[1:], "-o", "trained", "--quiet").code == 0
    config = tomllib.loads(Path("trained/config.toml").read_text())
    assert config["training"]["learning_rate"] == best["options"]["learning_rate"]
    assert config["training"]["epochs"] == 3
    words_on_page = words_of(Path("found/report.html"))
    assert record["command"] in words_on_page
    assert "Pareto front" in words_on_page
    assert pellucid(*words, "-o", "found").code == 2  # it is not empty
    assert pellucid(*words, "-o", "found", "--overwrite", "--quiet").code == 0


def test_the_file_of_the_best_holds_all_its_options(pellucid: Command, photos: Path, files: Path) -> None:
    """Nothing is left to a recipe that might say otherwise."""
    from pellucid.data.source import DataSource
    from pellucid.workflows.sweep import sweep_into

    source = DataSource(str(photos))
    outcome = sweep_into(
        files / "found",
        source,
        "net.toml",
        files / "space.toml",
        options={"n_trials": 3, "n_jobs": 1, "seed": 1},
    )
    assert outcome.sweep.best is not None
    trained = make_candidate(outcome.sweep.best.options, "net.toml", source, {"seed": 1}).config
    assert trained is not None
    assert plan(str(files / "found/best.toml"), source).config.options == trained.options


def test_a_preset_is_trained_by_a_command(pellucid: Command, photos: Path, files: Path) -> None:
    search = ("--space", "rates.toml", "--trials", 2, "--epochs", 3)
    done = pellucid("sweep", photos, "--model", "mlp", *search, "--jobs", 1, "-o", "found", "--json")
    record = json.loads(done.out)
    best = record["trials"][record["best"] - 1]
    command = shlex.split(record["command"])
    assert pellucid(*command[1:], "-o", "trained", "--quiet").code == 0
    config = tomllib.loads(Path("trained/config.toml").read_text())
    for name, value in best["options"].items():
        assert config["training"][name] == value
    assert config["training"]["epochs"] == 3


def start(files: Path, *words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pellucid", "sweep", *map(str, words)]
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=files, start_new_session=True, **quiet)


def wait_for_trials(folder: Path, n: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a study has told of so many trials."""
    journal, deadline = folder / "study/journal.log", time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(TOLD) >= n:
            return
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sweep_is_resumed(pellucid: Command, photos: Path, files: Path, how: signal.Signals) -> None:
    words = (photos, *EIGHT, "--epochs", 60, "--cv", "2x1", "--search", "tpe")
    process = start(files, *words, "--jobs", 1, "-o", "killed")
    wait_for_trials(files / "killed", 2, process)
    os.killpg(process.pid, how)
    assert process.wait() == (130 if how == signal.SIGINT else -how)
    assert (files / "killed/sweep.json").exists() is (how == signal.SIGINT)
    before = (files / "killed/study/journal.log").read_bytes()
    assert 2 <= before.count(TOLD) < 8
    assert pellucid("sweep", *words, "--jobs", 1, "-o", "killed", "--resume", "--quiet").code == 0
    assert pellucid("sweep", *words, "--jobs", 1, "-o", "whole", "--quiet").code == 0
    assert table(files / "killed") == table(files / "whole")
    after = (files / "killed/study/journal.log").read_bytes()
    assert after.startswith(before[: before.rfind(b"\n") + 1])
    assert after.count(TOLD) == 8


HOLDER = """
import sys
from pathlib import Path
from pellucid.evaluation.sweep.space import read_space
from pellucid.evaluation.sweep.study import Search, Study

space = read_space(Path("space.toml"), "net.toml")
trial, lock = Study(Path("there/study"), Search("random", space, ("balanced_accuracy",), 1, 8, 60)).next_trial()
print(trial.number, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_second_command_joins_a_sweep_and_takes_over_what_a_killed_one_leaves(
    pellucid: Command, photos: Path, files: Path
) -> None:
    """Of eight trials one is done, and one is held by a process that is killed once the others are done."""
    words = (photos, *EIGHT, "--epochs", 60, "--jobs", 1)
    assert pellucid("sweep", *words, "--trials", 1, "-o", "there", "--quiet").code == 0
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDER], cwd=files, **pipes) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        joined = start(files, *words, "-o", "there", "--resume")
        wait_for_trials(files / "there", 7, joined)
        time.sleep(0.3)
        assert joined.poll() is None
        assert pellucid("sweep", *words, "-o", "there", "--overwrite").code == 2
        holder.kill()
    assert joined.wait(120) == 0
    assert pellucid("sweep", *words, "-o", "here", "--quiet").code == 0
    assert table(files / "there") == table(files / "here")
    assert json.loads((files / "there/sweep.json").read_text())["is_complete"]


@pytest.mark.slow
def test_two_commands_at_once_share_a_study(pellucid: Command, photos: Path, files: Path) -> None:
    words = (photos, *EIGHT, "--epochs", 1000, "--jobs", 1)
    assert pellucid("sweep", *words, "--trials", 1, "-o", "there", "--quiet").code == 0
    both = [start(files, *words, "-o", "there", "--resume") for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert pellucid("sweep", *words, "-o", "here", "--quiet").code == 0
    assert table(files / "there") == table(files / "here")
    assert (files / "there/study/journal.log").read_bytes().count(TOLD) == 8
