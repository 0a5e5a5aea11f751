"""Opening a data set for a checkup: no bad file or missing number stops it, and every sample keeps its name."""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.checks.files import Read, file_findings, unreadable
from pellucid.checks.records import Finding, Names, ProgressCallback, Sample, no_progress
from pellucid.checks.tables import open_table
from pellucid.data.dataset import Dataset, Split
from pellucid.data.readers.folder import common_size
from pellucid.data.readers.images import ImageFacts, check_size, read_facts, read_image, resize_image
from pellucid.data.readers.listing import Listing, list_folder
from pellucid.data.source import BUILTIN, load_data
from pellucid.data.validate import Part, RawSplit, to_split
from pellucid.errors import DataError, OptionError
from pellucid.text import printable
from pellucid.types import Array


class Opened(NamedTuple):
    """A data set ready for a checkup."""

    split: Split
    names: Names
    findings: tuple[Finding, ...]  # what was found while it was read


class _File(NamedTuple):
    path: Path
    name: str  # below the folder
    part: int  # 0: the first or only one
    label: int
    facts: ImageFacts


def open_data(
    source: str | Path,
    *,
    x_key: str | None = None,
    y_key: str | None = None,
    target: str | None = None,
    seed: int = 1,
    test_fraction: float = 0.2,
    image_size: tuple[int, int] | None = None,
    mirror: str | None = None,
    progress: ProgressCallback = no_progress,
) -> Opened:
    """Load a data set as :func:`pellucid.data.source.load_data` does, but go on where that gives up.

    Parameters
    ----------
    source, x_key, y_key, target, seed, test_fraction, image_size, mirror
        As for :func:`pellucid.data.source.load_data`.
    tell : callable, optional
        Told how far it is.

    Returns
    -------
    Opened
        Of a folder, files that cannot be read are left out and are findings; so are odd files. Of a table, rows
        that lack a number are left out, columns that mostly lack one too, and what is missing is a finding.

    Raises
    ------
    DataError, DownloadError, OptionError
        As `load_data`, for everything else.
    """
    name = os.fspath(source)
    path = Path(name).expanduser()
    given = {"x_key": x_key, "y_key": y_key, "mirror": mirror}
    if name not in BUILTIN and os.path.isdir(path):
        _refuse(f"{name} (a folder)", {**given, "target": target})
        return _open_folder(path, name, seed, test_fraction, image_size, progress)
    if name not in BUILTIN and path.suffix.lower() in (".csv", ".tsv"):
        _refuse(f"{name} (a table)", {**given, "image_size": image_size})
        return Opened(*open_table(path, target=target, name=name, seed=seed, test_fraction=test_fraction))
    split = load_data(
        source,
        x_key=x_key,
        y_key=y_key,
        target=target,
        seed=seed,
        test_fraction=test_fraction,
        image_size=image_size,
        mirror=mirror,
    )
    return Opened(split, Names(), ())


def _refuse(what: str, given: dict[str, object]) -> None:
    for option, value in given.items():
        if value is not None:
            raise OptionError(f"{what}: {option} does not apply here. Leave it out.")


def _open_folder(
    root: Path,
    name: str,
    seed: int,
    test_fraction: float,
    wanted: tuple[int, int] | None,
    progress: ProgressCallback,
) -> Opened:
    wanted = None if wanted is None else check_size(wanted)
    listings, notes = list_folder(root)
    files, broken = _look_at_files(root, listings, progress)
    size, size_note = common_size(Counter((file.facts.height, file.facts.width) for file in files), wanted)
    X, kept, damaged = _read_pictures(files, size, listings, progress)
    for i, listing in enumerate(listings):
        if not any(file.part == i for file in kept):
            n = len(listing.files)
            raise DataError(
                f"{listing.folder}: not one of {n} images can be read. Save them again as JPEG or PNG. The first: "
                f"{(*broken, *damaged)[0].found}"
            )
    parts = [
        Part(
            np.array([[row] for row, file in enumerate(kept) if file.part == i]),
            np.array([file.label for file in kept if file.part == i]),
            str(listing.folder),
        )
        for i, listing in enumerate(listings)
    ]
    test = parts[1] if len(parts) == 2 else None
    raw = RawSplit(parts[0], test, listings[0].classes, (*notes, size_note))
    numbered = to_split(raw, name=name, seed=seed, test_fraction=test_fraction)
    rows = [part.X[:, 0] for part in (numbered.train, numbered.test)]
    datasets = [
        Dataset(X[its], part.y, numbered.classes)
        for its, part in zip(rows, (numbered.train, numbered.test), strict=True)
    ]
    split = Split(datasets[0], datasets[1], name, numbered.notes)
    names = Names(*([kept[row].name for row in its] for its in rows))
    return Opened(split, names, (*broken, *damaged, *file_findings(_placed(split, rows, kept), size)))


def _placed(split: Split, rows: list[Array], kept: list[_File]) -> list[Read]:
    """Return the files that were read with the part and the index that each came to have."""
    placed = []
    for part, its in zip(("train", "test"), rows, strict=True):
        for index, row in enumerate(its):
            file = kept[row]
            sample = Sample(part, index, printable(split.classes[file.label]), printable(file.name))
            placed.append(Read(file.path, sample, file.facts))
    return placed


def _look_at_files(
    root: Path, listings: list[Listing], progress: ProgressCallback
) -> tuple[list[_File], tuple[Finding, ...]]:
    """Return what every file says of itself, and the findings on those that cannot be opened."""
    total, done = sum(len(listing.files) for listing in listings), 0
    files, broken = [], []
    for part, listing in enumerate(listings):
        for path, label in zip(listing.files, listing.y, strict=True):
            name = str(path.relative_to(root))
            try:
                files.append(_File(path, name, part, label, read_facts(path)))
            except DataError as error:
                broken.append(_unreadable(name, path, part, label, listings, error))
            done += 1
            progress("looking at files", done, total)
    return files, tuple(broken)


def _read_pictures(
    files: list[_File], size: tuple[int, int], listings: list[Listing], progress: ProgressCallback
) -> tuple[Array, list[_File], tuple[Finding, ...]]:
    """Return the pictures at one size, their files, and the findings on those whose pixels are damaged."""
    try:
        X = np.empty((len(files), *size, 3), np.uint8)
    except MemoryError:
        raise DataError(
            f"{len(files)} images at {size[0]} x {size[1]} do not fit in memory. Ask for a smaller --image-size."
        ) from None
    kept: list[_File] = []
    damaged = []
    for file in files:
        try:
            X[len(kept)] = resize_image(read_image(file.path), *size)
            kept.append(file)
        except DataError as error:
            damaged.append(_unreadable(file.name, file.path, file.part, file.label, listings, error))
        progress("reading pictures", len(kept) + len(damaged), len(files))
    return X[: len(kept)], kept, tuple(damaged)


def _unreadable(
    name: str, path: Path, part: int, label: int, listings: list[Listing], error: DataError
) -> Finding:
    place = ("train", "test")[part] if len(listings) == 2 else ""
    sample = Sample(place, None, printable(listings[part].classes[label]), printable(name))
    return unreadable(sample, str(error).removeprefix(f"{path}: "))
