"""`mpiexec -n 2 pellucid train ...`: as one process, but faster; stopped, it goes on."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest
from tests import mpi
from tests.commands import Command, assert_refused

import pellucid as pl

PELLUCID = ("-m", "pellucid")
ASKED = ("train", "drawn-cats", "--model", "mlp", "--form", "direct", "--dtype", "float64")
LONG = (*ASKED, "--batch-size", 32, "--epochs", 250, "--checkpoint-steps", 20, "--out")


@pytest.mark.slow
def test_a_run_is_that_of_one_process(pellucid: Command, tmp_path: Path) -> None:
    code, out, err = mpi.run(2, *PELLUCID, *ASKED, "--epochs", 5, "--out", "shared", folder=tmp_path)
    assert (code, err) == (0, "")
    assert out.count("Training took") == 1
    assert "2 ranks" in out
    pellucid.ok(*ASKED, "--epochs", 5, "--out", "alone")
    shared, alone = (pl.load(name).theta for name in ("shared", "alone"))
    assert abs(shared - alone).max() < 1e-10
    shared, alone = ({path.name for path in Path(name).iterdir()} for name in ("shared", "alone"))
    assert shared == alone


def last_step(run: Path) -> int:
    """Return the step of the last checkpoint; 0 where there is none."""
    return max((int(path.stem.split("-")[1]) for path in run.glob("checkpoints/step-*")), default=0)


@pytest.mark.slow
def test_a_stopped_training_goes_on(pellucid: Command, tmp_path: Path) -> None:
    assert mpi.run(2, *PELLUCID, *LONG, "whole", folder=tmp_path)[0] == 0
    begun = 0
    process = mpi.start(2, *PELLUCID, *LONG, "stopped", folder=tmp_path)
    for number, again in (
        (signal.SIGINT, (*LONG, "stopped")),
        (signal.SIGTERM, (*ASKED, "--out", "stopped")),
    ):
        while process.poll() is None and last_step(Path("stopped")) <= begun:
            time.sleep(0.02)
        process.send_signal(number)
        code, out, err = mpi.finish(process)
        assert code == 128 + number
        assert "Stopped after" in out
        assert "Traceback" not in err
        begun = last_step(Path("stopped"))
        process = mpi.start(2, *PELLUCID, *again, "--resume", folder=tmp_path)
    code, out, _ = mpi.finish(process)
    assert code == 0
    assert "Going on after" in out
    np.testing.assert_array_equal(pl.load("stopped").theta, pl.load("whole").theta)
    with pytest.warns(RuntimeWarning, match="goes on with n_ranks=1, it began with n_ranks=2: the last"):
        pellucid.ok(*ASKED, "--epochs", LONG[LONG.index("--epochs") + 1] + 1, "--out", "stopped", "--resume")


def test_what_is_wrong_is_one_line(
    pellucid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flag in (("--workers", 2), ("--cluster", "tcp://127.0.0.1:8786")):
        assert_refused(pellucid("train drawn-cats", *flag), "mpiexec -n 2 pellucid train")
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setenv("PMI_RANK", "0")
    done = pellucid("predict model photo.jpg")
    assert_refused(done, "predict: mpiexec started 2 processes")
    assert done.err.count("\n") == 1
    monkeypatch.setenv("PMI_RANK", "1")
    assert pellucid("predict model photo.jpg").err == ""


@pytest.mark.slow
def test_what_is_wrong_is_said_by_one_rank(tmp_path: Path) -> None:
    code, out, err = mpi.run(2, *PELLUCID, "train", "nowhere", folder=tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("pellucid: unknown data set 'nowhere'")
