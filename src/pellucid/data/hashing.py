"""The fingerprint of a data set: what a model file stores to recognize its training data."""

import hashlib

import numpy as np

from pellucid.data.dataset import Dataset


def data_hash(data: Dataset) -> str:
    """Return the sha256 of a data set's samples and labels, in hexadecimal.

    Examples
    --------
    >>> data_hash(Dataset(np.zeros((1, 1), np.uint8), np.array([0])))[:8]
    '3e7077fd'
    """
    digest = hashlib.sha256(np.ascontiguousarray(data.X).data)
    digest.update(np.ascontiguousarray(data.y, dtype="<f8" if data.y.dtype.kind == "f" else "<i8").data)
    return digest.hexdigest()
