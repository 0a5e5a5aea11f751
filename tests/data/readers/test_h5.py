"""HDF5 files: the published schema, other names, siblings, and every way such a file can be wrong."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.every import every

from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError
from pellucid.types import Array

X = np.arange(20 * 2 * 2 * 3, dtype=np.uint8).reshape(20, 2, 2, 3)
Y = np.arange(20) % 2
NAMES = np.array([b"non-cat", b"cat"])


def write(path: Path, **arrays: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def published_pair(folder: Path) -> tuple[Path, Path]:
    train = write(folder / "train_toy.h5", train_set_x=X, train_set_y=Y, list_classes=NAMES)
    return train, write(folder / "test_toy.h5", test_set_x=X[:4], test_set_y=Y[:4], list_classes=NAMES)


@every("given", [0, 1])
def test_the_published_schema_from_either_file(tmp_path: Path, given: int) -> None:
    files = published_pair(tmp_path)
    split = load_data(files[given])
    np.testing.assert_array_equal(split.train.X, X)
    np.testing.assert_array_equal(split.train.y, Y)
    np.testing.assert_array_equal(split.test.X, X[:4])
    assert split.train.X.dtype == np.uint8
    assert split.train.y.dtype == np.int64
    assert split.classes == split.test.classes == ("non-cat", "cat")
    part = ("test", "train")[given]
    assert split.notes == (f"{part} part read from {part}_toy.h5",)
    assert split.name == str(files[given])


def test_the_published_photos(published_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA_DIR", str(published_dir))
    for source in ("catvnoncat", published_dir / "test_catvnoncat.h5"):
        split = load_data(source)
        assert split.train.X.shape == (209, 64, 64, 3)
        assert split.test.X.shape == (50, 64, 64, 3)
        assert split.train.X.dtype == np.uint8
        assert split.classes == ("non-cat", "cat")
        assert split.train.counts.tolist() == [137, 72]
        assert split.test.counts.tolist() == [17, 33]
        np.testing.assert_array_equal(split.test.X[17], split.train.X[146])
    assert load_data("catvnoncat").name == "catvnoncat"
    assert load_data("catvnoncat").notes == ()


def test_a_sibling_is_read_where_it_is_wanted_and_there(tmp_path: Path) -> None:
    train, test = published_pair(tmp_path)
    assert len(load_data(train, x_key="train_set_x", y_key="train_set_y").train) == 16  # keys name one file's
    write(train, train_set_x=X, train_set_y=Y)
    assert load_data(train).classes == ("non-cat", "cat")  # those of the sibling
    test.unlink()
    split = load_data(train)
    assert (len(split.train), len(split.test)) == (16, 4)
    write(tmp_path / "its_train.h5", X=X, y=Y)  # files named by their role, with arrays that are not
    split = load_data(write(tmp_path / "its_test.h5", X=X[:4], y=Y[:4]))
    assert (len(split.train), len(split.test)) == (20, 4)
    split = load_data(train)
    assert split.notes == ("held out 20 % (4 of 20 samples), stratified, seed 1",)


def test_validation_serves_as_test_only_without_a_test_part(tmp_path: Path) -> None:
    arrays = {"train_x": X, "train_y": Y, "val_x": X[:6], "val_y": Y[:6]}
    split = load_data(write(tmp_path / "a.h5", **arrays))
    assert (len(split.test), split.notes) == (6, ("val_x, val_y serve as the test part",))
    split = load_data(write(tmp_path / "b.h5", **arrays, test_x=X[:4], test_y=Y[:4]))
    assert (len(split.test), split.notes) == (4, ("val_x, val_y are not used",))


def test_strings_of_any_length_label_and_keys_reach_into_groups(tmp_path: Path) -> None:
    words = np.array(["no", "yes"])[Y].tolist()
    split = load_data(write(tmp_path / "a.h5", X=X, y=words, classes=["yes", "no"]))
    assert split.classes == ("yes", "no")
    rows = np.concatenate([split.train.y, split.test.y])
    assert np.bincount(rows).tolist() == [10, 10]
    assert load_data(write(tmp_path / "b.h5", X=X, y=words)).classes == ("no", "yes")
    path = write(tmp_path / "c.h5", **{"train_set_x": X, "train_set_y": Y, "more/pixels": X / 255, "kind": Y})
    assert load_data(path, x_key="more/pixels", y_key="kind").train.X.dtype == np.float64


@every("options", [{"compression": "gzip"}, {"chunks": (3, 2, 2, 3)}, {"dtype": ">i2"}])
def test_however_it_is_stored(tmp_path: Path, options: dict[str, object]) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("train_x", data=X, **options)
        file["train_y"], file["test_x"], file["test_y"] = Y, X.astype(options.get("dtype", X.dtype)), Y
    split = load_data(path)
    np.testing.assert_array_equal(split.train.X, X)
    assert split.train.X.dtype.isnative


@every(
    ("keys", "message"),
    [
        ((), r"a\.h5: found no inputs and labels .*The file has: info/kind, pixels\. .*x_key and y_key"),
        (("pixel", "info/kind"), r"no array is called 'pixel'\. The file has: info/kind, pixels\."),
        (("pixels", "info"), "no array is called 'info'"),  # a group
        (("pixels",), "both x_key and y_key, or neither"),
    ],
)
def test_a_file_without_the_arrays_says_which_it_has(
    tmp_path: Path, keys: tuple[str, ...], message: str
) -> None:
    path = write(tmp_path / "a.h5", pixels=X, **{"info/kind": Y})
    with pytest.raises((DataError, OptionError), match=message):
        load_data(path, **dict(zip(("x_key", "y_key"), keys, strict=False)))


def test_several_pairs_of_one_role_and_none(tmp_path: Path) -> None:
    twice = {"train_a_x": X, "train_a_y": Y, "train_b_x": X, "train_b_y": Y, "test_x": X, "test_y": Y}
    for arrays, message in ((twice, "several pairs of inputs and labels"), ({}, r"The file has: none\.")):
        with pytest.raises(DataError, match=message):
            load_data(write(tmp_path / "b.h5", **arrays))


def test_strange_names_do_not_break_the_line(tmp_path: Path) -> None:
    arrays = {"line\nbreak": X, "\x1b[31mred": X, **{f"array{i:02d}": Y for i in range(20)}}
    with pytest.raises(DataError) as caught:
        load_data(write(tmp_path / "a.h5", **arrays))
    assert "?[31mred, array00, " in str(caught.value)
    assert "array10 and 10 more. " in str(caught.value)
    assert str(caught.value).isprintable()


def bad_values(value: float) -> Array:
    result = np.zeros((20, 3))
    result[7, 1:] = value
    return result


@every(
    ("arrays", "message"),
    [
        ({"X": X, "y": Y[:-1]}, "expected 20 labels, one per sample, got 19"),
        ({"X": bad_values(np.nan), "y": Y}, r"2 of 60 values are NaN or infinite, the first in sample 7"),
        ({"X": bad_values(-np.inf), "y": Y}, r"2 of 60 values are NaN or infinite, the first in sample 7"),
        ({"X": X[:, 0, 0, 0], "y": Y}, r"expected X of shape \(m, \.\.\.\), one row per sample, got \(20,\)"),
        ({"X": 5, "y": Y}, r"one row per sample, got \(\)"),
        ({"X": X[:0], "y": Y[:0]}, r"at least one sample and one value, got X of shape \(0, 2, 2, 3\)"),
        ({"X": X[:, :0], "y": Y}, "at least one sample and one value"),
        ({"X": X * 1j, "y": Y}, "expected numbers for X, got dtype complex128"),
        ({"X": ["a"] * 20, "y": Y}, "expected numbers for X, got dtype <U1"),
        ({"X": X, "y": Y, "classes": ["a", "b", "b"]}, "at least two class names, all different"),
        ({"X": X, "y": Y + 1, "classes": ["a", "b", "c"]}, None),  # a class without samples is no fault
        ({"X": X, "y": np.arange(20) % 3, "classes": ["a", "b"]}, "expected labels from 0 to 1"),
        ({"X": X, "y": Y * 0}, "at least two classes, but every label is 0"),
        (
            {"train_x": X, "train_y": Y, "test_x": X[:, :1], "test_y": Y},
            r"\(2, 2, 3\) and test samples \(1, 2, 3\)",
        ),
        (
            {"train_x": X, "train_y": Y, "test_x": X / 255, "test_y": Y},
            "samples are uint8 and test samples float64",
        ),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, arrays: dict[str, object], message: str | None) -> None:
    path = write(tmp_path / "a.h5", **arrays)
    if message is None:
        load_data(path)
        return
    with pytest.raises(DataError, match=message) as caught:
        load_data(path)
    assert str(path) in str(caught.value)


def test_objects_and_a_size_claimed_but_never_stored(tmp_path: Path) -> None:
    for shape, dtype, message in (
        ((20,), h5py.vlen_dtype(np.int32), r"a\.h5, X: expected numbers or words, found objects"),
        ((10**9, 1000), np.float64, "claims 8,000,000,000,000 bytes, but the file holds 0 of them"),
    ):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("X", shape, dtype)  # of which nothing is written
            file["y"] = Y
        with pytest.raises(DataError, match=message):
            load_data(tmp_path / "a.h5")


def test_a_sibling_that_does_not_belong(tmp_path: Path) -> None:
    train, test = published_pair(tmp_path)
    write(test, train_set_x=X, train_set_y=Y)
    with pytest.raises(
        DataError, match=r"test_toy\.h5: expected the test part that belongs to train_toy\.h5"
    ):
        load_data(train)
    write(test, test_set_x=X, test_set_y=Y, list_classes=NAMES[::-1])
    with pytest.raises(DataError, match=r"test_toy\.h5: the classes .* differ"):
        load_data(train)
    test.write_text("something else")
    with pytest.raises(DataError, match=r"test_toy\.h5: expected an HDF5 file, but cannot read it"):
        load_data(train)


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    data = write(tmp_path / "b.h5", X=X, y=Y).read_bytes()
    for content, words in (
        (b"\x89PNG and so on" * 100, "signature not found"),
        (data[: len(data) // 2], "truncated file"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"a\.h5: expected an HDF5 file, .*{words}.*download it again"):
            load_data(path)
