"""Downloads, against a real server on this machine: the good file, and every way to fail."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.every import every

from pellucid.data.download import Remote, fetch
from pellucid.errors import DataError, DownloadError, OptionError

FILES = {"train.h5": b"first file\n" * 500, "test.h5": b"second file\n" * 90}
Remotes = Mapping[str, Remote]
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@pytest.fixture
def server() -> Iterator[SimpleNamespace]:
    """A server whose files and manners a test can set."""
    owner = SimpleNamespace(files=dict(FILES), manner="good", requests=[])
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            owner.requests.append(self.path)
            if owner.manner == "silent":
                released.wait(10)
                return
            body = owner.files.get(self.path.rpartition("/")[2])
            if body is None or not self.path.startswith("/data/"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if owner.manner == "good" else body[: len(body) // 2])
            self.wfile.flush()
            if owner.manner == "stalls":
                released.wait(10)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        owner.host = f"127.0.0.1:{http.server_port}"
        owner.url = f"http://{owner.host}/data"
        owner.close = lambda: (http.shutdown(), http.server_close())
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield owner
        released.set()
        http.shutdown()
        thread.join()


@pytest.fixture
def remotes(server: Any) -> Remotes:
    return {
        "toy": Remote(server.url, {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()})
    }


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own, no proxy, and no folder of the user's."""
    import pooch

    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    for variable in (*PROXIES, *map(str.upper, PROXIES), "PELLUCID_DATA_DIR"):
        monkeypatch.delenv(variable, raising=False)
    folder = Path(pooch.os_cache("pellucid"))
    assert tmp_path in folder.parents
    return folder


def first_digits(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


WANTED, OTHER = first_digits(FILES["test.h5"]), first_digits(b"something else")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def failure(remotes: Remotes, **options: object) -> str:
    """Return the message of the DownloadError that a fetch must end in; one line with a way out."""
    with pytest.raises(DownloadError) as caught:
        fetch("toy", remotes=remotes, **{"retries": 0, **options})  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert "built-in drawn-cats, or set PELLUCID_DATA_DIR to a folder that has the files." in message
    return message


def test_files_are_fetched_once_and_then_read_from_the_cache(
    server: Any, remotes: Remotes, cache: Path
) -> None:
    folder = fetch("toy", remotes=remotes)
    assert folder == cache
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert left_in(cache) == sorted(FILES)
    assert server.requests == ["/data/train.h5", "/data/test.h5"]
    assert fetch("toy", remotes=remotes) == cache
    assert len(server.requests) == 2
    (cache / "test.h5").write_bytes(b"damaged")
    fetch("toy", remotes=remotes)
    assert (cache / "test.h5").read_bytes() == FILES["test.h5"]
    assert server.requests[2:] == ["/data/test.h5"]


def test_wrong_content(server: Any, remotes: Remotes, cache: Path) -> None:
    server.files["test.h5"] = b"something else"
    message = failure(remotes)
    assert f"toy: could not be downloaded from {server.host} (test.h5: wrong content: " in message
    assert f"expected sha256 {WANTED}..., got {OTHER}...)" in message
    assert left_in(cache) == ["train.h5"]


@every(
    ("manner", "reason"),
    [
        ("cuts", "the transfer was cut off"),
        ("silent", "no answer within 0.2 s"),
        ("stalls", "no answer within 0.2 s"),
        ("lacks one", "train.h5: the server answered 404 Not Found"),
        ("closed", "no network?"),
    ],
)
def test_a_transfer_that_fails_is_tried_again_if_asked_for(
    server: Any, remotes: Remotes, cache: Path, manner: str, reason: str
) -> None:
    server.manner, n_before = manner, len(server.requests)
    if manner == "lacks one":
        del server.files["train.h5"]
    if manner == "closed":
        server.close()
    message = failure(remotes, timeout=0.2, retries=int(manner == "cuts"))
    assert f"could not be downloaded from {server.host} ({reason})" in message
    assert left_in(cache) == []
    assert len(server.requests) - n_before == {"cuts": 2, "closed": 0}.get(manner, 1)


def test_pooch_says_nothing(server: Any, remotes: Remotes) -> None:
    home, files = remotes["toy"]
    code = (  # in a process of its own: pooch's log goes to the standard error that it found when imported
        "from pellucid.data.download import DownloadError, Remote, fetch\n"
        f"try: print(fetch('toy', remotes={{'toy': Remote({home!r}, {files!r})}}))\n"
        "except DownloadError as error: print(error)"
    )
    for manner, words in (("cuts", "cut off"), ("good", "pellucid")):
        server.manner = manner
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert words in result.stdout
        assert result.stderr == ""


def test_a_mirror_is_asked_instead_and_its_password_not_shown(
    server: Any, remotes: Remotes, cache: Path
) -> None:
    elsewhere = {"toy": remotes["toy"]._replace(home="http://127.0.0.1:9/closed")}
    assert fetch("toy", mirror=server.url + "/", remotes=elsewhere) == cache
    assert server.requests == ["/data/train.h5", "/data/test.h5"]
    for mirror in ("ftp://example.org/data", "/some/folder", "file:///etc", "https://"):
        with pytest.raises(
            OptionError, match=r"mirror: expected an address such as https://example\.org/data, got"
        ):
            fetch("toy", mirror=mirror, remotes=remotes)
    server.close()
    (cache / "test.h5").unlink()
    message = failure(remotes, mirror=f"http://me:secret@{server.host}/data")
    assert "secret" not in message
    assert f"from {server.host} " in message


def test_a_whole_folder_of_ones_own_is_used_without_the_network_and_verified(
    server: Any, remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    assert fetch("toy", data_dir=tmp_path, remotes=remotes) == tmp_path
    (tmp_path / "test.h5").write_bytes(b"something else")
    monkeypatch.setenv("PELLUCID_DATA_DIR", str(tmp_path))
    words = rf"test\.h5: not the published file: .*{WANTED}.*{OTHER}.*Replace it"
    with pytest.raises(DownloadError, match=words):
        fetch("toy", remotes=remotes)
    assert server.requests == []
    (tmp_path / "test.h5").unlink()
    assert fetch("toy", remotes=remotes) == cache
    assert len(server.requests) == 2


def test_a_cache_that_cannot_be_written(remotes: Remotes, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"toy: could not be stored in .*PELLUCID_DATA_DIR"):
        fetch("toy", remotes=remotes)


def test_the_published_files_have_the_hashes_that_we_pin(published_dir: Path) -> None:
    assert fetch("catvnoncat", data_dir=published_dir) == published_dir
    with pytest.raises(DataError, match=r"set to fetch 'catvnoncats'\. Did you mean 'catvnoncat'\?"):
        fetch("catvnoncats")
