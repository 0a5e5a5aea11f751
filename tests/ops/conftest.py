"""What tests of ops share."""

from collections.abc import Iterator

import pytest

from pellucid import dispatch


@pytest.fixture(params=dispatch.WAYS[:2])
def kernels(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test once with the fast twins and once with the plain ones."""
    with dispatch.use(request.param):
        yield request.param
