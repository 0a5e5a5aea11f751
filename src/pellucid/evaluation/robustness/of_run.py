"""Use case: how well a saved model bears changed photos, as figures and numbers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.source import DataSource
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.robustness.figures import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.measure import Progress, check_model, robustness
from pellucid.evaluation.robustness.records import Robustness
from pellucid.evaluation.scores.of_model import OTHER_DATA, was_trained_on_other
from pellucid.evaluation.scores.predictions import Predictions, predict
from pellucid.files import atomic_folder, write_atomically
from pellucid.formats.safetensors import load as load_model_file
from pellucid.plotting.saving import save_figure
from pellucid.runs.data import source_for

FILES = ("curves.png", "sheet.png", "robustness.json")


@dataclass(frozen=True)
class RobustnessOutcome:
    """What was found, and where it was written.

    Attributes
    ----------
    result : Robustness
    photo : int or None
        Which test photo the sheet shows; None: nothing was drawn.
    files : tuple of Path
    notes : tuple of str
        What to mind about the data.
    """

    result: Robustness
    photo: int | None
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        files = [str(path) for path in self.files]
        return {**self.result.to_dict(), "photo": self.photo, "files": files, "notes": list(self.notes)}


def robustness_of(
    model_path: Path,
    source: DataSource,
    *,
    only: Iterable[str] | None = None,
    strengths: Mapping[str, Iterable[float]] | None = None,
    photo: int | None = None,
    seed: int = 1,
    out: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> RobustnessOutcome:
    """Measure a saved model on the test part of photos, and draw what was found.

    Parameters
    ----------
    model_path : Path
        A model file or a run folder.
    source : DataSource
        The test part is held out with the seed of the model's training, whatever ``source.seed`` is.
    only, strengths, seed, progress : optional
        As for ``robustness``.
    photo : int, optional
        Which test photo the sheet shows; default: see `typical_photo`.
    out : Path, optional
        A folder for ``curves.png``, ``sheet.png`` and ``robustness.json``; default: nothing is written.
    force : bool, optional
        Allow a folder that is not empty.

    Raises
    ------
    PellucidError
        If model, data, names or strengths do not fit, or the folder cannot be written.
    """
    model = load_model_file(model_path)
    check_model("robustness", model)
    split = source_for(model, source).load()
    test, notes = split.test, (OTHER_DATA,) if was_trained_on_other(model, split.train) else ()
    if test.X.shape[1:] != model.input_shape:
        raise ShapeError(
            f"{source.name}: expected photos of shape {model.input_shape}, as the model was trained on, got "
            f"{test.X.shape[1:]}. Use data of the size that it was trained on."
        )
    if photo is not None and not 0 <= photo < len(test):
        raise OptionError(
            f"--photo: expected the number of a test photo, 0 to {len(test) - 1}, got {photo}. "
            "They are counted from 0 in the order of the data."
        )
    options: dict[str, Any] = {
        "perturbations": None if only is None else list(only),
        "strengths": strengths,
        "seed": seed,
    }
    if out is None:
        return RobustnessOutcome(robustness(model, test, **options, progress=progress), None, (), notes)
    with atomic_folder(out, force=force) as folder:
        predictions = predict(model, test)
        result = robustness(model, test, **options, predictions=predictions, progress=progress)
        shown = typical_photo(predictions) if photo is None else photo
        label = int(predictions.y_true[shown])  # in the order of the model's classes
        sheet = perturbation_sheet(model, test.X[shown], label=label, **options)
        save_figure(robustness_curves(result), folder / FILES[0])
        save_figure(sheet, folder / FILES[1])
        outcome = RobustnessOutcome(result, shown, tuple(out / name for name in FILES), notes)
        write_atomically(folder / FILES[2], json.dumps(outcome.to_dict(), indent=2) + "\n")
    return outcome


def typical_photo(predictions: Predictions) -> int:
    """Return the correctly classified photo of median probability.

    The first one where none is correct, and the first correct one where the model gives no probabilities.
    """
    right = np.flatnonzero(predictions.is_correct)
    if not len(right):
        return 0
    if not predictions.has_probabilities:
        return int(right[0])
    order = np.argsort(predictions.confidences[right], kind="stable")
    return int(right[order[(len(right) - 1) // 2]])
