"""Jobs on a cluster: the same results, each once, whoever of the workers is killed, stopped, or joins late."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command

pytest.importorskip("distributed", reason="needs the extra dask")

from pellucid.distributed import jobs as on_dask
from pellucid.distributed.cluster import open_cluster
from pellucid.errors import OptionError
from pellucid.parallel import jobs_run_by, run_jobs

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own: open sockets of workers that were killed


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers of one thread."""
    with open_cluster(n_workers=2) as client:
        yield client


@pytest.fixture
def on_cluster(client: Any) -> Iterator[Any]:
    client.wait_for_workers(2, timeout=300)  # a test before may have killed some
    with jobs_run_by(partial(on_dask.run_on, client)):
        yield client


def slow_square() -> Callable[[Any, int], tuple[float, int]]:
    def square(shared: Any, job: int) -> tuple[float, int]:  # of no module: it is sent itself
        time.sleep(0.1)
        return float(job**2 * shared[0]), os.getpid()

    return square


def test_every_job_is_done_once_by_the_workers(on_cluster: Any) -> None:
    found = list(run_jobs(slow_square(), np.full(500_000, 2.0), list(range(9))))
    assert sorted((job, value) for job, (value, _) in found) == [(job, 2.0 * job**2) for job in range(9)]
    assert {pid for _, (_, pid) in found} == set(on_cluster.run(os.getpid).values())


@pytest.mark.slow
def test_what_killed_workers_had_is_done_again(on_cluster: Any) -> None:
    done = []
    for job, (value, _) in run_jobs(slow_square(), np.ones(100_000), list(range(12))):
        done.append((job, value))
        if len(done) == 4:
            for one in on_cluster.run(os.getpid).values():
                os.kill(one, signal.SIGKILL)
    assert sorted(done) == [(job, float(job**2)) for job in range(12)]


def test_errors_come_back_as_they_were(on_cluster: Any) -> None:
    def refuse(shared: Any, job: int) -> int:
        if job == 2:
            raise OptionError("job 2: no.")
        return job

    with pytest.raises(OptionError, match="job 2: no"):
        list(run_jobs(refuse, None, [1, 2, 3]))


@pytest.mark.slow
def test_jobs_that_nobody_waits_for_end_at_their_next_step(on_cluster: Any, tmp_path: Path) -> None:
    def wait(shared: str, job: int) -> int:
        from pathlib import Path

        from pellucid.job_threads import stop_if_cancelled

        while job:
            Path(shared, str(job)).write_text(str(time.time()))
            stop_if_cancelled()
            time.sleep(0.02)
        return job

    with closing(run_jobs(wait, str(tmp_path), [0, 1])) as results:
        assert next(results) == (0, 0)
        while not (tmp_path / "1").exists():
            time.sleep(0.01)
    assert dict(run_jobs(slow_square(), [1.0], [1, 2, 3]))[3][0] == 9.0
    assert float((tmp_path / "1").read_text()) < time.time() - 0.1


@pytest.mark.slow
def test_compare_gives_the_same_folds_on_a_cluster(pellucid: Command, photos: Path, client: Any) -> None:
    words = ("compare", "logistic", "--data", photos, "--cv", "4x1", "--epochs", 5, "--json")
    here, there = pellucid(*words, "--jobs", 1), pellucid(*words, "--cluster", client.scheduler.address)
    assert (here.code, there.code) == (0, 0)
    for found in (scores := [json.loads(one.out) for one in (here, there)]):
        for row in found["rows"]:
            del row["seconds"]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_influence_and_labels_on_workers(pellucid: Command, trained: Path, photos: Path, client: Any) -> None:
    cluster = ("--cluster", client.scheduler.address)
    words = ("influence", trained, "--samples", "1", "--retrain", "--json")
    here, there = (json.loads(pellucid(*words, *more).out) for more in (("--jobs", 1), cluster))
    for found in (here, there):
        del found["seconds"]
    assert here == there
    words = ("data", "check", photos, "--labels", "--model", "logistic", "--cv", "2", "--json")
    assert json.loads(pellucid(*words).out) == json.loads(pellucid(*words, *cluster).out)


@pytest.mark.slow
def test_searches_of_scikit_learn_run_our_estimators_on_dask(client: Any, rng: np.random.Generator) -> None:
    import joblib
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - as scikit-learn asks
    from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV

    from pellucid.estimators import MLPClassifier

    X = rng.normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int)
    model = MLPClassifier(hidden_layer_sizes=(3,), max_iter=5, random_state=1)
    rates = {"learning_rate_init": [0.001, 0.1]}
    halving = {"n_candidates": 2, "random_state": 1, "min_resources": 40}
    for search in (GridSearchCV(model, rates, cv=2), HalvingRandomSearchCV(model, rates, cv=2, **halving)):
        here = search.fit(X, y).cv_results_["mean_test_score"]
        with joblib.parallel_config("dask", client=client):
            there = search.fit(X, y).cv_results_["mean_test_score"]
        assert np.array_equal(here, there)


@pytest.mark.slow
def test_ctrl_c_while_workers_start_prints_that_it_stopped_and_nothing_else(photos: Path) -> None:
    import psutil

    arguments = ["compare", "logistic", "mlp", "--data", str(photos), "--cv", "5x4", "--workers", "2"]
    found = {}
    for seconds in (0.0, 1.0):  # after the workers' processes are there
        process = subprocess.Popen(
            [sys.executable, "-m", "pellucid", *arguments, "--epochs", "200000", "--quiet"],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while len(psutil.Process(process.pid).children()) < 3:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=300)
        end = time.monotonic() + 120
        while (is_left := _is_group(process.pid)) and time.monotonic() < end:
            time.sleep(0.05)
        found[seconds] = (process.returncode, err, is_left)
    assert set(found.values()) == {(130, "Stopped.\n", False)}, found


def _is_group(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True
