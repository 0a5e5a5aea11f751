"""Pictures: files that cannot be read or are tiny, and pictures that show nothing."""

import math
from collections import Counter

import numpy as np

from pellucid.checks.findings import MOST_NAMED, Finding, Sample, sample_of
from pellucid.data.copies.near import FLAT
from pellucid.data.copies.pixels import PixelScale, blocks
from pellucid.data.dataset import Split
from pellucid.data.readers.folder import Photo, Photos, open_folder
from pellucid.data.readers.picture_modes import White
from pellucid.data.source import DataSource
from pellucid.data.validate import to_split
from pellucid.errors import DataError
from pellucid.progress import ProgressCallback
from pellucid.text import printable


def read_photos(source: DataSource, progress: ProgressCallback) -> tuple[Split, list[Finding]]:
    """Read a folder of photos; files that cannot be read are skipped and reported as findings, as are tiny ones.

    Raises
    ------
    DataError
        If the folder does not hold classes of photos, or none of a part can be read.
    """
    photos = open_folder(
        source.path, image_size=source.image_size, progress=progress, white=White(fit=source.fit)
    )
    X, good, bad = photos.read()
    findings = [_unreadable(photo, photos) for photo in bad]
    for i, listing in enumerate(photos.listings):
        if not any(photo.part == i for photo in good):
            raise DataError(
                f"{listing.folder}: none of {len(listing.files)} images can be read. Save them again as JPEG or "
                f"PNG. The first: {findings[0].found}"
            )
    raw = photos.parts(X, good)
    split = to_split(raw, name=source.name, seed=source.seed, test_fraction=source.test_fraction)
    sizes = {_name(photo, photos): photo.size for photo in good}
    return split, findings + _tiny(split, sizes, photos.size)


def _name(photo: Photo, photos: Photos) -> str:
    return photo.path.relative_to(photos.root).as_posix()


def _unreadable(photo: Photo, photos: Photos) -> Finding:
    """Return the finding on a file that cannot be read; its part is known only where the folder has two."""
    part = ("train", "test")[photo.part] if len(photos.listings) == 2 else ""
    sample = Sample(part, None, printable(photos.classes[photo.label]), printable(_name(photo, photos)))
    reason = photo.fault.removeprefix(f"{photo.path}: ")
    return Finding("unreadable", f"{sample.name} cannot be read: {reason}", (sample,))


def _tiny(split: Split, sizes: dict[str, tuple[int, int]], size: tuple[int, int]) -> list[Finding]:
    """Return the finding on files with a side under half of what it is enlarged to, unless all are that small."""
    small = {name for name, (height, width) in sizes.items() if 2 * height < size[0] or 2 * width < size[1]}
    tiny = [
        sample_of(split, part, row)
        for part, data in (("train", split.train), ("test", split.test))
        for row in range(len(data))
        if data.file(row) in small
    ]
    if not tiny or len(tiny) == len(sizes):
        return []
    smallest = min((sizes[name] for name in small), key=math.prod)
    counts = ", ".join(f"{n} {label}" for label, n in Counter(sample.label for sample in tiny).items())
    text = (
        f"{len(tiny)} of {len(sizes)} files {'is' if len(tiny) == 1 else 'are'} enlarged more than twofold to "
        f"{size[0]} × {size[1]}, the smallest from {smallest[0]} × {smallest[1]} "
        f"({counts}; first {tiny[0].name})."
    )
    return [Finding("tiny", text, tuple(tiny[:MOST_NAMED]), len(tiny))]


def empty_pictures(split: Split, scale: PixelScale, progress: ProgressCallback) -> list[Finding]:
    """Return a finding for each picture of a single colour."""
    found, done, total = [], 0, len(split.train) + len(split.test)
    for part, data in (("train", split.train), ("test", split.test)):
        for here, block in blocks(data.X):
            # Of four channels, the last is opacity
            flat = scale.apply(block)[..., :3].reshape(len(block), -1)
            for i in np.flatnonzero(flat.std(axis=1) < FLAT):
                sample = sample_of(split, part, here.start + int(i))
                text = (
                    f"{sample} shows nothing: one colour all over (grey level {flat[i].mean():.0f} of 255)."
                )
                found.append(Finding("constant", text, (sample,)))
            done += len(block)
            progress("measuring pictures", done, total)
    return found
