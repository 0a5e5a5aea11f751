"""Writes the files of tests/formats/files: models of the present format version, and what they predict.

    python -m tests.formats.write_files

To be run once for each format version, when it is final: the models of the version before are saved once more. What
is added to the format in between is a model in ``ADDED``, written once. Files that are there already are kept: they
are what :mod:`tests.formats.test_compatibility` is for. Commit 75d3ba69 has the programs that made the first ones.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.formats.safetensors import FORMAT_VERSION

FILES = Path(__file__).parent / "files"
ADDED: dict[str, Callable[[], tuple[pl.Model, Any]]] = {}  # by name what makes a model, and samples for it


def plain(value: Any) -> Any:
    """Return arrays, or those of several outputs by name, as lists."""
    return (
        {name: each.tolist() for name, each in value.items()} if isinstance(value, dict) else value.tolist()
    )


def samples_of(path: Path, model: pl.Model) -> Any:
    """Return the samples beside a file: rows of a table, an array, or arrays by name."""
    about = json.loads(path.with_suffix(".json").read_text())
    if model._schema is not None:
        return about["inputs"]
    arrays = {name: np.array(about["inputs"][name], dtype) for name, dtype in about["dtypes"].items()}
    return arrays.get("", arrays)


def write(path: Path, model: pl.Model, X: Any) -> None:
    """Write a model, and what it predicts for two samples at most."""
    few = {key: array[:2] for key, array in X.items()} if isinstance(X, dict) else X[:2]
    inputs = model._schema.encode(few).X if model._schema else few
    arrays = few if isinstance(few, dict) else {"": inputs}
    expected = {
        "dtypes": {key: str(array.dtype) for key, array in arrays.items()},
        "inputs": few if model._schema else {key: array.tolist() for key, array in arrays.items()},
        "outputs": plain(model.decision_function(inputs)),
        "predictions": plain(model.predict(inputs)),
    }
    pl.save(model, path)
    path.with_suffix(".json").write_text(json.dumps(expected) + "\n")


def main() -> None:
    """Write what is not there yet."""
    folder = FILES / f"version-{FORMAT_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: make() for name, make in ADDED.items()}
    for before in (FILES / f"version-{FORMAT_VERSION - 1}").glob("*.safetensors"):
        model = pl.load(before)
        made[before.stem] = model, samples_of(before, model)
    for name, (model, X) in made.items():
        if not (path := folder / f"{name}.safetensors").exists():
            write(path, model, X)


if __name__ == "__main__":
    main()
