"""Use case: explain a model's verdict on one photo, in words, numbers and pictures."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.data.dataset import Dataset
from pellucid.data.readers.images import image_to_input, read_image
from pellucid.errors import OptionError, unknown_name
from pellucid.evaluation.photo.examine import OwnPhoto, TrainingPhotos, examine_photo
from pellucid.evaluation.photo.figures import own_photo_figure
from pellucid.evaluation.photo.novelty import BLIND
from pellucid.evaluation.saliency.figures import first_layer_figure, saliency_figure
from pellucid.evaluation.saliency.first_layer import FirstLayer, first_layer
from pellucid.evaluation.saliency.measure import METHODS, SaliencyMap, saliency_maps
from pellucid.evaluation.saliency.scoring import check_takes_image, prepared_image, target_of
from pellucid.evaluation.scores.predictions import check_weights
from pellucid.files import atomic_folder, write_atomically
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.plotting.saving import save_figure
from pellucid.runs.data import find_training_photos
from pellucid.text import percent
from pellucid.types import Array

STAGES = 5
ProgressCallback = Callable[[int, str], None]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A verdict, explained.

    Attributes
    ----------
    image : str
        As it was named.
    verdict : str
    photo : OwnPhoto or None
        None for a model that does not give classes with probabilities.
    maps : dict of str to SaliencyMap
    weights : FirstLayer or None
        None where the first layer's weights do not belong to pixels.
    notes : tuple of str
        What was left out, and why.
    files : tuple of Path
    """

    image: str
    verdict: str
    photo: OwnPhoto | None
    maps: dict[str, SaliencyMap]
    weights: FirstLayer | None
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def sentences(self) -> list[str]:
        """What is to be known, the verdict first."""
        own = [f"{self.verdict}."] if self.photo is None else self.photo.sentences
        return [*own, map_words(self.maps), *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return it without the pixels, as JSON can hold it."""
        return {
            "image": self.image,
            "verdict": self.verdict,
            "photo": None if self.photo is None else self.photo.to_dict(),
            "saliency": [found.to_dict() for found in self.maps.values()],
            "first_layer": None if self.weights is None else self.weights.to_dict(),
            "sentences": self.sentences,
            "notes": list(self.notes),
            "files": [str(path) for path in self.files],
        }


def explain(
    model_path: Path,
    image: Path,
    out: Path,
    *,
    data: str | None = None,
    target: str | None = None,
    methods: Sequence[str] | None = None,
    force: bool = False,
    progress: ProgressCallback = lambda stage, words: None,
) -> Explanation:
    """Explain a saved model's verdict on a photo, and write figures, text and numbers into a folder.

    Parameters
    ----------
    model_path : Path
        A model file or a run folder.
    image : Path
        Any size and kind that Pillow opens.
    out : Path
        The folder: photo.png, saliency.png, first-layer.png, explanation.txt, explanation.json.
    data : str, optional
        Where the training data are; default: where they were.
    target : str, optional
        The class that the maps explain; default: the predicted one.
    methods : sequence of str, optional
        Names of :data:`pellucid.evaluation.saliency.measure.METHODS`; default: all.
    force : bool, optional
        Write into a folder that is not empty.
    tell : callable, optional
        Told the number of each stage, from 0, and its name.

    Raises
    ------
    PellucidError
        If model, image, data, names or folder cannot be used, before anything is written.
    """
    chosen = _checked(methods)
    model = load(model_path)
    check_takes_image(model)
    check_weights(str(model_path), model)
    original = read_image(image)
    seen = image_to_input(original, model.input_shape)
    prepared = prepared_image(model, seen)
    chosen_target = target_of(model, prepared, target)
    with atomic_folder(out, force=force) as folder:
        progress(0, "training photos")
        has_classes = _gives_probabilities(model, seen)
        train, note = find_training_photos(model, model_path, data) if has_classes else (None, "")
        progress(1, "looking at the photo")
        photo = None
        if has_classes:
            photo = examine_photo(model, original, None if train is None else TrainingPhotos.of(model, train))
        progress(2, "saliency maps")
        maps = saliency_maps(model, seen, chosen_target.index, chosen)
        progress(3, "pictures")
        names = _draw(model, seen, photo, train, maps, folder)
        result = Explanation(
            image=str(image),
            verdict=_verdict(model, seen, photo),
            photo=photo,
            maps=maps,
            weights=first_layer(model),
            notes=(note,) if note else (),
            files=tuple(out / name for name in (*names, "explanation.txt", "explanation.json")),
        )
        write_atomically(folder / "explanation.txt", as_text(result))
        write_atomically(folder / "explanation.json", json.dumps(result.to_dict(), indent=2) + "\n")
        progress(4, "done")
    return result


def _checked(methods: Sequence[str] | None) -> Sequence[str]:
    for name in methods or ():
        if name not in METHODS:
            raise OptionError(f"--methods: {unknown_name('method', name, METHODS)}")
    if methods is not None and not methods:
        raise OptionError(f"--methods: expected at least one name, got none. Known: {', '.join(METHODS)}.")
    return tuple(METHODS) if methods is None else methods


def _gives_probabilities(model: Model, seen: Array) -> bool:
    if model.loss_kind != "classification":
        return False
    try:
        model.predict_proba(seen[None])
    except OptionError:  # trained on a hinge loss
        return False
    return True


def _verdict(model: Model, seen: Array, photo: OwnPhoto | None) -> str:
    """Return what the model says, in a few words."""
    if photo is not None:
        return f"{photo.label} ({percent(photo.probability, 1)})"
    said = model.predict(seen[None])[0]
    if model.loss_kind == "classification":
        return model.classes[int(said)] if model.classes else str(said)
    if model.loss_kind == "multi_label":
        names = model.classes or tuple(str(i) for i in range(len(said)))
        return ", ".join(name for name, yes in zip(names, said, strict=True) if yes) or "none of the labels"
    return ", ".join(f"{value:.4g}" for value in said.reshape(-1))


def _draw(
    model: Model,
    seen: Array,
    photo: OwnPhoto | None,
    train: Dataset | None,
    maps: dict[str, SaliencyMap],
    folder: Path,
) -> list[str]:
    figures = {
        "photo.png": None if photo is None else own_photo_figure(photo, train),
        "saliency.png": saliency_figure(seen, maps),
        "first-layer.png": first_layer_figure(model),
    }
    for name, figure in figures.items():
        if figure is not None:
            save_figure(figure, folder / name)
    return [name for name, figure in figures.items() if figure is not None]


def map_words(maps: dict[str, SaliencyMap]) -> str:
    """Return which maps pass the check against untrained networks, in a sentence.

    Examples
    --------
    >>> absent = SaliencyMap("grad_cam", "Grad-CAM", "cat", None, None, False, "no convolution")
    >>> map_words({"grad_cam": absent})
    'Maps of what speaks for “cat”, compared with those of untrained networks: not for this network: Grad-CAM.'
    """
    groups = {
        "depends": "changed by what was learned",
        "partly": "changed in part",
        "hardly": "much the same untrained, and not to be trusted",
        "unknown": "the same everywhere, so that there is nothing to compare",
    }
    known = {name: found.sanity.verdict for name, found in maps.items() if found.sanity is not None}
    parts = []
    for verdict, words in groups.items():
        named = [maps[name].title for name, found in known.items() if found == verdict]
        if named:
            parts.append(f"{words}: {', '.join(named)}")
    absent = [found.title for found in maps.values() if found.heat is None]
    if absent:
        parts.append(f"not for this network: {', '.join(absent)}")
    target = next(iter(maps.values())).target
    about = f"Maps of what speaks for “{target}”, compared with those of untrained networks"
    return f"{about}: {'; '.join(parts)}."


def as_text(result: Explanation) -> str:
    """Return an explanation as a page of plain text."""
    lines = [result.image, "", *result.sentences]
    photo = result.photo
    if photo is not None:
        lines += ["", "Each class"]
        lines += [f"  {name}: {percent(p, 2)}" for name, p in photo.classes.items()]
        lines += ["", f"A little changed: the probability of {photo.label}"]
        lines += [f"  {one.name}: {percent(one.probability, 1)} ({one.label})" for one in photo.variants]
        for title, near in (("by pixels", photo.by_pixels), ("by the last hidden layer", photo.by_features)):
            if near:
                lines += ["", f"Nearest training photos, {title}"]
                lines += [f"  no. {one.index}, {one.label}: {one.distance:.4g}" for one in near]
        if photo.novelty is not None:
            lines += ["", "Is it unlike the training photos?", f"  {photo.novelty.words}", f"  {BLIND}"]
    lines += ["", "Maps: what speaks for " + next(iter(result.maps.values())).target]
    for found in result.maps.values():
        lines += [f"  {found.title}: {found.note}"]
        lines += [f"    {found.sanity.words}"] if found.sanity is not None else []
    if result.weights is not None:
        lines += ["", f"The first layer, {result.weights.name}", f"  {result.weights.words}"]
    return "\n".join(lines) + "\n"
