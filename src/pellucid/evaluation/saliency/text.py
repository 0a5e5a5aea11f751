"""Sentences about saliency maps, and the table of their check."""

from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.evaluation.saliency.measure import SaliencyMap
from pellucid.evaluation.saliency.sanity import WORDS, SanityCheck
from pellucid.text import signed

BEFORE_BELIEVING = (
    "A map colours the pixels that a prediction depends on. Before believing one, look at the check, the "
    "table below: "
    "how alike it is to the maps of untrained networks of the same photo, from 0 (not at all) to 1 (rank "
    "correlation; the sign does not count). A map that they give too shows the photo, not what was learned."
)
HOW_TO_READ = (
    "Each row is one photo and, to its right, its maps; below each, whether it passes the check, and its likeness "
    "r to the maps of untrained networks. Ask of each: is the object itself coloured, or the background?"
)
FIRST_LAYER = (
    "What the first layer looks for: the weights of each of its units as a picture, grey where a weight is 0. "
    "Shapes that one recognizes were found in the photos; what looks like noise was learned photo by photo, or "
    "never."
)
CHECK_HEADER = ("Method", "Likeness", "Photo by photo", "What that means")


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
            rows.append((first.title, signed(mean), spread, WORDS[SanityCheck("full", (mean,)).verdict]))
        else:
            why = "it does not apply to this network" if first.heat is None else WORDS["unknown"]
            rows.append((first.title, "", "", why))
    return rows
