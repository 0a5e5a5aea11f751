"""Scores whose outputs a cluster computes: those of one process, to the last bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command
from tests.every import every

import pellucid as pl

pytest.importorskip("distributed", reason="needs the extra dask")

from pellucid import distributed
from pellucid.data.dataset import Dataset
from pellucid.distributed import evaluation


def exact(loss: str, n_out: int) -> Any:
    """Return a model whose sums are exact, so that batches of any size give the same bits."""
    model = pl.Sequential([pl.Flatten(), pl.Dense(n_out)])
    model.initialize((3, 2))
    model.set_loss(loss)
    W = model.layers[1].params["W"]
    W[...] = np.random.default_rng(0).integers(-8, 9, W.shape) / 16
    return model


KINDS: dict[str, Any] = {
    "two classes": ("binary_cross_entropy", 1, lambda rng: rng.integers(0, 2, 90)),
    "three classes": ("categorical_cross_entropy", 3, lambda rng: rng.integers(0, 3, 90)),
    "labels": ("multi_label", 2, lambda rng: rng.integers(0, 2, (90, 2))),
    "a quantity": ("mean_squared_error", 1, lambda rng: rng.normal(size=90)),
}


@pytest.mark.slow
@every("kind", KINDS)
def test_scores_are_those_of_one_process(
    kind: str, client: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "PIECE", 7)
    loss, n_out, labels = KINDS[kind]
    model = exact(loss, n_out)
    data = Dataset(rng.integers(0, 16, (90, 3, 2)).astype(np.float32), labels(rng))
    seen: list[int] = []
    here = pl.evaluate(model, data, n_resamples=200)
    options = {"n_resamples": 200, "progress": lambda stage, done, of: seen.append(done)}
    there = distributed.evaluate(model, data, client=client, **options)
    assert there.to_dict() == here.to_dict()
    assert set(range(7, 90, 7)) <= set(seen)


@pytest.mark.slow
def test_the_command_on_data_in_their_file(pellucid: Command, trained: Path, photos: Path) -> None:
    found = []
    for flags in ([], ["--workers", 1], ["--workers", 2, "--on-disk"]):
        done = pellucid("evaluate", trained, photos, "--json", *flags)
        assert done.code == 0, done.err
        found.append(json.loads(done.out))
    assert found[1] == found[0]
    np.testing.assert_allclose(found[2]["log_loss"], found[0]["log_loss"], rtol=1e-12)
    assert found[2]["accuracy"] == found[0]["accuracy"]


def test_a_file_that_a_worker_does_not_see_is_named(client: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("d.npz", X=np.ones((20, 3, 2)), y=np.arange(20) % 2)
    data = pl.load_data("/proc/self/cwd/d.npz", on_disk=True)
    with pytest.raises(pl.PellucidError, match=r"worker tcp://.*d\.npz"):
        distributed.evaluate(exact("binary_cross_entropy", 1), data.test, client=client)
