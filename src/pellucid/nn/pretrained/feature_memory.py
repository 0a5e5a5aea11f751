"""What a pretrained body makes of photos, kept in memory by the photos' pixels for as long as the process runs.

Folds of a cross-validation, a second prediction and the parts of one command ask for the same photos; another
process computes its own. Nothing is written.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from pellucid.progress import ProgressCallback, no_progress
from pellucid.types import Array

MOST_BYTES = 256 * 10**6  # of features, 50,000 photos' of the published body; the longest unused goes first
PIECE = 32  # photos that are looked up, computed and kept at a time
STAGE = "looking at photos"


class FeatureMemory:
    """Features by a hash of photo and body, for any number of threads.

    Parameters
    ----------
    most_bytes : int, optional
        What the features may take together.

    Examples
    --------
    >>> memory = FeatureMemory()
    >>> memory.put({b"a photo": np.ones(3, np.float32)})
    >>> memory.get([b"a photo", b"another"])
    {b'a photo': array([1., 1., 1.], dtype=float32)}
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.n_bytes = 0
        self._known: OrderedDict[bytes, Array] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, keys: list[bytes]) -> dict[bytes, Array]:
        """Return what is known of some keys."""
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
            for key in found:
                self._known.move_to_end(key)
        return found

    def put(self, made: dict[bytes, Array]) -> None:
        """Keep copies of values, and forget the oldest where there are too many."""
        with self._lock:
            for key, value in made.items():
                self._remove(key)
                self._known[key] = np.array(value)
                self._known[key].flags.writeable = False
                self.n_bytes += value.nbytes
            while self.n_bytes > self.most_bytes:
                self._remove(next(iter(self._known)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._known.clear()
            self.n_bytes = 0

    def _remove(self, key: bytes) -> None:
        if key in self._known:
            self.n_bytes -= self._known.pop(key).nbytes


MEMORY = FeatureMemory()


def remembered_features(
    compute: Callable[[Any], Array],
    X: Any,
    body: bytes,
    *,
    progress: ProgressCallback = no_progress,
    memory: FeatureMemory = MEMORY,
) -> Array:
    """Return what a body makes of photos, of which those that are known are not computed again.

    Parameters
    ----------
    compute : callable
        Takes some photos as they are, and returns their features, (n, d) float32.
    X : Array or StoredArray, shape (m, h, w, c), dtype uint8
        Read once, a piece at a time.
    body : bytes
        What the features depend on besides the pixels, hashed.
    progress : callable, optional
    memory : FeatureMemory, optional

    Returns
    -------
    features : Array, shape (m, d), dtype float32
    """
    found: list[Array] = []
    for start in range(0, len(X), PIECE):
        piece = np.ascontiguousarray(X[start : start + PIECE])
        keys = [_key(body, photo) for photo in piece]
        known = memory.get(keys)
        new = [i for i, key in enumerate(keys) if key not in known]
        if new:
            made = {keys[i]: value for i, value in zip(new, compute(piece[new]), strict=True)}
            memory.put(made)
            known |= made
        found += [known[key] for key in keys]
        progress(STAGE, min(start + PIECE, len(X)), len(X))
    return np.stack(found)


def _key(body: bytes, photo: Array) -> bytes:
    total = hashlib.blake2b(body, digest_size=20)
    total.update(str(photo.shape).encode())
    total.update(photo.data)
    return total.digest()
