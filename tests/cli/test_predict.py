"""`pellucid predict` on many images: lists on standard input, files of predictions, and going on after a break."""

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command
from tests.every import every

import pellucid as pl
import pellucid.prediction.read_samples as module
from pellucid.data.readers.named import listed_images

Feed = Callable[[bytes], None]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model's file that tells dark photos from bright ones."""
    network = pl.Sequential([pl.Flatten(), pl.Dense(1, initializer="zeros")])
    network.initialize((4, 4, 3))
    network.layers[1].params["W"][...] = 1 / 48
    network.layers[1].params["b"][...] = -0.5
    network.preprocessing = pl.data.preprocess.Preprocessing("divide", 255.0)
    network.classes = ("dark", "=bright")
    pl.save(network, tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Return names of photos, from dark to bright, some of them awkward; the tests run where they are."""
    names = ["-1.png", "=2.png", "a 3.png", "b,4.png", 'c"5.png', "ä6.png", "'7.png"]
    for i, name in enumerate(names):
        Image.fromarray(np.full((5, 6, 3), 40 * i, np.uint8)).save(tmp_path / name)
    return names


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Feed:
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_names_come_on_standard_input(pellucid: Command, model: Path, photos: list[str], stdin: Feed) -> None:
    stdin("\n".join(photos).encode())
    lines = pellucid("predict", model, "-", "--jsonl").out.splitlines()
    assert [json.loads(line)["image"] for line in lines] == photos
    stdin("\0".join(photos[:2]).encode() + b"\0")
    done = pellucid("predict", model, "-", "-0", photos[4], "--jsonl")
    assert [json.loads(line)["image"] for line in done.out.splitlines()] == [*photos[:2], photos[4]]
    stdin("\r\n".join([*photos] * 300).encode())  # a batch and more
    assert len(pellucid("predict", model, "-", "--quiet").out.splitlines()) == 300 * len(photos)
    stdin(b"")
    done = pellucid("predict", model, "-")
    assert (done.code, done.out) == (2, "")
    assert "standard input" in done.err


def test_an_image_on_standard_input(pellucid: Command, model: Path, photos: list[str], stdin: Feed) -> None:
    for name in ("p.png", "p.jpg", "p.webp", "p.gif", "p.tiff"):
        Image.fromarray(np.full((5, 6, 3), 250, np.uint8)).save(name)
        stdin(Path(name).read_bytes())
        assert pellucid("predict", model, "-").out.startswith("-: =bright (")


def test_a_csv_file_keeps_order_numbers_and_no_formula(
    pellucid: Command, model: Path, photos: list[str], tmp_path: Path
) -> None:
    done = pellucid("predict", model, f"./{photos[0]}", *photos[1:], "--out", "new/r.csv")
    assert (done.code, done.out) == (0, "new/r.csv: 7 predictions written\n")
    found = rows(tmp_path / "new" / "r.csv")
    assert [row["image"] for row in found] == [f"'{name}" if name[0] in "=+-@'" else name for name in photos]
    assert list(found[0]) == ["image", "label", "probability", "p(dark)", "p(=bright)", "model"]
    assert [row["label"] for row in found] == ["dark"] * 4 + ["'=bright"] * 3
    sums = [float(row["p(dark)"]) + float(row["p(=bright)"]) for row in found]
    np.testing.assert_allclose(sums, 1)
    assert not [cell for row in found for cell in row.values() if cell[:1] in "=+-@\t\r"]
    assert pellucid("predict", model, photos[1], "--out", "new/r.csv", "--overwrite").code == 0
    assert len(rows(tmp_path / "new" / "r.csv")) == 1


@every("kind", ["csv", "jsonl"])
def test_a_broken_off_file_is_gone_on_with(
    kind: str, pellucid: Command, model: Path, photos: list[str], tmp_path: Path
) -> None:
    out = tmp_path / f"r.{kind}"
    names = [*photos[1:], photos[2]]  # one of them twice
    assert pellucid("predict", model, *names, "--out", out, "--resume").code == 0
    whole = out.read_bytes()
    for length in range(0, len(whole), 41):  # whatever was written last
        out.write_bytes(whole[:length])
        done = pellucid("predict", model, *names, "--out", out, "--resume")
        assert (done.code, out.read_bytes()) == (0, whole), done.err
    done = pellucid("predict", model, *names, "--out", out, "--resume")
    assert done.out == f"{out}: 0 predictions written, 7 were there\n"
    assert out.read_bytes() == whole


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_files_of_others_are_not_gone_on_with(
    kind: str, pellucid: Command, model: Path, photos: list[str], tmp_path: Path
) -> None:
    out = tmp_path / f"r.{kind}"
    assert pellucid("predict", model, photos[1], "--out", out).code == 0
    network = pl.load(model)
    network.layers[1].params["b"][...] = 0
    pl.save(network, model)
    before = out.read_bytes()
    done = pellucid("predict", model, *photos[1:], "--out", out, "--resume")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "predictions of another model" in done.err
    assert out.read_bytes() == before
    out.write_text("my,own,notes\n1,2,3\n")
    done = pellucid("predict", model, *photos[1:], "--out", out, "--resume")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert out.read_text() == "my,own,notes\n1,2,3\n"


def test_a_damaged_line_is_refused(pellucid: Command, model: Path, photos: list[str], tmp_path: Path) -> None:
    for name, damage in (("r.jsonl", b"{\n"), ("r.csv", b"a,b\n")):
        out = tmp_path / name
        assert pellucid("predict", model, *photos[1:4], "--out", out).code == 0
        lines = out.read_bytes().splitlines(keepends=True)
        out.write_bytes(b"".join([*lines[:-1], damage, lines[-1]]))
        done = pellucid("predict", model, *photos[1:], "--out", out, "--resume")
        assert done.code == 2
        assert "cannot be resumed" in done.err


def test_bad_images_may_be_skipped(pellucid: Command, model: Path, photos: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("of no kind")
    named = ("bad.png", *photos[1:3], "none.png")
    done = pellucid("predict", model, *named, "--out", "r.csv")
    assert (done.code, done.out) == (1, "r.csv: 2 predictions written, 2 cannot be read\n")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["bad.png", "none.png"]
    assert pellucid("predict", model, *named, "--skip-bad", "--quiet").code == 0
    assert pellucid("predict", model, "bad.png", "--skip-bad").code == 2  # nothing at all was predicted
    Image.fromarray(np.full((5, 6, 3), 250, np.uint8)).save(tmp_path / "bad.png")
    done = pellucid("predict", model, *named, "--out", "r.csv", "--resume", "--skip-bad")
    assert (done.code, done.out) == (0, "r.csv: 1 prediction written, 2 were there, 1 cannot be read\n")


def test_rows_are_gone_on_with(pellucid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 4)
    lines = [f"{i},{'xy'[i % 2]},{'pq'[i % 2]}" for i in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c", *lines]))
    data, model = pl.load_data(tmp_path / "t.csv", target="c"), pl.preset("logistic")
    pl.train(model, data.train, n_epochs=2)
    model._schema = data.schema
    pl.save(model, tmp_path / "out.safetensors")
    assert pellucid("predict", "out.safetensors", "t.csv", "--out", "r.csv").code == 0
    whole = rows(tmp_path / "r.csv")
    assert [row["row"] for row in whole] == [str(i) for i in range(20)]
    (tmp_path / "r.csv").write_bytes((tmp_path / "r.csv").read_bytes()[:300])
    assert pellucid("predict", "out.safetensors", "t.csv", "--out", "r.csv", "--resume").code == 0
    again = rows(tmp_path / "r.csv")
    assert [(row["row"], row["label"]) for row in again] == [(row["row"], row["label"]) for row in whole]


def test_ctrl_c_keeps_what_was_written(
    pellucid: Command, model: Path, photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 2)
    plain, n = module.predict_samples, []

    def stopped(*arguments: Any) -> Any:
        n.append(1)
        if len(n) == 3:
            raise KeyboardInterrupt
        return plain(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, "predict_samples", stopped)
        done = pellucid("predict", model, *photos[1:], "--out", "r.jsonl")
    assert done.code == 130
    assert "r.jsonl has 4 predictions; --resume goes on." in done.err
    found = [json.loads(line)["image"] for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert found == photos[1:5]
    assert pellucid("predict", model, *photos[1:], "--out", "r.jsonl", "--resume").code == 0
    found = [json.loads(line)["image"] for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert found == photos[1:]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_full_disk_keeps_what_was_written(
    kind: str,
    pellucid: Command,
    model: Path,
    photos: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource = pytest.importorskip("resource", reason="limits of files are POSIX's")
    monkeypatch.setattr(module, "PIECE", 3)
    names, out = photos[1:] * 10, tmp_path / f"r.{kind}"
    assert pellucid("predict", model, *names, "--out", "whole." + kind).code == 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # or half a .pyc stays
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
        done = pellucid("predict", model, *names, "--out", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "cannot be written" in done.err
    n_kept = int(done.err.partition("It has ")[2].partition(" predictions, and --resume goes on")[0])
    assert n_kept in range(3, 60, 3)
    assert pellucid("predict", model, *names, "--out", out, "--resume").code == 0
    assert out.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()


def test_many_images_take_no_more_memory_than_a_batch(model: Path, photos: list[str]) -> None:
    network, n, held = pl.load(model), 0, 0

    def names() -> Any:
        nonlocal n
        while n < 2000:
            n += 1
            yield photos[1]

    for batch in module.image_batches(network, names()):
        held = max(held, n)
        assert len(batch.predictions) <= module.PIECE
        assert n == 2000 or n % module.PIECE == 0  # no name is taken before its batch is
    assert held == 2000


def test_a_list_longer_than_what_is_read_at_once() -> None:
    names = [f"photos/{i}.jpg" for i in range(20_000)]
    for end in ("", "\n"):
        assert list(listed_images(io.BytesIO("\n".join(names).encode() + end.encode()))) == names
    assert list(listed_images(io.BytesIO(b"a"))) == ["a"]


def test_a_table_is_read_with_its_words_for_no_value(pellucid: Command, tmp_path: Path) -> None:
    table, run = tmp_path / "pets.csv", tmp_path / "run"
    lines = [f"{i},{'NA' if i % 3 else 'tabby'},{'None' if i % 2 else 'some'}" for i in range(20)]
    table.write_text("\n".join(["x,coat,pet", *lines]))
    trained = pellucid("train", table, "--target", "pet", "--missing", "", "--epochs", "2", "--out", run)
    assert trained.code == 0, trained.err
    assert pellucid("evaluate", run).code == 0
    assert pellucid("predict", run, table, "--out", "p.csv").code == 0
    assert {row["label"] for row in rows(tmp_path / "p.csv")} <= {"None", "some"}
    assert "/4, 95 % interval" in pellucid("evaluate", run, table).out  # its own table: the part held out
