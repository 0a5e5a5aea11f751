"""Files of pictures, looked at before anything is resized: which cannot be read, and which are odd."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.checks.records import Finding, Sample
from pellucid.data.readers.images import ImageFacts

_MANY = 0.9  # of the files that share a size: then another one is odd
_STRETCHED = 2.0  # how much more one side is enlarged than the other
_MOST_NAMED = 50
_GREY_MODES = ("L", "LA", "1", "I", "F")


class Read(NamedTuple):
    """A file that could be read."""

    path: Path
    sample: Sample
    facts: ImageFacts


def unreadable(sample: Sample, reason: str) -> Finding:
    """Return the finding on a file that could not be read."""
    return Finding("unreadable", f"{sample.name} cannot be read: {reason}", (sample,))


def file_findings(files: Sequence[Read], size: tuple[int, int]) -> list[Finding]:
    """Return what is odd about readable files: kinds, sizes, shapes and animations.

    Parameters
    ----------
    files : sequence of Read
    size : (int, int)
        Height and width in pixels at which they are read.

    Returns
    -------
    list of Finding
        "mode": transparent, palette, CMYK, deep or grey files where most are of another kind, and animations, one
        finding a kind. "tiny": a side under half of what it is enlarged to. "size": stretched more than twofold in
        one direction; or another size than 90 % of the files share.
    """
    found: list[Finding] = []
    usual = Counter(kind_of(file.facts) for file in files).most_common(1)[0][0] if files else ""
    kinds = dict.fromkeys(kind_of(file.facts) for file in files)
    for kind in kinds:
        if kind not in (usual, "") and not (kind == COLOUR and usual != GREY):
            odd = [file for file in files if kind_of(file.facts) == kind]
            found.append(_finding("mode", odd, len(files), f"of another kind, {kind}; most are {usual}"))
    found += _one(
        files, lambda facts: facts.n_frames > 1, "mode", "animated: of several pictures the first is read"
    )
    tiny = [file for file in files if _is_tiny(file.facts, size)]
    if tiny and len(tiny) < len(files):
        smallest = min(tiny, key=lambda file: file.facts.height * file.facts.width).facts
        words = f"enlarged more than twofold to {size[0]} x {size[1]}, the smallest from {_by(smallest)}"
        found.append(_finding("tiny", tiny, len(files), words))
    shapes, others = _odd_shapes(files, size)
    return found + shapes + _odd_sizes(others, len(files))


COLOUR, GREY = "plain colour", "grey"


def kind_of(facts: ImageFacts) -> str:
    """Return what kind of picture a file holds, in words.

    Examples
    --------
    >>> kind_of(ImageFacts(4, 4, "CMYK", False, False, 1)), kind_of(ImageFacts(4, 4, "I;16", False, True, 1))
    ('CMYK (colours for print)', '16 bits a value')
    """
    if facts.mode == "CMYK":
        return "CMYK (colours for print)"
    if facts.is_deep:
        return "16 bits a value" if facts.mode != "F" else "floating-point values"
    if facts.is_transparent:
        return "with transparency"
    if facts.mode.startswith("P"):
        return "with a palette (at most 256 colours)"
    if facts.mode == "1":
        return "black and white"
    return GREY if facts.mode in _GREY_MODES else COLOUR


def is_grey(facts: ImageFacts) -> bool:
    """Return whether a file holds no colours."""
    return facts.mode.partition(";")[0] in _GREY_MODES


def _is_tiny(facts: ImageFacts, size: tuple[int, int]) -> bool:
    return 2 * facts.height < size[0] or 2 * facts.width < size[1]


def _by(facts: ImageFacts) -> str:
    return f"{facts.height} x {facts.width}"


def _finding(kind: str, files: Sequence[Read], n_all: int, words: str) -> Finding:
    are = "is" if len(files) == 1 else "are"
    labels = Counter(file.sample.label for file in files)
    shares = ", ".join(f"{n} {label}" for label, n in labels.items())
    first = files[0].sample.name
    text = f"{len(files)} of {n_all} files {are} {words} ({shares}; first {first})."
    return Finding(kind, text, tuple(file.sample for file in files[:_MOST_NAMED]), len(files))


def _one(files: Sequence[Read], is_odd: Callable[[ImageFacts], bool], kind: str, words: str) -> list[Finding]:
    odd = [file for file in files if is_odd(file.facts)]
    return [_finding(kind, odd, len(files), words)] if odd else []


def _odd_shapes(files: Sequence[Read], size: tuple[int, int]) -> tuple[list[Finding], list[Read]]:
    """Return the finding on files that are stretched far more in one direction than most, and the other files."""
    if not files:
        return [], []
    stretch = np.array([file.facts.width / file.facts.height * size[0] / size[1] for file in files])
    usual = float(np.median(stretch))
    far = np.abs(np.log(stretch / usual)) > np.log(_STRETCHED)
    odd = [file for file, is_far in zip(files, far, strict=True) if is_far]
    others = [file for file, is_far in zip(files, far, strict=True) if not is_far]
    if not odd:
        return [], others
    shapes = f"{_by(odd[0].facts)} pixels, squeezed or drawn out more than twice as much as most others"
    return [_finding("size", odd, len(files), f"of another shape, such as {shapes}")], others


def _odd_sizes(files: Sequence[Read], n_all: int) -> list[Finding]:
    """Return the finding on the few files that do not have the size of all others."""
    sizes = Counter((file.facts.height, file.facts.width) for file in files)
    if not sizes:
        return []
    common, n = sizes.most_common(1)[0]
    if n == len(files) or n < _MANY * len(files):
        return []
    odd = [file for file in files if (file.facts.height, file.facts.width) != common]
    words = f"of another size, such as {_by(odd[0].facts)}; the others are all {common[0]} x {common[1]}"
    return [_finding("size", odd, n_all, words)]
