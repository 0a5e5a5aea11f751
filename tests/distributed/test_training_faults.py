"""What a training on a cluster does when workers are killed, frozen or late, and when the scheduler is lost."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.distributed.test_training import HERE, dense, differences, table

import pellucid as pl

pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")

from pellucid.data.source import DataSource
from pellucid.distributed import cutting, waiting, worker_pool
from pellucid.distributed.cluster import open_cluster
from pellucid.distributed.training import train
from pellucid.errors import TrainingError
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.events import StepEnd

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals"),
]
OPTIONS: dict[str, Any] = {**HERE, "n_epochs": 12, "batch_size": 20, "optimizer": "adam"}


def after(step: int, do: Callable[[], Any]) -> Callable[[Any], None]:
    def callback(event: Any) -> None:
        if isinstance(event, StepEnd) and event.step == step:
            do()

    return callback


@pytest.fixture(scope="module")
def expected() -> Any:
    model = dense()
    pl.train(model, table(), n_threads=1, **OPTIONS)
    return model


def pids(client: Any) -> list[int]:
    return list(client.run(os.getpid).values())


def test_a_killed_worker_changes_nothing(expected: Any) -> None:
    model = dense()
    with open_cluster(n_workers=2) as client:
        victim = pids(client)[0]
        kill = after(30, lambda: os.kill(victim, signal.SIGKILL))
        history = train(model, table(), client=client, callbacks=[kill], **OPTIONS)
    assert differences(expected, model) < 1e-10
    assert history.n_steps == 72
    assert "1 lost" in history.note


def test_a_frozen_worker_is_left_out(expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(worker_pool, "PING_EVERY", 0.5)
    model = dense()
    with open_cluster(n_workers=2) as client:
        victim = pids(client)[1]
        freeze = after(30, lambda: os.kill(victim, signal.SIGSTOP))
        thaw = after(50, lambda: os.kill(victim, signal.SIGCONT))
        try:
            history = train(model, table(), client=client, callbacks=[freeze, thaw], **OPTIONS)
        finally:
            os.kill(victim, signal.SIGCONT)
    assert differences(expected, model) < 1e-10
    assert "1 lost" in history.note


def test_a_worker_that_is_frozen_before_is_left_out(expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FROZEN_SECONDS", 2.0)
    model = dense()
    with open_cluster(n_workers=2) as client:
        victim = pids(client)[0]
        os.kill(victim, signal.SIGSTOP)
        try:
            history = train(model, table(), client=client, **OPTIONS)
        finally:
            os.kill(victim, signal.SIGCONT)
    assert differences(expected, model) < 1e-10
    assert "1 worker" in history.note


def test_a_worker_that_comes_late_takes_part(expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "LOOK_EVERY", 0.0)
    model = dense()
    with open_cluster(n_workers=1) as client:

        def grow() -> None:
            client.cluster.scale(2)
            client.wait_for_workers(2, timeout=30)

        history = train(model, table(), client=client, callbacks=[after(20, grow)], **OPTIONS)
    assert differences(expected, model) < 1e-10
    assert "2 workers" in history.note


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_a_lost_scheduler_leaves_a_checkpoint_to_go_on_from(expected: Any, tmp_path: Path) -> None:
    from distributed import Client

    file = tmp_path / "scheduler.json"
    where = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    scheduler = start("scheduler", "--port", "0", *where)
    workers = [start("worker", "--no-nanny", "--nthreads", "1", *where) for _ in range(2)]
    kept = Checkpoint(tmp_path / "checkpoints", every_steps=1000)
    model = dense()
    try:
        until = time.monotonic() + 30
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
            kill_one = after(10, workers[0].kill)
            kill = after(30, lambda: (scheduler.kill(), workers[1].wait(30)))
            with pytest.raises(TrainingError, match=r"scheduler of the cluster is lost.*--resume"):
                train(model, table(), client=client, callbacks=[kill_one, kill, kept], **OPTIONS)
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()
    again = dense()
    pl.train(again, table(), callbacks=[kept], resume=tmp_path / "checkpoints", **OPTIONS)
    assert differences(expected, again) < 1e-10


def test_workers_that_do_not_reach_one_another() -> None:
    def cut_off() -> None:  # of no module: it is sent itself
        from pellucid.distributed import node

        def connect(*arguments: Any, **facts: Any) -> Any:
            raise node.Gone("no way there")

        node.connect, node.MEET_SECONDS = connect, 0.5

    with open_cluster(n_workers=2) as client:
        client.run(cut_off)
        with pytest.raises(TrainingError, match=r"some do not reach one another.* at step 0"):
            train(dense(), table(), client=client, **OPTIONS)


def test_a_file_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where samples stay in their file since they are too large, by whoever reads or asks for them."""
    X, y = table()
    np.savez(tmp_path / "table.npz", X=X, y=y)
    monkeypatch.setattr(cutting, "MOST_OF_MEMORY", 1e-12)
    data = DataSource(str(tmp_path / "table.npz")).load_in_place().train
    gone = after(5, (tmp_path / "table.npz").unlink)
    with (
        open_cluster(n_workers=2) as client,
        pytest.raises(TrainingError, match=r"worker tcp:.*table\.npz, X: .*cannot read"),
    ):
        train(dense(), data, client=client, callbacks=[gone], **OPTIONS)


def test_no_worker_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "WORKERS_SECONDS", 1.0)
    model = dense()
    with open_cluster(n_workers=1) as client:
        [worker] = pids(client)

        def shrink() -> None:
            client.cluster.scale(0)
            while client.nthreads():
                time.sleep(0.05)
            with contextlib.suppress(ProcessLookupError):  # it takes its time to end
                os.kill(worker, signal.SIGKILL)

        with pytest.raises(TrainingError, match=r"no worker is left, at step 3[1-3]\."):
            train(model, table(), client=client, callbacks=[after(30, shrink)], **OPTIONS)
    assert np.isfinite(model.theta).all()
