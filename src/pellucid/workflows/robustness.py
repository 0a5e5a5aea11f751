"""Measure a saved model on photos that were changed on purpose, and write what was found into a folder."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.data.input_spec import white_seen
from pellucid.data.source import DataSource
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.robustness.curves import Robustness
from pellucid.evaluation.robustness.plot_robustness import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.try_perturbations import check_model, robustness, typical_photo
from pellucid.evaluation.scores.other_data import OTHER_DATA, was_trained_on_other
from pellucid.files import write_atomically
from pellucid.folders import atomic_folder
from pellucid.formats.safetensors import load
from pellucid.plotting.saving import save_figure
from pellucid.prediction.predict import predict
from pellucid.progress import CountCallback
from pellucid.runs.data import own_source, source_for

FILES = ("curves.png", "sheet.png", "robustness.json")


def robustness_of_file(
    model_path: Path,
    source: DataSource | None = None,
    *,
    only: Iterable[str] | None = None,
    strengths: Mapping[str, Iterable[float]] | None = None,
    photo: int | None = None,
    seed: int = 1,
    out: Path | None = None,
    force: bool = False,
    progress: CountCallback | None = None,
) -> Robustness:
    """Measure a saved model on the test part of photos, and draw what was found.

    Parameters
    ----------
    model_path : Path
        A model file or a run folder.
    source : DataSource, optional
        Default: the model's own data. The test part is held out with the seed of the model's training, whatever
        ``source.seed`` is.
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
    source = source or own_source(model_path)
    model = load(model_path)
    check_model("robustness", model)
    split = source_for(model, source).load(white_seen(model.inputs_seen))
    test, about_data = split.test, (OTHER_DATA,) if was_trained_on_other(model, split.train) else ()
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
        return replace(robustness(model, test, **options, progress=progress), about_data=about_data)
    with atomic_folder(out, force=force) as folder:
        predictions = predict(model, test)
        found = robustness(model, test, **options, predictions=predictions, progress=progress)
        shown = typical_photo(predictions) if photo is None else photo
        label = int(predictions.y_true[shown])  # in the order of the model's classes
        sheet = perturbation_sheet(model, test.X[shown], label=label, noun=test.noun, **options)
        save_figure(robustness_curves(found), folder / FILES[0])
        save_figure(sheet, folder / FILES[1])
        found = replace(found, photo=shown, files=tuple(out / name for name in FILES), about_data=about_data)
        write_atomically(folder / FILES[2], json.dumps(found.to_dict(), indent=2) + "\n")
    return found
