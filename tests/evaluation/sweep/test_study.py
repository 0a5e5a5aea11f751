"""Studies: a trial has one holder, and one whose process died is taken over."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.errors import OutputError
from pellucid.evaluation.sweep.space import Space
from pellucid.evaluation.sweep.study import Search, Study, clear_study, joined

SEARCH = Search("random", Space({"epochs": [1, 2, 3]}, {}), ("accuracy",), 1, 2)
HOLDER = """
import sys
from pathlib import Path
from pellucid.evaluation.sweep.space import Space
from pellucid.evaluation.sweep.study import Search, Study

search = Search("random", Space({"epochs": [1, 2, 3]}, {}), ("accuracy",), 1, 2)
trial, lock = Study(Path(sys.argv[1]), search).next_trial()
print(trial.number, trial.params["epochs"], flush=True)
sys.stdin.read()
"""


def test_a_trial_whose_process_is_killed_is_taken_over(tmp_path: Path) -> None:
    study = Study(tmp_path, SEARCH)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        number, epochs = holder.stdout.readline().split()
        mine = study.next_trial()
        assert mine is not None
        assert (number, mine[0].number) == ("0", 1)
        with pytest.raises(OutputError, match="another command works"):
            clear_study(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    theirs = study.next_trial()  # there are two: none is left to be begun
    assert theirs is not None
    assert theirs[0].number == 0
    assert theirs[0].params == {"epochs": epochs}
    for _, lock in (mine, theirs):
        lock.release()


def test_a_study_stays_while_a_command_works_on_it_between_two_trials_too(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    with joined(folder), joined(folder), pytest.raises(OutputError, match="another command works"):
        clear_study(folder)
    clear_study(folder)
    assert not folder.exists()


def test_a_process_killed_while_it_drew_leaves_a_trial_that_is_drawn_to_its_end(tmp_path: Path) -> None:
    search = Search("tpe", Space({"epochs": [1, 2, 3], "batch_size": [4, 8]}, {}), ("accuracy",), 1, 5)
    study = Study(tmp_path, search)
    study._study.ask().suggest_categorical("epochs", ["1", "2", "3"])
    claimed = study.next_trial()
    assert claimed is not None
    assert claimed[0].number == 0
    assert claimed[0].params.keys() == {"epochs", "batch_size"}
    claimed[1].release()
