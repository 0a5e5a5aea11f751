"""Weights that a file holds in half precision: which arrays, and how far that moves a model's outputs.

Arrays with fewer than two axes longer than 1 (biases, batch norm, one output's weights) stay float32: they are a
hundredth of a network, and the square root of a variance needs its digits. All is computed in float32.
"""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.label_encoding import warn
from pellucid.errors import PellucidError
from pellucid.files import check_free
from pellucid.formats.outputs import Output, gives, outputs_of, relative
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model, check_trained
from pellucid.registry import Limits, check_option
from pellucid.text import join_some
from pellucid.types import Array

DTYPES = ("float32", "float16")
LIMITS = np.finfo(np.float16)  # 6.1e-5 to 65,504 in full precision; below 6e-8 is 0
MOST = 4 * 2.0**-11  # of raw outputs, relative to the largest, times the root of the number of arrays
UNDECIDED = 0.01  # between the two largest outputs of a sample, whose class may be the other one


def dtype_of(model: Model, dtype: str | None, where: str, *, is_page: bool = False) -> str:
    """Return the dtype of a file's weights; by default float16 in a page of a pretrained body, else float32."""
    if dtype is None:
        return "float16" if is_page and model._summary_of_training.get("body") else "float32"
    check_option(where, "dtype", dtype, str, Limits(choices=lambda: DTYPES))
    return dtype


def for_a_file(
    model: ModelLike, path: Path, dtype: str | None, where: str, *, overwrite: bool, is_page: bool = False
) -> tuple[Model, Model, str]:
    """Return what is exported, checked: the model, itself with the weights that the file has, and their dtype."""
    exact = as_model(model, where)
    check_trained("export", exact)
    check_free(path, overwrite=overwrite)
    dtype = dtype_of(exact, dtype, where, is_page=is_page)
    return exact, rounded(exact, dtype), dtype


def stored(array: Array, dtype: str) -> Array:
    """Return an array as a file with weights of a dtype holds it, lowest byte first.

    Examples
    --------
    >>> stored(np.ones((2, 2)), "float16").dtype, stored(np.ones((2, 1)), "float16").dtype
    (dtype('float16'), dtype('float32'))
    >>> stored(np.full((2, 2), 1e6), "float16").dtype
    dtype('float32')
    """
    is_half = dtype == "float16" and _is_matrix(array) and _is_in_range(array)
    return np.ascontiguousarray(array, "<f2" if is_half else "<f4")


def _is_matrix(array: Array) -> bool:
    return sum(1 for n in array.shape if n > 1) > 1


def _is_in_range(array: Array) -> bool:
    largest = float(np.abs(array).max(initial=0))
    return largest == 0 or float(LIMITS.smallest_normal) <= largest <= float(LIMITS.max)


def n_bytes(model: Model, dtype: str) -> int:
    """Return the size of a model's weights in a file."""
    return sum(stored(array, dtype).nbytes for array in _arrays(model).values())


def rounded(model: Model, dtype: str) -> Model:
    """Return a model with the weights that a file has: itself, or a copy. Warns of arrays that stay float32."""
    if dtype == "float32":
        return model
    twin = copy.deepcopy(model)
    kept = []
    for name, array in _arrays(twin).items():
        array[...] = stored(array, dtype)
        if _is_matrix(array) and not _is_in_range(array):
            kept.append(name)
    if kept:
        verb = "stays" if len(kept) == 1 else "stay"
        warn(
            f"export: {join_some(kept)} {verb} float32: the largest number is beyond float16, 6e-5 to 65,504.",
            UserWarning,
        )
    return twin


def _arrays(model: Model) -> dict[str, Array]:
    """Return the arrays of all layers by name, those of a layer in several places once."""
    found: dict[str, Array] = {}
    for leaf in model._leaves():
        first = leaf._first_use or leaf
        for key, array in {**first.params, **first.state}.items():
            found[f"{first.name}.{key}"] = array
    return found


def moved(model: Model, twin: Model, X: Any, *, raw: bool = False) -> float:
    """Return how far rounded weights move what a file gives for samples, at most; 0 where nothing is rounded.

    ``raw``: how far they move the raw outputs, relative to the largest.

    Raises
    ------
    PellucidError
        If raw outputs move by more than four roundings of half precision of each array, added as independent
        errors are, or a sample gets another class.
    """
    if twin is model:
        return 0.0
    n = sum(stored(array, "float16").dtype == np.float16 for array in _arrays(twin).values())
    most, found = MOST * math.sqrt(max(n, 1)), 0.0
    ours, theirs = model.decision_function(X), twin.decision_function(X)
    for name, output in outputs_of(model).items():
        Z, near = (each[name] if name else each for each in (ours, theirs))
        away = relative(near, Z, is_probability=False)
        P, Q = gives(output, Z), gives(output, near)
        n_other = _n_other(output, P, Q)
        if not away <= most or n_other:
            what = f"raw outputs move by {away:.2g} of the largest, more than {most:.2g}"
            if n_other:
                what = f"{n_other} of {len(P)} samples get another class"
            raise PellucidError(f"export: in float16 {what}. It was not written; choose dtype float32.")
        found = max(found, away if raw else relative(Q, P, is_probability=output.loss.gives_probabilities))
    return found


def _n_other(output: Output, P: Array, Q: Array) -> int:
    """Return how many samples get another class, or other labels, though the model is not undecided."""
    if output.kind == "values":
        return 0
    if output.kind == "answers":
        return int((((P > 0.5) != (Q > 0.5)) & (np.abs(P - 0.5) > UNDECIDED)).any(axis=1).sum())
    P, Q = (np.hstack([-each, each]) if each.shape[1] == 1 else each for each in (P, Q))
    best = np.sort(P, axis=1)
    return int(((P.argmax(axis=1) != Q.argmax(axis=1)) & (best[:, -1] - best[:, -2] > UNDECIDED)).sum())
