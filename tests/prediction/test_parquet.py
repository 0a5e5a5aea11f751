"""Predictions as a folder of Parquet files: columns, parts, and going on after a break."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command
from tests.every import every
from tests.prediction.test_read_samples import MODELS, saved

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

import pellucid.prediction.parquet as module  # noqa: E402


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Return names of seven photos, one of them with a byte that is no UTF-8; the tests run where they are."""
    names = [f"{i}.png" for i in range(6)] + ["ä\udcff.png"]
    for i, name in enumerate(names):
        Image.fromarray(np.full((5, 6, 3), 40 * i, np.uint8)).save(tmp_path / name)
    return names


@every("kind", MODELS)
def test_columns_hold_json_lines(kind: str, pellucid: Command, photos: list[str], tmp_path: Path) -> None:
    model = saved(tmp_path, *MODELS[kind][:3])
    for name in ("r.parquet", "r.jsonl"):
        assert pellucid("predict", model, *photos, "--out", tmp_path / name).code == 0
    found = pq.read_table(tmp_path / "r.parquet").to_pylist()
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [row["image"] for row in found] == [*photos[:-1], "ä\\udcff.png"]
    for row, line in zip(found, lines, strict=True):
        for key in ("label", "probability", "labels", "model"):
            assert row.get(key) == line.get(key), key
        assert {f"p({name})": p for name, p in line.get("classes", {}).items()}.items() <= row.items()
        values = np.atleast_1d(line.get("value", [])).tolist()
        assert [value for name, value in row.items() if name.startswith("value")] == values


def test_a_broken_off_folder_is_gone_on_with(
    pellucid: Command, photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_ROWS", 2)
    monkeypatch.setattr("pellucid.prediction.read_samples.PIECE", 1)
    model, out = saved(tmp_path, *MODELS["one of two"][:3]), tmp_path / "r.parquet"
    assert pellucid("predict", model, *photos, "--out", out).code == 0
    parts = sorted(out.iterdir())
    assert [path.name for path in parts] == [f"part-0000{i}.parquet" for i in range(4)]
    whole = pq.read_table(out).to_pylist()
    parts[3].write_bytes(parts[3].read_bytes()[:-9])  # not whole, as after a power cut
    parts[2].unlink()
    (out / ".0123456789abcdef.part").write_bytes(b"half")  # left behind by a writer that was killed
    done = pellucid("predict", model, *photos, "--out", out, "--resume")
    assert (done.code, done.out) == (0, f"{out}: 3 predictions written, 4 were there\n")
    assert sorted(map(str, pq.read_table(out).to_pylist())) == sorted(map(str, whole))
    assert sorted(path.name for path in out.iterdir()) == [f"part-0000{i}.parquet" for i in (0, 1, 4, 5)]


def test_other_folders_are_left_alone(pellucid: Command, photos: list[str], tmp_path: Path) -> None:
    model, out = saved(tmp_path, *MODELS["one of two"][:3]), tmp_path / "r.parquet"

    def refused(*flags: str) -> str:
        before = {path: path.read_bytes() for path in out.iterdir()} if out.is_dir() else {}
        done = pellucid("predict", model, photos[0], "--out", out, *flags)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert not out.is_dir() or before == {path: path.read_bytes() for path in out.iterdir()}
        return done.err

    out.write_text("mine")
    assert "this is a file" in refused()
    out.unlink()
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert "found mine.txt" in refused("--overwrite")
    (out / "mine.txt").unlink()
    assert pellucid("predict", model, photos[0], "--out", out).code == 0
    assert "has predictions already" in refused()
    saved(tmp_path, *MODELS["one of two"][:1], [1.0], MODELS["one of two"][2])
    assert "predictions of another model" in refused("--resume")
    saved(tmp_path, *MODELS["one of three"][:3])
    assert "its columns are others" in refused("--resume")
    (out / "part-00000.parquet").rename(out / "part-00001.parquet")
    (out / "part-00000.parquet").write_bytes(b"PAR1")
    assert "it is damaged" in refused("--resume")
    assert pellucid("predict", model, *photos[:2], "--out", out, "--overwrite").code == 0
    assert pq.read_table(out)["image"].to_pylist() == photos[:2]
