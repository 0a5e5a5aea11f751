"""Explain a saved model's prediction for a photo, into a folder."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pellucid.evaluation.explain.explain_photo import PhotoExplanation, explanation
from pellucid.evaluation.explain.image_context import ImageContext
from pellucid.evaluation.saliency.compute_maps import METHODS, check_methods
from pellucid.evaluation.saliency.plot_maps import first_layer_figure
from pellucid.evaluation.saliency.scoring import check_takes_image, target_of
from pellucid.files import write_atomically
from pellucid.folders import atomic_folder, next_folder
from pellucid.formats.safetensors import load
from pellucid.plotting.saving import save_figures
from pellucid.prediction.predict import check_weights
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.data import find_training_photos

STAGES = ("training photos", "prediction and neighbours", "saliency maps", "pictures")


def explain_file(
    model_path: Path,
    image: Path,
    out: Path | None = None,
    *,
    data: str | None = None,
    target: str | None = None,
    methods: Sequence[str] | None = None,
    overwrite: bool = False,
    progress: ProgressCallback = no_progress,
) -> PhotoExplanation:
    """Explain a saved model's prediction for a photo, and write figures, text and numbers into a folder.

    Parameters
    ----------
    model_path : Path
        A model file or a run folder.
    image : Path
        Any size and kind that Pillow opens.
    out : Path, optional
        The folder: photo.png, saliency.png, first-layer.png, explanation.txt, explanation.json. Default:
        explained/IMAGE-N.
    data : str, optional
        Where the training data are; default: where they were.
    target, methods : optional
        As for :func:`pellucid.explain_photo`.
    overwrite : bool, optional
        Write into a folder that is not empty.
    progress : callable, optional
        Called with each stage.

    Raises
    ------
    PellucidError
        If model, image, data, names or folder cannot be used, before anything is written.
    """
    out = out or next_folder(Path("explained"), image.stem)
    chosen = tuple(METHODS) if methods is None else methods
    check_methods(chosen)
    model = load(model_path)
    check_takes_image(model)
    check_weights(str(model_path), model)
    photo = ImageContext.of(model, image)
    wanted = target_of(model, photo.outputs, target)
    with atomic_folder(out, overwrite=overwrite) as folder:
        progress(STAGES[0], 0, len(STAGES))
        train, note = find_training_photos(model, model_path, data) if photo.classes else (None, "")
        progress(STAGES[1], 1, len(STAGES))
        photo = photo if train is None else photo.among(model, train)
        progress(STAGES[2], 2, len(STAGES))
        found = explanation(model, str(image), photo, wanted, chosen, note)
        progress(STAGES[3], 3, len(STAGES))
        found = _write(found, folder, out)
        progress(STAGES[3], 4, len(STAGES))
    return found


def _write(found: PhotoExplanation, folder: Path, out: Path) -> PhotoExplanation:
    figures = {"photo": found.plot()} if found.photo.classes else {}
    figures["saliency"] = found.maps.plot()
    if found.weights is not None:
        figures["first-layer"] = first_layer_figure(found.weights)
    pictures = save_figures(figures, folder)
    names = (*pictures, "explanation.txt", "explanation.json")
    found = replace(found, files=tuple(out / name for name in names))
    write_atomically(folder / "explanation.txt", str(found) + "\n")
    write_atomically(folder / "explanation.json", json.dumps(found.to_dict(), indent=2) + "\n")
    return found
