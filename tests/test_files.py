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
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("old")
    for path, words in (
        (tmp_path / "folder", "could not be written"),  # a folder cannot be replaced by a file
        (tmp_path / "folder/inside/below", "inside/below"),  # nor a file be a folder
        ("", "Name a file"),
    ):
        with pytest.raises(OutputError, match=words):
            write_atomically(path, "new")
    assert (tmp_path / "folder" / "inside").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_files_are_readable_as_the_umask_says(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    for path in (Path(""), tmp_path):
        with pytest.raises(OutputError, match="is a folder"):
            check_free(path, overwrite=True)
