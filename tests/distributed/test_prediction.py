"""Predictions on a Dask cluster: the file that one process writes, whatever becomes of workers and scheduler."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.clusters import scheduler_of_its_own
from tests.commands import Command, full_disk

import pellucid as pl

pytest.importorskip("distributed", reason="needs the extra dask")

from pellucid.distributed import ClusterError, cluster, open_cluster, prediction
from pellucid.distributed.map_unordered import _KEPT, kept, kept_by_workers, map_unordered

N = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model and photos, four of which cannot be read; not to be written to."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    model = pl.Sequential([pl.Flatten(), pl.Dense(3)])
    model.initialize((4, 4, 3))
    model.set_loss("categorical_cross_entropy")
    W = model.layers[1].params["W"]
    W[...] = rng.integers(-3, 4, W.shape) / 16  # sums are exact, in batches of any size
    model.preprocessing = pl.data.preprocess.Preprocessing("divide", 256.0)
    model.classes = ("a", "b", "c")
    pl.save(model, folder / "m.safetensors")
    (folder / "pets" / "below").mkdir(parents=True)
    for i in range(N):
        image = Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8))
        image.save(folder / "pets" / ("below" if i % 4 == 0 else ".") / f"{i:03}.png")
    for i in (3, 4, 50, 119):
        (folder / "pets" / f"{i:03}-bad.png").write_text("of no kind")
    return folder


@pytest.fixture(scope="module")
def alone(folder: Path) -> bytes:
    """Return the CSV file that one process writes for the photos, named from their folder."""
    command = [sys.executable, "-m", "pellucid", "predict", "m.safetensors", "pets", "--out", "alone.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 4)
    return (folder / "alone.csv").read_bytes()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Cut the photos into many partitions, and be in their folder."""
    monkeypatch.setattr(prediction, "PARTITION", 3)
    monkeypatch.chdir(folder)


def at(n: int, act: Callable[[], Any]) -> Callable[[int, int], None]:
    """Return a progress callback that does something once n photos are done."""
    acts = [act]

    def progress(done: int, total: int) -> None:
        assert total == N + 4
        if acts and done >= n:
            acts.pop()()

    return progress


@pytest.mark.usefixtures("small")
def test_the_file_is_that_of_one_process(client: Any, alone: bytes, tmp_path: Path) -> None:
    found = prediction.predict("m.safetensors", "pets", client=client, out=tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_bytes() == alone
    assert (found.n_written, found.n_before, len(found.faults)) == (N, 0, 4)
    assert all(words.startswith(f"{name}: not in an image format") for name, words in found.faults.items())
    for length in (0, 100, 2000, 5011):
        (tmp_path / "r.csv").write_bytes(alone[:length])
        again = prediction.predict(
            "m.safetensors", "pets", client=client, out=tmp_path / "r.csv", resume=True
        )
        assert again.n_before + again.n_written == N
        assert (tmp_path / "r.csv").read_bytes() == alone


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_parquet_and_a_model_in_memory(client: Any, alone: bytes, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    model = pl.load("m.safetensors")
    prediction.predict(model, ["pets"], client=client, out=tmp_path / "r.parquet")
    rows = pq.read_table(tmp_path / "r.parquet").to_pylist()
    lines = [line.split(",") for line in alone.decode().splitlines()[1:]]
    found = [[row["image"], row["label"], str(row["probability"])] for row in rows]
    assert found == [line[:3] for line in lines]
    assert prediction.model_mark(model) == rows[0]["model"]


@pytest.mark.usefixtures("small")
def test_what_workers_cannot_do_is_refused(client: Any, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"worker tcp://.* does not see /proc/self/cwd/pets/001.png"):
        prediction.predict("m.safetensors", "/proc/self/cwd/pets", client=client, out=tmp_path / "r.csv")
    bad = sorted(map(str, Path("pets").glob("*-bad.png")))
    with pytest.raises(pl.PellucidError, match="none of 4 images can be read"):
        prediction.predict("m.safetensors", bad, client=client, out=tmp_path / "s.csv")
    with pytest.raises(pl.PellucidError, match="found no image"):
        prediction.predict("m.safetensors", tmp_path, client=client, out=tmp_path / "t.csv")
    assert not _KEPT


@pytest.mark.slow
def test_flags_of_the_command(pellucid: Command, folder: Path, alone: bytes, tmp_path: Path) -> None:
    arguments = ("predict", folder / "m.safetensors", folder / "pets")
    (tmp_path / "r.csv").write_text("mine")
    done = pellucid(*arguments, "--cluster", "tcp://127.0.0.1:9", "--out", "r.csv", "--overwrite")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "no Dask scheduler answers" in done.err
    assert (tmp_path / "r.csv").read_text() == "mine"
    done = pellucid(*arguments, "--workers", 1, "--out", "r.csv", "--overwrite", "--skip-bad")
    assert (done.code, done.out) == (0, f"r.csv: {N} predictions written, 4 cannot be read\n")
    assert len(done.err.splitlines()) == 4
    assert (tmp_path / "r.csv").read_bytes() == alone.replace(b"pets/", f"{folder}/pets/".encode())


def shown(value: Any) -> tuple[int, Any, str]:
    """Return, on a worker, a number, what the worker keeps, and its name."""
    from distributed import get_worker

    time.sleep(0.02)
    number, key = value
    with kept(key) as found:
        return number, found, get_worker().name


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_workers_die_freeze_and_join(alone: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SILENT_SECONDS", 5.0)
    with open_cluster(n_workers=2) as client:

        def run(name: str, act: Callable[[], Any]) -> None:
            prediction.predict(
                "m.safetensors", "pets", client=client, out=tmp_path / name, progress=at(40, act)
            )
            assert (tmp_path / name).read_bytes() == alone

        pids = sorted(client.run(os.getpid).values())
        run("killed.csv", lambda: os.kill(pids[0], signal.SIGKILL))
        client.wait_for_workers(2, timeout=300)
        with kept_by_workers(client, "a value") as key:
            found = []
            jobs = ((i, key) for i in range(150))
            for job, (number, value, worker) in map_unordered(client, shown, jobs, is_ordered=True):
                assert (job[0], value) == (number, "a value")
                found.append(worker)
                if number == 20:
                    client.cluster.scale(3)
                    client.wait_for_workers(3, timeout=300)
        assert len(found) == 150
        assert len(set(found)) == 3
        pids = sorted(client.run(os.getpid).values())
        try:
            run("frozen.csv", lambda: os.kill(pids[0], signal.SIGSTOP))
        finally:
            with suppress(ProcessLookupError):  # Dask ends it
                os.kill(pids[0], signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_lost_scheduler_leaves_a_file_to_resume(client: Any, alone: bytes, tmp_path: Path) -> None:
    with scheduler_of_its_own() as (address, scheduler):
        options: Any = {"out": tmp_path / "r.csv", "progress": at(30, scheduler.kill)}
        with open_cluster(address) as theirs, pytest.raises(ClusterError, match="does not answer any more"):
            prediction.predict("m.safetensors", "pets", client=theirs, **options)
    written = (tmp_path / "r.csv").read_bytes()
    assert alone.startswith(written)
    assert 20 < written.count(b"\n") < N
    found = prediction.predict("m.safetensors", "pets", client=client, out=tmp_path / "r.csv", resume=True)
    assert found.n_before == written.count(b"\n") - 1
    assert (tmp_path / "r.csv").read_bytes() == alone


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_without_workers_it_ends_with_what_was_written(
    client: Any, alone: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pellucid.distributed.map_unordered.SILENT_SECONDS", 2.0)
    with open_cluster(n_workers=1) as theirs:

        def leave() -> None:
            theirs.cluster.scale(0)
            while theirs.scheduler_info()["workers"]:  # they do what they have begun, and no more
                time.sleep(0.02)

        options: Any = {"out": tmp_path / "r.csv", "progress": at(30, leave)}
        with pytest.raises(ClusterError, match="no worker is left"):
            prediction.predict("m.safetensors", "pets", client=theirs, **options)
    written = (tmp_path / "r.csv").read_bytes()
    assert alone.startswith(written)
    assert 20 < written.count(b"\n") < N
    prediction.predict("m.safetensors", "pets", client=client, out=tmp_path / "r.csv", resume=True)
    assert (tmp_path / "r.csv").read_bytes() == alone


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_full_disk_keeps_whole_parts(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    monkeypatch.setattr("pellucid.prediction.parquet.PART_ROWS", 20)
    options: Any = {"client": client, "out": tmp_path / "r.parquet"}
    stack, wanted = ExitStack(), r"part-0000\d\.parquet: .* and --resume goes on"
    fill = partial(stack.enter_context, full_disk(1000))
    with stack, pytest.raises(pl.PellucidError, match=wanted) as found:
        prediction.predict("m.safetensors", "pets", progress=at(50, fill), **options)
    there = sorted(path.name for path in (tmp_path / "r.parquet").iterdir())
    assert there == [f"part-0000{i}.parquet" for i in range(len(there))]
    kept = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert f"It has {len(kept)} predictions" in str(found.value)
    assert 20 <= len(kept) < N
    assert prediction.predict("m.safetensors", "pets", resume=True, **options).n_before == len(kept)
    rows = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert rows[: len(kept)] == kept
    assert len({row["image"] for row in rows}) == len(rows) == N
