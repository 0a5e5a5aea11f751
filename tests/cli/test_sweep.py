"""``pellucid sweep``: the folder, the command that it ends with, and that nothing is lost when it is killed."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clusters import scheduler_of_its_own
from tests.commands import Command, words_of

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
    assert pellucid(*words, "-o", "found", "--force", "--quiet").code == 0


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
    trained_with = outcome.sweep.configs[outcome.sweep.best.number].options
    assert plan(str(files / "found/best.toml"), source)[0].options == trained_with


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


def wait_for_lines(file: Path, n: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and len(file.read_bytes().splitlines()) >= n:
            return
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sweep_is_resumed(pellucid: Command, photos: Path, files: Path, how: signal.Signals) -> None:
    words = (photos, *EIGHT, "--epochs", 60, "--cv", "2x1")
    process = start(files, *words, "--jobs", 1, "-o", "killed")
    wait_for_lines(files / "killed/results.jsonl", 5, process)
    os.killpg(process.pid, how)
    assert process.wait() == (130 if how == signal.SIGINT else -how)
    before = (files / "killed/results.jsonl").read_bytes()
    before = before[: before.rfind(b"\n") + 1]
    assert 4 <= len(before.splitlines()) < 17
    assert pellucid("sweep", *words, "--jobs", 1, "-o", "killed", "--resume", "--quiet").code == 0
    assert pellucid("sweep", *words, "--jobs", 2, "-o", "whole", "--quiet").code == 0
    assert table(files / "killed") == table(files / "whole")
    after = (files / "killed/results.jsonl").read_bytes()
    assert after.startswith(before)
    assert len(after.splitlines()) == 17


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own: the connection to a worker that was killed
def test_a_worker_that_is_killed_changes_nothing(pellucid: Command, photos: Path, files: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    words = (photos, *EIGHT, "--epochs", 60, "--cv", "2x1")
    process = start(files, *words, "--workers", 2, "-o", "there")
    wait_for_lines(files / "there/results.jsonl", 4, process)
    os.kill(next(workers_of(process.pid)), signal.SIGKILL)
    assert process.wait(120) == 0
    assert pellucid("sweep", *words, "--jobs", 2, "-o", "here", "--quiet").code == 0
    assert table(files / "there") == table(files / "here")
    assert len((files / "there/results.jsonl").read_bytes().splitlines()) == 17


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own: connections that are lost
def test_after_a_lost_scheduler_another_goes_on(pellucid: Command, photos: Path, files: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    words = (photos, *EIGHT, "--epochs", 100)
    with scheduler_of_its_own() as (address, scheduler, _):
        process = start(files, *words, "--cluster", address, "-o", "there")
        wait_for_lines(files / "there/results.jsonl", 4, process)
        scheduler.kill()
        assert process.wait(60) == 130
    record = json.loads((files / "there/sweep.json").read_text())
    assert not record["is_complete"]
    n_done = len((files / "there/results.jsonl").read_bytes().splitlines())
    assert len(record["trials"]) == n_done - 1 < 8
    assert pellucid("sweep", *words, "--jobs", 1, "-o", "there", "--resume", "--quiet").code == 0
    assert pellucid("sweep", *words, "--jobs", 1, "-o", "here", "--quiet").code == 0
    assert table(files / "there") == table(files / "here")
    assert len((files / "there/results.jsonl").read_bytes().splitlines()) == 9


def workers_of(pid: int) -> Iterator[int]:
    """Yield the processes that Dask started for a command."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text, words = status.read_text(), (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if f"\nPPid:\t{pid}\n" in text and "spawn_main" in words:
            yield int(status.parent.name)
