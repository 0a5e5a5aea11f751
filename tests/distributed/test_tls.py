"""The commands of docs/scaling.md that make certificates and run a cluster on TLS."""

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

import pellucid as pl

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
    with scheduler_of_its_own("tls", environment) as (address, _, _):
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
