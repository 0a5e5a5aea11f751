"""The connections of a training speak TLS where Dask does."""

import logging
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.distributed.test_training import HERE, dense, differences, table

import pellucid as pl

pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")

from pellucid.distributed import worker_pool
from pellucid.distributed.cluster import NO_PAGE
from pellucid.distributed.training import train


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
def test_a_training_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed.security import Security

    from distributed import Client, LocalCluster

    made = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=cluster"
    subprocess.run(["openssl", *made.split()], cwd=tmp_path, capture_output=True, check=True)
    cert, key = (str(tmp_path / name) for name in ("cert.pem", "key.pem"))
    roles = {
        f"tls_{role}_{kind}": path
        for role in ("scheduler", "worker", "client")
        for kind, path in (("cert", cert), ("key", key))
    }
    security = Security(tls_ca_file=cert, require_encryption=True, **roles)
    ciphers = list[Any]()
    plain = worker_pool.connect

    def connect(*arguments: Any, **facts: Any) -> Any:
        channel = plain(*arguments, **facts)
        ciphers.append(channel.sock.cipher())
        return channel

    monkeypatch.setattr(worker_pool, "connect", connect)
    options: dict[str, Any] = {**HERE, "n_epochs": 3, "batch_size": 20}
    one, two = dense(), dense()
    pl.train(one, table(), n_threads=1, **options)
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            protocol="tls",
            security=security,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=NO_PAGE,
            scheduler_kwargs={"dashboard_address": NO_PAGE},
            silence_logs=logging.CRITICAL,
        ) as local,
        Client(local, set_as_default=False) as client,
    ):
        train(two, table(), client=client, **options)
    assert differences(one, two) < 1e-10
    assert len(ciphers) == 3
    assert all(ciphers)
