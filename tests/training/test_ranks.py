"""One training on several ranks: the numbers of one process, and an end whatever happens."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests import mpi
from tests.training.rank_cases import CASES, arrays_of, train

from pellucid import ranks
from pellucid.errors import MissingExtraError

FAULTY = """
import os, sys
import pellucid as pl
from pellucid import ranks
from pellucid.training.events import StepEnd
from tests.training.rank_cases import dense, table

def break_down(event):
    if isinstance(event, StepEnd) and event.step == 5 and ranks.rank() in {who}:
        os.write(1, b"step 5\\n")
        {what}

pl.train(dense(), table(None), n_epochs=500, batch_size=7, form="direct", callbacks=[break_down])
"""


READING = """
import sys
from pathlib import Path
import pellucid as pl
from pellucid import ranks
from tests.training.rank_cases import HERE, conv, stored

data = stored(Path(sys.argv[1]))
before = data.X.base.n_read
pl.train(conv(), data, n_epochs=10, batch_size=9, **HERE)
found = ranks.of_all((data.X.base.n_read - before) / len(data) / data.X.row_bytes)
if ranks.rank() == 0:
    print(*found)
"""


def found_by(n: int, folder: Path, *cases: str) -> dict[str, np.ndarray]:
    code, _, err = mpi.run(n, "-m", "tests.training.rank_cases", folder, *cases)
    assert (code, err) == (0, "")
    return dict(np.load(folder / "found.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 3])
def test_a_training_is_that_of_one_process(n: int, tmp_path: Path) -> None:
    found = found_by(n, tmp_path)
    for name in CASES:
        alone = arrays_of(*train(name, tmp_path))
        for key, array in alone.items():
            np.testing.assert_allclose(
                found[f"{name}/{key}"], array, rtol=0, atol=1e-10, err_msg=f"{name}: {key}"
            )


@pytest.mark.slow
def test_a_repetition_has_the_same_bits(tmp_path: Path) -> None:
    cases = ("batch norm", "augmented and mixed", "dual, mini-batches")
    first, second = found_by(2, tmp_path, *cases), found_by(2, tmp_path, *cases)
    for key, array in first.items():
        np.testing.assert_array_equal(second[key], array, err_msg=key)


@pytest.mark.slow
def test_each_rank_reads_its_samples_of_a_file(tmp_path: Path) -> None:
    """10 epochs, and what is looked at before and read ahead: counted in passes over the samples."""
    first, second = (float(part) for part in mpi.run(2, "-c", READING, tmp_path)[1].split())
    assert first < 8
    assert second < 8
    assert first + second > 10


@pytest.mark.slow
def test_an_error_of_one_rank_ends_all_with_one_line(tmp_path: Path) -> None:
    what = "raise pl.PellucidError('the disk is gone.')"
    code, out, err = mpi.run(2, "-c", FAULTY.format(who="{1}", what=what))
    assert (code, out, err) == (1, "step 5\n", "pellucid: rank 1: the disk is gone.\n")


@pytest.mark.slow
def test_a_fault_of_the_program_shows_its_traceback() -> None:
    code, _, err = mpi.run(2, "-c", FAULTY.format(who="{0}", what="1 / 0"))
    assert code == 1
    assert err.startswith("Traceback")
    assert err.endswith("pellucid: rank 0: ZeroDivisionError: division by zero\n")


@pytest.mark.slow
def test_an_error_of_all_ranks_is_raised_by_each_and_shown_once() -> None:
    what = "raise pl.PellucidError('no.')"
    code, _, err = mpi.run(2, "-c", FAULTY.format(who="{0, 1}", what=what))
    assert code == 1
    assert err.count("Traceback") == 1
    assert err.endswith("PellucidError: no.\n")


@pytest.mark.slow
def test_a_rank_that_is_killed_ends_the_others() -> None:
    start = time.monotonic()
    code, _, _ = mpi.run(2, "-c", FAULTY.format(who="{1}", what="os.kill(os.getpid(), 9)"))
    assert code == signal.SIGKILL
    assert time.monotonic() - start < 60


@pytest.mark.slow
def test_a_callback_of_one_rank_stops_all() -> None:
    code, out, _ = mpi.run(2, "-c", FAULTY.format(who="{1}", what="return True") + "os.write(1, b'over\\n')")
    assert (code, sorted(out.split())) == (0, ["5", "over", "over", "step"])


def test_without_mpi4py_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_opened", [])
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_SIZE", "3")
    monkeypatch.setattr(ranks, "is_child", lambda: False)  # as tests side by side are
    with pytest.raises(MissingExtraError, match=r"started 3 processes.*pellucid\[mpi\]"):
        ranks.world()


def test_a_process_alone_imports_no_mpi() -> None:
    code = (
        "import sys; from tests.training.rank_cases import train; train('L-BFGS', None); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=mpi.HERE
    )
    assert "mpi4py" not in done.stdout.split()
