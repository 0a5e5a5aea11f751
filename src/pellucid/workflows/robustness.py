"""The accuracy of a model on changed photos, both in memory or by name: what the command ``robustness`` prints."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset
from pellucid.data.input_spec import white_seen
from pellucid.data.source import DataSource
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.robustness.curves import Robustness
from pellucid.evaluation.robustness.plot_robustness import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.try_perturbations import check_model, typical_photo
from pellucid.evaluation.robustness.try_perturbations import robustness as try_perturbations
from pellucid.evaluation.scores.other_data import OTHER_DATA, was_trained_on_other
from pellucid.nn.by_name import ModelLike
from pellucid.nn.model import Model
from pellucid.prediction.predict import predict
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.runs.data import model_and_data, source_for
from pellucid.workflows.results import results_folder


@validate_call("sample", "seed", "overwrite")
def robustness(
    model: ModelLike,
    data: Any = None,
    *,
    perturbations: Iterable[str] | None = None,
    strengths: Mapping[str, Iterable[float]] | None = None,
    sample: int | None = None,
    seed: int = 1,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> Robustness:
    """Return a classifier's accuracy on photos that are rotated, recoloured, darkened, covered and so on.

    Parameters
    ----------
    model : Model, str or Path
        A trained classifier of photos, its file or run folder.
    data : Dataset, (X, y), Split, str or Path, optional
        Photos that the model was not trained on: of a Split the test part; data by name are read, and their test
        part held out, as at the model's training. Default: the data of the run.
    perturbations, strengths, seed : optional
        As for :func:`.try_perturbations.robustness`.
    sample : int, optional
        Which test photo the sheet in ``out`` shows; default: see `typical_photo`.
    out : str or Path, optional
        A folder for ``curves.png``, ``sheet.png`` and ``robustness.json``; default: nothing is written.
    overwrite : bool, optional
        Allow a folder that is not empty.
    progress : callable or bool, optional
        Called with a stage, the rounds done, and of how many; default: a bar; False: silent.

    Raises
    ------
    PellucidError
        If model, data, names or strengths do not fit, or the folder cannot be written.
    """
    model, source = model_and_data("robustness", model, data)
    check_model(model)
    test, about_data = _photos(model, source)
    if sample is not None and not 0 <= sample < len(test):
        raise OptionError(
            f"robustness: expected sample to be the number of a test photo, 0 to {len(test) - 1}, got {sample}. "
            "They are counted from 0 in the order of the data."
        )
    options: dict[str, Any] = {
        "perturbations": None if perturbations is None else list(perturbations),
        "strengths": strengths,
        "seed": seed,
    }
    with results_folder(out, overwrite=overwrite) as results, shown_progress(progress) as show:
        predictions, count = predict(model, test), partial(show, "changing photos")
        found = try_perturbations(model, test, **options, predictions=predictions, progress=count)
        found = replace(found, about_data=about_data)
        if out is None:
            return found
        shown = typical_photo(predictions) if sample is None else sample
        label = int(predictions.y_true[shown])  # in the order of the model's classes
        sheet = perturbation_sheet(model, test.X[shown], label=label, row=shown, noun=test.noun, **options)
        figures = {"curves": robustness_curves(found), "sheet": sheet}
        return results.write(replace(found, photo=shown), "robustness", lambda: figures)


def _photos(model: Model, source: Any) -> tuple[Dataset, tuple[str, ...]]:
    """Return the photos, and what is to be said of them."""
    if not isinstance(source, DataSource):
        return as_dataset(source, "robustness", part="test"), ()
    split = source_for(model, source).load(white_seen(model.inputs_seen))
    if split.test.X.shape[1:] != model.input_shape:
        raise ShapeError(
            f"{source.name}: expected photos of shape {model.input_shape}, as the model was trained on, got "
            f"{split.test.X.shape[1:]}. Use data of the size that it was trained on."
        )
    return split.test, (OTHER_DATA,) if was_trained_on_other(model, split.train) else ()
