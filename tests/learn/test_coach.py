"""The coach: right functions pass, wrong ones get line and cause, and whatever a file does, a verdict."""

import ast
import gc
import os
import time
from pathlib import Path

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError
from pellucid.learn.coach import read_source
from pellucid.learn.diagnose import Doctor
from pellucid.learn.examine import Examination
from pellucid.learn.exercise import BUILTIN, exercise
from pellucid.learn.grafts import difference
from pellucid.learn.limits import TimeUp, time_limit
from pellucid.learn.process import examine
from pellucid.learn.reference import Reference
from pellucid.learn.verdict import verdict


def examined(name: str, source: str, seconds: float = 3.0) -> dict[str, object]:
    """Return the parts of a verdict, without a process; a third of the seconds that the search may take."""
    return Examination(exercise(name), "import numpy as np\n\n\n" + source, seconds).run()


def given(name: str) -> str:
    """Return the lines that import what a learner may call."""
    return "".join(f"from pellucid.textbook import {one}\n" for one in exercise(name).given)


@every("name", BUILTIN)
def test_every_correct_solution_is_right(name: str) -> None:
    for solution in exercise(name).solutions:
        found = examined(name, f"import copy\n{given(name)}{solution.source}")
        assert found["state"] == "right", (solution.style, found["headline"])


@every(
    ("name", "old", "new", "failed", "cause"),
    [
        ("linear_backward", "np.dot(dZ, A_prev.T) / m", "np.dot(dZ, A_prev.T)", "worked case", "1/m missing"),
        ("linear_backward", "axis=1", "axis=0", "shape", "wrong axis"),
        ("relu", "np.maximum(0", "np.maximum(1", "worked case", "wrong constant"),
        ("relu_backward", "Z <= 0", "Z < 0", "worked case", "inequality at the threshold"),
        ("relu_backward", "np.array(dA, copy=True)", "dA", "arguments kept", "view for copy"),
        ("scale", "X / 255", "X // 255", "dtype", "integer division"),
        ("relu", "np.maximum(0, Z)", "np.maximum(0, Z).tolist()", "result", "a list for an array"),
        ("softmax", "(E, axis=0, keepdims=True)", "(E)", "worked case", "softmax over everything"),
        ("initialize_parameters", "RandomState(1)", "RandomState()", "worked case", "seed missing"),
    ],
)
def test_property_line_and_cause(name: str, old: str, new: str, failed: str, cause: str) -> None:
    source = exercise(name).solutions[0].source
    assert old in source
    found = examined(name, source.replace(old, new))
    assert found["state"] == "wrong"
    assert (failed, cause) == (found["failed"], found["causes"][0])  # type: ignore[index]
    assert found["line"] == 3 + next(n for n, line in enumerate(source.splitlines(), start=1) if old in line)


@every(
    ("name", "old", "new", "is_wrong"),
    [
        ("initialize_parameters", "np.zeros((n_h, 1))", "np.zeros((n_h, 1), dtype=int)", True),
        ("initialize_parameters", "np.zeros((n_h, 1))", "np.zeros((n_h, 1), dtype=np.float32)", False),
        ("relu", "return A, cache", "return A.astype(object), cache", True),
        ("relu", "return A, cache", "return A.astype(np.float32), cache", False),
        ("compute_cost", "return cost", "return complex(cost)", True),
        ("L_model_backward", "return grads", "return {n: g + 0j for n, g in grads.items()}", True),
        ("predict", "return p", "return p.astype(bool)", False),
        ("dropout_forward", "return A_dropped, mask", "return A_dropped, mask * 1.0", False),
    ],
)
def test_a_result_in_float32_is_right_and_one_of_whole_numbers_complex_or_object_is_not(
    name: str, old: str, new: str, is_wrong: bool
) -> None:
    source = exercise(name).solutions[0].source
    assert old in source
    found = examined(name, given(name) + source.replace(old, new))
    assert found.get("failed", "") == ("dtype" if is_wrong else "")


OTHERS = {  # one fault each, on the line that is marked, in other words than those of the correct programs
    "relu_backward": """def relu_backward(slope, stored):
    inner = slope + 0
    s = stored * 2
    out = inner * (stored.sum() > 0)  # here
    return out
""",
    "linear_activation_backward": """def linear_activation_backward(up, stored, kind):
    (weights, inputs, b), sums = stored  # here
    m = up.shape[1]
    d = up * (sums > 0) if kind == "relu" else up * (1 / (1 + np.exp(-sums))) * (1 - 1 / (1 + np.exp(-sums)))
    return weights.T @ d, d @ inputs.T / m, d.mean(axis=1, keepdims=True)
""",
    "mini_batches": """def mini_batches(photos, labels, n, shuffled):
    out = []
    for at in range(0, photos.shape[1], n):
        part = shuffled[:n]  # here
        out.append((photos[:, part], labels[:, part]))
    return out
""",
    "update_parameters": """def update_parameters(p, slopes, rate):
    new = {}
    n = len(p) // 2
    for l in range(1, n + 1):
        new["W" + str(l)] = p["W" + str(l)] - rate * slopes["dW" + str(l)]
        new["b" + str(l)] = p["b" + str(l)] - rate * slopes["db1"].mean()  # here
    return new
""",
    "pool_forward": """def pool_forward(photos, size, step):
    n_h, n_w = (photos.shape[1] - size) // step + 1, (photos.shape[2] - size) // step + 1
    out = np.zeros((len(photos), n_h, n_w, photos.shape[3]))
    for i, y, x, q in np.ndindex(out.shape):
        top = 0  # here
        for r in range(size):
            for s in range(size):
                if photos[i, y * step + r, x * step + s, q] > top:
                    top = photos[i, y * step + r, x * step + s, q]
        out[i, y, x, q] = top
    return out
""",
    "softmax": """def softmax(sums):
    powers = np.exp(sums)  # here
    whole = np.sum(powers, axis=0, keepdims=True)
    return powers / whole
""",
}


def test_where_either_of_two_lines_can_be_changed_both_are_named() -> None:
    source = """def predict(X, y, parameters):
    caches = L_model_forward(X, parameters)[1]
    score = caches[-1][1]
    answers = np.array(score > 0.5, dtype=float)
    return answers
"""
    found = examined("predict", "from pellucid.textbook import L_model_forward\n" + source)
    assert {found["line"], found["other_line"]} == {7, 8}, found
    told = verdict(exercise("predict"), "", found)
    assert "one of the two is enough: score = caches[-1][1]" in told.hints[1]
    found = examined("relu", "def relu(Z):\n    A = np.maximum(1, Z)\n    return A, Z\n")
    assert found["other_line"] == 0


TWO_FAULTS = {  # the first one is marked
    "compute_cost": """def compute_cost(p, labels):
    n = p.shape[1]
    whole = 0
    for k in range(1, n):  # here
        whole += labels[0, k] * np.log(p[0, k]) + (1 - labels[0, k]) * np.log(1 - p[0, k])
    return -whole / (2 * n)
""",
    "mini_batches": """def mini_batches(photos, labels, n, order):
    out = []
    for at in range(0, photos.shape[1], n):
        part = order[at : at + n]
        some = photos[:, np.sort(part)]  # here
        out.append((labels[:, part], some))
    return out
""",
    "linear_forward": """def linear_forward(inputs, weights, b):
    sums = 0
    for k in range(1, len(inputs)):  # here
        sums = sums + weights[:, k : k + 1] * inputs[k]
    return sums - b, (inputs, weights, b)
""",
    "update_parameters": """def update_parameters(parameters, grads, learning_rate):
    L = len(parameters) // 2
    new = dict(parameters)
    for l in range(1, L):  # here
        new["W" + str(l)] = parameters["W" + str(l)] - learning_rate * grads["dW" + str(l)]
        new["b" + str(l)] = parameters["b" + str(l)] + learning_rate * grads["db" + str(l)]
    return new
""",
    "linear_backward": """def linear_backward(dZ, cache):
    a, w, b = cache
    back = w.T @ dZ / dZ.shape[1]  # here
    slope_b = dZ.sum(axis=1, keepdims=True) / len(a)
    return back, dZ @ a.T / dZ.shape[1], slope_b
""",
}


@every(("name", "source"), [*OTHERS.items(), *TWO_FAULTS.items()])
def test_the_line_is_found_in_other_words_and_of_two_faults_the_first(name: str, source: str) -> None:
    found = examined(name, source, 20.0)
    assert found["line"] == 4 + next(n for n, line in enumerate(source.splitlines()) if "# here" in line), (
        found
    )
    assert "input modified" not in found["causes"]  # type: ignore[operator]


@every(
    ("wrong", "right", "name"),
    [
        ("(b - rate) * db", "b - rate * db", "brackets"),
        ("relu_backward(Z, dA)", "relu_backward(dA, Z)", "order of arguments"),
        ("np.max(Z, 0)", "np.maximum(0, Z)", "another function"),
        ("np.dot(dA, D) / keep", "dA * D / keep", "a product of matrices for *"),
        ("1 / (1 + 10 ** -Z)", "1 / (1 + np.exp(-Z))", "another base of the power"),
        ("U < 0.5", "U < keep", "wrong constant"),
        ("np.sum(dW, axis=1)", "np.mean(dZ, axis=1)", "wrong variable"),
        ("e / (1 + e)", "e / e.sum(axis=0)", "another formula"),
    ],
)
def test_an_expression_that_is_built_another_way_has_a_name(wrong: str, right: str, name: str) -> None:
    read = [ast.parse(text, mode="eval").body for text in (wrong, right)]
    assert difference(*read, "value") == name


@every("is_late", [False, True])
def test_a_machine_too_slow_for_the_search_still_names_a_line(
    is_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without time for other programs, or where the alarm goes off among them: that of the first wrong value."""

    def late(reference: object) -> None:
        raise TimeUp

    if is_late:
        monkeypatch.setattr(Reference, "own_faults", late)
    else:
        monkeypatch.setattr(Doctor.__init__, "__defaults__", (0.0, None))
    source = exercise("conv_forward").solutions[0].source.replace("(h + 2 * pad - f)", "(h + pad - f)")
    line = next(n for n, text in enumerate(source.splitlines(), start=4) if "(h + pad - f)" in text)
    found = examined("conv_forward", source)
    assert (found["state"], found["line"]) == ("wrong", line)


def test_a_fault_of_the_coach_is_said_and_the_property_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.learn.diagnose.Doctor.diagnose", lambda self: os.environ["NO_SUCH_NAME"])
    found = examined("relu", exercise("relu").solutions[0].source.replace("np.maximum(0", "np.maximum(1"))
    assert (found["state"], found["failed"]) == ("wrong", "worked case")
    assert "KeyError" in found["remarks"][0]  # type: ignore[index]


def test_no_return_and_a_dictionary_that_loses_its_arrays_are_diagnosed() -> None:
    found = examined("relu", "def relu(Z):\n    A = np.maximum(0, Z)\n    cache = Z\n    (A, cache)\n")
    assert (found["line"], found["causes"]) == (7, ["return missing"])
    source = (
        "def update_parameters(p, grads, rate):\n    for name in p:\n        p[name] = {}\n    return p\n"
    )
    found = examined("update_parameters", source)
    assert (found["state"], found["line"]) == ("wrong", 6)


BAD = {
    "sigmoid": ("def sigmoid(Z:\n    pass\n", "cannot run", "Python cannot read line 1"),
    "scale": ("def scale(X):\n    while True:\n        pass\n", "wrong", "did not end"),
    "relu_backward": (
        "def relu_backward(*a):\n while 1:\n  try:\n   while 1: 1\n  except: 1\n",
        "wrong",
        "did not end",
    ),
    "relu": ("def relu(Z):\n    exit()\n", "wrong", "exit()"),
    "linear_forward": ("def linear_forward(*a):\n    bytes(9**13)\n", "wrong", "more memory"),
    "compute_cost": (
        "import numpy\ndef compute_cost(*a):\n    numpy.log = abs\n",
        "cannot run",
        "replaces np.log",
    ),
    "softmax": ("def soft_max(Z):\n    return Z\n", "cannot run", "Is it 'soft_max'?"),
    "predict": ("def predict(X, y, p):\n    return None\n", "wrong", "Is there a return?"),
    "adam_step": ("import os\ndef adam_step(*a):\n    os.abort()\n", "cannot run", "ended before"),
    "dropout_forward": ("from threading import *\nThread().start()\n", "cannot run", "starts a thread"),
    "dropout_backward": ("", "cannot run", "no function 'dropout_backward'"),
    "momentum_step": ("import os\ndef momentum_step(*a):\n    os.remove('x')\n", "wrong", "removes a file"),
    "gradient_check": ("def gradient_check(*a):\n    open('x', 'w')\n", "wrong", "writes the file 'x'"),
    "mini_batches": ("def mini_batches(*a):\n    return input()\n", "wrong", "waits for input"),
    "stable_cost": ("def stable_cost(ZL, Y):\n    return stable_cost(ZL, Y)\n", "wrong", "calls itself"),
    "pool_forward": ("raise ValueError('no')\n", "cannot run", "stops before"),
    "conv_forward": ("def conv_forward(*a):\n    ...\n", "not started", "no lines of yours"),
    "conv_backward": ("def conv_backward(*a):\n    raise KeyboardInterrupt\n", "wrong", "Ctrl-C"),
    "L_model_forward": (
        "import sqlite3\ndef L_model_forward(*a):\n    sqlite3.connect('x').execute('create table a (b)')\n",
        "wrong",
        "opens a database",
    ),
    "pool_backward": (
        "def pool_backward(*a):\n    x = (0\n" + "     + 1\n" * 20_000 + "    )\n",
        "cannot run",
        "Python cannot read line 2: an expression of so many parts",
    ),
}
LINES = {"conv_backward": 2, "L_model_forward": 3, "pool_backward": 2}


@pytest.mark.slow
@every("name", BAD)
def test_whatever_a_file_does_there_is_a_verdict(name: str) -> None:
    source, state, words = BAD[name]
    found = examine(name, source, **({"seconds": 0.7} if "while" in source else {}))
    assert found["state"] == state
    assert words in found["headline"]
    assert found.get("line", 0) == LINES.get(name, found.get("line", 0))


@pytest.mark.slow
def test_what_the_code_opens_by_other_ways_holds_nothing(tmp_path: Path) -> None:
    """Whatever it takes that no hook sees, it writes no byte into a file."""
    pytest.importorskip("readline")
    path = tmp_path / "kept.txt"
    source = f"""import readline
import numpy as np
def relu(Z):
    readline.add_history("kept")
    readline.write_history_file({str(path)!r})
    return np.maximum(0, Z), Z
"""
    assert examine("relu", source)["state"] == "wrong"
    assert not path.exists() or path.read_bytes() == b""


@every(
    ("start", "coding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("# -*- coding: latin-1 -*-\n", "latin-1"),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n", "cp1252"),
    ],
)
def test_a_file_is_read_as_python_reads_it(tmp_path: Path, start: str, coding: str) -> None:
    path = tmp_path / "06_relu.py"
    path.write_bytes(
        f"{start}# déjà vu\n{given('relu')}{exercise('relu').solutions[0].source}".encode(coding)
    )
    assert "déjà vu" in read_source(path)
    assert read_source(path)[0] in "#"


@every(
    "content",
    [
        b"# d\xe9j\xe0\n",
        b"# coding: klingon\n",
        b"# coding: ascii\n# \xe9\n",
        b"\xef\xbb\xbf# coding: latin-1\n",
    ],
)
def test_a_file_that_python_cannot_read_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "06_relu.py"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is no text in UTF-8, or in the coding that its first lines declare"):
        read_source(path)


@pytest.mark.slow
def test_a_wrong_function_that_waits_is_diagnosed_in_time() -> None:
    right = exercise("linear_backward").solutions[0].source
    wrong = right.replace("    m =", "    time.sleep(0.2)\n    m =").replace("A_prev.T) / m", "A_prev.T) + 3")
    found = examine("linear_backward", f"import time\nimport numpy as np\n{wrong}")
    assert (found["state"], found["failed"], found["line"]) == ("wrong", "worked case", 7)


def test_a_limit_holds_after_another_in_it() -> None:
    def waits() -> None:
        with time_limit(0.05):
            with time_limit(9):
                pass
            while True:
                pass

    with pytest.raises(TimeUp):
        waits()


def test_a_limit_waits_for_the_collector_whose_errors_are_ignored() -> None:
    """An alarm during a collection would be printed by Python, and lost."""
    ended: list[str] = []

    def wait() -> None:
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass

    def slow(phase: str, info: object = None) -> None:
        wait()
        ended.append(phase)

    class Slow:
        def __del__(self) -> None:
            slow("delete")

    cycle: list[object] = [Slow()]
    cycle.append(cycle)
    del cycle

    def collects() -> None:
        with time_limit(0.05):
            gc.collect()
            while True:
                pass

    gc.callbacks.append(slow)
    try:
        with pytest.raises(TimeUp):
            collects()
    finally:
        gc.callbacks.remove(slow)
    assert ended[:3] == ["start", "delete", "stop"]


def test_printing_is_shown_and_bounded() -> None:
    loop = "for i in range(5000): print('line', i)"
    source = f"%matplotlib inline\ndef relu(Z):\n    {loop}\n    return (Z > 0) * Z, Z\n"
    found = examine("relu", source)
    assert found["state"] == "right"
    assert found["printed"].startswith("line 0\nline 1\n")
    assert len(found["printed"]) < 4100
    assert "line 1, which only a notebook" in found["remarks"][0]


def test_the_cost_that_a_training_prints_is_shown_and_no_fault() -> None:
    source = exercise("L_layer_model").solutions[0].source.replace("if print_cost:", "if True:")
    found = examine("L_layer_model", given("L_layer_model") + source)
    assert found["state"] == "right"
    assert found["printed"].startswith("Cost after iteration 0: ")


def test_a_function_is_checked_where_it_stands() -> None:
    def relu(Z):  # type: ignore[no-untyped-def]
        A = positive(Z) * Z
        return A, A

    verdict = pl.learn.check(relu, hints=4)
    assert not verdict
    last = relu.__code__.co_firstlineno + 2
    assert (verdict.failed, verdict.line) == ("worked case", last)
    assert "cache is A" in verdict.causes
    assert verdict.to_dict()["hints"] == list(verdict.hints)
    assert f"Look at line {last}: return A, A" in str(verdict)


def positive(Z):  # type: ignore[no-untyped-def]
    """Return 1 where Z is positive."""
    return np.where(Z > 0, 1, 0)


def test_a_folder_is_checked_exercise_by_exercise(tmp_path: Path) -> None:
    pl.learn.start(tmp_path)
    (tmp_path / "05_sigmoid.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "06_relu.py").write_text(exercise("relu").solutions[1].source)
    found = pl.learn.check_folder(tmp_path, ["sigmoid", "relu", "scale"])
    assert {one.exercise: one.state for one in found} == {
        "sigmoid": "cannot run",
        "relu": "right",
        "scale": "not started",
    }
    with pytest.raises(DataError, match="is no folder"):
        list(pl.learn.check_folder(tmp_path / "no"))
    with pytest.raises(OptionError, match="Did you mean 'relu'"):
        list(pl.learn.check_folder(tmp_path, ["relo"]))
