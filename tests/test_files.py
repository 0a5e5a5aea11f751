import os
from pathlib import Path

import pytest

from pellucid.errors import OutputError
from pellucid.files import check_free, write_atomically


def test_text_and_bytes_are_written_and_folders_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.txt", "ü")
    write_atomically(tmp_path / "c.bin", b"\x00")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "ü".encode()
    assert (tmp_path / "c.bin").read_bytes() == b"\x00"


def test_a_failed_write_keeps_what_was_there_and_leaves_no_part(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "inside").write_text("old")
    with pytest.raises(OutputError, match="could not be written"):
        write_atomically(target, "new")  # a folder cannot be replaced by a file
    assert (target / "inside").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file/inner"):
        write_atomically(tmp_path / "file" / "inner", "y")


def test_files_are_readable_as_the_umask_says(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["", "there"])
def test_a_folder_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_free(Path(name), overwrite=True)


def test_no_name_is_no_file() -> None:
    with pytest.raises(OutputError, match="Name a file"):
        write_atomically("", "words")
