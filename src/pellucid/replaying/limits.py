"""What a page leaves out where all of it would be too large: samples first, then the largest arrays."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from pellucid.text import join_some

MOST_MB = 32.0  # of the page
MOST_SAMPLES = 64
OVERHEAD = 400_000  # bytes of a page besides its numbers
AS_TEXT = 4 / 3  # characters a byte


class Arrays(NamedTuple):
    """The arrays of a step by name, and which of them have a row for each sample.

    One that the page computes of others is a dictionary that says how, with the array itself as ``of``. None: left
    out.
    """

    by_name: dict[str, Any]
    of_samples: set[str]


def n_shown(steps: Sequence[Arrays], m: int, samples: int, most_mb: float) -> tuple[int, list[str]]:
    """Return how many samples are shown, the first of the batch, and a sentence where these are not all."""
    blocks = _blocks(steps)
    fixed, of_one = sum(block.fixed for block in blocks), sum(block.of_one for block in blocks)
    room = most_bytes(most_mb) - fixed
    n = max(1, min(m, samples, int(room // max(of_one, 1)) if room > 0 else 1))
    if n == m:
        return n, []
    for step in steps:  # the page cannot compute a product over samples that it does not have
        for name, given in step.by_name.items():
            if isinstance(given, dict) and "product" in given:
                step.by_name[name] = given["of"]
    flags = [f"--most-mb {_mb(fixed + m * of_one)}"] * (fixed + m * of_one > most_bytes(most_mb))
    flags += [f"--samples {m}"] * (samples < m)
    said = (
        f"{n} of the batch's {m} samples are shown; sums over the batch have all of them. All samples, which the "
        f"central difference by a parameter needs: {' '.join(flags)}."
    )
    return n, [said]


def leave_out(steps: Sequence[Arrays], names: Sequence[str], n: int, most_mb: float) -> list[str]:
    """Set the largest arrays to None until the rest fits, and return a sentence on what was lost, if any was."""
    blocks, most = _blocks(steps), most_bytes(most_mb)
    total = left = sum(block.n_bytes(n) for block in blocks)
    lost: dict[int, set[str]] = {}
    for block in sorted(blocks, key=lambda one: -one.n_bytes(n)):
        if left <= most:
            break
        left -= block.n_bytes(n)
        for i, name in block.places:
            _drop(steps[i], name, lost.setdefault(i, set()))
    if not lost:
        return []
    of_steps = [f"{join_some(sorted(lost[i]))} of {names[i]}" for i in sorted(lost)]
    text = (
        f"Left out as too large for the page: {join_some(of_steps, 20)}. All of it: --most-mb {_mb(total)}."
    )
    if most <= 0:
        text += f" A page without numbers has {OVERHEAD / 1e6} MB."
    return [text]


def _drop(step: Arrays, name: str, lost: set[str]) -> None:
    """Leave out an array, and those that the page would compute of it."""
    step.by_name[name] = None
    lost.add(name)
    for other, given in step.by_name.items():
        if isinstance(given, dict) and name in (*given.get("product", ()), given.get("scaled")):
            _drop(step, other, lost)


def most_bytes(most_mb: float) -> float:
    """Return how many bytes of numbers fit into a page of so many megabytes."""
    return (most_mb * 1e6 - OVERHEAD) / AS_TEXT


def _mb(n_bytes: float) -> int:
    return math.ceil((n_bytes * AS_TEXT + OVERHEAD) / 1e6) + 1


class _Block(NamedTuple):
    """Bytes that are stored once, and the arrays that they are."""

    fixed: int
    of_one: float  # of a sample
    places: list[tuple[int, str]]

    def n_bytes(self, n: int) -> float:
        return self.fixed + n * self.of_one


def _blocks(steps: Sequence[Arrays]) -> list[_Block]:
    """Return what is stored: what one step hands to another is one block."""
    found: dict[Any, _Block] = {}
    for i, step in enumerate(steps):
        for name, given in step.by_name.items():
            if given is None or isinstance(given, dict):
                continue
            for array in given if isinstance(given, list) else [given]:
                if not isinstance(array, np.ndarray) or not array.size:
                    continue
                is_of_samples = name in step.of_samples
                key = array.nbytes, is_of_samples, crc32(np.ascontiguousarray(array).data)
                if key not in found:
                    sizes = (0, array.nbytes / len(array)) if is_of_samples else (array.nbytes, 0.0)
                    found[key] = _Block(*sizes, [])
                found[key].places.append((i, name))
    return [*found.values()]
