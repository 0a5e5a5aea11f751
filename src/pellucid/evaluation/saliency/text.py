"""Sentences about saliency maps and their check against untrained networks."""

from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.evaluation.saliency.first_layer import FirstLayer
from pellucid.evaluation.saliency.maps import SaliencyMap
from pellucid.evaluation.saliency.sanity import SanityCheck, outcome_of
from pellucid.text import signed

OUTCOMES = {
    "depends": "it depends on what was learned",
    "partly": "part of it comes from the picture and the architecture, not from what was learned",
    "hardly": "it hardly depends on what was learned: an untrained network gives much the same map",
    "unknown": "it cannot be checked: the map is the same everywhere",
}
IN_SHORT = {  # a map that passes is not proved right, so no word here claims it
    "depends": "passes the check",
    "partly": "in part",
    "hardly": "fails the check",
    "unknown": "cannot be checked",
}
GROUPS = {
    "depends": "changed by what was learned",
    "partly": "changed in part",
    "hardly": "much the same untrained, and not to be trusted",
    "unknown": "the same everywhere, so that there is nothing to compare",
}
CAVEAT = (
    "The check can fail a map, not prove it: that a map changes when the weights do is necessary for it to show "
    "what was learned, and not enough; mere noise passes it too."
)
BEFORE_BELIEVING = (
    "A map colours the pixels that a prediction depends on. Before believing one, look at the check, the table "
    "below: how alike it is to the maps of untrained networks of the same {noun}, from 0 (not at all) to 1 (rank "
    "correlation; the sign does not count). A map that they give too shows the {noun}, not what was learned."
)
HOW_TO_READ = (
    "Each row is one {noun} and, to its right, its maps; below each, whether it passes the check, and its likeness "
    "r to the maps of untrained networks. Ask of each: is the object itself coloured, or the background?"
)
AT_LARGE = (
    "A row is a method: its map alone, over the {noun}, and that of an untrained network. The words next to it say "
    "how to read it and whether it passes the check."
)
STRIP = "Red speaks for that class, blue against it; yellow on violet shows only how much a pixel matters."
FIRST_LAYER = (
    "What the first layer looks for: the weights of each of its units as a picture, grey where a weight is 0. "
    "Shapes that one recognizes were found in the {noun}s; what looks like noise was learned {noun} by {noun}, or "
    "never."
)
CHECK_HEADER = ("Method", "Likeness", "Least to most", "What that means")


def check_text(check: SanityCheck) -> str:
    """Return the check of one map in a sentence.

    Examples
    --------
    >>> check_text(SanityCheck((0.02, 0.06)))
    'Rank correlation with the maps of 2 untrained networks: 0.04 on average (0.02 to 0.06); it depends on ...'
    """
    outcome = OUTCOMES[check.outcome]
    if check.correlation is None:
        return f"Untrained networks: {outcome}."
    n = len(check.correlations)
    if n == 1:
        return f"Rank correlation with an untrained network's map: {signed(check.correlation)}; {outcome}."
    known = [value for value in check.correlations if value is not None]
    spread = f"{signed(check.correlation)} on average ({signed(min(known))} to {signed(max(known))})"
    return f"Rank correlation with the maps of {n} untrained networks: {spread}; {outcome}."


def maps_text(maps: Mapping[str, SaliencyMap]) -> str:
    """Return which maps pass the check against untrained networks, in a sentence.

    Examples
    --------
    >>> absent = SaliencyMap("grad_cam", "Grad-CAM", "cat", None, None, False, "no convolution")
    >>> maps_text({"grad_cam": absent})
    'Maps of what speaks for “cat”, compared with those of untrained networks: not for this network: Grad-CAM.'
    """
    known = {name: found.sanity.outcome for name, found in maps.items() if found.sanity is not None}
    parts = []
    for outcome, words in GROUPS.items():
        named = [maps[name].title for name, found in known.items() if found == outcome]
        if named:
            parts.append(f"{words}: {', '.join(named)}")
    absent = [found.title for found in maps.values() if found.heat is None]
    if absent:
        parts.append(f"not for this network: {', '.join(absent)}")
    target = next(iter(maps.values())).target
    about = f"Maps of what speaks for “{target}”, compared with those of untrained networks"
    return f"{about}: {'; '.join(parts)}." if parts else f"{about.split(',')[0]}: not checked."


def lines_of(maps: Mapping[str, SaliencyMap]) -> list[str]:
    """Return which maps pass the check, then a line for each map: its check, or why there is none.

    Examples
    --------
    >>> lines_of({"grad_cam": SaliencyMap("grad_cam", "Grad-CAM", "cat", None, None, False, "no convolution")})[1:]
    ['Grad-CAM: no convolution']
    """
    each = (f"{one.title}: {check_text(one.sanity) if one.sanity else one.note}" for one in maps.values())
    return [maps_text(maps), *each]


def check_rows(maps: Sequence[Mapping[str, SaliencyMap]]) -> list[tuple[str, str, str, str]]:
    """Return, for each method, how alike its maps and those of untrained networks are over some photos.

    Parameters
    ----------
    maps : sequence of mapping of str to SaliencyMap
        Of each photo, by method.
    """
    rows = []
    for name, first in maps[0].items():
        checks = [of_photo[name].sanity for of_photo in maps]
        known = [check.correlation for check in checks if check is not None and check.correlation is not None]
        if known:
            mean = float(np.mean(known))
            spread = f"{signed(min(known))} to {signed(max(known))}"
            rows.append((first.title, signed(mean), spread, OUTCOMES[outcome_of(mean)]))
        else:
            why = "it does not apply to this network" if first.heat is None else OUTCOMES["unknown"]
            rows.append((first.title, "", "", why))
    return rows


def first_layer_text(found: FirstLayer) -> str:
    """Return whether the first layer's weights were learned, in a sentence."""
    if found.smoothness is None:
        return "Whether they were learned is not known: no two weights are neighbours, or all are 0."
    numbers = (
        f"Neighbouring weights correlate with {found.smoothness:.3f}, those of an untrained layer with "
        f"{abs(found.untrained):.3f} ± {found.spread:.3f}"
    )
    learned = "something was learned there" if found.is_learned else "they cannot be distinguished from noise"
    return f"{numbers}: {learned}."
