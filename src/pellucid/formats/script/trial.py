"""A script run in a process of its own, beside the model that it was made from."""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.readers.images import read_sample
from pellucid.errors import PellucidError
from pellucid.formats.half_precision import moved
from pellucid.formats.outputs import (
    ARRAYS,
    PHOTO,
    TABLE,
    check_near,
    distance,
    kind_of_samples,
    outputs_of,
    random_rows,
    random_samples,
    rule_of,
)
from pellucid.nn.model import Model
from pellucid.text import printable
from pellucid.types import Array, map_arrays

SECONDS = 300  # that it may take
N_ROWS = 5
# Of random photos: their size in samples, the kind of file, and the brightest pixel. Dark ones do not saturate.
PHOTOS = (
    (1.0, "png", 255),
    (0.5, "png", 30),
    (3.3, "png", 3),
    (5.0, "jpg", 90),
    (9.1, "jpg", 255),
    (1.0, "png", 0),
)


def difference(model: Model, script: Path, samples: Sequence[Path] | Array, exact: Model) -> float:
    """Return how far a script's outputs are from the exact model's on random samples, and on those given, at most.

    ``model`` has the weights of the file. PellucidError if the script gives something else than that, or rounding
    moves too much.
    """
    files = [*sample_files(model, script.parent), *_files_of(model, samples, script.parent)]
    told = _run(script, files)
    X = _samples(model, files)
    expected = model.decision_function(X)
    found = 0.0
    for name, output in outputs_of(model).items():
        theirs = np.array([_numbers(each["outputs"][name] if name else each) for each in told])
        found = max(found, distance(output, expected[name] if name else expected, theirs, "script"))
    check_near(found, "script")
    return found + moved(exact, model, X)


def _run(script: Path, files: Sequence[Path]) -> list[Any]:
    """Return what a script predicts for files."""
    command = [sys.executable, script.name, "--json", *(str(file) for file in files)]
    try:
        done = subprocess.run(
            command, cwd=script.parent, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise PellucidError(f"export: the script has not come to an end in {SECONDS} seconds.") from None
    except ValueError:
        reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise PellucidError(f"export: the script does not run ({printable(reason)}).") from None
    if told["faults"]:
        raise PellucidError(
            f"export: the script cannot read what pellucid reads ({told['faults'][0]['error']})"
        )
    return told["predictions"]


def sample_files(model: Model, folder: Path) -> list[Path]:
    """Write samples of random numbers into a folder, as files that the script reads."""
    rng, kind = np.random.default_rng(0), kind_of_samples(model)
    if kind == PHOTO:
        return _photos(model, rng, folder)
    if kind == TABLE:
        return [_table(model, folder / "table.csv")]
    shapes: Any = model.input_shape
    rule = rule_of(model)
    X = map_arrays(lambda shape: random_samples(rng, (N_ROWS, *shape), rule), shapes)
    if isinstance(X, dict):
        np.savez(folder / "samples.npz", **X)
        return [folder / "samples.npz"]
    np.save(folder / "samples.npy", X)
    return [folder / "samples.npy"]


def _photos(model: Model, rng: np.random.Generator, folder: Path) -> list[Path]:
    """Write photos of several sizes; the large JPEGs are decoded at a part of theirs, one lies on its side."""
    from PIL import Image

    height, width = model.input_shape[:2]
    found = []
    for i, (scale, ending, brightest) in enumerate(PHOTOS):
        size = (max(1, round(height * scale)), max(1, round(width * scale * 1.1)), 3)
        if size[0] * size[1] > 2**24:
            continue
        image = Image.fromarray(rng.integers(0, brightest + 1, size, np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6 if scale > 9 else 1
        image.save(folder / f"photo-{i}.{ending}", exif=exif)
        found.append(folder / f"photo-{i}.{ending}")
    return found


def _table(model: Model, path: Path) -> Path:
    columns, decimal = model._schema.columns, model._schema.decimal
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([column.name for column in columns])
        for row in random_rows(model, N_ROWS):
            cells = [(row[column.name], column.kind == "numeric") for column in columns]
            writer.writerow(
                [cell.replace(".", decimal[0]) if is_number else cell for cell, is_number in cells]
            )
    return path


def _files_of(model: Model, samples: Sequence[Path] | Array, folder: Path) -> list[Path]:
    """Return samples as files: pictures are written as PNG, which keeps each of their bytes."""
    if not isinstance(samples, np.ndarray):
        return [Path(sample).absolute() for sample in samples]
    kind = kind_of_samples(model)
    if kind == PHOTO and samples.dtype == np.uint8:
        from PIL import Image

        names = [folder / f"sample-{i}.png" for i in range(len(samples))]
        for name, sample in zip(names, samples, strict=True):
            Image.fromarray(sample[..., 0] if sample.shape[2:] == (1,) else sample).save(name)
        return names
    if kind != ARRAYS or not len(samples):
        return []
    np.save(folder / "more.npy", samples)
    return [folder / "more.npy"]


def _samples(model: Model, files: Sequence[Path]) -> Any:
    """Return what is in files, as pellucid reads it."""
    kind = kind_of_samples(model)
    if kind == PHOTO:
        white = white_seen(model.inputs_seen)
        return np.stack([read_sample(file, model.input_shape, white) for file in files])
    if kind == TABLE:
        return np.concatenate([model._schema.encode(file, with_target=False).X for file in files])
    if files[0].suffix == ".npz":
        return dict(np.load(files[0], allow_pickle=False))
    return np.concatenate([np.load(file, allow_pickle=False) for file in files])


def _numbers(told: Any) -> list[float]:
    if "value" in told:
        return list(np.atleast_1d(told["value"]))
    return list((told["classes"] if "classes" in told else told["scores"]).values())
