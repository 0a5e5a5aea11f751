"""The fingerprint of a data set: what a model file stores to recognize its training data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.stored.base import StoredArray, row_blocks


def data_hash(data: Dataset) -> str:
    """Return the sha256 of a data set's samples and labels, in hexadecimal.

    Examples
    --------
    >>> data_hash(Dataset(np.zeros((1, 1), np.uint8), np.array([0])))[:8]
    '3e7077fd'
    """
    digest = hashlib.sha256()
    for part in _arrays(data.X):
        for _, rows in row_blocks(part):
            digest.update(np.ascontiguousarray(rows).data)
    for part in _arrays(data.y):
        digest.update(np.ascontiguousarray(part, dtype="<f8" if part.dtype.kind == "f" else "<i8").data)
    return digest.hexdigest()


def _arrays(X: Any) -> list[Any]:
    """Return the arrays of inputs or targets: one, one for each name, or the three of a sparse matrix."""
    if isinstance(X, Mapping):
        return [array for name in sorted(X) for array in _arrays(X[name])]
    if isinstance(X, np.ndarray | StoredArray):
        return [X]
    rows = X.tocsr()
    return [rows.data, rows.indices, rows.indptr]
