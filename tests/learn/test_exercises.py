"""Every exercise: its texts are files to fill in, its correct solutions agree."""

import ast
import doctest
import itertools
from pathlib import Path

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.learn.causes import ALIKE, EXPLAINED
from pellucid.learn.edits import PLAIN, edits
from pellucid.learn.examine import STEP
from pellucid.learn.exercise import BUILTIN, all_exercises, exercise


@every("name", BUILTIN)
def test_each_exercise_has_styles_faults_and_cases(name: str) -> None:
    one = exercise(name)
    assert len(one.solutions) >= 2
    assert len(one.cases()) >= 3
    assert all(fault.cause and fault.line for fault in one.faults)
    compile(one.start, name, "exec")
    worked = doctest.testmod(one.module)  # without options: a learner calls python -m doctest FILE
    assert worked.attempted
    assert not worked.failed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an alarm in the collector
@every("name", BUILTIN)
def test_causes_can_be_told_apart(name: str) -> None:
    matrix = pl.learn.check_faults(name)
    assert matrix.is_ok, str(matrix)


def test_every_cause_is_explained() -> None:
    causes = {cause for one in all_exercises() for cause, _, _ in one.module.FAULTS}
    for one, inserts in itertools.product(all_exercises(), (False, True)):
        for edit in edits(ast.parse(one.solutions[0].source), inserts=inserts):
            causes |= {edit.breaks, edit.repairs}
    assert causes.union(*ALIKE) - {""} <= EXPLAINED.keys()
    assert causes >= PLAIN


BACKWARD = [one.name for one in all_exercises() if one.name.endswith("_backward")]


@every("name", BACKWARD)
def test_the_slopes_of_a_backward_are_those_that_are_measured(name: str) -> None:
    one, n_bends = exercise(name), 0
    for case in one.cases():
        output = getattr(one.module, name)(*case)
        outputs = output if isinstance(output, tuple) else (output,)
        got = output if isinstance(output, dict) else dict(zip(one.outputs, outputs, strict=True))
        measured = one.module.measured(*case)
        wanted = {slope for slope in got if not slope.startswith("dA") or slope in one.outputs}
        assert measured.keys() == wanted
        for slope, (array, function) in measured.items():
            for at in [*np.ndindex(array.shape)][:20]:
                step = np.zeros(array.shape)
                step[at] = STEP
                ahead, here, behind = (function(array + sign * step) for sign in (1, 0, -1))
                if abs(ahead - 2 * here + behind) > 1e-3 * STEP:
                    n_bends += 1
                else:
                    assert abs((ahead - behind) / (2 * STEP) - got[slope][at]) < 1e-6
    assert n_bends == 0 or name in ("relu_backward", "pool_backward")


def test_start_writes_a_file_each_and_keeps_what_is_there(tmp_path: Path) -> None:
    files = pl.learn.start(tmp_path)
    assert len(files) == len(all_exercises()) == 33
    files[4].write_text("mine")
    files[5].unlink()
    assert pl.learn.start(tmp_path) == [files[5]]
    assert files[4].read_text() == "mine"
