"""Copies and groups are on one side of every division: hold-outs, validation, folds, estimators."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.checks.check import check_data
from pellucid.data.built_in import load_drawn_cats
from pellucid.data.dataset import Dataset, Split
from pellucid.data.groups import divide_groups, find_groups
from pellucid.data.source import DataSource, load_data
from pellucid.data.validate import hold_out
from pellucid.errors import DataError, OptionError
from pellucid.estimators.validation import Samples
from pellucid.estimators.validation import hold_out as hold_out_of_estimators
from pellucid.evaluation.comparison.splitting import make_folds, merge_parts
from pellucid.training.job import validation_rows
from pellucid.types import Array
from pellucid.workflows.label_errors import find_label_errors


def with_copies(*, changed: bool = False) -> tuple[Dataset, Array]:
    """Drawings of which 12 are there again, and the number of each one's original.

    The copies are brighter or as they are; or mirrored, grey or cropped.
    """
    cats = load_drawn_cats().train.take(slice(0, 60))
    copies = cats.take(np.arange(0, 36, 3))
    X = copies.X.copy()
    if changed:
        X[::3] = X[::3, :, ::-1]
        X[1::3] = X[1::3].mean(axis=3, keepdims=True)
        X[2::3] = X[2::3, 8:56, 8:56].repeat(4, axis=1).repeat(4, axis=2)[:, 1::3, 1::3]
    else:
        X[1::2] = np.minimum(X[1::2].astype(int) + 30, 255)
    data = Dataset(np.concatenate([cats.X, X]), np.concatenate([cats.y, copies.y]), cats.classes)
    return data, np.concatenate([np.arange(60), np.arange(0, 36, 3)])


def are_parted(original: Array, one: Array, other: Array) -> bool:
    return bool(set(original[one].tolist()) & set(original[other].tolist()))


def are_apart(data: Dataset, original: Array, *parts: Array) -> bool:
    """Return whether pictures of two parts have no original in common."""
    numbered = {pixels.tobytes(): number for pixels, number in zip(data.X, original, strict=False)}
    one, other = ({numbered[pixels.tobytes()] for pixels in X} for X in parts)
    return not one & other


@every("changed", [False, True])
def test_the_groups_are_the_copies(changed: bool) -> None:
    data, original = with_copies(changed=changed)
    np.testing.assert_array_equal(find_groups(data).numbers, original)
    assert find_groups(data.take(slice(0, 60))).numbers is None


@every("changed", [False, True])
@every("seed", [1, 2])
def test_no_copy_is_on_both_sides_of_a_hold_out(seed: int, changed: bool) -> None:
    data, original = with_copies(changed=changed)
    split = hold_out(data, name="cats", seed=seed, test_fraction=0.2)
    assert are_apart(data, original, split.train.X, split.test.X)
    assert len(split.test) in (14, 15, 16)
    assert np.abs(split.test.counts / data.counts - 0.2).max() < 0.08
    assert "groups and copies kept together" in split.notes[-1]
    train, held = validation_rows(data, 0.25, seed)
    assert not are_parted(original, train, held)
    assert len(train) + len(held) == 72


@every("changed", [False, True])
def test_no_copy_is_in_two_folds(changed: bool) -> None:
    data, original = with_copies(changed=changed)
    folds = make_folds(data, 4, 2).rows
    assert len(folds) == 8
    for train, test in folds:
        assert not are_parted(original, train, test)
    assert sorted(np.concatenate([test for _, test in folds[:4]]).tolist()) == list(range(72))
    merged = merge_parts(Split(data.take(slice(0, 60)), data.take(slice(60, None))))
    assert len(merged) == (72 if changed else 66)  # of the exact copies one is left out


def test_data_without_copies_are_divided_as_before() -> None:
    from sklearn.model_selection import train_test_split

    cats = load_drawn_cats().train
    split = hold_out(cats, name="cats", seed=3, test_fraction=0.2)
    rows = train_test_split(np.arange(len(cats)), test_size=len(split.test), stratify=cats.y, random_state=3)
    np.testing.assert_array_equal(split.test.X, cats.X[np.sort(rows[1])])


def test_an_estimator_holds_out_no_copy() -> None:
    data, original = with_copies()
    samples = Samples(data.X, data.y, original)
    for seed in range(3):
        train, held = hold_out_of_estimators(samples, 0.2, np.random.RandomState(seed), stratify=True)
        assert not set(train.y.tolist()) & set(held.y.tolist())
        assert set(held.Y.tolist()) == {0, 1}


def test_where_all_are_copies_they_are_divided_all_the_same() -> None:
    X = np.zeros((10, 8, 8, 3), np.uint8)
    X[5:] = 255
    classes = "of classes '0' and '1' may be in both parts: they have too few other samples"
    for data, note in (
        (Dataset(X, np.arange(10) // 5), f"copies {classes}"),
        (
            Dataset(X[:5].repeat(2, axis=0), np.arange(10.0)),
            "copies may be in both parts: there are too few other samples",
        ),
    ):
        split = hold_out(data, name="plain", seed=1, test_fraction=0.2)
        assert len(split.test) == 2
        assert split.notes[0].startswith("held out 20 % (2 of 10 samples), ")
        assert split.notes[1:] == (note,)


def with_a_plain_class() -> Dataset:
    """With copies, and a class of six equal pictures."""
    data, _ = with_copies()
    X, y = np.concatenate([data.X, np.zeros((6, *data.X.shape[1:]), np.uint8)]), np.append(data.y, [2] * 6)
    return Dataset(X, y, ("non-cat", "cat", "plain"))


@every("seed", [1, 2])
def test_only_copies_of_a_class_that_needs_it_are_parted_and_a_note_says_so(seed: int) -> None:
    data, original = with_a_plain_class(), with_copies()[1]
    split = hold_out(data, name="cats", seed=seed, test_fraction=0.2)
    assert are_apart(data, original, *(part.X[part.y < 2] for part in split))
    assert (split.train.y == 2).any()
    assert (split.test.y == 2).any()
    note = "copies of class 'plain' may be in both parts: it has too few other samples"
    assert split.notes[-1] == note


def test_folds_say_which_copies_are_in_several_of_them() -> None:
    rows, notes = make_folds(with_a_plain_class(), 3, 1)
    assert notes == ("copies of class 'plain' may be in several folds: it has too few other samples",)
    assert all((with_a_plain_class().y[test] == 2).any() for _, test in rows)
    assert make_folds(with_copies()[0], 3, 1).notes == ()
    data = hold_out(with_a_plain_class(), name="cats", seed=1, test_fraction=0.2)
    found = find_label_errors("logistic", data, cv=3, n_jobs=1)
    assert found.notes == notes
    assert f"Note: {notes[0]}" in str(found)


def test_a_folder_and_its_check_say_which_copies_are_in_both_parts(tmp_path: Path) -> None:
    data = with_a_plain_class()
    for i, pixels in enumerate(data.X):
        folder = tmp_path / data.classes[data.y[i]]
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    split = load_data(tmp_path)
    assert split.notes[-1].startswith("copies of class 'plain' may be in both parts")
    report = check_data(str(tmp_path))
    assert report.notes[: len(split.notes)] == split.notes
    assert report.split is not None
    np.testing.assert_array_equal(report.split.test.X, split.test.X)


@every("has_groups", [(True, False), (False, True)])
def test_groups_of_one_part_alone_are_kept_together(has_groups: tuple[bool, bool]) -> None:
    rng = np.random.default_rng(0)
    numbers = np.arange(60) // 4
    train, test = (
        Dataset(rng.normal(size=(60, 2)), np.arange(60) % 2, groups=numbers if has else None)
        for has in has_groups
    )
    at = 0 if has_groups[0] else 60
    rows = make_folds(merge_parts(Split(train, test)), 5, 1).rows
    assert len(rows) == 5
    for one, other in rows:
        inside = [part[(part >= at) & (part < at + 60)] - at for part in (one, other)]
        assert not are_parted(numbers, *inside)


def test_giving_one_class_a_group_takes_none_from_another() -> None:
    """Small data, where a group that moves for one class was often the only one of another."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        groups, labels = rng.integers(0, 6, 24), rng.integers(0, 4, 24)
        train, test = divide_groups(groups, labels, 5, seed)
        assert sorted([*train, *test]) == list(range(24))
        for label in np.unique(labels):
            if len(set(groups[labels == label])) > 1:
                assert all(label in labels[part] for part in (train, test)) or is_interlocked(groups, labels)


def is_interlocked(groups: Array, labels: Array) -> bool:
    """Return whether no division of the groups puts every class of several ones into both parts."""
    names, places = np.unique(groups, return_inverse=True)
    has = np.zeros((len(names), labels.max() + 1), int)
    has[places, labels] = 1
    n_of = has.sum(axis=0)
    sides = (np.arange(2 ** len(names))[:, None] >> np.arange(len(names))) & 1
    n_test = sides @ has
    return not ((n_of < 2) | ((n_test > 0) & (n_test < n_of))).all(axis=1).any()


def test_groups_that_no_division_can_part_are_an_error() -> None:
    groups = np.repeat([0, 1, 2], 8)
    labels = np.concatenate([np.repeat(pair, 4) for pair in ([0, 1], [0, 2], [1, 2])])
    assert is_interlocked(groups, labels)
    data = Dataset(np.eye(24), labels, ("ant", "bee", "cat"), groups=groups)
    with pytest.raises(
        DataError, match="herds: groups or copies that stay together leave a part without class '"
    ):
        hold_out(data, name="herds", seed=1, test_fraction=0.25)


TABLE = "patient,age,bmi,ill\n" + "".join(
    f"p{i // 4},{20 + i},{(7 * i) % 31},{'yes' if (i // 4) % 2 else 'no'}\n" for i in range(48)
)


def test_rows_of_a_group_of_a_table_stay_together(tmp_path: Path) -> None:
    path = tmp_path / "ill.csv"
    path.write_text(TABLE)
    for seed in range(1, 4):
        data = load_data(path, target="ill", group="patient", seed=seed)
        assert data.schema is not None
        assert data.schema.feature_names == ("age", "bmi")  # the group is no input
        sides = [set(((part.X[:, 0] - 20) // 4).tolist()) for part in (data.train, data.test)]
        assert not sides[0] & sides[1]
        assert 8 <= len(data.test) <= 12
        assert set(data.test.y.tolist()) == {0, 1}
        train, held = validation_rows(data.train, 0.25, seed)
        patients = (data.train.X[:, 0] - 20) // 4
        assert not are_parted(patients, train, held)
    report = check_data(DataSource(str(path), target="ill", group="patient"))
    assert report.n_test == len(load_data(path, target="ill", group="patient").test)
    folds = make_folds(merge_parts(data), 3, 1).rows
    patients = (merge_parts(data).X[:, 0] - 20) // 4
    assert not any(are_parted(patients, train, test) for train, test in folds)
    with pytest.raises(OptionError, match="7 folds need 7 groups of every class, and 'no' has 6"):
        make_folds(merge_parts(data), 7, 1)


@every("seed", [1, 2, 3])
def test_a_row_without_a_group_is_one_of_its_own_and_a_note_says_so(tmp_path: Path, seed: int) -> None:
    rng, path = np.random.default_rng(seed), tmp_path / "visits.csv"
    names = ["" if i % 4 == 0 else "NA" if i % 9 == 0 else f"p{rng.integers(9)}" for i in range(90)]
    lines = [f"{name},{rng.random():.6f},{i % 2}" for i, name in enumerate(names)]
    path.write_text("\n".join(["patient,a,ill", *lines, "p1,0.5,0"]))
    data = load_data(path, target="ill", group="patient", seed=seed)
    groups = [set(part.groups.tolist()) for part in (data.train, data.test) if part.groups is not None]
    assert not groups[0] & groups[1]
    n_gaps = sum(name in ("", "NA") for name in names)
    assert len(groups[0] | groups[1]) == n_gaps + len(set(names) - {"", "NA"})
    assert f"{n_gaps} rows without 'patient': each of them is a group of its own" in data.notes
    whole = merge_parts(data)
    assert whole.groups is not None
    assert not any(are_parted(whole.groups, train, test) for train, test in make_folds(whole, 3, 1).rows)


def test_what_can_be_wrong_with_a_group(tmp_path: Path) -> None:
    path = tmp_path / "ill.csv"
    path.write_text(TABLE)
    with pytest.raises(DataError, match="no column 'patients', which was named as the group"):
        load_data(path, target="ill", group="patients")
    with pytest.raises(DataError, match="column 'ill' is the target, and cannot be the group too"):
        load_data(path, target="ill", group="ill")
    path.write_text(re.sub("p(2|4|6|8|10),", "p0,", TABLE))
    with pytest.raises(
        DataError, match="class 'no' is one group, which stays together, and a test part takes at"
    ):
        load_data(path, target="ill", group="patient")
    with pytest.raises(OptionError, match="group does not apply here"):
        load_data("digits", group="patient")


def test_subfolders_of_a_class_are_groups(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for kind, names in (
        ("cat", ("mittens", "tom", "felix", "kitty", "")),
        ("dog", ("rex", "fido", "bello", "")),
    ):
        for number, name in enumerate(names):
            folder = tmp_path / kind / name
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(4):
                pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
                pixels[0, 0] = (len(kind), 50 * number, kind == "dog")
                Image.fromarray(pixels).save(folder / f"{i}.png")
    data = load_data(tmp_path, test_fraction=0.3)
    assert len(data.train) + len(data.test) == 36
    marks = [{tuple(pixel) for pixel in part.X[:, 0, 0].tolist()} for part in (data.train, data.test)]
    named = {(3, 50 * i, 0) for i in range(4)} | {(3, 50 * i, 1) for i in range(3)}
    assert not marks[0] & marks[1] & named
    assert named <= marks[0] | marks[1]
    assert 8 <= len(data.test) <= 14
    report = check_data(str(tmp_path), test_fraction=0.3)
    assert report.split is not None
    np.testing.assert_array_equal(report.split.test.X, data.test.X)
    assert report.notes[: len(data.notes)] == data.notes
