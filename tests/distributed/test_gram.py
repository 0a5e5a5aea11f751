"""The dual form with its rows on a cluster: the numbers of one process, also after the death of a worker."""

import os
import signal
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid import distributed
from pellucid.data.preprocess import Preprocessing
from pellucid.distributed import gram, waiting
from pellucid.distributed.cluster import open_cluster
from pellucid.distributed.factors import factors_of
from pellucid.distributed.rows import ShardedRows
from pellucid.distributed.shards import Shards
from pellucid.distributed.waiting import ClusterError
from pellucid.training.dual.rows import SlicedRows

da = pytest.importorskip("dask.array", reason="clusters need Dask: pip install 'pellucid[dask]'")

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (61, 40, 40, 3), dtype=np.uint8)  # more values than a slice of columns
y = np.arange(61) % 2
W_0, D = rng.normal(size=(4800, 3)), rng.normal(size=(61, 3))
PREPARED = X / 255.0


def rows_of(client: Any, samples: Any, n: int, validation: Any = None) -> gram.ClusterRows:
    rule = Preprocessing.for_data(X)
    training = factors_of(samples, client, n, rule=rule, dtype="float64")
    below = [] if validation is None else factors_of(validation, client, n, first=61, dtype="float64")
    return gram.ClusterRows(client, training, below, lambda rows: PREPARED[rows])


def assert_same(rows: gram.ClusterRows, wanted: SlicedRows) -> None:
    found, expected = rows.first_products(W_0), wanted.first_products(W_0)
    for its, theirs in zip(found, expected, strict=True):
        assert abs(its - theirs).max() <= 1e-13 * abs(theirs).max()
    again = rows.first_products(W_0, found.gram[: len(rows)])
    assert all(np.array_equal(its, theirs) for its, theirs in zip(again, found, strict=True))
    W = wanted.transposed_product(D)
    assert abs(rows.transposed_product(D) - W).max() <= 1e-13 * abs(W).max()


@every("n", [1, 2, 9])
def test_products_are_those_of_one_process(client: Any, n: int) -> None:
    assert_same(rows_of(client, X, n, PREPARED[:7]), SlicedRows(PREPARED, PREPARED[:7]))


@pytest.mark.slow
def test_some_rows_of_shards_in_another_order(client: Any) -> None:
    shards = Shards.of((da.from_array(X[::-1].copy(), chunks=(20, -1, -1, -1)), y), client=client)
    samples = ShardedRows(shards, client).choose(np.arange(61)[::-1])
    assert_same(rows_of(client, samples, 0), SlicedRows(PREPARED))


def trained(data: Any, client: Any = None, **options: Any) -> np.ndarray:
    model = pl.preset("mlp")
    settings = {"n_epochs": 200, "dtype": "float64", "learning_rate": 0.05, "batch_size": 0, "form": "dual"}
    settings |= options
    if client is None:
        history = pl.train(model, data, **settings)
    else:
        history = distributed.train(model, data, client=client, **settings)
    assert history.form == "dual"
    return model.theta.copy()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation": 0.2},
        {"batch_size": 16, "n_epochs": 50, "validation": (X[:5], y[:5])},
        {"dtype": "float32", "n_epochs": 3},
    ],
)
def test_training_ends_with_the_same_weights(client: Any, options: dict[str, Any]) -> None:
    alone, data = trained((X, y), **options), (da.from_array(X, chunks=(11, -1, -1, -1)), y)
    tolerance = 1e-5 if "dtype" in options else 1e-10
    assert abs(trained((X, y), client, **options) - alone).max() <= tolerance
    once = trained(data, client, **options)
    assert abs(once - alone).max() <= tolerance
    assert np.array_equal(once, trained(data, client, **options))


@pytest.mark.slow
def test_one_worker_and_then_none(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, plain = [], gram.result_of
    with open_cluster(n_workers=1) as client:
        assert abs(trained((X, y), client) - trained((X, y))).max() <= 1e-10

        def stopping(future: Any, name: str) -> Any:
            calls.append(name)
            if len(calls) == 3:
                client.cluster.close()
            return plain(future, name)

        monkeypatch.setattr(gram, "result_of", stopping)
        with pytest.raises(ClusterError, match="the cluster has dropped it"):
            trained((X, y), client)
        with pytest.raises(ClusterError, match="its scheduler does not answer, or the client is closed"):
            trained((X, y), client)


@pytest.mark.slow
def test_worker_killed_or_frozen_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, plain = [], gram.result_of
    with open_cluster(n_workers=4) as client:
        pids = client.run(os.getpid)

        def killing(future: Any, name: str) -> Any:
            calls.append(name)
            if len(calls) == 20:
                os.kill(pids.popitem()[1], signal.SIGKILL)
            return plain(future, name)

        undisturbed = trained((X, y), client)
        assert abs(undisturbed - trained((X, y))).max() <= 1e-10
        monkeypatch.setattr(gram, "result_of", killing)
        assert np.array_equal(trained((X, y), client), undisturbed)
        assert len(pids) == 3
        assert len(calls) > 40
        monkeypatch.setattr(waiting, "FROZEN_SECONDS", 5)
        last = pids.popitem()[1]
        client.wait_for_workers(4, timeout=20)  # the killed one is started anew: shards are as many as before

        def freezing(future: Any, name: str) -> Any:
            os.kill(last, signal.SIGSTOP)
            return plain(future, name)

        monkeypatch.setattr(gram, "result_of", freezing)
        try:
            assert np.array_equal(trained((X, y), client), undisturbed)
        finally:
            os.kill(last, signal.SIGCONT)
        monkeypatch.setattr(gram, "result_of", plain)
        monkeypatch.setattr(waiting, "WORKERS_SECONDS", 1)
        client.cluster.scale(0)
        with pytest.raises(ClusterError, match="no worker is left"):
            Shards.of((X, y), client=client)
