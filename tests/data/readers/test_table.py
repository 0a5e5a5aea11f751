"""Tables: what becomes of their columns, which dialects are read, and what each bad one gets."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.every import every

from pellucid.data.dataset import Split
from pellucid.data.readers.table_files import read_table
from pellucid.data.readers.table_schema import Column, LeftOut, TableSchema
from pellucid.data.readers.table_text import USUAL
from pellucid.data.source import load_data
from pellucid.errors import DataError, FormatError, OptionError

PETS = "name of owner,kg,coat,pet\n" + "".join(
    f'"Nemo, {"AB"[i % 2]}.",{kg},{coat},{pet}\n'
    for i, (kg, coat, pet) in enumerate(
        [(4.5, "tabby", "cat"), (30, "plain", "dog"), (3.25, "", "cat"), (1e1, "tabby", "dog")] * 5
    )
)
SCHEMA = TableSchema(
    (Column("kg"), Column("coat", "category", ("(missing)", "plain", "tabby"))),
    ("pet",),
    "classification",
    ("cat", "dog"),
)


def write(folder: Path, content: str | bytes, name: str = "pets.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(folder: Path, content: str | bytes, target: str | None = None, **options: Any) -> Split:
    """Read a table, whose schema is that which its model file would have."""
    split = load_data(write(folder, content), target=target, **options)
    assert TableSchema.from_config(json.loads(json.dumps(split.schema.to_config()))) == split.schema
    return split


def rows(*columns: Any) -> str:
    return "".join(",".join(str(cell) for cell in row) + "\n" for row in zip(*columns, strict=True))


def test_numbers_stay_and_words_become_columns(tmp_path: Path) -> None:
    split = load(tmp_path, PETS, "pet")
    assert split.classes == ("cat", "dog")
    assert split.schema.feature_names == (
        *("name of owner=Nemo, A.", "name of owner=Nemo, B."),
        *("kg", "coat=(missing)", "coat=plain", "coat=tabby"),
    )
    assert split.schema.is_measured == (False, False, True, False, False, False)
    assert split.notes == (
        "missing values are a category of their own, (missing): 'coat'",
        "held out 20 % (4 of 20 samples), stratified, seed 1",
    )
    X = np.concatenate([split.train.X, split.test.X])
    y = np.concatenate([split.train.y, split.test.y])
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    wanted = {
        (1, 0, 4.5, 0, 0, 1, 0): 5,
        (0, 1, 30.0, 0, 1, 0, 1): 5,
        (1, 0, 3.25, 1, 0, 0, 0): 5,
        (0, 1, 10.0, 0, 0, 1, 1): 5,
    }
    values, counts = np.unique(np.column_stack([X, y]), axis=0, return_counts=True)
    assert dict(zip(map(tuple, values.tolist()), counts.tolist(), strict=True)) == wanted


@every("delimiter", [",", ";", "\t"])
@every("start", ["", "\ufeff"])
@every("end", ["\n", "\r\n", "\r"])
@every("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_every_dialect_gives_the_same(
    delimiter: str, start: str, end: str, quoting: Any, tmp_path: Path
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows(csv.reader(PETS.splitlines()))
    found = read_table(write(tmp_path, start + file.getvalue(), "a.tsv" if delimiter == "\t" else "a.csv"))
    wanted = read_table(write(tmp_path, PETS))
    assert replace(found, where="") == replace(wanted, where="")
    assert (found.columns[0][0], found.rows[-1]) == ("Nemo, A.", "line 21")


def test_tabs_need_no_ending_and_spaces_and_empty_lines_no_care(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'a\t b \n\n 1\t"x\ny"\n   \n2\t ""\n\n'))
    assert table.names == ("a", "b")
    assert table.columns == (("1", "2"), ("x\ny", ""))
    assert table.rows == ("line 3", "line 6")  # a line break inside quotes counts as a line of the file


@every(
    ("labels", "target", "classes", "y"),
    [
        (["b", "a", "c"], "y", ("a", "b", "c"), [1, 0, 2]),
        ([10, 9, 9.0], "y", ("9", "10"), [1, 0, 0]),  # sorted as numbers
        (["no", "Yes", "no"], "y:class", ("Yes", "no"), [1, 0, 1]),
        (["True", "False", "True"], "y", ("False", "True"), [1, 0, 1]),
        ([1, "b", "b"], "y", ("1", "b"), [0, 1, 1]),
        ([0.5, 1.5, 1.5], "y:class", ("0.5", "1.5"), [0, 1, 1]),
        ([0.5, 1, 2], "y", (), [0.5, 1, 2]),
        (["1e-3", "-2", "+3"], " y ", (), [0.001, -2, 3]),
        ([7, 9, 7], "y:number", (), [7, 9, 7]),
    ],
)
def test_targets(labels: list[Any], target: str, classes: tuple[str, ...], y: Any, tmp_path: Path) -> None:
    split = load(tmp_path, "x,y\n" + rows(range(9), labels * 3), target, test_fraction=0.4)
    assert split.classes == split.schema.classes == classes
    assert split.schema.task == ("classification" if classes else "regression")
    for part in (split.train, split.test):
        assert part.y.dtype == (np.int64 if classes else np.float64)
        np.testing.assert_array_equal(part.y, np.array(y * 3)[part.X[:, 0].astype(int)])


def test_a_class_may_be_called_none(tmp_path: Path) -> None:
    path = write(
        tmp_path, "x,coat,y\n" + rows(range(12), ["NA", "tabby", "NA"] * 4, ["None", "cat", "n/a"] * 4)
    )
    with pytest.raises(
        DataError, match=r"in 8 of 12 rows, the first in line 2 \('None'\).*'None', 'n/a'.*--missing ''"
    ):
        load_data(path, target="y")
    split = load_data(path, target="y", missing="", test_fraction=0.4)
    assert split.classes == ("None", "cat", "n/a")
    assert split.schema.feature_names == ("x", "coat=NA", "coat=tabby")
    again = TableSchema.from_config(json.loads(json.dumps(split.schema.to_config())))
    for source in (path, [{"x": i, "coat": "NA", "y": "n/a"} for i in range(12)]):
        found = again.encode(source)
        assert found.X[0].tolist() == [0, 1, 0]
        assert found.y is not None
        assert found.y[2] == 2
    with pytest.raises(DataError, match="'y' has no value in 4 of 12 rows"):
        load_data(path, target="y", missing="N/A")
    assert "missing" not in load(tmp_path, PETS, "pet").schema.to_config()
    with pytest.raises(OptionError, match="missing does not apply"):
        load_data("moons", missing="")


def test_renamed_labels_guessed_quantities_and_names_like_rules(tmp_path: Path) -> None:
    assert "labels 3, 5 became 0, 1" in load(tmp_path, "x,y\n" + rows(range(9), [3, 5, 5] * 3), "y").notes
    split = load(tmp_path, "x,y\n" + rows(range(0, 202, 2), range(101)), "y")
    assert split.notes[0] == "101 different whole numbers in 'y': a regression"
    assert split.schema.task == "regression"
    text = '"y:number","a,b",a,b\n' + rows([1, 2] * 4, [3, 4] * 4, [0] * 8, [1] * 8)
    for target, classes in (("a,b", ("3", "4")), ("y:number", ("1", "2"))):
        assert load(tmp_path, text, target).classes == classes


def test_several_targets_are_yes_or_no_questions(tmp_path: Path) -> None:
    a, b = [0, 1, 1, 0] * 3, ["true", "False", "1.0", "0"] * 3
    split = load(tmp_path, "x,a,z,b,c\n" + rows(range(12), a, a, b, [0] * 12), "b, a,c")
    assert split.classes == split.schema.classes == ("b", "a", "c")
    assert split.schema.task == "multi_label"
    assert [column.name for column in split.schema.columns] == ["x", "z"]
    assert split.notes[-2:] == (
        "one value only in every row of: c",
        "held out 20 % (3 of 12 samples), at random, seed 1",
    )
    for part in (split.train, split.test):
        assert part.y.dtype == np.int64
        wanted = np.column_stack([[1, 0, 1, 0] * 3, a, [0] * 12])
        np.testing.assert_array_equal(part.y, wanted[part.X[:, 0].astype(int)])


def test_categories_come_from_the_training_part(tmp_path: Path) -> None:
    words = [f"w{i:02}" for i in range(20) for _ in range(2)]
    split = load(tmp_path, "x,word,y\n" + rows(range(0, 80, 2), words, [0, 1] * 20), "y", test_fraction=0.6)
    seen = tuple(sorted({words[int(x) // 2] for x in split.train.X[:, 0]}))
    assert split.schema.columns[1].categories == seen
    assert len(seen) < 20
    new = [words[int(x) // 2] not in seen for x in split.test.X[:, 0]]
    np.testing.assert_array_equal(split.test.X[:, 1:].sum(axis=1), np.where(new, 0, 1))
    assert any("is no category of the training part and became all zeros" in note for note in split.notes)


@every(
    ("column", "kept", "note"),
    [
        (
            range(50),
            True,
            "column 'x' only counts the rows: consider leaving it out, with --drop (drop= in Python)",
        ),
        ([7] * 50, False, "left out 'x': one value in every row"),
        (["w"] * 50, False, "left out 'x': one value in every row"),
        ([""] * 50, False, "left out 'x': it is empty"),
        (
            [f"n{i}" for i in range(40)] + ["n0"] * 10,
            False,
            "left out 'x': 40 different words in 50 rows, like names",
        ),
        ([f"she said {i} times no" for i in range(50)], False, "left out 'x': free text"),
        (
            [1, 2, 3, "4 kg", 5] * 10,
            True,
            "column 'x': read as words, since '4 kg' in line 5 (10 such) are not numbers",
        ),
    ],
)
def test_strange_columns_are_noted(column: Any, kept: bool, note: str, tmp_path: Path) -> None:
    split = load(tmp_path, "x,z,y\n" + rows(column, [1, 2] * 25, [0, 1] * 25), "y")
    assert note in split.notes
    assert ("x" in [column.name for column in split.schema.columns]) == kept
    assert [one.name for one in split.schema.left_out] == ["x"] * (not kept)


def test_names_and_numberings_are_left_out(tmp_path: Path) -> None:
    text = ",PassengerId,name,x,y\n" + rows(
        range(101),
        range(900, 698, -2),
        [f"n{i}" for i in range(101)],
        [3, 1, 2] * 33 + [5, 5],
        [0] + [1, 0] * 50,
    )
    split = load(tmp_path, text, "y")
    assert split.schema.feature_names == ("x",)
    assert split.notes[:3] == (
        "left out column 1, which the first line does not name",
        "left out 'name': 101 different words in 101 rows, like names",
        "left out 'PassengerId': it numbers the rows",
    )
    kept = load(tmp_path, text, "y", kinds={"PassengerId": "numeric"}, drop=["x"])
    assert kept.schema.feature_names == ("PassengerId",)
    assert load(tmp_path, "id,y\n" + rows(range(20), [0, 1] * 10), "y").schema.feature_names == ("id",)
    paid = load(tmp_path, "paid,x,y\n" + rows(range(100, 60, -2), [1, 2] * 10, [0, 1] * 10), "y")
    assert paid.schema.feature_names == ("paid", "x")  # ends in id, and is none


def test_a_constant_that_changes_later_is_told(tmp_path: Path) -> None:
    schema = load(tmp_path, "x,z,y\n" + rows(["a"] * 20, [1, 2] * 10, [0, 1] * 10), "y").schema
    assert schema.encode([{"x": "a", "z": 1}, {"z": 2, "x": "b"}]).notes == (
        "column 'x' was 'a' in every training row and is no input: 'b' in row 2 has no effect",
    )


def test_gaps_become_the_median_and_a_column_that_says_so(tmp_path: Path) -> None:
    from sklearn.impute import SimpleImputer

    rng = np.random.default_rng(0)
    values = np.where(rng.random((200, 3)) < [0, 0.1, 0.3], np.nan, np.round(rng.normal(size=(200, 3)), 3))
    cells = [["" if np.isnan(value) else value for value in column] for column in values.T]
    split = load(tmp_path, "a,b,c,y\n" + rows(*cells, [0, 1] * 100), "y")
    assert split.schema.feature_names == ("a", "b", "b missing", "c", "c missing")
    found = split.schema.encode(tmp_path / "pets.csv").X
    train = [int(np.flatnonzero((found == row).all(axis=1))[0]) for row in split.train.X]
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(values[train])
    np.testing.assert_array_equal(found[:, [0, 1, 3, 2, 4]], imputer.transform(values))
    assert split.notes[0].startswith(
        "missing values became the training part's median, and a column says where: 'b' ("
    )
    X, _, notes = split.schema.encode([{"a": None, "b": "", "c": 1}])
    np.testing.assert_array_equal(X[0, :3], [np.median(values[train, 0]), np.nanmedian(values[train, 1]), 1])
    assert len(notes) == 1
    assert notes[0].startswith("column 'a': no value in 1 of 1 rows, the first in row 1; ")


def test_rare_words_are_one_category(tmp_path: Path) -> None:
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(1)
    words = [f"w{i}" for i in np.minimum(rng.geometric(0.05, 2000), 60)]
    split = load(tmp_path, "x,word,y\n" + rows(np.round(rng.random(2000), 6), words, [0, 1] * 1000), "y")
    column = split.schema.columns[1]
    train = split.train.X[:, 1:].sum(axis=0)
    assert column.categories[-1] == "(rare)"
    assert train[:-1].min() >= 10
    np.testing.assert_array_equal(split.test.X[:, 1:].sum(axis=1), 1)
    encoder = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False)
    again = split.schema.encode(tmp_path / "pets.csv").X
    here = dict(zip(again[:, 0], words, strict=True))
    encoder.fit([[here[x]] for x in split.train.X[:, 0]])
    np.testing.assert_array_equal(again[:, 1:], encoder.transform([[word] for word in words]))
    assert split.schema.encode([{"x": 0, "word": "never seen"}]).X[0, -1] == 1
    many = load(tmp_path, "word,y\n" + rows([f"w{i % 300}" for i in range(6000)], [0, 1] * 3000), "y")
    assert len(many.schema.columns[0].categories) == 101


@every(
    ("cells", "kind", "days"),
    [
        (["2024-02-29", "1970-01-01"], "date", [19782, 0]),
        (["2024-02-29T06:00:00Z", "1970/1/1 12:30"], "date", [19782.25, 12.5 / 24 + 1 / 48 - 1 / 48]),
        (["29 Feb 2024", "Jan 1, 1970"], "date", [19782, 0]),
        (["29/2/2024", "1/1/1970"], "dmy", [19782, 0]),
        (["2/29/24 6:00 pm", "1/1/70"], "mdy", [19782.75, 0]),
        (["29.02.2024", "01.01.1970"], "dmy", [19782, 0]),
        (["1.2.2024", "2.1.1970"], "dmy", [19754, 1]),
    ],
)
def test_dates(cells: list[str], kind: str, days: list[float], tmp_path: Path) -> None:
    quoted = [f'"{cell}"' for cell in cells]
    split = load(tmp_path, "when,y\n" + rows(quoted * 10, [0, 1] * 10), "y")
    (column,) = split.schema.columns
    assert column.kind == kind
    assert split.schema.feature_names[-1] == "when days"
    X = split.schema.encode([{"when": cell} for cell in cells]).X
    np.testing.assert_allclose(X[:, -1], days)
    assert split.schema.encode([{"when": ""}]).X.shape == X[:1].shape


def test_a_date_in_its_parts(tmp_path: Path) -> None:
    text = "when,y\n" + rows(
        [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02} 0{i % 10}:30" for i in range(60)], [0, 1] * 30
    )
    split = load(tmp_path, text, "y")
    assert split.schema.feature_names == tuple(
        f"when {part}" for part in ("month", "weekday", "hour", "season_sin", "season_cos", "days")
    )
    month, weekday, hour, sine, cosine, days = split.schema.encode([{"when": "2024-07-01 18:45"}]).X[0]
    assert (month, weekday, hour, days) == (7, 0, 18.75, 19905.78125)
    np.testing.assert_allclose(
        [sine, cosine], [np.sin(2 * np.pi * 182 / 365.25), np.cos(2 * np.pi * 182 / 365.25)]
    )


def test_truths_are_one_column_and_keep_their_words(tmp_path: Path) -> None:
    cells = ["True", "False", "", "False", "True", "False"] * 4 + ["TRUE"] * 2 + ["False"] * 4
    split = load(tmp_path, "a,b,y\n" + rows(cells, ["y", "n"] * 15, [0, 1] * 15), "y")
    assert split.schema.feature_names == ("a", "a missing", "b")
    assert split.schema.is_measured == (False, False, False)
    a, b = split.schema.columns
    assert (a.truths, a.usual, a.filled, b.truths) == (("False", "True"), "False", "False", ("n", "y"))
    assert split.notes[0] == (
        "missing values became the training part's more common value, and a column says where: 'a' (False)"
    )
    found = split.schema.encode([{"a": True, "b": "T"}, {"a": None, "b": 0}, {"a": "yes", "b": "no"}]).X
    np.testing.assert_array_equal(found, [[1, 0, 1], [0, 1, 0], [1, 0, 0]])
    with pytest.raises(
        DataError, match="'a': expected true or false, yes or no, 1 or 0, got 'maybe' in row 1"
    ):
        split.schema.encode([{"a": "maybe", "b": 1}])


def test_numbers_with_leading_zeros_are_categories(tmp_path: Path) -> None:
    text = "zip,x,y\n" + rows(["00501", "10115", "", "20095"] * 10, range(40), ["07", "8"] * 20)
    split = load(tmp_path, text, "y")
    assert split.schema.feature_names[:4] == ("zip=(missing)", "zip=00501", "zip=10115", "zip=20095")
    assert split.classes == ("07", "8")
    assert (
        "column 'zip': '00501' in line 2 begins with 0, so that its numbers are categories (--kinds zip=numeric "
        "takes them as numbers)"
    ) in split.notes
    found = split.schema.encode([{"zip": "00501", "x": 1, "y": "07"}])
    assert found.X[0, :4].tolist() == [0, 1, 0, 0]
    assert found.y is not None
    assert found.y.tolist() == [0]
    assert load(tmp_path, text, "y", kinds={"zip": "numeric"}).schema.feature_names[:2] == (
        "zip",
        "zip missing",
    )
    assert load(tmp_path, text, "y:number").schema.task == "regression"
    many = load(tmp_path, "zip,x,y\n" + rows(map("{:05}".format, range(40)), range(40), [0, 1] * 20), "y")
    assert "left out 'zip': 40 different words in 40 rows, like names" in many.notes
    measured = "x,y\n" + rows(["01.5", "2"] * 10, [0, 1] * 10)
    assert load(tmp_path, measured, "y").schema.feature_names == ("x",)


def test_free_text_as_a_category_says_what_becomes_of_its_words(tmp_path: Path) -> None:
    for n, note in (
        (50, "each word is a number of its own: 'note' (50 words)"),
        (400, "left out 'note': each of its 320 words is rare"),
    ):
        text = "note,z,y\n" + rows(
            [f"she said {i} times no" for i in range(n)], [1, 2] * (n // 2), [0, 1] * (n // 2)
        )
        assert note in load(tmp_path, text, "y", kinds={"note": "category"}).notes
    some = [f"she said {i} times no" if i % 3 else "nothing" for i in range(400)]
    split = load(
        tmp_path, "note,z,y\n" + rows(some, [1, 2] * 200, [0, 1] * 200), "y", kinds={"note": "category"}
    )
    assert split.schema.feature_names == ("note=nothing", "note=(rare)", "z")
    assert "rare words count as one: 'note' (266 of 267)" in split.notes


KINDS = "zip,day,level,y\n" + rows(
    [10115, 20095] * 10, ["03/04/2024", "05/06/2024"] * 10, [1, 2] * 10, [0, 1] * 10
)


def test_kinds_that_are_given(tmp_path: Path) -> None:
    split = load(tmp_path, KINDS, "y", kinds={"zip": "category", "day": "mdy"}, drop=["level"])
    assert split.schema.feature_names[:2] == ("zip=10115", "zip=20095")
    assert split.schema.encode([{"zip": 10115, "day": "03/04/2024"}]).X[0, -1] == 19786


BOTH_SIGNS = "x,z,y\n" + rows(map('"0,{}"'.format, range(120)), map("0.{}".format, range(120)), [0, 1] * 60)


@every(
    ("content", "options", "message"),
    [
        (KINDS, {}, r"'03/04/2024' in line 2 can be read in two orders.*--kinds day=dmy\)"),
        (
            KINDS,
            {"kinds": {"zip": "categorical"}},
            "kinds: column 'zip': unknown kind 'categorical'. Did .* 'category'",
        ),
        (KINDS, {"kinds": {"y": "numeric", "day": "dmy"}}, "kinds: column 'y' is no input"),
        (KINDS, {"drop": ["zp"]}, "there is no column 'zp', named by drop or kinds. Did you mean 'zip'"),
        (
            KINDS,
            {"kinds": {"zip": "date", "day": "dmy"}},
            "'zip': expected dates as in the training .date., got '10115' in line 2",
        ),
        (KINDS, {"drop": ["y"]}, "drop: column 'y' is the target"),
        (BOTH_SIGNS, {}, "column 'x': expected numbers with a decimal point, got '0,0' in line 2"),
        ("size;y\n" + "1.5;1\n2,25;2\n" * 5, {"decimal": ","}, r"with a decimal comma, got '1\.5' in line 2"),
    ],
)
def test_options_that_do_not_fit_a_table_or_that_it_needs(
    content: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises((DataError, OptionError), match=message):
        load(tmp_path, content, "y", **options)


def test_a_decimal_comma_that_is_said(tmp_path: Path) -> None:
    assert load(tmp_path, BOTH_SIGNS.replace("0.", "0"), "y").schema.decimal == ","
    split = load(
        tmp_path, 'x,y\n"1,125",1\n"2,250",2\n"3,125",1\n"4,125",2\n', "y", decimal=",", test_fraction=0.5
    )
    assert split.schema.feature_names == ("x",)
    np.testing.assert_array_equal(
        split.schema.encode([{"x": "3,5"}, {"x": 3.5}, {"x": "3.5"}]).X, [[3.5]] * 3
    )


def test_what_one_word_does_to_a_target_and_a_literal_rare(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'y': expected finite numbers, got 'bad' in line 9"):
        load(tmp_path, "x,y\n" + rows(range(40), [i / 4 if i != 7 else "bad" for i in range(40)]), "y")
    words = ["(rare)"] * 3 + ["a"] * 600 + ["b"] * 600 + ["c", "d", "e"]
    split = load(tmp_path, "x,w,y\n" + rows(range(0, 2412, 2), words, [0, 1] * 603), "y")
    assert split.schema.columns[1].categories == ("a", "b", "(rare)")
    assert any(note.startswith("rare words count as one: 'w'") for note in split.notes)


def test_values_of_pandas_and_times_that_are_none() -> None:
    pandas = pytest.importorskip("pandas")
    schema = TableSchema(
        (Column("d", "date", fill=1.0, parts=("days",)), Column("t", "boolean", fill=0.0)),
        ("y",),
        "regression",
    )
    found = schema.encode(
        [{"d": pandas.NaT, "t": 1.0}, {"d": "1970-01-03", "t": "0.0"}, {"d": None, "t": pandas.NA}]
    )
    np.testing.assert_array_equal(found.X, [[1, 1], [2, 0], [1, 0]])
    for cell in ("2024-01-01T25:00", "2024-01-01 10:61", "5 marble 2024"):
        with pytest.raises(DataError, match="expected dates"):
            schema.encode([{"d": cell, "t": 1}])


def test_files_and_frames_give_the_same(tmp_path: Path) -> None:
    pandas, polars, arrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    when = [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(40)]
    columns = {
        "n": [None if i % 7 == 0 else i % 5 for i in range(40)],
        "x": [i / 3 for i in range(40)],
        "coat": ["plain", "tabby", None, "NA"] * 10,
        "ok": [i % 3 == 0 for i in range(40)],
        "y": ["a", "b"] * 20,
    }
    frame = pandas.DataFrame(columns | {"when": pandas.to_datetime(when)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    others = [
        load_data(tmp_path / "t.parquet", target="y", kinds={"n": "numeric"}),
        load_data(frame, target="y"),
        load_data(polars.DataFrame(columns | {"when": polars.Series(when).str.to_date()}), target="y"),
        load_data(arrow.Table.from_pandas(frame), target="y"),
    ]
    wanted = load_data(tmp_path / "t.csv", target="y")
    for other in others:
        assert other.schema == wanted.schema
        np.testing.assert_array_equal(other.train.X, wanted.train.X)
    np.testing.assert_array_equal(wanted.schema.encode(frame).X, wanted.schema.encode(tmp_path / "t.csv").X)
    with pytest.raises(OptionError, match="image_size does not apply"):
        load_data(frame, target="y", image_size=(8, 8))
    with pytest.raises(DataError, match="the frame: expected a target"):
        load_data(frame)
    with pytest.raises(DataError, match="the frame: expected at least one row"):
        load_data(frame[:0], target="y")


@every(
    ("cells", "decimal", "numbers", "note"),
    [
        (["1,234.50", "999", "1,000"], ".,", [1234.5, 999, 1000], "'1,234.50' in line 2 is 1234.5"),
        (
            ["1,234,567", "-12,345,678", "0"],
            ".,",
            [1234567, -12345678, 0],
            "'1,234,567' in line 2 is 1234567",
        ),
        (["1.234,50", "999", "1.000"], ",.", [1234.5, 999, 1000], "'1.234,50' in line 2 is 1234.5"),
        (["1 234,5", "3,25", "12"], ",", [1234.5, 3.25, 12], "'1 234,5' in line 2 is 1234.5"),
        (["1'234.5", "1\u202f000", "1 000 000"], ".", [1234.5, 1000, 1e6], '"1\'234.5" in line 2 is 1234.5'),
        (["3,25", "1.500", "2"], ",.", [3.25, 1500, 2], "'1.500' in line 3 is 1500"),
        (["0,125", "1,234", "2"], ",", [0.125, 1.234, 2], ""),
    ],
)
def test_thousands_are_read_where_one_reading_fits_the_column(
    cells: list[str], decimal: str, numbers: list[float], note: str, tmp_path: Path
) -> None:
    for target in ("y", "x:number"):
        split = load(
            tmp_path, "x;y\n" + "".join(f"{cell};{i % 2}\n" for i in range(8) for cell in cells), target
        )
        assert split.schema.decimal == decimal
        assert any(note in text and text.startswith("separators between") for text in split.notes) == bool(
            note
        )
        found = split.schema.encode(tmp_path / "pets.csv")
        np.testing.assert_array_equal((found.X[:, 0] if target == "y" else found.y)[:3], numbers)
    schema = load(tmp_path, (tmp_path / "pets.csv").read_text(), "y").schema
    np.testing.assert_array_equal(schema.encode([{"x": cell} for cell in cells]).X[:, 0], numbers)


def test_thousands_or_decimals_are_refused_until_a_flag_decides(tmp_path: Path) -> None:
    for cells in ('"1,234"', '"2,345"'), ('"1,234"', "7"):
        text = "x,y\n" + rows([*cells] * 5, [0, 1] * 5)
        with pytest.raises(
            DataError,
            match=r"'x': '1,234' in line 2 can be read in two ways \(\d+ such\). Pass --decimal ., \(decimal='.,' "
            r"in Python\) for 1234, or --decimal ,. \(decimal=',.' in Python\) for 1.234\.",
        ):
            load(tmp_path, text, "y")
        for decimal, number in ((".,", 1234), (",.", 1.234), (",", 1.234)):
            split = load(tmp_path, text, "y", decimal=decimal)
            assert split.schema.encode(tmp_path / "pets.csv").X[0, 0] == number
            assert split.schema.encode([{"x": "1,234"}, {"x": 7.5}]).X.tolist() == [[number], [7.5]]
    words = load(tmp_path, text, "y", kinds={"x": "category"}).schema
    assert words.feature_names == ("x=1,234", "x=7")
    plain = load(tmp_path, "x,y\n" + rows([1.5, 2] * 5, [0, 1] * 5), "y").schema
    with pytest.raises(DataError, match="'x': expected finite numbers, got '1,234' in row 1"):
        plain.encode([{"x": "1,234"}])
    assert plain.encode([{"x": "1,234.5"}]).X[0, 0] == 1234.5


@every(
    ("content", "target", "message"),
    [
        (
            "x,y\n1,2\n",
            None,
            r"expected a target, .* Columns: x, y\. Try --target y \(target='y' in Python\)",
        ),
        ("x,y\n1,2\n", " ", "expected a target"),
        ("Age,sex\n1,2\n", "agee", "no column 'agee', which was named as the target. Did you mean 'Age'"),
        ("age,y\n1,2\n", "agee:number", "no column 'agee',"),
        ("a,b\n1,2\n", "a,c,d", "there are no columns 'c', 'd'"),
        ("a,b\n1,2\n", "a,a", "expected different target columns, got a, a"),
        (
            "5.1,3.5,no\n4.9,3.0,no\n",
            "y",
            r"first line has to hold the columns' names.*Columns: 5\.1, 3\.5, no",
        ),
        ("1,1,0\n1,0,1\n", "y", r"got '1' twice.*first line has to hold"),
        ("", "y", "found an empty file"),
        (" \n\n", "y", "expected a line of column names, found none"),
        (",,\n1,2,3\n", "y", "expected a line of column names, found empty ones"),
        ("x,y\n", "y", "expected rows below the names, found none"),
        ("y\n1\n2\n", "y", "expected at least two columns, .* got only 'y'"),
        ("x,y\n1,2.5\n", "y", "expected at least two rows, .* got 1"),
        ("x,y,x\n1,2,3\n", "y", "expected different names for the columns, got 'x' twice. Rename one"),
        ("x,y\n1,2\n\n1,2,3\n", "y", "expected 2 fields in line 4, .* got 3"),
        ("x,y\n1,2\n1\n", "y", "expected 2 fields in line 3, .* got 1"),
        ('x,y\n1,2\n1,"2\n3,4\n', "y", r"cannot divide the text from line 3 on \(unexpected end"),
        ('x,y\n1,"2"3\n', "y", "cannot divide the text from line 2 on"),
        ("x,y\n1,2\n1," + 200_000 * "a" + "\n", "y", r"from line 3 on \(field larger than field limit"),
        (b"x,y\n1,2\n1,\xe9\n", "y", "expected text in UTF-8, got the byte 0xe9 in line 3"),
        ("x,y\n1,2\n".encode("utf-16")[:-1], "y", "expected text in UTF-8, got the byte"),
        ("x,y\n1,\0\n", "y", "found null bytes"),
        ("x,y\n1,a\n2,?\n3,a\n4,NULL", "y", "target 'y' has no value in 2 of 4 rows, the first in line 3"),
        ("x,y\n1,2\n1e999,3\n", "y:number", "'x': expected finite numbers, got '1e999' in line 3"),
        ("x,y\n1,2.5\n2,inf\n", "y", "'y': expected finite numbers, got 'inf' in line 3"),
        (
            "x;y\n1;1.000,5\n2;0.5\n",
            "y",
            "'y': expected numbers with a decimal point, got '1.000,5' in line 2",
        ),
        (
            "x,y\n" + rows(["q", "r", *range(120), "q", "s", "t"], [0, 1] * 62 + [1]),
            "y",
            r"'q' in line 2, 'r' in line 3, 's' in line 125 and 1 more \(5 such\) are not numbers, though 96 % .* "
            r"Correct them; if they mean that there is no value, name them with --missing \(missing= in Python\)\.",
        ),
        (
            "x,y\n1,2.5\n2,few\n3,4\n4,many\n",
            "y:number",
            r"'y': expected finite numbers, got 'few' in line 3, 'many' in line 5 \(2 such\) \(of 4 rows\)",
        ),
        ("x,y\n1,a\n2,a\n", "y", "expected at least two classes, but every label is 'a'"),
        ("x,y\n1,3\n2,4\n3,3\n", "y", "class '4' has 1 row.* use target='y:number'"),
        ("x,y\n1,a\n2,b\n3,a\n", "y", "class 'b' has 1 sample"),
        ("x,a,b\n1,0,1\n1,0,0.5\n", "a,b", "column 'b': expected 0 or 1, .* got '0.5' in line 3"),
        ("x,a,b\n1,,1\n1,0,0\n", "a,b", r"column 'a': expected 0 or 1, .* got '\(missing\)' in line 2"),
        (
            "x,y\n" + rows(map("n{}".format, range(101)), [0] + [1, 0] * 50),
            "y",
            "no column is left to predict y",
        ),
        ('x,y\n"$5",0\n"$6",1\n', "y:number", r"'x': expected plain numbers, got '\$5' in line 2"),
        (
            "x,z,y\n" + rows(["3/14/2024", "2/1/2024", "14/3/2024"] * 9, range(27), [1, 2, 3] * 9),
            "y",
            "no order of day and month reads all dates: '3/14/2024' in line 2, and '14/3/2024' in line 4",
        ),
        (
            "x,y\n" + rows(["2024-01-31", "2024-02-01", "soon", "2024-02-28"] * 9, [1, 2] * 18),
            "y",
            r"'soon' in line 4 \(9 such\) are not dates, though most of its values are",
        ),
        (
            "x,y\n" + rows(["q", *range(120)], [0] + [1, 0] * 60),
            "y",
            "'q' in line 2 is not a number, though 99.2 %",
        ),
    ],
)
def test_bad_tables_get_one_clear_line(
    content: str | bytes, target: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, content, target)
    assert "\n" not in str(caught.value)
    assert "pets.csv: " in str(caught.value)


def test_the_schema_reads_other_tables(tmp_path: Path) -> None:
    text = 'pet,extra,,coat,kg\ndog,1,9,"tabby",2e1\ncat,x,9,NA,.5\n'
    X, y, notes = SCHEMA.encode(write(tmp_path, text))
    np.testing.assert_array_equal(X, [[20, 0, 0, 1], [0.5, 1, 0, 0]])
    np.testing.assert_array_equal(y, [1, 0])
    assert notes == ("left out column 3, which the first line does not name",)
    same = [{"coat": "tabby", "pet": "dog", "kg": 20}, {"kg": 0.5, "pet": "cat", "coat": None}]
    np.testing.assert_array_equal(SCHEMA.encode(same).X, X)
    np.testing.assert_array_equal(SCHEMA.encode(same).y, y)  # type: ignore[arg-type]
    assert SCHEMA.encode(same, with_target=False).y is None
    assert SCHEMA.encode(write(tmp_path, "kg,coat\n1,tabby\n")).y is None
    found = SCHEMA.encode([{"coat": coat, "kg": 1} for coat in ("plain", "Tabby", "spots")])
    np.testing.assert_array_equal(found.X, [[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    assert found.notes[0].startswith("column 'coat': 'Tabby' in row 2 is no category of the training part")
    assert found.notes[0].endswith("and became all zeros, in 2 of 3 rows")


def test_decimal_commas_are_seen_or_asked_for(tmp_path: Path) -> None:
    text = "size, cm;kg;pet\n" + "1,5;10;cat\n-2,25;3;dog\n" * 5
    for options in ({}, {"decimal": ","}):
        split = load(tmp_path, text, "pet", **options)
        assert split.schema.feature_names == ("size, cm", "kg")
        assert sorted(set(np.concatenate([split.train.X, split.test.X])[:, 0])) == [-2.25, 1.5]
        assert ("decimal commas: 3,14 is a number" in split.notes) == (not options)
        np.testing.assert_array_equal(split.schema.encode(tmp_path / "pets.csv").X[0], [1.5, 10])


@every(
    ("table", "message"),
    [
        ([], "rows: expected at least one row, got none"),
        ([{"kg": 1, "pet": "cat", "oat": 3}], "no column 'coat', .* Did you mean 'oat'"),
        (
            [{"Kg": 1}],
            "no columns 'kg', 'coat', which the model was trained on. Did you mean 'Kg'.*Columns: Kg",
        ),
        ([{"kg": "x", "coat": "plain"}], "column 'kg': expected finite numbers, got 'x' in row 1"),
        (
            [{"kg": 1, "coat": ""}, {"coat": ""}],
            "column 'kg' has no value in 1 of 2 rows, the first in row 2",
        ),
        ([{"kg": 1, "coat": "", "pet": "owl"}], "'pet' holds 'owl' in row 1, .* classes .cat, dog."),
        ([{"kg": 1, "coat": "", "pet": None}], r"'pet' holds '\(missing\)' in row 1"),
    ],
)
def test_tables_that_the_schema_cannot_read(table: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SCHEMA.encode(table)


def test_what_a_model_knows_is_no_guess_at_a_column_that_lacks() -> None:
    schema = TableSchema(
        (Column("targeted"), Column("rate")),
        ("target",),
        "regression",
        left_out=(LeftOut("targets", "names"),),
    )
    for more, message in (
        ({}, r"trained on\. Columns: rate, target, targets"),
        ({"tageted": 3}, "mean 'tageted'"),
    ):
        with pytest.raises(DataError, match=message):
            schema.encode([{"rate": 1, "target": 2, "targets": 3} | more])


def test_targets_in_other_notations_and_absent_ones() -> None:
    schema = TableSchema((Column("x"),), ("y",), "classification", ("3", "10"))
    found = schema.encode([{"x": 0, "y": y} for y in ("3", "10", "3.0", "1e1", 10)])
    np.testing.assert_array_equal(found.y, [0, 1, 0, 1, 1])
    schema = TableSchema((Column("x"),), ("a", "b"), "multi_label", ("a", "b"))
    np.testing.assert_array_equal(schema.encode([{"x": 1, "a": 0, "b": 1}]).y, [[0, 1]])
    assert schema.encode([{"x": 1, "a": 0}])[1:] == (None, ("no labels read: there is no column b",))
    assert schema.encode([{"x": 1}])[1:] == (None, ())


@every(
    "change",
    [
        {"task": "clasification"},
        {"task": "regression"},
        {"task": "multi_label"},
        {"classes": ["cat"]},
        {"classes": ["cat", "cat"]},
        {"classes": "cat"},
        {"classes": [1, 2]},
        {"target": []},
        {"target": ["kg"]},
        {"columns": []},
        {"columns": None},
        {"columns": [{"kind": "numeric"}]},
        {"decimal": ";"},
        {"columns": [{"name": "a", "kind": "numeric", "categories": ["x"]}]},
        {"columns": [{"name": "a", "kind": "category", "categories": []}]},
        {"columns": [{"name": "a", "kind": "category", "categories": ["x", "x"]}]},
        {"columns": [{"name": "a", "kind": "numerical", "categories": []}]},
        {"columns": [{"name": "a", "kind": "numeric", "categories": []}] * 2},
        *(None, 7, [], {}),
    ],
)
def test_a_damaged_schema_is_refused(change: Any) -> None:
    config = SCHEMA.to_config() | change if isinstance(change, dict) and change else change
    with pytest.raises(
        FormatError, match=r"table schema in the model file: .* damaged, or from a newer pellucid"
    ):
        TableSchema.from_config(config)


def test_an_unknown_kind_of_column_names_the_nearest() -> None:
    with pytest.raises(OptionError, match="Did you mean 'numeric'"):
        Column("x", "numerics")


FUZZ = settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@FUZZ
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=2, max_size=6),
    st.sampled_from(",;\t"),
    st.sampled_from([USUAL, "", "none, ?"]),
)
def test_any_text_that_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]], delimiter: str, missing: str
) -> None:
    cells[0] = ["a", "b", "c"]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(cells)
    path = write(
        tmp_path_factory.getbasetemp(), file.getvalue(), "any.tsv" if delimiter == "\t" else "any.csv"
    )
    words = {
        USUAL: {"", "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"},
        "": {""},
        "none, ?": {"", "none", "?"},
    }[missing]
    wanted = [["" if (text := cell.strip()).lower() in words else text for cell in row] for row in cells[1:]]
    table = read_table(path, missing=missing)
    assert [list(row) for row in zip(*(table.column(name).cells for name in "abc"), strict=True)] == wanted
