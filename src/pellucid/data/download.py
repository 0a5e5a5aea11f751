"""Fetch published data once, verify every byte of it, and keep it in the user's cache folder."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pellucid.data.readers.reading import quiet_logs
from pellucid.errors import DataError, DownloadError, OptionError, unknown_name
from pellucid.progress import are_bars_shown
from pellucid.text import first_line

_OFFLINE = (
    "Work offline with the built-in drawn-cats, or set PELLUCID_DATA_DIR to a folder that has the files."
)


_REASONS = {  # by the exceptions of requests
    "SSLError": "its certificate was not accepted",
    "ProxyError": "the proxy did not answer",
    "ChunkedEncodingError": "the transfer was cut off",
}


class Remote(NamedTuple):
    """The address of a data set and the hashes of its files."""

    home: str  # the address of the folder, without the last slash
    files: Mapping[str, str]  # file name -> sha256 in hexadecimal


REMOTES: Mapping[str, Remote] = {
    "catvnoncat": Remote(
        "https://raw.githubusercontent.com/mghazel2020/Step-by-Step-ANN-Implementation-From-Scratch--Python/"
        "6583d36d438b33c4dcc381e513e6dc4c1b45d6e0/data",
        {
            "train_catvnoncat.h5": "fbe56ab67c3ae28d564e3a644189117976d6b31af0a3ce9bb17dbf22908af242",
            "test_catvnoncat.h5": "6a9d39ce52fa85953c5834695b8534a30ed8cfd54971fb2f080b5a24d002b951",
        },
    )
}


def fetch(
    name: str,
    *,
    mirror: str | None = None,
    data_dir: Path | None = None,
    progress: bool = True,
    timeout: float = 10.0,
    retries: int = 1,
    remotes: Mapping[str, Remote] = REMOTES,
) -> Path:
    """Return a folder with the verified files of a published data set.

    Looked for in ``data_dir``, else in the folder that the environment variable PELLUCID_DATA_DIR names; then
    in the cache folder; what is not there is downloaded into the cache.

    Parameters
    ----------
    name : str
        "catvnoncat".
    mirror : str, optional
        The http(s) address of a folder to download from instead of the public home.
    data_dir : Path, optional
        A local folder; used only if it holds all files.
    progress : bool, optional
        Show a bar on standard error, if that is a terminal or a notebook.
    timeout : float, optional
        Seconds to wait for an answer from the server.
    retries : int, optional
        How often a failed transfer is tried again.
    remotes : mapping, optional
        The known data sets; tests pass their own.

    Returns
    -------
    folder : Path

    Raises
    ------
    DataError
        If the name is not known.
    DownloadError
        If a file is not the published one, or cannot be fetched or stored. No partial file is left behind.
    OptionError
        If the mirror is not an http(s) address.
    """
    if name not in remotes:
        raise DataError(unknown_name("data set to fetch", name, remotes))
    remote = remotes[name]
    parts = urlsplit(base := (mirror or remote.home).rstrip("/") + "/")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptionError(f"mirror: expected an address such as https://example.org/data, got {mirror!r}.")
    local = data_dir or (Path(given) if (given := os.environ.get("PELLUCID_DATA_DIR")) else None)
    if local is not None and all((local / file).is_file() for file in remote.files):
        _verify(local, remote)
        return local
    return _download(name, base, remote, progress=progress, timeout=timeout, retries=retries)


def _verify(folder: Path, remote: Remote) -> None:
    for file, wanted in remote.files.items():
        try:
            with open(folder / file, "rb") as stream:
                given = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise DownloadError(
                f"{folder / file}: cannot be read ({first_line(error)}). Check its permissions."
            ) from None
        if given != wanted:
            raise DownloadError(
                f"{folder / file}: not the published file: expected sha256 {wanted[:12]}..., got "
                f"{given[:12]}.... Replace it, or set PELLUCID_DATA_DIR to another folder."
            )


def _download(name: str, base: str, remote: Remote, *, progress: bool, timeout: float, retries: int) -> Path:
    """Fill the cache folder: pooch writes a temporary file next to the target, verifies it, and renames it."""
    import pooch
    import requests

    cache = Path(pooch.os_cache("pellucid"))
    store = pooch.Pooch(cache, base, registry=dict(remote.files), retry_if_failed=retries)
    downloader = pooch.HTTPDownloader(progressbar=progress and are_bars_shown(), timeout=timeout)
    host = urlsplit(base).netloc.rpartition("@")[2]  # without a password, if the address contains one
    try:
        with quiet_logs(pooch.get_logger()):
            for file in remote.files:
                store.fetch(file, downloader=downloader)
    except requests.exceptions.RequestException as error:
        failure = f"could not be downloaded from {host} ({_network_reason(error, timeout)})"
    except OSError as error:
        failure = f"could not be stored in {cache} ({first_line(error)})"
    except ValueError as error:  # how pooch says that the hash differs
        given = re.search(r"got:? ([0-9a-f]{12})", str(error))
        got = f"{given[1]}..." if given else "another"
        wanted = f"{file}: wrong content: expected sha256 {remote.files[file][:12]}..., got {got}"
        failure = f"could not be downloaded from {host} ({wanted})"
    else:
        return cache
    raise DownloadError(f"{name}: {failure}. {_OFFLINE}")


def _network_reason(error: Exception, timeout: float) -> str:
    if "timed out" in str(error):
        return f"no answer within {timeout:g} s"
    if (response := getattr(error, "response", None)) is not None:
        file = urlsplit(response.url).path.rpartition("/")[2]
        return f"{file}: the server answered {response.status_code} {response.reason}".rstrip()
    return _REASONS.get(type(error).__name__, "no network?")
