"""`pellucid sweep` and `pellucid find-lr`: options tried, the best of them, and how to train with it."""

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

import numpy as np
import pytest
from tests.commands import Command, assert_refused, words_of

from pellucid.data.source import DataSource
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


def table(folder: str) -> dict[str, Any]:
    """What sweep.json holds but for what depends on time and place."""
    record: dict[str, Any] = json.loads(Path(folder, "sweep.json").read_text())
    timed = [one for trial in record["trials"] for one in (trial, *trial["trainings"])]
    for name in ("front", "folder", "command"):
        del record[name]
    for part in (record, *timed):
        del part["seconds"]
    return record


def test_the_best_network_is_written_and_trains(pellucid: Command, photos: Path, files: Path) -> None:
    line = "sweep photos.npz --model net.toml --space space.toml --trials 4 --jobs 1 -o found"
    done = pellucid.ok(line)
    assert done.err == ""
    record, lines = json.loads(Path("found/sweep.json").read_text()), done.out.splitlines()
    best = record["trials"][record["best"] - 1]["options"]
    assert sum("trial " in line and "learning_rate=" in line for line in lines) >= 4
    network = tomllib.loads(Path("found/best.toml").read_text())
    assert network["layers"][1]["units"] == best["layers.1.units"]
    for name in ("optimizer", "learning_rate"):
        assert network["training"][name] == best[name]
    assert f"    {record['command']}" in lines
    pellucid.ok(*shlex.split(record["command"])[1:], "-o", "trained", "--quiet")
    trained = tomllib.loads(Path("trained/config.toml").read_text())["training"]
    assert (trained["learning_rate"], trained["epochs"]) == (best["learning_rate"], 3)
    words = words_of(Path("found/report.html"))
    assert record["command"] in words
    assert "Pareto front" in words
    source = DataSource(str(photos))  # nothing is left to a recipe that might say otherwise
    config = make_candidate(best, "net.toml", source, {"seed": 1}).config
    assert config is not None
    assert plan("found/best.toml", source).config.options == config.options
    assert_refused(pellucid(line), "not empty")
    pellucid.ok(line, "--overwrite", "--quiet")


def test_a_preset_is_trained_by_a_command(pellucid: Command, photos: Path, files: Path) -> None:
    search = "--space rates.toml --trials 2 --epochs 3 --jobs 1 -o found"
    record = pellucid.json(f"sweep photos.npz --model mlp {search}")
    pellucid.ok(*shlex.split(record["command"])[1:], "-o", "trained", "--quiet")
    trained = tomllib.loads(Path("trained/config.toml").read_text())["training"]
    best = record["trials"][record["best"] - 1]["options"]
    assert trained["epochs"] == 3
    assert {name: trained[name] for name in best} == best


def start(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pellucid", "sweep", *map(str, words)]
    quiet: Any = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
    return subprocess.Popen(command, start_new_session=True, **quiet)


def wait_for_two(journal: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a study has told of two trials."""
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(TOLD) >= 2):
        time.sleep(0.01)


@pytest.mark.slow
def test_a_stopped_sweep_is_resumed(pellucid: Command, photos: Path, files: Path) -> None:
    words = (photos, *EIGHT, "--epochs", 60, "--cv", "2x1", "--search", "tpe", "--jobs", 1)
    process, journal = start(*words, "-o", "stopped"), Path("stopped/study/journal.log")
    wait_for_two(journal, process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 130
    assert Path("stopped/sweep.json").exists()
    before = journal.read_bytes()
    assert 2 <= before.count(TOLD) < 8
    pellucid.ok("sweep", *words, "-o", "stopped", "--resume", "--quiet")
    pellucid.ok("sweep", *words, "-o", "whole", "--quiet")
    assert table("stopped") == table("whole")
    after = journal.read_bytes()
    assert after.startswith(before[: before.rfind(b"\n") + 1])
    assert after.count(TOLD) == 8


@pytest.mark.slow
def test_two_commands_at_once_share_a_study(pellucid: Command, photos: Path, files: Path) -> None:
    words = (photos, *EIGHT, "--epochs", 2000, "--jobs", 1)
    pellucid.ok("sweep", *words, "--trials", 1, "-o", "there", "--quiet")
    both = [start(*words, "-o", "there", "--resume") for _ in range(2)]
    wait_for_two(Path("there/study/journal.log"), both[0])
    for one in both:  # they hold the folder, however long the third command takes to begin
        os.killpg(one.pid, signal.SIGSTOP)
    assert_refused(pellucid("sweep", *words, "-o", "there", "--overwrite"))
    for one in both:
        os.killpg(one.pid, signal.SIGCONT)
    assert [one.wait(600) for one in both] == [0, 0]
    pellucid.ok("sweep", *words, "-o", "here", "--quiet")
    assert table("there") == table("here")
    assert Path("there/study/journal.log").read_bytes().count(TOLD) == 8


def test_a_rate_is_found_and_drawn(pellucid: Command) -> None:
    line = "find-lr digits --model logistic --batch-size 64 --epochs 4 -o rates.png"
    Path("rates.png").write_text("old")
    found = pellucid.json(line, "--overwrite")
    assert 1e-3 < found["suggestion"] <= 1
    assert [len(rates) for rates in found["rounds"]][:1] == [9]
    assert len(found["rounds"]) == 3
    assert found["constant_loss"] == pytest.approx(2.3025, abs=1e-3)
    assert Path("rates.png").read_bytes().startswith(b"\x89PNG")
    rate = f"{found['suggestion']:.2g}"
    told = f"pellucid train digits --model logistic --epochs 4 --batch-size 64 --learning-rate {rate}"
    assert told in pellucid.ok(line, "--overwrite").out


def test_says_where_nothing_is_learned(pellucid: Command) -> None:
    np.savez("grey.npz", X=np.full((40, 6, 6, 3), 128, np.uint8), y=np.arange(40) % 2)
    out = pellucid.ok("find-lr grey.npz --model mlp --epochs 20").out
    assert "Nothing was learned at any rate from 0.0001 to 1" in out
    assert "pellucid find-lr grey.npz --model mlp --epochs 40" in out
