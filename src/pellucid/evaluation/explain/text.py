"""Sentences about one photo: its prediction, how stable that is, what it is near to, and whether it is unusual."""

from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.explain.image_context import ImageContext
from pellucid.evaluation.explain.novelty import LEVEL, MEASURES, N_NEEDED, RARE, Novelty
from pellucid.evaluation.saliency.text import check_text, first_layer_text, maps_text
from pellucid.text import percent, placed, printable

if TYPE_CHECKING:
    from pellucid.evaluation.explain.explain_photo import PhotoExplanation

PAGE = (
    "The {noun} as given and as the network sees it; the training {noun}s nearest to it, by pixels and in the "
    "network's last hidden layer (green: of the predicted class; red: of another); and how the prediction moves "
    "when it is cropped, flipped, darkened or brightened (red: another prediction). A prediction that flips easily "
    "is worth little."
)
BLIND = (
    "How unlike a photo is, is judged by its colours, brightness, contrast, sharpness and layout, not by what they "
    "mean: another animal, a photo upside down or a drawing in the usual colours can pass as familiar, and a "
    "network can be sure and wrong on all of them."
)


def photo_text(photo: ImageContext) -> list[str]:
    """Return what is to be known of a photo in sentences, the most important first."""
    if not photo.classes:
        return [f"{photo.prediction}."]
    novelty = [] if photo.novelty is None else [novelty_text(photo.novelty, photo.noun)]
    lines = [
        f"The network predicts “{photo.label}” ({percent(photo.probability, 1)}).",
        stability_text(photo),
        nearest_text(photo),
        *novelty,
    ]
    if photo.novelty is not None and photo.novelty.is_alarm:
        lines.insert(1, lines.pop())  # a prediction for what was never seen is worth little: that comes first
    return [line for line in lines if line]


def stability_text(photo: ImageContext) -> str:
    """Return how the prediction moves with small changes, in a sentence or two."""
    changed = photo.variants[1:]
    low = min(changed, key=lambda variant: variant.probability)
    high = max(changed, key=lambda variant: variant.probability)
    lowest, highest = percent(low.probability, 1), percent(high.probability, 1)
    other = [variant.name for variant in changed if variant.label != photo.label]
    goes = f"goes from {lowest} ({low.name}) to {highest} ({high.name})"
    if lowest == highest:
        goes = f"stays at {lowest}"
    moves = f"Cropped, flipped, darker or brighter, the probability of “{photo.label}” {goes}"
    if not other:
        return f"{moves}; the prediction stays the same in all {len(changed)} variants."
    more = f" and {len(other) - 4} more" if len(other) > 4 else ""
    named = ", ".join(other[:4]) + more
    return f"{moves}; the prediction changes in {len(other)} of {len(changed)} variants: {named}."


def nearest_text(photo: ImageContext) -> str:
    """Return the nearest training photos in a sentence or two; empty without training photos."""
    if not photo.by_pixels:
        return ""
    first = photo.by_pixels[0]
    number = f"number {first.index} (“{first.label}”)"
    place = f"{printable(first.name)}, {number}" if first.name else number
    if first.distance == 0:
        place = place if first.name else f"training {photo.noun} {place.removeprefix('number ')}"
        return f"It is {place} itself, pixel by pixel."
    unit = " of 255" if photo.seen.dtype == np.uint8 else ""
    n, n_same = len(photo.by_features), sum(near.label == photo.label for near in photo.by_features)
    some = "all" if n_same == n > 1 else "none" if not n_same else str(n_same)
    return (
        f"The nearest training {photo.noun} by its pixels is {place}, "
        f"{first.distance:.3g}{unit} away on average; of the {n} nearest in the network's last hidden layer, "
        f"{some} {'is' if n_same < 2 and some != 'all' else 'are'} “{photo.label}”."
    )


def novelty_text(novelty: Novelty, noun: str = "photo") -> str:
    """Return how unusual a photo is among the training photos, which have a noun, in a sentence or two."""
    n, as_rare = novelty.n_train, novelty.n_as_rare
    fraction = f" ({percent(as_rare / n)})" if as_rare else ""
    there = f"{as_rare or 'none'} of {n} training {noun}s{fraction} {'is' if as_rare < 2 else 'are'}"
    far = f"unlike anything in the training {noun}s: {there} as far from all others as this one."
    if novelty.is_unlike:
        return f"U{far[1:]}{_outstanding(novelty)}"
    if novelty.is_alarm:
        return (
            f"It may be {far} With {N_NEEDED} or more that would be certain; with so few, one in {n + 1} that is "
            f"like them is as far by chance.{_outstanding(novelty)}"
        )
    if novelty.is_unlike is None:
        return (
            f"Too few training {noun}s ({n}) to decide whether it is unlike them: {N_NEEDED} are needed to tell "
            f"one in a hundred. {as_rare} of them {'is' if as_rare == 1 else 'are'} at least as unusual."
        )
    how = "Unusual, though not beyond all" if novelty.p_value <= RARE else "Not unusual"
    return f"{how}: {there} at least as far from all others as this one."


def _outstanding(novelty: Novelty) -> str:
    """Return by what a photo stands out, in a sentence; empty where it is no single measure."""
    names = [name for name, value in novelty.measures.items() if value > 100 * (1 - LEVEL)]
    if set(MEASURES[1:]) <= set(names):
        names[-1] = "their mix"
    return f" It stands out by {'; '.join(names)}." if names else ""


def explanation_text(explanation: "PhotoExplanation") -> list[str]:
    """Return an explanation in sentences, the prediction first."""
    return [*photo_text(explanation.photo), maps_text(explanation.maps), *explanation.notes]


def page_of(explanation: "PhotoExplanation") -> str:
    """Return an explanation as a page of plain text."""
    lines = [explanation.name, "", *explanation_text(explanation)]
    photo = explanation.photo
    if photo.classes:
        lines += ["", "Each class"]
        lines += [f"  {name}: {percent(p, 2)}" for name, p in photo.classes.items()]
        lines += ["", f"Slightly changed: the probability of {photo.label}"]
        lines += [f"  {one.name}: {percent(one.probability, 1)} ({one.label})" for one in photo.variants]
    for title, near in (("by pixels", photo.by_pixels), ("by the last hidden layer", photo.by_features)):
        if near:
            lines += ["", f"Nearest training {photo.noun}s, {title}"]
            lines += [
                f"  {placed(f'no. {one.index}, {one.label}', one.name)}: {one.distance:.4g}" for one in near
            ]
    if photo.novelty is not None:
        lines += ["", f"Is it unlike the training {photo.noun}s?"]
        lines += [f"  {novelty_text(photo.novelty, photo.noun)}", f"  {BLIND}"]
    lines += ["", f"Maps: what speaks for {explanation.maps.target}"]
    for found in explanation.maps.values():
        lines += [f"  {found.title}: {found.note}"]
        lines += [f"    {check_text(found.sanity)}"] if found.sanity is not None else []
    if explanation.weights is not None:
        lines += [
            "",
            f"The first layer, {explanation.weights.name}",
            f"  {first_layer_text(explanation.weights)}",
        ]
    return "\n".join(lines) + "\n"
