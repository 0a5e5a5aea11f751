"""What a measurement of robustness found: records, when each change breaks the model, and the ranking in words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pellucid.evaluation.robustness.perturbations import REASONS, Perturbation, nearest
from pellucid.stats.intervals import wilson_interval
from pellucid.text import chance_in_words, percent

POINTS = 10  # a loss of so many percent of all photos counts as a break


@dataclass(frozen=True)
class StrengthRow:
    """What the model scored at one strength.

    Attributes
    ----------
    strength : float
    label : str
        The strength in a few letters, with its unit.
    n_correct, n : int
    accuracy, low, high : float
        With its 95 % Wilson interval.
    n_lost, n_gained : int
        Photos that were read rightly as they are and no longer are, and the other way round.
    p_value : float
        Of McNemar's exact test: how often chance alone turns the verdicts so much one way.
    """

    strength: float
    label: str
    n_correct: int
    n: int
    accuracy: float
    low: float
    high: float
    n_lost: int
    n_gained: int
    p_value: float


@dataclass(frozen=True)
class PerturbationCurve:
    """The scores under one perturbation, strength 0 (the photos as they are) first.

    Attributes
    ----------
    perturbation : Perturbation
    rows : tuple of StrengthRow
    n_baseline : int
        How many photos the one best answer would read rightly.
    """

    perturbation: Perturbation
    rows: tuple[StrengthRow, ...]
    n_baseline: int

    @property
    def ten_points_at(self) -> float | None:
        """The weakest strength measured at which 10 % of all photos are lost, on balance; None: never."""
        clean = self.rows[0]
        found = [r.strength for r in self.rows if 100 * (clean.n_correct - r.n_correct) >= POINTS * r.n]
        return found[0] if found else None

    @property
    def below_baseline_at(self) -> float | None:
        """The weakest strength at which the one best answer scores more; None: never, or before any change."""
        found = [r.strength for r in self.rows if r.n_correct < self.n_baseline]
        return found[0] if found and found[0] > 0 else None

    @property
    def breaks_at(self) -> float | None:
        """The weaker of ``ten_points_at`` and ``below_baseline_at``; None: the model bears all strengths."""
        found = [at for at in (self.ten_points_at, self.below_baseline_at) if at is not None]
        return min(found) if found else None

    @property
    def breaks_label(self) -> str:
        """``breaks_at`` in a few letters, or "never"."""
        return "never" if self.breaks_at is None else self.perturbation.label(self.breaks_at)

    @property
    def moderate(self) -> StrengthRow:
        """The row at the perturbation's moderate strength, or at the nearest one measured."""
        at = nearest((row.strength for row in self.rows), self.perturbation.moderate)
        return next(row for row in self.rows if row.strength == at)

    @property
    def cost(self) -> int:
        """How many photos fewer are read rightly at the moderate strength; below 0: more."""
        return self.rows[0].n_correct - self.moderate.n_correct

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON can hold it."""
        p = self.perturbation
        return {
            "name": p.name,
            "title": p.title,
            "reason": REASONS[p.reason],
            "what_is_done": p.words,
            "unit": p.unit,
            "moderate_strength": self.moderate.strength,
            "moderate_cost": self.cost,
            "moderate_p_value": self.moderate.p_value,
            "ten_points_at": self.ten_points_at,
            "below_baseline_at": self.below_baseline_at,
            "breaks_at": self.breaks_at,
            "rows": [asdict(row) for row in self.rows],
        }


@dataclass(frozen=True)
class Robustness:
    """How well a model bears changed photos.

    Attributes
    ----------
    n, n_correct : int
        Photos, and those read rightly as they are.
    baseline : float
        The accuracy of always giving the one best answer, ``most_common``.
    curves : tuple of PerturbationCurve
    left_out : mapping of str to str
        Perturbations that could not be measured, and why.
    seed : int
    """

    n: int
    n_correct: int
    baseline: float
    most_common: str
    curves: tuple[PerturbationCurve, ...]
    left_out: Mapping[str, str]
    seed: int

    @property
    def accuracy(self) -> float:
        """The share of photos read rightly as they are."""
        return self.n_correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % Wilson interval."""
        return wilson_interval(self.n_correct, self.n)

    @property
    def ranking(self) -> tuple[PerturbationCurve, ...]:
        """The curves, what costs most at moderate strength first; of equals, what loses more photos."""
        return tuple(sorted(self.curves, key=lambda curve: (-curve.cost, -curve.moderate.n_lost)))

    @property
    def in_words(self) -> tuple[str, ...]:
        """What was found, in sentences for somebody who reads nothing else."""
        lines = [self._clean(), *self._worst(), *self._borne(), *self._lowest()]
        if any(curve.perturbation.name == "background" for curve in self.curves):
            lines.append(
                "Nobody has marked where the subjects are: for the background, what lies outside an ellipse about "
                "the photo's middle stands in."
            )
        if self.left_out:
            reasons = "; ".join(f"{name}, since {why}" for name, why in self.left_out.items())
            lines.append(f"Left out: {reasons}.")
        return tuple(lines)

    def _clean(self) -> str:
        low, high = self.interval
        line = (
            f"As they are, {self.n_correct} of {self.n} photos are read rightly ({percent(self.accuracy)}, 95 % "
            f"interval {percent(low)} to {percent(high)}); always answering “{self.most_common}” would be right "
            f"{round(self.baseline * self.n)} times ({percent(self.baseline)})."
        )
        is_better = self.accuracy > self.baseline
        return line if is_better else f"{line} So there is little that a change could cost."

    def _worst(self) -> list[str]:
        first = self.ranking[0]
        if first.cost <= 0:
            return [f"At moderate strength, no change costs it a photo ({_listed(self.ranking, 3)})."]
        worst = [curve for curve in self.ranking if curve.cost == first.cost]
        phrases = " and ".join(filter(None, [", ".join(_phrases(worst)[:-1]), _phrases(worst)[-1]]))
        row = first.moderate
        cost = (
            f"{row.n_correct} instead of {self.n_correct} photos are read rightly ({percent(row.accuracy)})"
            + (", either way" if len(worst) == 2 else ", each way" if len(worst) > 2 else "")
        )
        lines = [
            f"At moderate strength, {phrases} cost{'s' if len(worst) == 1 else ''} it most: {cost}.",
            self._chance(first),
        ]
        if behind := [curve for curve in self.ranking[len(worst) :] if curve.cost > 0][:3]:
            costs = (f"{phrase} ({c.cost} fewer)" for phrase, c in zip(_phrases(behind), behind, strict=True))
            lines.append(f"Next: {', '.join(costs)}.")
        return lines

    def _chance(self, curve: PerturbationCurve) -> str:
        """Say whether that loss is more than chance: the largest of many is large by chance, too."""
        n_tried = len(self.curves)
        p = min(1.0, n_tried * curve.moderate.p_value)
        times = f", times the {n_tried} changes tried" if n_tried > 1 else ""
        return f"T{chance_in_words(p)[1:]} (McNemar's exact test on {self.n} photos{times})."

    def _borne(self) -> list[str]:
        borne = [curve for curve in reversed(self.ranking) if curve.cost <= 0]
        if not borne or len(borne) == len(self.curves):
            return []
        return [f"It loses nothing, on balance, by {_listed(borne, 5)}."]

    def _lowest(self) -> list[str]:
        curve, row = min(
            ((curve, row) for curve in self.curves for row in curve.rows), key=lambda pair: pair[1].n_correct
        )
        broken = [curve for curve in self.curves if curve.breaks_at is not None]
        lines = [
            f"{len(broken)} of {len(self.curves)} changes, made strong enough, cost {POINTS} points of accuracy or "
            "bring it below that one answer."
        ]
        if row.n_correct < self.n_correct:
            lines.append(
                f"The lowest of all: {percent(row.accuracy)}, by {curve.perturbation.say(row.strength)}."
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON can hold them."""
        return {
            "n": self.n,
            "n_correct": self.n_correct,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "baseline": self.baseline,
            "most_common": self.most_common,
            "seed": self.seed,
            "ranking": [curve.perturbation.name for curve in self.ranking],
            "perturbations": [curve.to_dict() for curve in self.curves],
            "left_out": dict(self.left_out),
            "summary": list(self.in_words),
        }


def _phrases(curves: Sequence[PerturbationCurve]) -> list[str]:
    return [curve.perturbation.say(curve.moderate.strength) for curve in curves]


def _listed(curves: Sequence[PerturbationCurve], most: int) -> str:
    """Return what is done, in a list; how many more there are after the first ``most``."""
    phrases = _phrases(curves)
    rest = f", and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + rest
