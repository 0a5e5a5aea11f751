"""The Dask cluster that work runs on: the user's own, by its address, or processes of this machine."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pellucid.distributed.map_unordered import SILENT_SECONDS, ClusterError
from pellucid.errors import MissingExtraError, OptionError
from pellucid.parallel import interrupts_held
from pellucid.text import first_line, join, plural, printable
from pellucid.threads import n_cores
from pellucid.version import __version__

CONNECT_SECONDS = 10.0
WORKERS_A_CORE = 8  # at most: each is a process with memory of its own
NO_PAGE = "127.0.0.1:0"  # without an address, Dask would serve its metrics to the whole network, on port 8787


@contextmanager
def open_cluster(address: str | None = None, n_workers: int | None = None) -> Iterator[Any]:
    """Yield a Dask client whose workers have this version of pellucid.

    Parameters
    ----------
    address : str, optional
        Of a scheduler: ``tcp://host:8786``, or ``tls://host:8786`` with the certificates that Dask's own
        configuration names (``DASK_DISTRIBUTED__COMM__TLS__...``).
    n_workers : int, optional
        Processes to start on this machine instead, each with one thread; they end with the block.

    Yields
    ------
    distributed.Client

    Raises
    ------
    OptionError
        If both are given, or neither, or so many processes that they would fill this machine.
    MissingExtraError
        If Dask is not installed.
    ClusterError
        If the scheduler does not answer or is of another version, if it has no worker within half a minute, or if a
        worker has another version of pellucid, or none.

    Examples
    --------
    >>> with open_cluster(n_workers=1) as client:
    ...     client.submit(sum, [1, 2]).result()
    3
    """
    if (address is None) == (n_workers is None):
        raise OptionError("cluster: expected the address of a scheduler or a number of workers, one of both.")
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("Clusters take an extra: pip install 'pellucid[dask]'") from None
    if n_workers is not None:
        most = WORKERS_A_CORE * n_cores()
        if n_workers > most:
            raise OptionError(
                f"workers: expected up to {most} processes on {plural(n_cores(), 'core')}, got {n_workers}. One a "
                "core is best."
            )
        opened = ExitStack()
        try:
            with interrupts_held():
                cluster = opened.enter_context(_local(n_workers))
                client = opened.enter_context(Client(cluster, set_as_default=False))
            yield client
        finally:
            with interrupts_held():
                opened.close()
        return
    _check_encryption(str(address))
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise ClusterError(
            f"{printable(str(address))}: no Dask scheduler answers there ({first_line(error)}). Start one with: "
            "dask scheduler --host 127.0.0.1"
        ) from None
    with client:
        check_cluster(client, str(address))
        yield client


def _check_encryption(address: str) -> None:
    """Raise ClusterError unless Dask's configuration has what an address needs: Dask would hang at the end."""
    import dask

    from distributed import Security

    try:
        has_certificate = Security().get_connection_args("client").get("ssl_context") is not None
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{printable(address)}: Dask's certificates cannot be read ({first_line(error)}). Check the paths of "
            "distributed.comm.tls in its configuration, or of DASK_DISTRIBUTED__COMM__TLS__CA_FILE and the like."
        ) from None
    is_encrypted = address.startswith("tls://")
    if is_encrypted and not has_certificate:
        raise ClusterError(
            f"{printable(address)}: this machine has no certificate for TLS. Name it in Dask's configuration, or "
            "by DASK_DISTRIBUTED__COMM__TLS__CA_FILE and the like: see docs/scaling.md."
        )
    if dask.config.get("distributed.comm.require-encryption") and not is_encrypted:
        raise ClusterError(
            f"{printable(address)}: Dask's configuration requires encryption. Write tls:// instead of tcp://."
        )


def _local(n_workers: int) -> Any:
    """Return a cluster of processes on this machine, each with one thread, without a web page."""
    import logging

    import dask

    from distributed import LocalCluster, Security

    scheme = "tls://" if dask.config.get("distributed.comm.require-encryption") else "tcp://"
    _check_encryption(f"{scheme}127.0.0.1")
    return LocalCluster(
        protocol=scheme,
        security=Security(),
        n_workers=n_workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=NO_PAGE,
        scheduler_kwargs={"dashboard_address": NO_PAGE, "worker_ttl": SILENT_SECONDS},
        silence_logs=logging.CRITICAL,
    )


def check_cluster(client: Any, address: str) -> None:
    """Raise ClusterError unless there are workers, all of this version of pellucid."""
    from importlib.metadata import version

    ours = version("distributed")
    theirs = client.get_versions()["scheduler"]["packages"]["distributed"]
    if theirs != ours:
        raise ClusterError(
            f"{printable(address)}: the scheduler has distributed {theirs}, this machine {ours}. Install the same "
            "version on both."
        )
    try:
        client.wait_for_workers(1, timeout=SILENT_SECONDS)
    except TimeoutError:
        raise ClusterError(
            f"{printable(address)}: the scheduler has no worker. Start one with: dask worker {printable(address)}"
        ) from None

    workers = client.get_versions(packages=["pellucid"])["workers"]
    versions = {worker: each["packages"]["pellucid"] for worker, each in workers.items()}
    if wrong := {worker: its for worker, its in versions.items() if its != __version__}:
        found = join([f"{worker} has {its or 'no pellucid'}" for worker, its in list(wrong.items())[:3]])
        raise ClusterError(
            f"{plural(len(wrong), 'worker')} cannot do the work: {found}; this machine has pellucid {__version__}. "
            "Install the same version there: pip install pellucid"
        )
