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
from tests.commands import Command, assert_refused, full_disk
from tests.every import every

import pellucid as pl
import pellucid.prediction.read_samples as module
from pellucid.data.readers.listing import listed_images

Feed = Callable[[bytes], None]
PHOTOS = ["-1.png", "=2.png", "a 3.png", "b,4.png", 'c"5.png', "ä6.png", "'7.png"]  # from dark to bright


@pytest.fixture(autouse=True)
def model(pellucid: Command) -> pl.Sequential:
    """A model that tells dark photos from bright ones, m.safetensors, next to photos of awkward names."""
    network = pl.Sequential([pl.Flatten(), pl.Dense(1, initializer="zeros")])
    network.initialize((4, 4, 3))
    network.layers[1].params["W"][...] = 1 / 48
    network.layers[1].params["b"][...] = -0.5
    network.preprocessing = pl.data.preprocess.Preprocessing("divide", 255.0)
    network.classes = ("dark", "=bright")
    pl.save(network, "m.safetensors")
    for i, name in enumerate(PHOTOS):
        Image.fromarray(np.full((5, 6, 3), 40 * i, np.uint8)).save(name)
    return network


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Feed:
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def rows(path: str) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def images(lines: str) -> list[str]:
    """Return the names of images in lines of JSON."""
    return [json.loads(line)["image"] for line in lines.splitlines()]


def test_names_come_on_standard_input(pellucid: Command, stdin: Feed) -> None:
    stdin("\n".join(PHOTOS).encode())
    assert images(pellucid("predict m.safetensors - --jsonl").out) == PHOTOS
    stdin("\0".join(PHOTOS[:2]).encode() + b"\0")
    done = pellucid("predict m.safetensors - -0 --jsonl", PHOTOS[4])
    assert images(done.out) == [*PHOTOS[:2], PHOTOS[4]]
    stdin("\r\n".join([*PHOTOS] * 300).encode())  # a batch and more
    assert len(pellucid("predict m.safetensors - --quiet").out.splitlines()) == 300 * len(PHOTOS)
    stdin(b"")
    assert_refused(pellucid("predict m.safetensors -"), "standard input")
    names = [f"photos/{i}.jpg" for i in range(20_000)]  # longer than what is read at once
    for end in ("", "\n"):
        assert list(listed_images(io.BytesIO("\n".join(names).encode() + end.encode()))) == names


def test_an_image_on_standard_input(pellucid: Command, stdin: Feed) -> None:
    for kind in ("png", "jpg", "webp", "gif", "tiff"):
        Image.fromarray(np.full((5, 6, 3), 250, np.uint8)).save(f"p.{kind}")
        stdin(Path(f"p.{kind}").read_bytes())
        assert pellucid("predict m.safetensors -").out.startswith("-: =bright (")


def test_a_csv_file_keeps_order_numbers_and_no_formula(pellucid: Command) -> None:
    line = "predict m.safetensors --out new/r.csv"
    assert pellucid.ok(line, f"./{PHOTOS[0]}", *PHOTOS[1:]).out == "new/r.csv: 7 predictions written\n"
    found = rows("new/r.csv")
    assert [row["image"] for row in found] == [f"'{name}" if name[0] in "=+-@'" else name for name in PHOTOS]
    assert list(found[0]) == ["image", "label", "probability", "p(dark)", "p(=bright)", "model"]
    assert [row["label"] for row in found] == ["dark"] * 4 + ["'=bright"] * 3
    np.testing.assert_allclose([float(row["p(dark)"]) + float(row["p(=bright)"]) for row in found], 1)
    assert not [cell for row in found for cell in row.values() if cell[:1] in "=+-@\t\r"]
    pellucid.ok(line, PHOTOS[1], "--overwrite")
    assert len(rows("new/r.csv")) == 1


@every("kind", ["csv", "jsonl"])
def test_a_broken_off_file_is_gone_on_with_and_anothers_is_not(
    kind: str, pellucid: Command, model: pl.Sequential
) -> None:
    out, names = Path(f"r.{kind}"), [*PHOTOS[1:], PHOTOS[2]]  # one of them twice
    line = ("predict m.safetensors --resume --out", out, *names)
    pellucid.ok(*line)
    whole = out.read_bytes()
    for length in range(0, len(whole), 97):  # whatever was written last
        out.write_bytes(whole[:length])
        pellucid.ok(*line)
        assert out.read_bytes() == whole
    assert pellucid.ok(*line).out == f"{out}: 0 predictions written, 7 were there\n"
    lines = whole.splitlines(keepends=True)
    damaged = b"".join([*lines[:-1], {"csv": b"a,b\n", "jsonl": b"{\n"}[kind], lines[-1]])
    for content, words in ((damaged, "cannot be resumed"), (b"my,own,notes\n1,2,3\n", "")):
        out.write_bytes(content)
        assert_refused(pellucid(*line), words)
        assert out.read_bytes() == content
    out.write_bytes(whole)
    model.layers[1].params["b"] += 1
    pl.save(model, "m.safetensors")
    assert_refused(pellucid(*line), "predictions of another model")
    assert out.read_bytes() == whole
    model.layers[1].params["b"] -= 1
    pl.save(model, "m.safetensors")


def test_bad_images_may_be_skipped(pellucid: Command) -> None:
    Path("bad.png").write_text("of no kind")
    line = ("predict m.safetensors bad.png none.png", *PHOTOS[1:3])
    done = pellucid(*line, "--out", "r.csv")
    assert (done.code, done.out) == (1, "r.csv: 2 predictions written, 2 cannot be read\n")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["bad.png", "none.png"]
    pellucid.ok(*line, "--skip-bad", "--quiet")
    assert_refused(pellucid("predict m.safetensors bad.png --skip-bad"))  # nothing at all was predicted
    Image.fromarray(np.full((5, 6, 3), 250, np.uint8)).save("bad.png")
    done = pellucid.ok(*line, "--out", "r.csv", "--resume", "--skip-bad")
    assert done.out == "r.csv: 1 prediction written, 2 were there, 1 cannot be read\n"


def test_rows_are_gone_on_with(pellucid: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 4)
    lines = [f"{i},{'xy'[i % 2]},{'pq'[i % 2]}" for i in range(20)]
    Path("t.csv").write_text("\n".join(["a,b,c", *lines]))
    data, model = pl.load_data("t.csv", target="c"), pl.preset("logistic")
    pl.train(model, data.train, n_epochs=2)
    model._schema = data.schema
    pl.save(model, "m.safetensors")
    pellucid.ok("predict m.safetensors t.csv --out r.csv")
    whole = rows("r.csv")
    assert [row["row"] for row in whole] == [str(i) for i in range(1, 21)]
    Path("r.csv").write_bytes(Path("r.csv").read_bytes()[:300])
    pellucid.ok("predict m.safetensors t.csv --out r.csv --resume")
    assert [(row["row"], row["label"]) for row in rows("r.csv")] == [(r["row"], r["label"]) for r in whole]


def test_ctrl_c_keeps_what_was_written(pellucid: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 2)
    plain, n = module.predict_samples, []

    def stopped(*arguments: Any) -> Any:
        n.append(1)
        if len(n) == 3:
            raise KeyboardInterrupt
        return plain(*arguments)

    line = ("predict m.safetensors --out r.jsonl", *PHOTOS[1:])
    with monkeypatch.context() as patch:
        patch.setattr(module, "predict_samples", stopped)
        done = pellucid(*line)
    assert done.code == 130
    assert "r.jsonl has 4 predictions; --resume goes on." in done.err
    assert images(Path("r.jsonl").read_text()) == PHOTOS[1:5]
    pellucid.ok(*line, "--resume")
    assert images(Path("r.jsonl").read_text()) == PHOTOS[1:]


@every("kind", ["csv", "jsonl"])
def test_a_full_disk_keeps_what_was_written(
    kind: str, pellucid: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 3)
    line = ("predict m.safetensors", *PHOTOS[1:] * 10, "--out")
    pellucid.ok(*line, f"whole.{kind}")
    with full_disk(3000):
        done = pellucid(*line, f"r.{kind}")
    assert_refused(done, "cannot be written")
    n_kept = int(done.err.partition("It has ")[2].partition(" predictions, and --resume goes on")[0])
    assert n_kept in range(3, 60, 3)
    pellucid.ok(*line, f"r.{kind}", "--resume")
    assert Path(f"r.{kind}").read_bytes() == Path(f"whole.{kind}").read_bytes()


def test_a_table_is_read_with_its_words_for_no_value(pellucid: Command) -> None:
    lines = [f"{i},{'NA' if i % 3 else 'tabby'},{'None' if i % 2 else 'some'}" for i in range(20)]
    Path("pets.csv").write_text("\n".join(["x,coat,pet", *lines]))
    pellucid.ok("train pets.csv --target pet --epochs 2 --out run --missing", "")
    pellucid.ok("predict run pets.csv --out p.csv")
    assert {row["label"] for row in rows("p.csv")} <= {"None", "some"}
    for data in ("", "pets.csv"):  # its own table: the part held out
        assert "/4, 95 % interval" in pellucid.ok(f"evaluate run {data}").out
