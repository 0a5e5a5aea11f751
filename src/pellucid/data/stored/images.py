"""Pictures that stay in their files, decoded when they are asked for."""

from pathlib import Path

import numpy as np

from pellucid.data.readers.images import read_sample
from pellucid.data.readers.picture_modes import White
from pellucid.data.readers.reading import read_each
from pellucid.data.stored.base import StoredArray
from pellucid.types import Array


class StoredPictures(StoredArray):
    """Pictures in files, decoded and resized in threads each time they are read.

    Parameters
    ----------
    where : str
        Their folder.
    files : sequence of Path
    size : (int, int)
        Height and width.
    white : White
        That of the set.
    """

    def __init__(self, where: str, files: list[Path], size: tuple[int, int], white: White) -> None:
        super().__init__(where, (len(files), *size, 3), np.uint8)
        self.files, self.white = files, white

    def read_rows(self, rows: Array) -> Array:
        """Return pictures; DataError, with the file's name, for one that cannot be read."""
        out = np.empty((len(rows), *self.shape[1:]), np.uint8)

        def fill(i: int) -> None:
            out[i] = read_sample(self.files[rows[i]], self.shape[1:], self.white)

        for fault in read_each(len(rows), fill).faults.values():
            raise fault
        self.n_read += out.nbytes
        return out
