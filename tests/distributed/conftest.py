"""A cluster of two processes that the tests of a session share."""

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")

from pellucid.distributed.cluster import open_cluster


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """Return a client of two workers, which no test may kill."""
    with open_cluster(n_workers=2) as client:
        yield client
