"""The perturbations: the tutorial's six reasons for misclassified photos, and four more, made measurable."""

from collections.abc import Iterable, Mapping, Sequence

from pellucid.errors import OptionError, unknown_name
from pellucid.evaluation.robustness.perturbation import REASONS, Perturbation
from pellucid.evaluation.robustness.table import PERTURBATIONS

__all__ = ["PERTURBATIONS", "REASONS", "Perturbation", "choose_perturbations", "choose_strengths"]


def choose_perturbations(names: Iterable[str] | None = None) -> list[Perturbation]:
    """Return the perturbations of those names, or all.

    Raises
    ------
    OptionError
        If there is no such name, naming the nearest, or none is left.

    Examples
    --------
    >>> [p.title for p in choose_perturbations(["hue", "blur"])]
    ['Hue', 'Blur']
    """
    if names is None:
        return list(PERTURBATIONS.values())
    wanted = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    for name in wanted:
        if name not in PERTURBATIONS:
            raise OptionError(f"robustness: {unknown_name('perturbation', name, PERTURBATIONS)}")
    if not wanted:
        raise OptionError(
            f"robustness: expected at least one perturbation, got none. Known: {', '.join(PERTURBATIONS)}."
        )
    return [PERTURBATIONS[name] for name in wanted]


def choose_strengths(
    chosen: Sequence[Perturbation], strengths: Mapping[str, Iterable[float]] | None = None
) -> dict[str, tuple[float, ...]]:
    """Return the strengths to measure for each perturbation: 0 first, then ascending.

    Parameters
    ----------
    chosen : sequence of Perturbation
    strengths : mapping of name to numbers, optional
        For those named, instead of the usual ones; 0 may be among them.

    Raises
    ------
    OptionError
        If a name is not among the chosen, or a strength is out of its range, or none is above 0.

    Examples
    --------
    >>> choose_strengths(choose_perturbations(["rotation"]), {"rotation": [45, 15]})
    {'rotation': (0.0, 15.0, 45.0)}
    """
    given = {} if strengths is None else dict(strengths)
    for name in given:
        if name not in {perturbation.name for perturbation in chosen}:
            raise OptionError(
                f"robustness: strengths of {unknown_name('perturbation', name, [p.name for p in chosen])}"
            )
    result = {}
    for perturbation in chosen:
        wanted = tuple(given.get(perturbation.name, perturbation.strengths))
        for strength in wanted:
            perturbation.check_strength(strength)
        if not any(wanted):
            raise OptionError(
                f"{perturbation.name}: expected at least one strength above 0, got {list(wanted)}. "
                f"Usual ones: {', '.join(f'{value:g}' for value in perturbation.strengths)}."
            )
        result[perturbation.name] = tuple(sorted({0.0, *(float(strength) for strength in wanted)}))
    return result
