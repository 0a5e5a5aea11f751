"""`pellucid train --workers`."""

import json
from pathlib import Path

import pytest
from tests.commands import Command

import pellucid as pl

pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")

ASKED = ("train", "drawn-cats", "--model", "mlp", "--form", "direct", "--dtype", "float64")


def test_a_run_is_that_of_one_process_and_goes_on_anywhere(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 2, "--out", "shared")
    assert done.code == 0, done.err
    note = json.loads((tmp_path / "shared" / "metrics.json").read_text())["note"]
    assert note == "direct form, on 2 workers of a Dask cluster, 8 shards"
    assert pellucid(*ASKED, "--epochs", 5, "--out", "shared", "--resume").code == 0
    assert pellucid(*ASKED, "--epochs", 5, "--threads", 1, "--out", "alone").code == 0
    shared, alone = (pl.load(tmp_path / name).theta for name in ("shared", "alone"))
    assert abs(shared - alone).max() < 1e-10


def test_what_is_wrong_is_one_line_and_leaves_nothing(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 1, "--cluster", "tcp://127.0.0.1:1", "--out", "run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "one of both" in done.err
    done = pellucid(*ASKED, "--epochs", 3, "--workers", 1, "--threads", 2, "--out", "run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "n_threads" in done.err
    assert not (tmp_path / "run").exists()
