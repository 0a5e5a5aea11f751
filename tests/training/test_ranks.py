"""One training on several ranks: the numbers of one process, and an end whatever happens."""

import signal
import subprocess
import sys
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


REPEATED = ("batch norm", "augmented and mixed", "dual, mini-batches")


@pytest.mark.slow
def test_a_training_is_that_of_one_process_and_repeats_bit_for_bit(tmp_path: Path) -> None:
    by_two, by_three = found_by(2, tmp_path), found_by(3, tmp_path)
    for name in CASES:
        for key, array in arrays_of(*train(name, tmp_path)).items():
            for found in (by_two[f"{name}/{key}"], by_three[f"{name}/{key}"]):
                np.testing.assert_allclose(found, array, rtol=0, atol=1e-10, err_msg=f"{name}: {key}")
    for key, array in found_by(2, tmp_path, *REPEATED).items():
        np.testing.assert_array_equal(array, by_two[key], err_msg=key)


@pytest.mark.slow
def test_each_rank_reads_its_samples_of_a_file(tmp_path: Path) -> None:
    """10 epochs, and what is looked at before and read ahead: counted in passes over the samples."""
    first, second = (float(part) for part in mpi.run(2, "-c", READING, tmp_path)[1].split())
    assert first < 8
    assert second < 8
    assert first + second > 10


FAULTS = {  # which ranks have it, and what: those of one rank end all
    "an error of one rank": ("{1}", "raise pl.PellucidError('the disk is gone.')"),
    "a fault of the program": ("{0}", "1 / 0"),
    "an error of all ranks": ("{0, 1}", "raise pl.PellucidError('no.')"),
    "killed": ("{1}", "os.kill(os.getpid(), 9)"),
    "Ctrl-C that one rank gets": ("{1}", "os.kill(os.getpid(), 2)"),
    "Ctrl-C that all get": ("{0, 1}", "os.kill(os.getpid(), 2)"),
    "a callback that stops": ("{1}", "return True"),
}


@pytest.mark.slow
def test_what_one_rank_has_ends_all_and_what_all_have_is_shown_once() -> None:
    programs = {name: FAULTY.format(who=who, what=what) for name, (who, what) in FAULTS.items()}
    ended = "os.write(1, b'over ')"
    started = {name: mpi.start(2, "-c", program + ended) for name, program in programs.items()}
    done = {name: mpi.finish(process) for name, process in started.items()}
    # Nobody waits for a rank that has ended: they all end.
    assert done["an error of one rank"] == (1, "step 5\n", "pellucid: rank 1: the disk is gone.\n")
    code, _, err = done["a fault of the program"]
    assert (code, err[:9]) == (1, "Traceback")
    assert err.endswith("pellucid: rank 0: ZeroDivisionError: division by zero\n")
    code, _, err = done["an error of all ranks"]
    assert (code, err.count("Traceback")) == (1, 1)
    assert err.endswith("PellucidError: no.\n")
    assert done["killed"][0] == signal.SIGKILL
    assert done["Ctrl-C that one rank gets"] == (1, "step 5\n", "pellucid: rank 1: KeyboardInterrupt\n")
    code, _, err = done["Ctrl-C that all get"]
    assert (code, err.count("Traceback"), err.splitlines()[-1]) == (signal.SIGINT, 1, "KeyboardInterrupt")
    code, out, _ = done["a callback that stops"]
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
        "from tests.training.rank_cases import train; train('L-BFGS', None); import sys; print(*sys.modules)"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=mpi.HERE)
    assert "mpi4py" not in loaded.split()
