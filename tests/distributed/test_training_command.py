"""`pellucid train --workers`."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command

import pellucid as pl
from pellucid.data.source import DataSource
from pellucid.data.stored.base import StoredArray
from pellucid.runs.build import plan
from pellucid.workflows.train import train_into

pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")

ASKED = ("train", "drawn-cats", "--model", "mlp", "--form", "direct", "--dtype", "float64")


@pytest.mark.slow
def test_a_run_is_that_of_one_process_and_goes_on_anywhere(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 2, "--out", "shared")
    assert done.code == 0, done.err
    note = json.loads((tmp_path / "shared" / "metrics.json").read_text())["note"]
    assert note == "direct form, on 2 workers of a Dask cluster, 8 shards"
    assert pellucid(*ASKED, "--epochs", 5, "--out", "shared", "--resume").code == 0
    assert pellucid(*ASKED, "--epochs", 5, "--threads", 1, "--out", "alone").code == 0
    shared, alone = (pl.load(tmp_path / name).theta for name in ("shared", "alone"))
    assert abs(shared - alone).max() < 1e-10


@pytest.mark.slow
def test_arrays_stay_in_their_file(photos: Path, tmp_path: Path) -> None:
    """What the run says of its data is what was asked for: a report may read them whole."""
    options: dict[str, Any] = {"n_epochs": 3, "batch_size": 8, "form": "direct", "dtype": "float64"}
    asked = plan("mlp", DataSource(str(photos)), **options)
    shared = train_into(asked, tmp_path / "shared", n_workers=1)
    assert isinstance(shared.run.split.train.X, StoredArray)
    assert "on_disk" not in (tmp_path / "shared" / "config.toml").read_text()
    alone = train_into(asked, tmp_path / "alone")
    assert abs(shared.run.model.theta - alone.run.model.theta).max() < 1e-10
    assert shared.run.scores.keys() == alone.run.scores.keys()


@pytest.mark.slow
def test_what_is_wrong_is_one_line_and_leaves_nothing(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 1, "--cluster", "tcp://127.0.0.1:1", "--out", "run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "one of both" in done.err
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 100_000, "--out", "run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "got 100000" in done.err
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 1, "--threads", 2, "--out", "run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "n_threads" in done.err
    assert not (tmp_path / "run").exists()
