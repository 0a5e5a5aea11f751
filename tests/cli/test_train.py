"""`pellucid train`: any model, resumable, killed, stopped and refused without a loss."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused, files_of, full_disk
from tests.every import every

import pellucid as pl

NET = """
[model]
dtype = "float32"
[[layers]]
type = "Conv2D"
filters = 4
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 1
[training]
epochs = 3
batch_size = 8
optimizer = "adam"
"""
OF_A_RUN = ("model.safetensors", "history.csv", "config.toml")
LONG = ("--epochs", 1_000_000)  # the first checkpoint by the clock is five minutes away
SHORT = "train photos.npz --model mlp-wide --epochs 3 --out out"


def training(out: str) -> dict[str, object]:
    """Return the training part of a run's configuration."""
    part: dict[str, object] = tomllib.loads(Path(out, "config.toml").read_text())["training"]
    return part


def start(photos: Path, *more: object) -> "subprocess.Popen[str]":
    """Start a training in a process, and return once its configuration is written and it listens to signals."""
    config = Path("out/config.toml")
    before = config.stat().st_mtime_ns if config.exists() else 0
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command(photos, *more), **pipes)
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if config.stat().st_mtime_ns != before and is_listening(process.pid):
                return process
    raise AssertionError(process.communicate())


def is_listening(pid: int) -> bool:
    """Return whether a process has an answer of its own to SIGTERM."""
    if not Path("/proc/self/status").exists():  # it cannot be seen, and comes soon
        time.sleep(1)
        return True
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def command(photos: Path, *more: object) -> list[str]:
    fixed = ("--model", "mlp-wide", "--epochs", 400, "--threads", 1, "--kernels", "numpy", "--out", "out")
    return [sys.executable, "-m", "pellucid", "train", *map(str, [photos, *fixed, *more])]


def test_a_table_with_three_classes(pellucid: Command) -> None:
    rng = np.random.default_rng(2)
    kinds, coats = rng.choice(["cat", "dog", "owl"], 120), rng.choice(["plain", "tabby"], 120)
    weights = np.choose(np.searchsorted(["cat", "dog", "owl"], kinds), [4.0, 20.0, 1.0])
    rows = [f"{w},{c},{k}" for w, c, k in zip(weights + rng.normal(0, 0.5, 120), coats, kinds, strict=True)]
    Path("pets.csv").write_text("\n".join(["weight,coat,kind", *rows]))
    pellucid.ok("train pets.csv --target kind --model mlp-wide --epochs 30 --out out")
    assert json.loads(Path("out/metrics.json").read_text())["test"]["accuracy"] > 0.9
    model = pl.load("out")
    assert (model.classes, model.preprocessing.kind) == (("cat", "dog", "owl"), "standardize")
    Path("new.csv").write_text("coat,weight\ntabby,4.1\nplain,19.5\n")
    found = pellucid.json("predict out new.csv")
    assert [row["label"] for row in found["predictions"]] == ["cat", "dog"]
    assert pellucid("predict out new.csv").out.startswith("row 1: cat (")


def test_a_network_of_ones_own(pellucid: Command, photos: Path) -> None:
    Path("net.toml").write_text(NET)
    pellucid.ok("train photos.npz --model net.toml --out out --epochs 5")
    kept = training("out")
    assert (kept["epochs"], kept["batch_size"], kept["optimizer"]) == (5, 8, "adam")
    assert len(Path("out/history.csv").read_text().splitlines()) == 6
    Path("bad.toml").write_text(NET.replace("filters", "filtres"))
    assert_refused(pellucid("train photos.npz --model bad.toml --out bad"), "line 6", "filters")
    assert not Path("bad").exists()


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_weights(pellucid: Command, photos: Path) -> None:
    more = ("--validation", 0.2, "--checkpoint-steps", 5, "--quiet", "--out")
    subprocess.run(command(photos, *more, "whole"), check=True, capture_output=True)
    process = subprocess.Popen(command(photos, *more, "killed"), stdout=subprocess.DEVNULL)
    while not any(
        path.stem >= "step-00000020" for path in Path().glob("killed/checkpoints/step-*.checkpoint")
    ):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert not Path("killed/model.safetensors").exists()
    Path("killed/checkpoints/.0123.part").write_text("half")  # as if it had been killed in a write
    pellucid.ok("train", photos, "--out", "killed", "--resume", "--checkpoint-steps", 5)
    np.testing.assert_array_equal(pl.load("killed").theta, pl.load("whole").theta)
    assert Path("killed/history.jsonl").read_text() == Path("whole/history.jsonl").read_text()
    assert all(path.suffix == ".checkpoint" for path in Path().glob("killed/checkpoints/*"))


def test_a_complete_training_goes_on_as_one_that_was_longer_from_the_start(
    pellucid: Command, photos: Path
) -> None:
    options = "train photos.npz --model mlp-wide --schedule constant --batch-size 8 --seed 4"
    pellucid.ok(options, "--epochs", 9, "--out", "whole")
    pellucid.ok(options, "--epochs", 6, "--out", "more")
    more = "train photos.npz --out more --resume --epochs"  # all else is as it was
    assert "Going on after 6 of 9 epochs." in pellucid.ok(more, 9).out
    for name in OF_A_RUN:
        assert Path("more", name).read_bytes() == Path("whole", name).read_bytes()
    words = "has made 9 epochs already; expected n_epochs (--epochs) above 9 to go on, got 8."
    assert_refused(pellucid(more, 8), words)


def test_a_schedule_of_the_whole_length_goes_on_at_a_rate_that_is_chosen(
    pellucid: Command, photos: Path
) -> None:
    pellucid.ok(SHORT)
    before = Path("out/history.csv").read_text().splitlines()
    more = "--schedule constant --learning-rate 0.0002"
    assert_refused(pellucid("train photos.npz --out out --resume --epochs 5"), more)
    told = f"All 3 epochs are made. For more, add --epochs 4 {more}."
    assert told in pellucid.ok("train photos.npz --out out --resume").out
    pellucid.ok(f"train photos.npz --out out --resume --epochs 4 {more}")
    after = Path("out/history.csv").read_text().splitlines()
    assert (after[:4], len(after)) == (before, 5)
    kept = training("out")
    assert (kept["epochs"], kept["schedule"], kept["learning_rate"]) == (4, "constant", 0.0002)
    assert "add --epochs 5." in pellucid.ok("train photos.npz --out out --resume").out


def test_resume_needs_a_folder(pellucid: Command, photos: Path) -> None:
    done = pellucid("train photos.npz --resume")
    assert (done.code, done.err) == (2, "pellucid: --resume: name the folder of the training with --out.\n")
    for data, name in (("photos.npz", "first"), ("photos.npz", "last"), ("moons", "other")):
        pellucid.ok(f"train {data} --model logistic --epochs 1 --out runs/{name}")
    assert_refused(pellucid("train photos.npz --resume"), "The last one of 'photos.npz': --out runs/last.")
    assert_refused(pellucid("train circles --resume"), "name the folder of the training with --out.\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "kernels"), [(signal.SIGINT, "auto"), (signal.SIGTERM, "numpy"), (signal.SIGHUP, "numpy")]
)
def test_a_signal_stops_with_a_checkpoint_and_resume_goes_on(
    pellucid: Command, photos: Path, number: int, kernels: str
) -> None:
    asked = (photos, *LONG, "--kernels", kernels)
    process = start(*asked)
    for line in (f"{SHORT} --resume", f"{SHORT} --overwrite"):  # one writer at a time
        done = pellucid(line)
        assert done.out == ""
        assert_refused(done, "out: another command is writing this folder. Wait until it ends")
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (128 + number, "")
    assert "as asked. History and model so far are kept; --resume --out out goes on from here." in out
    assert len(list(Path().glob("out/checkpoints/*.checkpoint"))) == 1
    n_steps = json.loads(Path("out/metrics.json").read_text())["n_steps"]
    assert n_steps == len(Path("out/history.jsonl").read_text().splitlines())
    more = ("--resume", "--checkpoint-steps", 1 + n_steps // 10)
    process = subprocess.Popen(command(*asked, *more), stdout=subprocess.DEVNULL)
    while len(list(Path().glob("out/checkpoints/*.checkpoint"))) < 2:
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait(timeout=300) == 128 + number
    assert json.loads(Path("out/metrics.json").read_text())["n_steps"] > n_steps


@pytest.mark.slow
def test_a_terminal_that_closes_ends_it_with_a_checkpoint(pellucid: Command, photos: Path) -> None:
    """The system and the shell both send SIGHUP then, and what is printed to the terminal fails."""
    psutil = pytest.importorskip("psutil")
    shell = ["bash", "--norc", "-ic", f"{shlex.join(command(photos, *LONG))}; true"]
    nothing = dict.fromkeys(("stdin", "stdout"), subprocess.DEVNULL)
    terminal = subprocess.Popen([sys.executable, "-c", f"import pty; pty.spawn({shell})"], **nothing)
    of_it = psutil.Process(terminal.pid).children
    while not any("pellucid" in one.cmdline() and is_listening(one.pid) for one in of_it(recursive=True)):
        assert terminal.poll() is None
    time.sleep(1)  # until a bar is shown
    terminal.kill()
    terminal.wait()
    end = time.monotonic() + 300
    while not Path("out/metrics.json").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert len(list(Path().glob("out/checkpoints/*.checkpoint"))) == 1


@pytest.mark.slow
def test_under_nohup_it_goes_on_when_the_terminal_closes(pellucid: Command, photos: Path) -> None:
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(photos, *LONG)
    finally:
        signal.signal(signal.SIGHUP, ignored)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.slow
def test_killed_before_its_first_checkpoint_it_starts_again_and_says_so(
    pellucid: Command, photos: Path
) -> None:
    process = start(photos, *LONG)
    process.kill()
    process.communicate()
    assert_refused(pellucid(SHORT), "add --resume to go on, --overwrite to start again")
    done = pellucid.ok(SHORT, "--resume")
    assert "out: the training stopped before its first checkpoint" in done.out
    assert len(Path("out/history.csv").read_text().splitlines()) == 4
    assert not list(Path().rglob(".writing"))


@pytest.mark.slow
def test_overwrite_leaves_nothing_of_the_run_before(pellucid: Command, photos: Path) -> None:
    """Neither checkpoints nor a report of the former one, whose steps have higher numbers."""
    pellucid.ok("run photos.npz --model mlp-wide --epochs 30 --out out")
    out = Path("out")
    (out / "predict.py").write_text("as pellucid export left it")
    (out / "notes.txt").write_text("mine")
    process = start(photos, "--epochs", 50_000, "--overwrite", "--checkpoint-steps", 5)
    while not list(out.glob("checkpoints/step-0000000[5-9]*")):
        assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    assert {path.name for path in out.iterdir()} - {".writing"} == {"config.toml", "checkpoints", "notes.txt"}
    assert (out / "notes.txt").read_text() == "mine"
    assert training("out")["epochs"] == 50_000


def test_overwrite_in_a_folder_that_is_no_run_removes_nothing(pellucid: Command, photos: Path) -> None:
    mine = ("figures/mine.png", "checkpoints/mine", "report.html")
    for name in mine:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("mine")
    assert_refused(pellucid("train photos.npz --out . --resume"), "holds no training to go on from")
    pellucid.ok("train photos.npz --epochs 3 --out . --overwrite")
    assert [Path(name).read_text() for name in mine[:2]] == ["mine"] * 2


@every("n_bytes", [0, 2_000, 40_000])
def test_a_full_disk_leaves_what_was_there(pellucid: Command, photos: Path, n_bytes: int) -> None:
    pellucid.ok(SHORT, "--overwrite")
    Path("out/notes.txt").write_text("mine")
    before = files_of(Path("out"))
    with full_disk(n_bytes):
        done = pellucid(SHORT, "--overwrite")
    assert_refused(done)
    assert re.match(r"pellucid: out.*: (cannot|could not) be written: ", done.err.splitlines()[-1])
    assert ".writing" not in done.err
    if n_bytes == 0:
        assert files_of(Path("out")) == before
    else:  # a training takes the place of the former one when it begins
        assert files_of(Path("out")).keys() == {"config.toml", "notes.txt"}


def test_lbfgs_is_trained_without_checkpoints(pellucid: Command, photos: Path) -> None:
    line = "train photos.npz --model logistic --optimizer lbfgs --epochs 3 --out out"
    pellucid.ok(line)
    assert_refused(pellucid(line, "--overwrite", "--checkpoint-steps", 1), "L-BFGS")
