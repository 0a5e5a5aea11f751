"""Files under stored arrays: noticed when they are cut off, rewritten or gone while they are read."""

import os
from pathlib import Path
from typing import NamedTuple

from pellucid.errors import DataError
from pellucid.text import first_line


class Stamp(NamedTuple):
    """What a file looked like when its array was opened."""

    path: Path
    size: int  # bytes
    changed: int  # nanoseconds

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return what a file looks like now."""
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)

    def check(self, where: str) -> None:
        """Raise DataError if the file is not what it was."""
        try:
            now = Stamp.of(self.path)
        except OSError as error:
            raise DataError(
                f"{where}: cannot read the file any more ({first_line(error)}). Put it back, and load it again."
            ) from None
        if now != self:
            raise DataError(
                f"{where}: the file was changed after it was opened, with {self.size:,} bytes. Load it "
                "again, and leave it as it is while it is read."
            )
