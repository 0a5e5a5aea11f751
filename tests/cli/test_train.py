"""`pellucid train`, `evaluate`, and `predict` on tables: any model, any targets, resumable."""

import json
import os
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
from tests.commands import Command

import pellucid as pl
from pellucid.training.nonfinite import replay_nonfinite


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    kinds = rng.choice(["cat", "dog", "owl"], 120)
    coats = np.where(rng.random(120) < 0.5, "plain", "tabby")
    weight = np.choose(np.searchsorted(["cat", "dog", "owl"], kinds), [4.0, 20.0, 1.0]) + rng.normal(
        0, 0.5, 120
    )
    rows = [
        f"{w:.3f},{c},{k},{2 * w + 1:.3f},{int(w > 3)},{int(k == 'owl')}"
        for w, c, k in zip(weight, coats, kinds, strict=True)
    ]
    path = tmp_path / "pets.csv"
    path.write_text("\n".join(["weight,coat,kind,length,heavy,flies", *rows]))
    return path


def test_a_table_with_three_classes(pellucid: Command, pets: Path, tmp_path: Path) -> None:
    done = pellucid("train", pets, "--target", "kind", "--model", "mlp-wide", "--epochs", 30, "--out", "out")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.9
    model = pl.load(tmp_path / "out")
    assert model.classes == ("cat", "dog", "owl")
    assert model.preprocessing is not None
    assert model.preprocessing.kind == "standardize"
    (tmp_path / "new.csv").write_text(
        "coat,weight,length,heavy,flies\ntabby,4.1,9.2,1,0\nplain,19.5,40,1,0\n"
    )
    done = pellucid("predict", "out", "new.csv", "--json")
    assert [row["label"] for row in json.loads(done.out)["predictions"]] == ["cat", "dog"]
    assert pellucid("predict", "out", "new.csv").out.startswith("row 0: cat (")
    scores = json.loads(pellucid("evaluate", "out", pets, "--json").out)
    assert scores["n_samples"] == 24
    assert scores["accuracy"] == metrics["test"]["accuracy"]
    assert scores["accuracy"] > 0.9


def test_quantities_and_several_labels(pellucid: Command, pets: Path, tmp_path: Path) -> None:
    options = ["--model", "mlp-wide", "--epochs", 150]
    assert pellucid("train", pets, "--target", "length", *options, "--out", "size").code == 0
    metrics = json.loads((tmp_path / "size" / "metrics.json").read_text())
    assert metrics["test"]["r_squared"] > 0.8
    assert pellucid("train", pets, "--target", "heavy,flies", *options, "--out", "labels").code == 0
    metrics = json.loads((tmp_path / "labels" / "metrics.json").read_text())
    assert metrics["test"]["label_accuracy"] > 0.9
    rows = json.loads(pellucid("predict", "labels", pets, "--json").out)["predictions"]
    assert {label for row in rows for label in row["labels"]} == {"heavy", "flies"}


def test_run_takes_many_classes(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid("run", "digits", "--model", "mlp-wide", "--epochs", 4, "--out", "out")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(metrics["test"]["classes"]) == 10
    assert metrics["test"]["accuracy"] > 0.9


NET = """
[model]
dtype = "float32"

[[layers]]
type = "Conv2D"
filters = 4
activation = "relu"

[[layers]]
type = "MaxPool2D"

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 1

[training]
epochs = 3
batch_size = 8
optimizer = "adam"
learning_rate = 0.01
"""


def test_a_network_of_ones_own(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET)
    done = pellucid("train", photos, "--model", "net.toml", "--out", "out", "--epochs", 5)
    assert done.code == 0, done.err
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())["training"]
    assert (config["epochs"], config["batch_size"], config["optimizer"]) == (5, 8, "adam")
    assert len((tmp_path / "out" / "history.csv").read_text().splitlines()) == 6
    (tmp_path / "bad.toml").write_text(NET.replace("filters", "filtres"))
    done = pellucid("train", photos, "--model", "bad.toml", "--out", "bad")
    assert done.code == 2
    assert "line 7" in done.err
    assert "filters" in done.err
    assert not (tmp_path / "bad").exists()


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_weights(photos: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pellucid.cli.main",
        "train",
        photos,
        "--model",
        "mlp-wide",
        "--epochs",
        "400",
    ]
    command += ["--validation", "0.2", "--checkpoint-steps", "5", "--threads", "1", "--quiet"]
    subprocess.run([*command, "--out", "whole"], cwd=tmp_path, check=True, capture_output=True)
    process = subprocess.Popen([*command, "--out", "killed"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("killed/checkpoints/step-0000002*")):
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    (tmp_path / "killed" / "checkpoints" / ".0123.part").write_text(
        "half"
    )  # as if it had been killed in a write
    subprocess.run([*command, "--out", "killed", "--resume"], cwd=tmp_path, check=True, capture_output=True)
    whole, killed = pl.load(tmp_path / "whole"), pl.load(tmp_path / "killed")
    np.testing.assert_array_equal(killed.theta, whole.theta)
    one, two = ((tmp_path / name / "history.jsonl").read_text() for name in ("whole", "killed"))
    assert one == two
    assert all(path.suffix == ".checkpoint" for path in tmp_path.glob("killed/checkpoints/*"))


def command(data: object, out: str, *more: object) -> list[str]:
    options = ["--model", "mlp-wide", "--epochs", 400, "--threads", 1, "--out", out, *more]
    return [sys.executable, "-m", "pellucid", "train", *map(str, [data, *options])]


def start(folder: Path, *arguments: object) -> "subprocess.Popen[str]":
    """Start a training in a process, and return once its configuration is written."""
    before = (folder / "out" / "config.toml").stat().st_mtime_ns if (folder / "out").exists() else 0
    process = subprocess.Popen(
        command(*arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if (folder / "out" / "config.toml").stat().st_mtime_ns != before:
                break
    assert process.poll() is None, process.communicate()
    return process


LONG = ("--epochs", 1_000_000)


def test_the_model_file_of_a_resumed_training_is_that_of_an_uninterrupted_one(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    options = ["--model", "mlp-wide", "--epochs", 60, "--checkpoint-steps", 40, "--weight-ema", 0.9]
    for out in ("whole", "again"):
        assert pellucid("train", photos, "--out", out, *options).code == 0
    assert pellucid("train", photos, "--out", "again", *options, "--resume").code == 0
    for name in ("model.safetensors", "history.csv", "config.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_complete_training_goes_on_as_one_that_was_longer_from_the_start(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    options = ["--model", "mlp-wide", "--schedule", "constant", "--batch-size", 8, "--seed", 4]
    assert pellucid("train", photos, *options, "--epochs", 9, "--out", "whole").code == 0
    assert pellucid("train", photos, *options, "--epochs", 6, "--out", "more").code == 0
    done = pellucid("train", photos, "--out", "more", "--resume", "--epochs", 9)  # all else is as it was
    assert done.code == 0, done.err
    assert "Going on after 6 of 9 epochs." in done.out
    for name in ("model.safetensors", "history.csv", "config.toml"):
        assert (tmp_path / "more" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    done = pellucid("train", photos, "--out", "more", "--resume", "--epochs", 8)
    assert done.code == 2
    assert "has made 9 epochs already; expected n_epochs (--epochs) above 9 to go on, got 8." in done.err


def test_a_schedule_of_the_whole_length_goes_on_at_a_rate_that_is_chosen(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    assert pellucid("train", photos, "--model", "mlp-wide", "--epochs", 6, "--out", "out").code == 0
    before = (tmp_path / "out" / "history.csv").read_text().splitlines()
    done = pellucid("train", photos, "--out", "out", "--resume", "--epochs", 8)
    assert done.code == 2
    assert "--schedule constant --learning-rate 0.0002" in done.err
    done = pellucid(
        *("train", photos, "--out", "out", "--resume", "--epochs", 8),
        *("--schedule", "constant", "--learning-rate", 0.0002),
    )
    assert done.code == 0, done.err
    after = (tmp_path / "out" / "history.csv").read_text().splitlines()
    assert (after[:7], len(after)) == (before, 9)
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())["training"]
    assert (config["epochs"], config["schedule"], config["learning_rate"]) == (8, "constant", 0.0002)


def test_resume_needs_a_folder(pellucid: Command, photos: Path) -> None:
    done = pellucid("train", photos, "--resume")
    assert (done.code, done.err) == (2, "pellucid: --resume: name the folder of the training with --out.\n")
    for name in ("first", "last"):
        pellucid("train", photos, "--model", "logistic", "--epochs", 1, "--out", f"runs/{name}")
    done = pellucid("train", photos, "--resume")
    assert "with --out, such as the last one's: --out runs/last." in done.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_with_a_checkpoint_and_resume_goes_on(
    pellucid: Command, photos: Path, tmp_path: Path, number: int
) -> None:
    process = start(tmp_path, photos, "out", *LONG)  # the first checkpoint by the clock is five minutes away
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (128 + number, "")
    assert "as asked. History and model so far are kept; --resume goes on from here." in out
    assert len(list(tmp_path.glob("out/checkpoints/*.checkpoint"))) == 1
    n_steps = json.loads((tmp_path / "out" / "metrics.json").read_text())["n_steps"]
    more = ("--resume", "--checkpoint-steps", 1 + n_steps // 10)
    process = subprocess.Popen(command(photos, "out", *LONG, *more), cwd=tmp_path, stdout=subprocess.DEVNULL)
    while len(list(tmp_path.glob("out/checkpoints/*.checkpoint"))) < 2:
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["n_steps"] > n_steps


@pytest.mark.slow
def test_a_terminal_that_closes_ends_it_with_a_checkpoint(photos: Path, tmp_path: Path) -> None:
    """The system and the shell both send SIGHUP then, and what is printed to the terminal fails."""
    shell = ["bash", "--norc", "-ic", f"{shlex.join(command(photos, 'out', *LONG))}; true"]
    terminal = subprocess.Popen(
        [sys.executable, "-c", f"import pty; pty.spawn({shell})"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while not (tmp_path / "out" / "config.toml").exists():
        assert terminal.poll() is None
    time.sleep(1)  # until a bar is shown
    terminal.kill()
    terminal.wait()
    end = time.monotonic() + 60
    while not (tmp_path / "out" / "metrics.json").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert len(list(tmp_path.glob("out/checkpoints/*.checkpoint"))) == 1


@pytest.mark.slow
def test_under_nohup_it_goes_on_when_the_terminal_closes(photos: Path, tmp_path: Path) -> None:
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(tmp_path, photos, "out", *LONG)
    finally:
        signal.signal(signal.SIGHUP, ignored)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.slow
def test_killed_before_its_first_checkpoint_it_starts_again_and_says_so(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    process = start(tmp_path, photos, "out", *LONG)
    process.kill()
    process.communicate()
    short = ("--model", "mlp-wide", "--epochs", 3, "--out", "out")
    done = pellucid("train", photos, *short)
    assert done.code == 2
    assert "add --resume to go on, --overwrite to start again" in done.err
    done = pellucid("train", photos, *short, "--resume")
    assert done.code == 0, done.err
    assert "out: the training stopped before its first checkpoint" in done.out
    assert len((tmp_path / "out" / "history.csv").read_text().splitlines()) == 4
    done = pellucid("train", photos, *short, "--resume")
    assert done.code == 0, done.err
    more = "--epochs 4 --schedule constant --learning-rate 0.0002"  # one_cycle depends on the length
    assert f"All 3 epochs are made. For more, add {more}." in done.out
    done = pellucid("train", photos, "--out", "out", "--resume", *more.split())
    assert done.code == 0, done.err
    done = pellucid("train", photos, "--out", "out", "--resume")
    assert "All 4 epochs are made. For more, add --epochs 5." in done.out
    assert not list(tmp_path.rglob(".writing"))


@pytest.mark.slow
def test_force_leaves_nothing_of_the_run_before(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    """Neither checkpoints nor a report of the former one, whose steps have higher numbers."""
    short = ["--model", "mlp-wide", "--epochs", 30]
    assert pellucid("run", photos, "--out", "out", *short).code == 0
    out = tmp_path / "out"
    (out / "predict.py").write_text("as pellucid export left it")
    assert pellucid("train", photos, "--out", "out", *short, "--overwrite", "--checkpoint-steps", 5).code == 0
    assert not (out / "predict.py").exists()
    assert not (out / "report.html").exists()
    assert not (out / "figures").exists()
    assert len(list(out.glob("checkpoints/*"))) == 3
    (out / "notes.txt").write_text("mine")
    process = start(tmp_path, photos, "out", "--epochs", 50_000, "--overwrite", "--checkpoint-steps", 5)
    while not list(out.glob("checkpoints/step-0000000[5-9]*")):
        assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    assert not (out / "model.safetensors").exists()
    assert (out / "notes.txt").read_text() == "mine"
    process = subprocess.Popen(
        command(photos, "out", "--epochs", 50_000, "--resume"), cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert tomllib.loads((out / "config.toml").read_text())["training"]["epochs"] == 50_000


def test_force_in_a_folder_that_is_no_run_removes_nothing(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    mine = ("figures/mine.png", "checkpoints/mine", "report.html")
    for name in mine:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    done = pellucid("train", photos, "--out", tmp_path, "--resume")
    assert done.code == 2
    assert "holds no training to go on from" in done.err
    assert pellucid("train", photos, "--epochs", 3, "--out", tmp_path, "--overwrite").code == 0
    assert [(tmp_path / name).read_text() for name in mine[:2]] == ["mine"] * 2


def test_resume_refuses_relabelled_data_and_other_settings(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    options = ["--model", "mlp-wide", "--epochs", 30, "--checkpoint-steps", 10, "--out", "out"]
    assert pellucid("train", photos, *options).code == 0
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    for more, words in (
        (("--class-weight", "balanced"), 'class_weight = null, this training class_weight = "balanced"'),
        (("--weight-ema", "0.9"), "WeightEMA = nothing, this training WeightEMA = "),
        (("--precise-bn",), "PreciseBatchNorm = nothing"),
    ):
        done = pellucid("train", photos, *options, "--resume", *more)
        assert done.code == 2
        assert words in done.err
    arrays = dict(np.load(photos))
    np.savez(photos, **{**arrays, "y": 1 - arrays["y"]})
    done = pellucid("train", photos, *options, "--resume")
    assert done.code == 2
    assert "training_data = " in done.err
    assert len(done.err.splitlines()) <= 3
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == before


@pytest.mark.slow
def test_two_at_once_in_one_folder(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    process = start(tmp_path, photos, "out", *LONG)
    try:
        for name, more in (("train", ["--overwrite"]), ("train", ["--resume"]), ("run", ["--overwrite"])):
            done = pellucid(name, photos, "--model", "mlp-wide", "--epochs", 3, "--out", "out", *more)
            assert (done.code, done.out) == (2, "")
            assert "out: another command is writing this folder. Wait until it ends" in done.err
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["n_steps"] == len((tmp_path / "out" / "history.jsonl").read_text().splitlines())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
@pytest.mark.parametrize("n_bytes", [0, 2_000, 40_000])
def test_a_full_disk_leaves_what_was_there(
    pellucid: Command, photos: Path, tmp_path: Path, n_bytes: int
) -> None:
    """A limit on the size of files fails a write in the middle, as a full disk does."""
    import resource

    options = [photos, "--model", "mlp-wide", "--epochs", 3, "--out", "out"]
    assert pellucid("train", *options).code == 0
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))  # noqa: E731
    run = [
        sys.executable,
        "-B",
        "-m",
        "pellucid",
        "train",
        *map(str, options),
        "--overwrite",
    ]  # -B: no half .pyc
    done = subprocess.run(run, cwd=tmp_path, preexec_fn=limit, check=False, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert re.match(r"pellucid: out.*: (cannot|could not) be written: ", done.stderr.splitlines()[-1])
    assert ".writing" not in done.stderr.splitlines()[-1]
    after = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    if n_bytes == 0:
        assert after == before
    else:  # a training takes the place of the former one when it begins
        assert {path.name for path in after} == {"config.toml", "notes.txt"}


def test_places_that_cannot_be_written_are_said_in_a_line(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    for out in ("a" * 300, "file", "file/below", "/proc/self/out"):
        for name in ("train", "run"):
            done = pellucid(name, photos, "--model", "mlp-wide", "--epochs", 2, "--out", out)
            assert done.code == 2
            assert len(done.err.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"file", "photos.npz"}


def test_lbfgs_is_trained_without_checkpoints(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    options = ["--model", "logistic", "--optimizer", "lbfgs", "--epochs", 3, "--out", "out"]
    assert pellucid("train", photos, *options).code == 0
    done = pellucid("train", photos, *options, "--overwrite", "--checkpoint-steps", 1)
    assert done.code == 2
    assert "L-BFGS" in done.err


def test_resume_and_folders(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    done = pellucid("train", photos, "--out", "out", "--resume")
    assert done.code == 2
    assert "no training to go on from" in done.err
    assert not (tmp_path / "out").exists()
    assert pellucid("train", photos, "--out", "out", "--epochs", 3).code == 0
    done = pellucid("train", photos, "--out", "out", "--epochs", 3)
    assert done.code == 2
    assert "--resume to go on, --overwrite to start again" in done.err
    assert pellucid("train", photos, "--out", "out", "--epochs", 3, "--overwrite").code == 0
    done = pellucid("train", photos, "--out", "elsewhere", "--patience", 3)
    assert done.code == 2
    assert "--validation" in done.err


@pytest.mark.parametrize(
    "options",
    [
        ["--batch-size", "1000"],
        ["--loss", "hinge", "--label-smoothing", "0.1"],
        ["--form", "dual", "--optimizer", "adam"],
    ],
)
def test_options_that_do_not_suit_the_data_leave_nothing(
    pellucid: Command, photos: Path, tmp_path: Path, options: list[str]
) -> None:
    done = pellucid("train", photos, "--out", tmp_path / "out", "--quiet", *options)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_broken_training_leaves_what_broke_it(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    done = pellucid("train", photos, "--out", "out", "--learning-rate", "1e200", "--epochs", 50)
    assert done.code == 2
    assert "nonfinite.safetensors" in done.err
    *_, fault = replay_nonfinite(tmp_path / "out" / "nonfinite.safetensors")
    assert fault is not None
