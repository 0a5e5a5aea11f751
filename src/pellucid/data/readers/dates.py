"""Dates as they are written in tables, as days since 1970, and what a network sees of them."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

from pellucid.types import Array

EPOCH = date(1970, 1, 1).toordinal()
MONTHS = "january february march april may june july august september october november december"
PARTS = ("year", "month", "weekday", "hour", "season_sin", "season_cos", "days")
DAYS_A_YEAR = 365.25
_TIME = r"(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)? ?([AaPp][Mm])?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"
YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME)
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)" + _TIME)
DAY_AND_NAME = re.compile(r"(\d{1,2})[ .-]+([A-Za-z]{3,9})[ .,-]+(\d{4}|\d\d)" + _TIME)
NAME_AND_DAY = re.compile(r"([A-Za-z]{3,9})[ .]+(\d{1,2})(?:st|nd|rd|th)?[ ,]+(\d{4})" + _TIME)
DIGITS = re.compile(r"(\d{4})()(\d\d)(\d\d)" + _TIME)


def days_of(cell: str, kind: str = "date") -> float | None:
    """Return a date, with or without a time, as days since 1970-01-01; None where it is none.

    Parameters
    ----------
    cell : str
        "2024-05-31", "2024/5/31 17:30", "31 May 2024", "May 31, 2024"; "31/5/2024" and "5/31/24" by their kind. A
        zone of time is passed over. Years of two digits are those from 1969 to 2068, as POSIX has them.
    kind : {"date", "dmy", "mdy"}, optional
        Whether the day or the month stands first where the year is last; "date": such a cell is no date.

    Examples
    --------
    >>> days_of("1970-01-02"), days_of("2 Jan 1970 12:00"), days_of("1/2/70", "mdy"), days_of("2.1.1970")
    (1.0, 1.5, 1.0, None)
    """
    if found := YEAR_FIRST.fullmatch(cell) or DIGITS.fullmatch(cell):
        year, _, month, day = (int(text or 0) if text.isdigit() else 0 for text in found.groups()[:4])
    elif kind != "date" and (found := YEAR_LAST.fullmatch(cell)):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        day, month = (day, month) if kind == "dmy" else (month, day)
    elif found := DAY_AND_NAME.fullmatch(cell):
        day, month, year = int(found[1]), _month(found[2]), int(found[3])
    elif found := NAME_AND_DAY.fullmatch(cell):
        day, month, year = int(found[2]), _month(found[1]), int(found[3])
    else:
        return None
    if year < 100:
        year += 1900 if year >= 69 else 2000
    hour, minute, second, half = found.groups()[-4:]
    hours = int(hour or 0)
    if hours > 23 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    try:
        whole = date(year, month, day).toordinal() - EPOCH
    except ValueError:  # the 31st of a month of 30 days
        return None
    return whole + (hours + int(minute or 0) / 60 + int(second or 0) / 3600) / 24


def _month(name: str) -> int:
    """Return the number of a month by its name or the beginning of it, 0 for another word."""
    start = "sep" if name.lower() == "sept" else name.lower()
    return next((i for i, month in enumerate(MONTHS.split(), 1) if month.startswith(start)), 0)


def date_parts(days: Array, parts: Sequence[str]) -> Array:
    """Return what a network sees of dates: year, month (1 to 12), weekday (0: Monday), hour, season and days.

    Parameters
    ----------
    days : Array, shape (m,), float64
        From :func:`days_of`.
    parts : sequence of str
        Of ``PARTS``. "season_sin" and "season_cos" are the sine and cosine of 2 pi d / 365.25 for the day d of the
        year, so that December is next to January; "days" are counted since 1970-01-01.

    Returns
    -------
    Array, shape (m, len(parts)), float64

    Examples
    --------
    >>> date_parts(np.array([0.0, 31.5]), ["year", "month", "weekday", "hour", "days"]).tolist()
    [[1970.0, 1.0, 3.0, 0.0, 0.0], [1970.0, 2.0, 6.0, 12.0, 31.5]]
    """
    whole = np.floor(days).astype(np.int64)
    dates = whole.astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    angle = 2 * np.pi * (whole - years.astype("datetime64[D]").astype(np.int64)) / DAYS_A_YEAR
    found = {
        "year": years.astype(np.int64) + 1970,
        "month": dates.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "weekday": (whole + 3) % 7,
        "hour": np.round(24 * (days - whole), 6),
        "season_sin": np.sin(angle),
        "season_cos": np.cos(angle),
        "days": days,
    }
    return np.stack([found[part].astype(np.float64) for part in parts], axis=1)
