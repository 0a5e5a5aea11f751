"""What kind of column each one is: numbers, words, dates, or nothing to predict from."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.data.readers.dates import PARTS, YEAR_LAST, date_parts, days_of
from pellucid.data.readers.table_columns import RARE, cell_values
from pellucid.data.readers.table_schema import DATES, KINDS, Column, LeftOut
from pellucid.data.readers.table_text import MISSING, Decimal, TextColumn, TextTable, number, them
from pellucid.errors import DataError, OptionError, unknown_name
from pellucid.text import join_some, printable
from pellucid.types import Array

MOST_CATEGORIES = 100  # words of a column that get an output column each, the most common ones
MOSTLY = 0.5  # of a column's cells are numbers, dates or words of their own
FEWEST_COUNTED = 10  # rows from which on 1, 2, 3 ... is no coincidence, and words of their own are names
MOST_RARE = 10  # rows, or one in a hundred: words in fewer are rare
TEXT = 4  # words in the middle cell of free text
_WITH_UNIT = re.compile(r"[$\u20ac\u00a3] ?\d[\d.,]*|\d[\d.,]* ?[$\u20ac\u00a3%]")
_NOTATIONS: tuple[Decimal, Decimal] = (".,", ",.")
_PAIRS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})
_ID = re.compile(r"(?i:(.*[ _.-])?(id|key|uuid|index|idx|nr|no|number|rownames?))|.*[a-z]I[Dd]|Unnamed: 0")


def decimal_of(table: TextTable) -> Decimal:
    """Return the decimal sign, and the one between thousands, as far as a column of numbers proves them.

    1,234.5 or 3,14 can mean one thing alone, a column of numbers such as 1,234 two: it proves nothing. Where
    columns prove different signs the table's own stays, and what it does not read is refused.
    """
    if len(table.decimal) > 1:
        return table.decimal
    proved = {sign for name in table.names if (sign := _proved(table.column(name)))}
    return max(proved, key=len) if len({sign[0] for sign in proved}) == 1 else table.decimal


def _proved(column: TextColumn) -> Decimal | None:
    """Return the only notation in which all of a column's cells are numbers, where they are not whole."""
    given, signs = column.decimal, {sign for sign in ".," if sign in column.text}
    if not signs:
        return None
    fits = _readings([cell for cell in column.cells if cell]) if column.words else [given]
    if len(fits) != 1 or (given == "," and fits[0][0] == "."):
        return None
    (decimal,) = fits
    point: Decimal = "," if decimal[0] == "," else "."
    pair: Decimal = ",." if point == "," else ".,"
    return pair if signs != {point} else point


def _readings(cells: Sequence[str]) -> list[Decimal]:
    """Return the notations in which all of these are numbers."""
    return [one for one in _NOTATIONS if all(number(cell, one) is not None for cell in cells)]


def kinds_of(
    table: TextTable, apart: Sequence[str], drop: Sequence[str], given: Mapping[str, str]
) -> tuple[dict[str, str], list[LeftOut], list[str]]:
    """Return the kind of each input column, what is left out, and notes.

    Parameters
    ----------
    table : TextTable
    apart : sequence of str
        Targets and groups, which are no inputs.
    drop : sequence of str
        Columns to leave out.
    given : mapping
        The kind of columns where it is not to be guessed: of ``KINDS``.

    Raises
    ------
    DataError
        If there is no such column, a column's cells do not agree, dates can be read in two orders, or no column is
        left.
    OptionError
        If a kind is unknown, or a column is given and dropped.
    """
    table.check_has([*drop, *given], "named by drop or kinds")
    if taken := [name for name in drop if name in apart]:
        raise OptionError(
            f"drop: column {printable(taken[0])!r} is the target or the group. Leave it out of drop."
        )
    for name, kind in given.items():
        if kind not in KINDS:
            raise OptionError(f"kinds: column {printable(name)!r}: {unknown_name('kind', kind, KINDS)}")
        if name in drop or name in apart:
            raise OptionError(
                f"kinds: column {printable(name)!r} is {'dropped' if name in drop else 'no input'}, and has no "
                "kind. Leave one out."
            )
    kinds: dict[str, str] = {}
    left_out, notes, numberings = [], [], []
    for name in table.names:
        if name in apart:
            continue
        column = table.column(name)
        if name in drop:
            left_out.append(LeftOut(name, "dropped"))
        elif name in given:
            kinds[name] = given[name]
        else:
            found, note = _guessed(column)
            if isinstance(found, LeftOut):
                left_out.append(found)
                continue
            kinds[name] = found
            notes += [note] if note else []
            if found == "numeric" and _numbers_rows(column):
                numberings.append(name)
    ids = [name for name in numberings if _ID.fullmatch(name)]
    if len(ids) < len(kinds):  # else there is nothing else to predict from
        left_out += [LeftOut(name, "it numbers the rows") for name in ids]
        kinds = {name: kind for name, kind in kinds.items() if name not in ids}
    notes += [
        f"column {printable(name)!r} only counts the rows: consider leaving it out, with --drop (drop= in Python)"
        for name in numberings
        if name in kinds
    ]
    if not kinds:
        what = "; ".join(f"{printable(one.name)!r}: {one.reason}" for one in left_out[:3])
        raise DataError(
            f"{table.where}: no column is left to predict {join_some(apart)} from ({what}). Add columns of numbers "
            "or of a few different words."
        )
    return kinds, left_out, notes


def left_out_notes(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a note for each reason why columns are left out.

    Examples
    --------
    >>> left_out_notes([LeftOut("id", "numbers the rows"), LeftOut("name", "names"), LeftOut("ticket", "names")])
    ["left out 'id': numbers the rows", "left out 'name', 'ticket': names"]
    """
    reasons: dict[str, list[str]] = {}
    for one in left_out:
        reasons.setdefault(one.reason, []).append(repr(printable(one.name)))
    return [
        f"left out {join_some(names, 8)}: {reason}"
        for reason, names in reasons.items()
        if reason != "dropped"
    ]


def fitted(column: TextColumn, kind: str, rows: Sequence[int]) -> Column | LeftOut:
    """Return a column with the numbers of its training part; or why it is left out after all.

    Parameters
    ----------
    column : TextColumn
    kind : str
        Of ``KINDS``.
    rows : sequence of int
        The training part.

    Notes
    -----
    Medians, and what is rare, are those of scikit-learn's ``SimpleImputer(strategy="median", add_indicator=True)``
    and ``OneHotEncoder(min_frequency=least, max_categories=101, handle_unknown="infrequent_if_exist")``, where a
    single rare word stays as it is.
    """
    cells = [column.cells[i] for i in rows]
    read = [] if kind == "category" else cell_values(column.cells, kind, column.decimal)
    if None in read:  # said with its row
        Column(column.name, kind, parts=("days",) * (kind in DATES)).encode(column)
    if len(set(cells)) == 1:
        reason = "one value in every training row" if cells[0] else "no value in the training rows"
        return LeftOut(column.name, reason, cells[0])
    if kind == "category":
        words = _categories(cells)
        if words == (RARE,):
            return LeftOut(column.name, f"each of its {len(set(cells))} words is rare")
        common = Counter(cell or MISSING for cell in cells).most_common(1)[0][0]
        return Column(column.name, kind, words, common=common)
    values = np.array(read, np.float64)[list(rows)]
    known = values[~np.isnan(values)]
    if not len(known):
        return LeftOut(column.name, "no value in the training rows")
    fill = 2 * float(np.median(known / 2))  # of which the mean of the two in the middle cannot overflow
    truths = ("no", "yes")
    if kind == "boolean":
        fill = float(known.mean() >= 0.5)
        truths = _truths(cells, values)
    elif kind in DATES:
        fill = float(np.floor(fill))
    parts: tuple[str, ...] = ()
    if kind in DATES:
        made = date_parts(known, PARTS)
        parts = tuple(part for part, one in zip(PARTS, made.T, strict=True) if np.ptp(one) > 0) or ("days",)
    return Column(column.name, kind, (), fill, len(known) < len(values), parts, truths=truths)


def _truths(cells: Sequence[str], values: Array) -> tuple[str, str]:
    """Return the word for 0 and the word for 1 that are used most."""
    no, yes = (Counter(cells[i] for i in np.flatnonzero(values == value).tolist()) for value in (0, 1))
    return max(no, key=no.__getitem__, default="no"), max(yes, key=yes.__getitem__, default="yes")


def _categories(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the words that get a column each, sorted, and "(rare)" where two or more are rarer."""
    counts = Counter(cell or MISSING for cell in cells)
    least = min(MOST_RARE, len(cells) / 100)
    usual = [one for one in counts.most_common(MOST_CATEGORIES + 1) if one[0] != RARE][:MOST_CATEGORIES]
    common = [word for word, count in usual if count >= least]
    if len(counts) - len(common) < 2:
        return tuple(sorted(counts))
    return (*sorted(common), RARE)


def _guessed(column: TextColumn) -> tuple[str | LeftOut, str]:
    """Return the kind of a column, or why it is no input, and a note or "".

    A column of numbers alone is numeric, one of dates alone a date; DataError where most cells are, and some not.
    """
    called, filled = printable(column.name), [cell for cell in column.cells if cell]
    if not filled:
        return LeftOut(column.name, "it is empty"), ""
    if len(set(column.cells)) == 1:
        return LeftOut(column.name, "one value in every row", filled[0]), ""
    words, note = [column.cells[i] for i in column.words], ""
    if column.code is not None:
        words = filled
        note = (
            f"column {called!r}: {column.cell(column.code)} begins with 0, so that its numbers are categories "
            f"(--kinds {called}=numeric takes them as numbers)"
        )
    elif not words:
        return "numeric", ""
    elif len(words) == len(filled) and {word.lower() for word in words} in _PAIRS:
        return "boolean", ""
    elif _is_date(words):
        return _date_kind(column), ""
    check_numbers(column)
    n_words = len(set(words))
    if column.code is None and fraction_of_numbers(column) > MOSTLY:
        no_numbers = _are_no(column, column.words, "number")
        if len(set(column.cells)) - n_words > FEWEST_COUNTED:
            raise DataError(
                f"{column.title}: {no_numbers}, though {100 * fraction_of_numbers(column):.3g} % of its values "
                f"are. {_correct(column.words)}"
            )
        note = f"column {called!r}: read as words, since {no_numbers}"
    elif n_words > FEWEST_COUNTED and n_words > MOSTLY * len(filled):
        is_text = np.median([len(word.split()) for word in words]) >= TEXT
        reason = f"{n_words} different words in {len(column.cells)} rows, like names"
        return LeftOut(column.name, "free text" if is_text else reason), ""
    return "category", note


def _are_no(column: TextColumn, bad: Sequence[int], what: str) -> str:
    """Return that some cells are no numbers or dates: the first of them with their rows, and how many more."""
    return f"{column.some(bad)} {f'is not a {what}' if len(bad) == 1 else f'are not {what}s'}"


def _correct(bad: Sequence[int]) -> str:
    means = "it means" if len(bad) == 1 else "they mean"
    return (
        f"Correct {them(bad)}; if {means} that there is no value, name {them(bad)} with --missing (missing= in "
        "Python)."
    )


def _is_date(words: Sequence[str]) -> bool:
    """Return whether most words are dates."""
    some = words[:: max(1, len(words) // 200)]
    return sum(any(days_of(word, kind) is not None for kind in DATES) for word in some) > MOSTLY * len(some)


def _date_kind(column: TextColumn) -> str:
    """Return "date", or "dmy" or "mdy" where the day's place is known; DataError where it is not."""
    filled = [i for i, cell in enumerate(column.cells) if cell]
    short = [i for i in filled if YEAR_LAST.fullmatch(column.cells[i])]
    bad = [i for i in filled if all(days_of(column.cells[i], kind) is None for kind in DATES)]
    if bad:
        raise DataError(
            f"{column.title}: {_are_no(column, bad, 'date')}, though most of its values are. {_correct(bad)}"
        )
    if not short:
        return "date"
    fits = {kind: all(days_of(column.cells[i], kind) is not None for i in short) for kind in ("dmy", "mdy")}
    name = printable(column.name)
    if all(fits.values()):
        if all("." in column.cells[i] for i in short):  # written so where the day is first
            return "dmy"
        raise DataError(
            f"{column.title}: {column.cell(short[0])} can be read in two orders, as all dates of the column. Name "
            f"one: kinds={{{name!r}: 'dmy'}} where the day is first, 'mdy' where the month is (--kinds {name}=dmy)."
        )
    if not any(fits.values()):
        wrong = {kind: next(i for i in short if days_of(column.cells[i], kind) is None) for kind in fits}
        raise DataError(
            f"{column.title}: no order of day and month reads all dates: {column.cell(wrong['dmy'])}, and "
            f"{column.cell(wrong['mdy'])}. Correct one."
        )
    return "dmy" if fits["dmy"] else "mdy"


def _numbers_rows(column: TextColumn) -> bool:
    """Return whether a column holds a whole number of its own for each row, and its name says so or it counts."""
    if len(column.cells) < FEWEST_COUNTED or not column.are_whole:
        return False
    values = np.array(column.values, np.float64)
    return len(np.unique(values)) == len(values) and (
        bool(_ID.fullmatch(column.name)) or bool((np.diff(values) == 1).all())
    )


def fraction_of_numbers(column: TextColumn) -> float:
    """Return which part of a column's filled cells are numbers."""
    return 1 - len(column.words) / max(1, sum(map(bool, column.cells)))


def check_numbers(column: TextColumn) -> None:
    """Raise if all of a column's words are numbers like 1,234, which can mean two things, or numbers like $5."""
    words = column.words
    if not words:
        return
    readings, first = _readings([column.cells[i] for i in words]), column.cell(words[0])
    if len(readings) > 1:
        both = (
            f"--decimal {one} (decimal={one!r} in Python) for {number(column.cells[words[0]], one):.15g}"
            for one in readings
        )
        raise DataError(
            f"{column.title}: {first} can be read in two ways ({len(words)} such). Pass {', or '.join(both)}."
        )
    if readings:
        sign, other = (
            ("point", ", or pass --decimal , (decimal=',' in Python)")
            if column.decimal[0] == "."
            else ("comma", "")
        )
        raise DataError(
            f"{column.title}: expected numbers with a decimal {sign}, got {first} ({len(words)} such). Write one "
            f"decimal sign in the whole table{other}."
        )
    odd = [i for i in words if _WITH_UNIT.fullmatch(column.cells[i])]
    if len(odd) > MOSTLY * len(words):
        raise DataError(
            f"{column.title}: expected plain numbers, got {column.cell(odd[0])} ({len(odd)} such). Write 1000, "
            f"without a unit; or keep them as words: --kinds NAME=category "
            f"(kinds={{{column.name!r}: 'category'}} in Python)."
        )
