"""Watching, notebooks, and the network of one's own functions."""

import json
import os
from pathlib import Path

import pytest

import pellucid as pl
from pellucid.cli.keys import keys
from pellucid.errors import DataError
from pellucid.learn.exercise import all_exercises, exercise
from pellucid.learn.own_network import published, train_own
from pellucid.learn.watch import Watch


def write(folder: Path, name: str, change: tuple[str, str] = ("", "")) -> Path:
    """Write a correct solution, with a change."""
    of = exercise(name)
    head = of.start.partition("\ndef ")[0]
    path = folder / of.file_name
    path.write_text(f"{head}\nimport copy\n\n{of.solutions[0].source.replace(*change)}")
    return path


def test_what_is_saved_is_checked_and_right_moves_on(tmp_path: Path) -> None:
    pl.learn.start(tmp_path, ["scale", "relu"])
    watch = Watch(tmp_path)
    _, first, *_ = watch.begin()
    assert str(first).startswith("0 of 2 right")
    path = write(tmp_path, "scale", ("255", "254"))
    os.utime(path, (1, 1))
    assert "on the worked case yours is" in " ".join(map(str, watch.look()))
    assert str(next(watch.press("h"))).startswith("Look at line")
    write(tmp_path, "scale")
    told = " ".join(map(str, watch.look()))
    assert "scale: right." in told
    assert "relu has no lines of yours yet" in told
    assert [*watch.look()] == []
    assert "scale: right." in " ".join(map(str, watch.press("p")))


def test_keys_pressed_at_once_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write_end = os.pipe()
    with os.fdopen(read) as stdin, os.fdopen(write_end, "wb", buffering=0) as typed:
        monkeypatch.setattr("sys.stdin", stdin)
        typed.write(b"hH\nq")
        with keys() as pressed:
            assert [pressed() for _ in range(5)] == ["h", "h", "", "q", ""]


def test_a_notebook_is_started_and_checked(tmp_path: Path) -> None:
    (path,) = pl.learn.start(tmp_path, ["relu"], notebook=True)
    page = json.loads(path.read_text())
    assert path.name == "06_relu.ipynb"
    assert "Let positive numbers through" in page["cells"][0]["source"]
    for head, said in (("", "NameError"), ("%matplotlib inline\nimport numpy as np\n", "relu is right")):
        page["cells"][1]["source"] = head + exercise("relu").solutions[0].source
        path.write_text(json.dumps(page))
        (verdict,) = pl.learn.check_folder(tmp_path)
        assert said in verdict.headline
    path.write_text("{}")
    (verdict,) = pl.learn.check_folder(tmp_path)
    assert "is no notebook" in verdict.headline


@pytest.mark.slow
def test_a_notebook_asks_the_coach_when_it_is_executed(tmp_path: Path) -> None:
    nbformat, _, nbclient = map(pytest.importorskip, ("nbformat", "ipykernel", "nbclient"))
    (path,) = pl.learn.start(tmp_path, ["relu"], notebook=True)
    book = nbformat.read(path, as_version=4)
    book.cells[1].source = "import numpy as np\n" + exercise("relu").solutions[0].source.replace("0,", "1,")
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3").execute()
    (shown,) = book.cells[2].outputs
    assert shown["data"]["text/plain"] == "Verdict(relu: wrong)"
    assert "Look at line 3: A = np.maximum(1, Z)" in shown["data"]["text/html"]


STOPPED = (
    ("scale", ("    return", "    exit()\n    return"), r"scale stopped.*exit\(\).* of 02_scale.py: exit"),
    ("scale", ("return X_scaled", "return"), "scale does not give what is taken next: .*NoneType"),
    ("relu", ("def relu", "def rely"), "there is no function 'relu' in 06_relu.py"),
    ("relu", ("cache = Z", "cache = Z)"), "relu stopped: SyntaxError.* line .* of 06_relu.py: cache = Z"),
    ("relu", ("cache = Z", "cache = np.zeros((9**6, 9**6))"), "relu stopped: it asks for more memory"),
    ("linear_backward", ("A_prev, W, b = cache", "open('x', 'w')"), "linear_backward stopped.* writes"),
    ("compute_cost", ("    return", "    np.log = np.exp\n    return"), "replaces np.log"),
)


@pytest.mark.slow
def test_own_functions_train_the_network(tmp_path: Path) -> None:
    for one in all_exercises():
        write(tmp_path, one.name)
    write(tmp_path, "scale", ("    return", "    print('cost of 1')\n    return"))
    shown: list[str] = []
    costs = train_own(tmp_path, "drawn-cats", 102, progress=lambda stage, *_: shown.append(stage))
    assert {*shown} == {"your functions", "the textbook's"}
    assert [iteration for iteration, _, _ in costs] == [0, 100, 101]
    assert max(abs(mine - ours) for _, mine, ours in costs) < 1e-12
    write(tmp_path, "update_parameters", (" - learning_rate", " + learning_rate"))
    assert abs(train_own(tmp_path, "drawn-cats", 2)[1][1] - costs[0][1]) > 1e-4
    for name, change, said in STOPPED:
        path = write(tmp_path, name, change)
        with pytest.raises(DataError, match=said):
            train_own(tmp_path, "drawn-cats", 2)
        assert path.is_file()
        write(tmp_path, name)
    (tmp_path / exercise("relu").file_name).unlink()
    with pytest.raises(DataError, match="no file of relu"):
        train_own(tmp_path, "drawn-cats", 2)


def test_the_published_costs_are_those_to_reach() -> None:
    assert len(published("catvnoncat", 2500)) == 26
    assert published("drawn-cats", 2500) == []
