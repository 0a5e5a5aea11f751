"""What a first run says of its data before and after the training: checks, too few samples, the positive class."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused, words_of
from tests.conftest import save_folder

from pellucid.data.source import DataSource
from pellucid.formats.safetensors import load
from pellucid.runs.spelling import data_parts


def test_what_is_wrong_with_the_data_comes_first(pellucid: Command) -> None:
    pets = save_folder(Path("pets"), {"cat": 30, "dog": 30})
    for k in range(9):  # cats among the dogs
        (pets / "dog" / f"copy{k}.png").write_bytes((pets / "cat" / f"{k}.png").read_bytes())
    (pets / "cat" / "notes.txt").write_text("no photo")
    done = pellucid.ok("run pets --model logistic --epochs 60 --out out")
    lines = done.out.splitlines()
    assert "Note: not used: cat/notes.txt" in lines
    (check,) = [line for line in lines if line.startswith("Check: Conflicting labels (18): cat/")]
    (score,) = [line for line in lines if line.startswith("Test accuracy ")]
    assert lines.index(check) < lines.index(score)
    assert "Details: pellucid data check pets" in lines
    assert not any("Twice in one part" in line for line in lines), "the same pair, said already"
    (doubtful,) = [line for line in lines if "the label may be wrong, since" in line]
    n, wrong = map(int, re.findall(r"^In (\d+) of (\d+) mistake", doubtful)[0])
    page = words_of(Path("out/report.html"))
    assert 1 <= n <= wrong
    assert page.count("(doubtful)") >= n
    assert "Is the data sound?" in page


def test_too_few_samples_are_said_before_any_score(pellucid: Command) -> None:
    save_folder(Path("pets"), {"cat": 3, "dog": 3})
    lines = pellucid.ok("run pets --model logistic --epochs 9 --out out").out.splitlines()
    first = next(i for i, line in enumerate(lines) if "Too few test samples to tell: 1 of 2 is not" in line)
    assert first < next(i for i, line in enumerate(lines) if "accuracy" in line)
    page = words_of(Path("out/report.html"))
    assert page.index("Too few test samples") < page.index("Test accuracy")
    assert "o over-fitting" not in page, "of so few nothing can be told"
    assert pellucid.ok("evaluate out").out.startswith("Too few test samples to tell")
    assert "Too few test samples to tell" in pellucid.ok("data check pets").out
    save_folder(Path("many"), {"owl": 40, "fox": 40})
    assert "Too few" not in pellucid.ok("run many --model logistic --epochs 9 --out ok").out


def test_sensitivity_is_of_the_rarer_class_or_of_the_one_that_is_named(pellucid: Command) -> None:
    save_folder(Path("pets"), {"defect": 12, "ok": 60})
    done = pellucid.ok("run pets --model logistic --epochs 60 --out rare")
    assert re.search(r"^Sensitivity \d+ % \(\d/\d 'defect' found\), specificity .* 'ok'\)\.$", done.out, re.M)
    assert "Imbalanced" not in done.out
    pellucid.ok("run pets --model logistic --epochs 60 --positive ok --out named")
    for line, name in (
        ("evaluate rare", "defect"),
        ("evaluate named", "ok"),
        ("evaluate named --positive defect", "defect"),
    ):
        assert f"Sensitivity ('{name}')" in pellucid.ok(line).out, line
    known = pellucid.json("evaluate named")
    assert known["sensitivity"] == known["per_class"]["ok"]["estimates"]["recall"]["value"]
    pellucid.ok("report named --positive defect --out page")
    for page, name in (("rare", "defect"), ("named", "ok"), ("page", "defect")):
        assert re.search(rf"Sensitivity [^']* recall of '{name}'", words_of(Path(page, "report.html"))), page
    assert_refused(pellucid("train pets --model logistic --positive defekt"), "Did you mean 'defect'?")
    assert_refused(pellucid("evaluate rare --positive cat"), "unknown class 'cat'")
    save_folder(Path("three"), {"a": 9, "b": 9, "c": 9})
    assert_refused(pellucid("train three --model logistic --positive a"), "one of two classes")


def test_a_training_stops_after_its_minutes_and_goes_on(pellucid: Command, photos: Path) -> None:
    line = "train photos.npz --model mlp --epochs 1000000 --minutes 0.005 --kernels numpy --out out"
    done = pellucid.ok(line)
    assert re.search(r"Stopped after 0.3 seconds, as asked: [\d,]+ of 1,000,000 epochs are made\.", done.out)
    (n,) = re.findall(r"as asked: ([\d,]+) of", done.out)
    assert "Going on after" in pellucid.ok("train photos.npz --resume --out out").out
    n_made = len(Path("out/history.jsonl").read_text().splitlines())
    assert n_made > int(n.replace(",", ""))


def test_how_long_it_will_take_is_said_once(
    pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "train photos.npz --model mlp --epochs 300 --kernels numpy --overwrite --out out"
    assert "This will take" not in pellucid.ok(line).out
    monkeypatch.setattr("pellucid.training.callbacks.time_limit.MEASURED", 0.0)
    assert "This will take" not in pellucid.ok(line).out, "it is short"
    monkeypatch.setattr("pellucid.training.callbacks.time_limit.WORTH_SAYING", 0.0)
    said = re.findall(
        r"This will take about .* \(\d+ epochs, measured on the first steps\)", pellucid.ok(line).out
    )
    assert len(said) == 1


def test_where_no_bar_is_shown_costs_are_printed_in_time(
    pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "run photos.npz --model mlp --epochs 12 --overwrite --out out"
    assert pellucid.ok(line).out.count("Cost after") == 2
    monkeypatch.setattr("pellucid.training.callbacks.progress.SILENCE", 0.0)
    assert pellucid.ok(line).out.count("Cost after") == 12
    monkeypatch.setattr("pellucid.training.callbacks.progress.are_bars_shown", lambda: True)
    assert pellucid.ok(line).out.count("Cost after") == 2


def test_runs_are_listed_and_two_stand_side_by_side(pellucid: Command, photos: Path) -> None:
    assert pellucid.ok("runs").out == "No runs in runs. `pellucid run` and `pellucid train` make them.\n"
    for model, epochs in (("logistic", 3), ("mlp", 5)):
        pellucid.ok(f"train photos.npz --model {model} --epochs {epochs} --quiet")
    a, b = "runs/photos-logistic-1", "runs/photos-mlp-1"
    listed = pellucid.json("runs")["runs"]
    found = [(one["run"], one["model"], one["epochs"]) for one in listed]
    assert found == [(b, "mlp", 5), (a, "logistic", 3)]
    assert listed[0]["score"] == pellucid.json(f"evaluate {b}")["accuracy"]
    rows = [line.split() for line in pellucid.ok("runs").out.splitlines()]
    assert ["run", "date", "data", "model", "epochs", "test", "score", "time"] in rows
    pair = pellucid.json("runs", a, b)["rows"]
    assert {"name": "model", "a": "logistic", "b": "mlp"} in pair
    assert {"name": "epochs", "a": 3, "b": 5} in pair
    assert not any(row["name"] == "data" for row in pair), "what is the same is left out"
    assert f"pellucid compare {a} {b} --data photos.npz" in pellucid.ok("runs", a, b).out
    pellucid.ok("train moons --model logistic --epochs 2 --out runs/moons --quiet")
    assert "Their test parts differ" in pellucid.ok("runs", a, "runs/moons").out
    assert_refused(pellucid("runs", a, "runs"), "not a run folder")
    assert_refused(pellucid("runs", a, b, a), "two runs")


def test_tables_in_a_pipe_are_no_wider_than_a_page(pellucid: Command) -> None:
    save_folder(Path("pets"), {"cat": 20, "dog": 20})
    for name in ("a very long name of a file that holds no photo at all, and never will.jpg", "b.jpg"):
        Path("pets/cat", name).write_text("no photo")
    done = pellucid.ok("data check pets")
    table = done.out.split("\n\n")[1].splitlines()
    assert max(map(len, table)) <= 120
    assert done.out.count("cannot be read:") == 2, "each file has its reason"


def test_a_table_is_taken_by_its_own_names_and_counts(pellucid: Command) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{rng.random():.3f},{i % 7},{'yes' if i % 3 else 'no'}" for i in range(80)]
    rows += [row.replace("yes", "no") for row in rows[:4]]  # the same rows, other answers
    Path("t.csv").write_text("\n".join(['"a,b",c,y', *rows]))
    plain = ("--target", "y", "--model", "mlp-small", "--epochs", 3)
    found = pellucid.json("run t.csv", *plain, "--out", "whole")
    kinds = {one["kind"] for one in pellucid.json("data check t.csv --target y")["findings"]}
    assert kinds == {one["kind"] for one in found["findings"]} != set()
    pellucid.ok("train t.csv", *plain, "--drop", '"a,b"', "--out", "part")
    assert [column.name for column in load("part")._schema.columns] == ["c"]
    assert_refused(pellucid("train t.csv", *plain, "--drop", "a,b"), "'a,b'", "double quotes")
    source = DataSource("t.csv", target="y", drop=("a,b",), kinds={"a,b": "category"})
    parts = shlex.split(" ".join(data_parts(source)))
    assert parts[3:] == ["--drop", '"a,b"', "--kinds", '"a,b"=category']
    done = pellucid("data check t.csv --target y --kinds", '"a,b"=category,c=category')
    assert "'a,b'" in done.err + done.out
    again = pellucid("train t.csv", *plain, "--drop", "c", "--resume", "--out", "part")
    assert_refused(again, 'columns.0 = "c", this training columns.0 = "a,b"')
    Path("new.csv").write_text('"a,b",c\n0.5,1\n0.2,3\n')
    assert [row["row"] for row in pellucid.json("predict whole new.csv")["predictions"]] == [1, 2]
    assert pellucid.ok("predict whole new.csv").out.startswith("row 1: ")
    Path("far.csv").write_text('"a,b",c\n0.5,1\n1e300,3\n')
    assert_refused(pellucid("predict whole far.csv --out far-found.csv"), "too large")
    assert not Path("far-found.csv").exists()
    pellucid.ok("predict whole new.csv --out found.csv")
    assert Path("found.csv").read_text().splitlines()[1].startswith("1,")
    assert "2 were there" in pellucid.ok("predict whole new.csv --out found.csv --resume").out
    Path("flat.csv").write_text("a,y\n" + "".join(f"{rng.random():.3f},3.5\n" for _ in range(30)))
    assert_refused(pellucid("train flat.csv --target y"), "'y' is 3.5 in every row")
