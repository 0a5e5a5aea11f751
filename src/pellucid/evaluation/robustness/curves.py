"""What a measurement of robustness found: the scores at each strength, and where each change breaks the model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pellucid.evaluation.robustness.perturbations import REASONS, Perturbation
from pellucid.plotting.types import Figure
from pellucid.shares import share_range
from pellucid.stats.intervals import ALPHA, wilson_interval
from pellucid.stats.multiple import holm
from pellucid.text import p_in_words, plural
from pellucid.text_blocks import InJson, Result

BREAK_POINTS = 10  # percent of all photos: such a loss counts as a break

Outcome: TypeAlias = Literal["no loss", "more than chance", "not shown", "cannot be told"]


class CostTest(NamedTuple):
    """What a test says of the cost of one change.

    Attributes
    ----------
    p_value : float
        Of McNemar's exact test, with Holm's correction for all the changes tried.
    outcome : str
        "no loss"; "more than chance", p below 0.05; "not shown", p not below it; or "cannot be told": p not
        below it, and there are too few photos for any loss of ten points to be significant.
    """

    p_value: float
    outcome: Outcome


def judge(costs: Sequence[int], p_values: Sequence[float], n: int) -> list[CostTest]:
    """Return what tests of several changes on the same ``n`` photos say.

    Parameters
    ----------
    costs : sequence of int
        How many photos fewer are classified correctly under each change.
    p_values : sequence of float
        Of McNemar's exact test for each change, uncorrected.
    n : int
        Photos.

    Notes
    -----
    Where k photos are lost and none is gained, McNemar's p-value is 2 / 2^k, and Holm multiplies it by how many
    tests are not yet rejected. Where the smallest significant k is more than ten points of n photos, a loss of ten
    points could not have been told from chance.

    Examples
    --------
    >>> for found in judge([9, 4, 0], [0.0039, 0.125, 1.0], 50):
    ...     print(found.outcome, round(found.p_value, 3))
    more than chance 0.012
    cannot be told 0.25
    no loss 1.0
    """
    corrected = holm(p_values)
    n_not_rejected = max(1, int((corrected >= ALPHA).sum()))  # by which Holm multiplies
    fewest = math.floor(math.log2(2 * n_not_rejected / ALPHA)) + 1
    otherwise: Outcome = "cannot be told" if 100 * fewest > BREAK_POINTS * n else "not shown"
    return [
        CostTest(p, "no loss" if cost <= 0 else "more than chance" if p < ALPHA else otherwise)
        for cost, p in zip(costs, corrected.tolist(), strict=True)
    ]


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
        Photos that are classified correctly unchanged and no longer so changed, and the other way round.
    p_value : float
        Of McNemar's exact test for this strength alone: the probability of losses and gains at least this uneven
        if both were equally likely. See ``Robustness.cost_tests`` for all changes together.
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
class PerturbationCurve(InJson):
    """The scores under one perturbation, strength 0 (the photos as they are) first.

    Attributes
    ----------
    perturbation : Perturbation
    rows : tuple of StrengthRow
    n_baseline : int
        How many photos the majority-class baseline classifies correctly.
    """

    perturbation: Perturbation
    rows: tuple[StrengthRow, ...]
    n_baseline: int

    in_json = (
        "name=perturbation.name title=perturbation.title description=perturbation.description "
        "unit=perturbation.unit moderate_strength=moderate.strength moderate_cost=cost "
        "moderate_p_value=moderate.p_value breaks_at rows"
    )

    @property
    def breaks_at(self) -> float | None:
        """The weakest strength that costs 10 % of all photos, or falls below the baseline; None: at no strength.

        The baseline does not count where the photos as they are fall below it already.
        """
        clean, *changed = self.rows
        lowest = self.n_baseline if clean.n_correct >= self.n_baseline else 0
        for row in changed:
            if 100 * (clean.n_correct - row.n_correct) >= BREAK_POINTS * row.n or row.n_correct < lowest:
                return row.strength
        return None

    @property
    def moderate(self) -> StrengthRow:
        """The row at the perturbation's moderate strength, or at the nearest one measured."""
        wanted = self.perturbation.moderate
        return min(self.rows[1:], key=lambda row: (abs(row.strength - wanted), row.strength))

    @property
    def change(self) -> str:
        """The perturbation at its moderate strength, in a few words."""
        p = self.perturbation
        return p.title + ("" if len(p.strengths) == 1 else f" {p.label(self.moderate.strength)}")

    @property
    def cost(self) -> int:
        """How many photos fewer are classified correctly at the moderate strength; below 0: more."""
        return self.rows[0].n_correct - self.moderate.n_correct


@dataclass(frozen=True, repr=False)
class Robustness(Result):
    """The accuracy of a model on changed photos.

    Attributes
    ----------
    n, n_correct : int
        Photos, and those classified correctly as they are.
    baseline : float
        The accuracy of always predicting ``most_common``, the majority class.
    curves : tuple of PerturbationCurve
    left_out : mapping of str to str
        Perturbations that could not be measured, and why.
    seed : int
    photo : int or None
        Which test photo the sheet shows.
    files : tuple of Path
        What was written.
    about_data : tuple of str
        What to mind about the data.
    noun : str
        What one sample is called: "photo", "drawing".
    """

    n: int
    n_correct: int
    baseline: float
    most_common: str
    curves: tuple[PerturbationCurve, ...]
    left_out: Mapping[str, str]
    seed: int
    photo: int | None = None
    files: tuple[Path, ...] = ()
    about_data: tuple[str, ...] = ()
    noun: str = "photo"

    columns = ("moderate change", "correct", "95 % interval", "p", "beyond chance", "breaks at")
    in_json = "headline n n_correct accuracy interval baseline most_common seed left_out photo files notes"

    @property
    def accuracy(self) -> float:
        """The fraction of photos classified correctly as they are."""
        return self.n_correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % Wilson interval."""
        return wilson_interval(self.n_correct, self.n)

    @property
    def ranking(self) -> tuple[PerturbationCurve, ...]:
        """The curves, what costs most at moderate strength first; of equals, what loses more photos."""
        return tuple(sorted(self.curves, key=lambda curve: (-curve.cost, -curve.moderate.n_lost)))

    @cached_property
    def cost_tests(self) -> dict[str, CostTest]:
        """For each perturbation by name, whether its cost at moderate strength is more than chance explains."""
        rows = [curve.moderate for curve in self.curves]
        found = judge([curve.cost for curve in self.curves], [row.p_value for row in rows], self.n)
        return {curve.perturbation.name: one for curve, one in zip(self.curves, found, strict=True)}

    @property
    def headline(self) -> str:
        """Which change costs most, where one costs more than chance explains.

        Examples
        --------
        >>> print(Robustness(50, 20, 0.4, "cat", (), {}, 1).headline)
        Unchanged, 20 of 50 photos are correct: no better than the baseline (always 'cat').
        """
        n = plural(self.n, self.noun)
        if self.accuracy <= self.baseline:
            unchanged = f"Unchanged, {self.n_correct} of {self.n} {self.noun}s are correct"
            return f"{unchanged}: no better than the baseline (always '{self.most_common}')."
        largest = max(0, self.ranking[0].cost)
        for curve in self.ranking:
            chance = self.cost_tests[curve.perturbation.name]
            if chance.outcome == "more than chance":
                among = "" if curve.cost == largest else "Of the changes beyond chance, "
                cost = f"{curve.cost} of {n} ({p_in_words(chance.p_value)})"
                return f"{among}{curve.change} costs most: {cost}."
        return f"No change lowers accuracy significantly ({n}; the largest loss is {largest})."

    @property
    def notes(self) -> tuple[str, ...]:
        """How the rows were made, and what to mind about the data."""
        n, n_tried = plural(self.n, self.noun), len(self.curves)
        holm = f", with Holm's correction for {n_tried} changes" if n_tried > 1 else ""
        outcomes = {chance.outcome for chance in self.cost_tests.values()}
        too_few = f" – means that it cannot be told: of {n}, even {BREAK_POINTS} % lost are not significant."
        is_background = any(curve.perturbation.name == "background" for curve in self.curves)
        stand_in = (
            f"Background: what lies outside an ellipse about the {self.noun}'s middle stands in for it."
        )
        left_out = "; ".join(f"{name}, since {why}" for name, why in self.left_out.items())
        return (
            f"p: McNemar's exact test on {n}{holm}.{too_few if 'cannot be told' in outcomes else ''}",
            f"Breaks at: the weakest strength that costs {BREAK_POINTS} % of all {self.noun}s, or falls below the "
            "baseline: a count, not a test.",
            *((stand_in,) if is_background else ()),
            *((f"Left out: {left_out}.",) if left_out else ()),
            *self.about_data,
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for the photos as they are, for the baseline, and for each change at moderate strength."""
        low, high = self.interval
        n_always = round(self.baseline * self.n)
        rows: list[dict[str, Any]] = [
            {"change": "none", "n_correct": self.n_correct, "low": low, "high": high},
            {"change": f"always '{self.most_common}'", "n_correct": n_always},
        ]
        for curve in self.ranking:
            row, chance, p = curve.moderate, self.cost_tests[curve.perturbation.name], curve.perturbation
            rows.append(
                {
                    "change": curve.change,
                    "name": p.name,
                    "strength": row.strength,
                    "n_correct": row.n_correct,
                    "low": row.low,
                    "high": row.high,
                    "cost": curve.cost,
                    "p_value": chance.p_value,
                    "outcome": chance.outcome,
                    "breaks_at": "never" if curve.breaks_at is None else p.label(curve.breaks_at),
                }
            )
        return rows

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        correct = f"{row['n_correct']}/{self.n}"
        interval = share_range(row["low"], row["high"], self.n) if "low" in row else ""
        if "outcome" not in row:
            return row["change"], correct, interval, "", "", ""
        p = p_in_words(row["p_value"]).removeprefix("p = ").removeprefix("p ")
        beyond = {"more than chance": "yes", "cannot be told": "–"}.get(row["outcome"], row["outcome"])
        return row["change"], correct, interval, p, beyond, row["breaks_at"]

    def plot(self) -> Figure:
        """Return accuracy against strength, a panel for each perturbation."""
        from pellucid.evaluation.robustness.plot_robustness import robustness_curves

        return robustness_curves(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as JSON can hold them."""
        perturbations = []
        for curve in self.curves:
            chance = self.cost_tests[curve.perturbation.name]
            tested = {"moderate_p_value_holm": chance.p_value, "moderate_outcome": chance.outcome}
            perturbations.append(curve.to_dict() | tested | {"reason": REASONS[curve.perturbation.reason]})
        ranking = [curve.perturbation.name for curve in self.ranking]
        return {**super().to_dict(), "ranking": ranking, "perturbations": perturbations}

    def __repr__(self) -> str:
        worst = self.ranking[0]
        return (
            f"Robustness({self.n} {self.noun}s, accuracy {self.accuracy:.4g}; of {len(self.curves)} perturbations "
            f"{worst.perturbation.name} costs most)"
        )

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html

        return super()._repr_html_() + figure_html(self.plot())
