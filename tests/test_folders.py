"""A folder has one writer; what it writes is there whole, or what was there before is."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pellucid.errors import OutputError
from pellucid.folders import atomic_folder, next_folder, open_folder
from tests.every import every

FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def fill(folder: Path, word: str, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(word)


def test_a_new_folder_is_there_once_all_is_written_and_a_failure_leaves_none(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with pytest.raises(ZeroDivisionError), atomic_folder(target) as folder:
        assert (folder / "one").write_text("new") / 0
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(target) as folder:
        fill(folder, "new", "one", "deep/two")
        assert "one" not in content(target)
    assert content(target) == {"one": "new", "deep/two": "new"}


def test_files_of_the_same_name_are_replaced_and_others_kept(tmp_path: Path) -> None:
    fill(tmp_path, "old", "one", "mine", "deep/two", "deep/mine")
    with pytest.raises(OutputError, match="not empty"), atomic_folder(tmp_path):
        pass
    new = ("one", "deep/two", "deep/three")
    with atomic_folder(tmp_path, overwrite=True) as folder:
        fill(folder, "new", *new)
    assert content(tmp_path) == {**dict.fromkeys(new, "new"), "mine": "old", "deep/mine": "old"}


def test_what_is_new_takes_the_place_of_what_it_replaces(tmp_path: Path) -> None:
    fill(tmp_path, "old", "one", "gone", "steps/1", "steps/2", "mine")
    with open_folder(tmp_path, overwrite=True) as writer:
        fill(writer.new, "new", "one", "steps/1")
        writer.commit(replaces=["gone", "steps", "never there"])
        assert list(writer.new.iterdir()) == []
        fill(writer.new, "newer", "one")
        writer.commit()
    assert content(tmp_path) == {"one": "newer", "steps/1": "new", "mine": "old"}


def test_a_move_that_fails_puts_everything_back(tmp_path: Path) -> None:
    fill(tmp_path, "old", "a", "b/inside", "gone")
    before = content(tmp_path)

    def write(*names: str) -> None:
        with open_folder(tmp_path, overwrite=True) as writer:
            fill(writer.new, "new", *names)
            writer.commit(replaces=["gone"] * ("b" in names))

    for below in ("b", "gone/below"):  # a file where a folder is, a folder where a file is
        with pytest.raises(OutputError, match="cannot be written"):
            write("a", below)
        assert content(tmp_path) == before


def test_a_second_writer_is_refused_in_the_same_process_and_in_another(tmp_path: Path) -> None:
    refused: list[str] = []

    def write_too() -> None:
        try:
            with atomic_folder(tmp_path, overwrite=True):
                pass
        except OutputError as error:
            refused.append(str(error))

    script = "import sys; from pellucid.folders import *; "
    script += "open_folder(Path(sys.argv[1]), overwrite=True).__enter__()"
    with atomic_folder(tmp_path) as folder:
        fill(folder, "new", "one")
        thread = threading.Thread(target=write_too)
        thread.start()
        thread.join()
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], check=False, capture_output=True, text=True
        )
    assert "another command is writing this folder" in refused[0]
    assert "another command is writing this folder" in done.stderr
    assert content(tmp_path) == {"one": "new"}
    write_too()
    assert len(refused) == 1  # the first has left, so that there is room for another


@FORK
@every("n", range(10))
def test_a_writer_killed_while_it_moves_leaves_no_mixture(tmp_path: Path, n: int) -> None:
    old = {"a": "old", "b": "old", "gone": "old", "steps/1": "old", "mine": "old"}
    new = {"a": "new", "b": "new", "steps/2": "new", "mine": "old"}
    fill(tmp_path, "old", *old)
    child = os.fork()
    if child == 0:
        die_while_moving(tmp_path, n)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (-signal.SIGKILL if n < 9 else 0)
    seen = {name: word for name, word in content(tmp_path).items() if name in ("a", "b", "gone")}
    assert len(set(seen.values())) <= 1  # never one of the old beside one of the new
    with open_folder(tmp_path, overwrite=True):
        pass
    assert content(tmp_path) == (old if n == 0 else new)  # at 1 the files were ready to be moved
    assert not (tmp_path / ".writing").exists()


def die_while_moving(target: Path, n: int) -> None:
    """Write into a folder, as a process that is killed when it moves its n-th file."""
    left, replace = iter(range(n)), os.replace

    def move(*paths: Path) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*paths)

    try:
        with open_folder(target, overwrite=True) as writer:
            fill(writer.new, "new", "a", "b", "steps/2")
            os.replace, Path.rename = move, move  # type: ignore[assignment]
            writer.commit(replaces=["gone", "steps"])
            os._exit(0)
    finally:
        os._exit(1)


@FORK
def test_a_writer_that_was_killed_leaves_a_folder_that_counts_as_empty(tmp_path: Path) -> None:
    target = tmp_path / "out"
    child = os.fork()
    if child == 0:
        with suppress(OSError), atomic_folder(target) as folder:
            fill(folder, "new", "half")
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    os.waitpid(child, 0)
    assert [path.name for path in target.iterdir()] == [".writing"]
    with atomic_folder(target) as folder:
        fill(folder, "new", "one")
    assert content(target) == {"one": "new"}


@FORK
def test_a_forked_child_does_not_keep_the_folder(tmp_path: Path) -> None:
    read, write = os.pipe()
    with open_folder(tmp_path):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)  # until the parent is done
            os._exit(0)
    try:
        with open_folder(tmp_path):
            pass
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)


@every("name", ["a" * 300, "file", "file/below", "/proc/self/out"])
def test_what_cannot_be_a_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(OutputError, match=r"--out\.|cannot be written") as caught,
        open_folder(tmp_path / name),
    ):
        pass
    assert len(str(caught.value).splitlines()) == 1
    assert content(tmp_path) == {"file": "x"}


def test_the_next_free_folder(tmp_path: Path) -> None:
    assert next_folder(tmp_path, "run").name == "run-1"
    (tmp_path / "run-1").mkdir()
    assert next_folder(tmp_path, "run").name == "run-2"
