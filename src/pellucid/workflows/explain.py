"""Explain a model's prediction for a photo or a row of a table: what the command ``explain`` does."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pellucid.data.coerce import as_dataset
from pellucid.evaluation.columns.contributions import RowExplanation, explain_row
from pellucid.evaluation.columns.importance import check_is_of_table
from pellucid.evaluation.explain.explain_photo import PhotoExplanation, doubt_of, explanation
from pellucid.evaluation.explain.image_context import N_NEAR, ImageContext
from pellucid.evaluation.saliency.compute_maps import METHODS, check_methods
from pellucid.evaluation.saliency.plot_maps import first_layer_figure
from pellucid.evaluation.saliency.scoring import check_takes_image, target_of
from pellucid.formats.safetensors import load
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model
from pellucid.plotting.types import Figure
from pellucid.prediction.predict import check_weights
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.runs.data import find_training_photos
from pellucid.types import Array
from pellucid.workflows.results import results_folder

STAGES = ("training photos", "prediction and neighbours", "saliency maps", "pictures")


@validate_call("target", "n_near", "overwrite")
def explain_photo(
    model: ModelLike,
    image: str | Path | bytes | Array,
    data: Any = None,
    *,
    target: int | str | None = None,
    methods: Sequence[str] | None = None,
    n_near: int = N_NEAR,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> PhotoExplanation:
    """Explain a model's prediction for one photo: saliency maps, nearest training photos, stability, novelty.

    Parameters
    ----------
    model : Model, str or Path
        Trained on images; or its file or run folder.
    image : str, Path, bytes or Array
        A file of any size and kind, or its content; or an array, (H, W, 3) of uint8, or one sample of the model's
        input shape.
    data : Dataset, (X, y), Split, str or Path, optional
        The training part. Default: that of the run; of a model in memory none, and neighbours and novelty are left
        out.
    target : int or str, optional
        The class that the maps explain; default: the predicted one.
    methods : sequence of str, optional
        Of :data:`pellucid.evaluation.saliency.compute_maps.METHODS`; default: all.
    n_near : int, optional
        How many neighbours of each kind.
    out : str or Path, optional
        A folder for photo.png, saliency.png, first-layer.png, explanation.txt and explanation.json; default:
        nothing is written.
    overwrite : bool, optional
        Write into a folder that is not empty.
    progress : callable or bool, optional
        Called with a stage, how many are done, and of how many; default: a bar; False: silent.

    Raises
    ------
    PellucidError
        If model, image, data, names or folder cannot be used, before anything is written.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> why = explain_photo(model, np.full((20, 30, 3), 99, np.uint8), methods=["gradient"])
    >>> list(why.maps), len(why.photo.variants)
    (['gradient'], 15)
    """
    chosen = tuple(METHODS) if methods is None else methods
    check_methods(chosen)
    path = None if isinstance(model, Model) else Path(model)
    model = model if isinstance(model, Model) else load(model)
    check_takes_image(model)
    check_weights(str(path or "explain_photo"), model)
    photo = ImageContext.of(model, image)
    wanted = target_of(model, photo.outputs, target)
    with results_folder(out, overwrite=overwrite) as results, shown_progress(progress) as show:
        show(STAGES[0], 0, len(STAGES))
        train, note = None, ""
        if photo.classes and data is not None and not isinstance(data, str | Path):
            train = as_dataset(data, "explain_photo: data")
        elif photo.classes and (data is not None or path is not None):
            train, note = find_training_photos(model, path or Path(), None if data is None else str(data))
        show(STAGES[1], 1, len(STAGES))
        doubt = "" if train is None else doubt_of(model, train)
        photo = photo if train is None else photo.among(model, train, n_near)
        show(STAGES[2], 2, len(STAGES))
        name = str(image) if isinstance(image, str | Path) else "photo"
        found = explanation(model, name, photo, wanted, chosen, note, doubt)
        show(STAGES[3], 3, len(STAGES))
        found = results.write(found, "explanation", partial(_figures, found), text=True)
        show(STAGES[3], 4, len(STAGES))
        return found


def _figures(found: PhotoExplanation) -> dict[str, Figure]:
    figures = {"photo": found.plot()} if found.photo.classes else {}
    figures["saliency"] = found.maps.plot()
    if found.weights is not None:
        figures["first-layer"] = first_layer_figure(found.weights)
    return figures


def explain_row_of(
    model: ModelLike,
    image: str | Path,
    *,
    row: int = 1,
    target: int | str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> RowExplanation:
    """Explain a model's prediction for a row of a table in a file: see :func:`.explain_row`.

    Parameters
    ----------
    model : Model, str or Path
    image : str or Path
        The table.
    row : int, optional
        Which row, from 1.
    target, out, overwrite : optional
        As for :func:`explain_photo`; into ``out`` go row.png, explanation.txt and explanation.json.
    """
    model = as_model(model, "explain")
    check_is_of_table(model, "explain")
    table = model._schema.read_row(Path(image), row)
    with results_folder(out, overwrite=overwrite) as results:
        found = explain_row(model, table, target=target)
        return results.write(found, "explanation", found.figures, text=True)
