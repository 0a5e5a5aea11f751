"""Scores by a cluster, and clusters that are encrypted."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.clusters import scheduler_of_its_own
from tests.commands import Command
from tests.every import every

import pellucid as pl
from pellucid import distributed
from pellucid.data.dataset import Dataset
from pellucid.distributed import evaluation

pytest.importorskip("distributed", reason="needs the extra dask")


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


DOCS = Path(__file__).parents[2] / "docs" / "scaling.md"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
def test_predictions_over_tls_by_the_documented_commands(tmp_path: Path) -> None:
    section = DOCS.read_text(encoding="utf-8").partition("## TLS")[2]
    commands = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0]
    made = subprocess.run(
        ["bash", "-euc", f"{commands}\nenv"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    environment = dict(re.findall(r"^(DASK_\w+)=(\S+)$", made.stdout, re.MULTILINE))
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    assert len(environment) == 8
    model = pl.preset("logistic")
    model.initialize((4, 4, 3))
    pl.save(model, tmp_path / "m.safetensors")
    (tmp_path / "photos").mkdir()
    for i in range(3):
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    command = [sys.executable, "-m", "pellucid", "predict", "m.safetensors", "photos", "--out", "r.csv"]
    run: Any = {"cwd": tmp_path, "capture_output": True, "text": True, "check": False}
    encrypted = {**os.environ, **environment}
    done = subprocess.run([*command, "--workers", "1"], env=encrypted, **run)
    assert (done.returncode, done.stdout) == (0, "r.csv: 3 predictions written\n"), done.stderr
    with scheduler_of_its_own("tls", environment) as (address, _):
        done = subprocess.run([*command, "--overwrite", "--cluster", address], env=encrypted, **run)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "r.csv: 3 predictions written\n"
        plain = address.replace("tls", "tcp")
        lost = {**environment, "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": "lost.pem"}
        for refused, settings_then, words in (
            (address, {}, "no certificate for TLS"),
            (plain, {}, "no Dask scheduler answers there"),
            (plain, environment, "requires encryption"),
            (address, lost, "certificates cannot be read"),
        ):
            asked = [*command, "--overwrite", "--cluster", refused]
            done = subprocess.run(asked, env={**os.environ, **settings_then}, **run)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
            assert words in done.stderr
        assert (tmp_path / "r.csv").read_text().count("\n") == 4
