"""Trainings that a signal ends, whenever it comes: resumed, they leave the folder of one that was left alone."""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.fuzz.files import run, template
from tests.fuzz.search import Subject

N_STEPS = {"mlp-wide": 300, "cnn": 20}
KINDS = {
    "mlp-wide": [
        *("--weight-ema 0.9", "--validation 0.2 --patience 500", "--precise-bn", ""),
        "--schedule cosine --threads 2",
    ],
    "cnn": [
        *("--weight-ema 0.9 --precise-bn", "--augment photo-cutmix", "--optimizer sgd"),
        "--batch-size 8 --threads 2",
    ],
}
OPTIONS = [f"--model {model} --epochs {N_STEPS[model]} {more}" for model in KINDS for more in KINDS[model]]


@dataclass
class Interruption:
    """A training of 24 photos and what ends it.

    Attributes
    ----------
    options : str
        Of ``pellucid train``.
    every_steps : int
        Between checkpoints.
    signals : list of (signal, float)
        Each sent that many seconds after the training began or went on.
    """

    options: str
    every_steps: int
    signals: list[tuple[signal.Signals, float]]


def command(case: Interruption, out: str, *more: str) -> list[str]:
    """Return the arguments of the training."""
    options = [*case.options.split(), "--checkpoint-steps", str(case.every_steps), "--quiet", "--out", out]
    return ["train", str(template() / "photos.npz"), *options, *more]


@functools.cache
def undisturbed(options: str, every_steps: int) -> Path:
    """Return the folder of that training, left alone; made once for a process."""
    folder = template() / f"undisturbed {options} {every_steps}"
    code, err = run(*command(Interruption(options, every_steps, []), str(folder)))
    assert (code, err) == (0, ""), err
    return folder


def check_interruption(case: Interruption) -> None:
    """Train, interrupted by each signal in turn, then to the end; compare the folder with an undisturbed one."""
    whole = undisturbed(case.options, case.every_steps)
    folder = Path(tempfile.mkdtemp())
    try:
        more: tuple[str, ...] = ()
        for number, seconds in case.signals:
            interrupt(command(case, "out", *more), folder, number, seconds)
            more = ("--resume",)
        code, err = run(*command(case, str(folder / "out"), *more))
        assert (code, err) == (0, ""), err
        assert names(folder / "out") == names(whole)
        for name in ("model.safetensors", "history.csv", "config.toml"):
            assert (folder / "out" / name).read_bytes() == (whole / name).read_bytes(), name
        assert [path.name for path in folder.iterdir()] == ["out"]
    finally:
        shutil.rmtree(folder)


def interrupt(arguments: list[str], folder: Path, number: signal.Signals, seconds: float) -> None:
    """Start a training in a process of its own, end it by a signal, and look at what it leaves."""
    config = folder / "out" / "config.toml"
    was_there = config.exists()
    pipes: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "pellucid", *arguments]
    process = subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes)
    if was_there:
        time.sleep(0.5)  # until it has begun to go on, or about so
    while process.poll() is None and not config.exists():
        time.sleep(0.002)
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    ends = [128 + number, -number]  # -number: before it began, or once Python ends
    assert process.returncode in (0, *ends), (process.returncode, err)
    assert err in ("", "Stopped.\n"), err
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 0)
        raise AssertionError("it left a process")
    if number != signal.SIGKILL:
        assert not [path for path in folder.rglob("*") if path.suffix == ".part"], "it left a temporary file"


def names(folder: Path) -> list[str]:
    """Return what a folder holds, but for which steps were kept: a signal keeps one of its own."""
    paths = [path.relative_to(folder) for path in folder.rglob("*")]
    return sorted({str(p.with_stem("step") if p.suffix == ".checkpoint" else p) for p in paths})


signals = st.tuples(
    st.sampled_from([signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP]),
    st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.4]),
)
cases = st.builds(
    Interruption,
    st.sampled_from(OPTIONS),
    st.sampled_from([3, 1, 7]),
    st.lists(signals, min_size=1, max_size=2),
)
SUBJECTS = {"interruptions": Subject(cases, check_interruption, 4, cost=10)}
