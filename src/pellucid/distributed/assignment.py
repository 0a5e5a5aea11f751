"""Which worker holds which shards."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.distributed.channel import Channel


class Member:
    """One worker of the training.

    Attributes
    ----------
    address : str
        As Dask has it.
    place : (host, port)
        Where its node listens.
    control : Channel
    held : set of int
        The shards that it holds.
    is_silent : bool
        Whether it did not answer, and will not be asked again.
    """

    def __init__(self, address: str, place: tuple[str, int], control: Channel) -> None:
        self.address, self.place, self.control = address, place, control
        self.held: set[int] = set()
        self.is_silent = False


def assign(sizes: Sequence[int], n: int) -> list[int]:
    """Return for each shard the number of its owner: neighbours stay together, and owners have about as many rows.

    Examples
    --------
    >>> assign([10, 10, 10, 10], 2), assign([30, 5, 5], 2), assign([7], 2)
    ([0, 0, 1, 1], [0, 1, 1], [1])
    """
    middles = np.cumsum(sizes) - np.asarray(sizes) / 2
    return [min(int(middle * n / sum(sizes)), n - 1) for middle in middles]


def matched(members: Sequence[Member], owners: Sequence[int], where: Sequence[set[str]]) -> list[Member]:
    """Return the members in the order of ranks such that shards stay where they are, as far as that goes."""
    left, ranked = list(members), []
    for rank in range(len(members)):
        own = [number for number, owner in enumerate(owners) if owner == rank]
        overlap = [
            sum((number in member.held) + (member.address in where[number]) for number in own)
            for member in left
        ]
        ranked.append(left.pop(int(np.argmax(overlap))))
    return ranked


def by_name(name: Any) -> tuple[int, str]:
    """Return what workers are sorted by: numbers by their size, before other names."""
    text = str(name)
    return (int(text), "") if text.isdigit() else (1 << 60, text)
