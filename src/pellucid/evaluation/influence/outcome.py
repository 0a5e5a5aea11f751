"""One prediction, the training samples that influenced it, and what it would be without them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.data.dataset import Split
from pellucid.evaluation.influence.tracin import Influence
from pellucid.plotting.types import Figure
from pellucid.shares import chance
from pellucid.stats.intervals import ALPHA
from pellucid.text import capitalized, p_in_words, percent, placed, plural, shorten, signed
from pellucid.text_blocks import Block, Result, Table

METHODS = {
    "tracin": "the mean cosine of gradients over the training: TracIn, renormalized",
    "tracin-plain": "TracIn as published: the sum of the gradients' products",
    "leave-one-out": "the exact change of the log-odds when the sample alone is left out",
}
LONGEST_NAME = 40  # of a file, in a table


@dataclass(frozen=True)
class Retrained:
    """The prediction of another training.

    Attributes
    ----------
    label : str
        What the network predicts then.
    probability, log_odds : float
        Of the class that it predicted before: p, and log(p / (1 - p)).
    """

    label: str
    probability: float
    log_odds: float


@dataclass(frozen=True)
class InfluentialSample:
    """A training sample and its part in a prediction.

    Attributes
    ----------
    row : int
        Of the training part.
    label : str
    score : float
        What it is ranked by; above 0: towards the prediction.
    without : Retrained or None
        The prediction of a training without it alone, of leave-one-out.
    is_same : bool
        Whether it is the query sample itself, number for number.
    name : str
        Its file; "" where samples are no files.
    """

    row: int
    label: str
    score: float
    without: Retrained | None = None
    is_same: bool = False
    name: str = ""


@dataclass(frozen=True)
class ExplainedPrediction(Result):
    """Why a test sample got its prediction.

    Attributes
    ----------
    index : int
        Of the test sample in its part.
    predicted, actual : str
        Class names.
    probability, log_odds : float
        Of the prediction.
    towards, against : tuple of InfluentialSample
        The most influential training samples, each way, the first most.
    without : Retrained or None
        The prediction of a training without those of ``towards``; None: not trained again.
    by_chance : tuple of Retrained
        Without as many drawn at random, a training for each draw.
    name : str
        The file of the test sample; "" where samples are no files.
    noun : str
        What a sample is called.
    """

    index: int
    predicted: str
    actual: str
    probability: float
    log_odds: float
    towards: tuple[InfluentialSample, ...]
    against: tuple[InfluentialSample, ...]
    without: Retrained | None = None
    by_chance: tuple[Retrained, ...] = ()
    name: str = ""
    noun: str = "photo"

    @property
    def columns(self) -> tuple[str, ...]:
        """The heads of the table's columns."""
        if not self.is_retrained:
            return f"training {self.noun}", "class", "influence"
        return "training without", "class", "influence", "prediction", f"probability of '{self.predicted}'"

    @property
    def is_retrained(self) -> bool:
        """Whether a training without some samples is among the rows."""
        alone = (one.without is not None for one in (*self.towards, *self.against))
        return self.without is not None or any(alone)

    @property
    def is_right(self) -> bool:
        """Whether the prediction is the true class."""
        return self.predicted == self.actual

    @property
    def place(self) -> str:
        """Which test sample it is: its number, behind its file where it has one."""
        return placed(f"test {self.noun} {self.index}", self.name)

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest probability without as many drawn at random."""
        found = [one.probability for one in self.by_chance]
        return min(found), max(found)

    @property
    def p_value(self) -> float | None:
        """Share of random draws that lower the probability as far, (1 + those) / (1 + all); None: no draws."""
        if self.without is None or not self.by_chance:
            return None
        as_low = sum(one.log_odds <= self.without.log_odds for one in self.by_chance)
        return (1 + as_low) / (1 + len(self.by_chance))

    @property
    def is_tested(self) -> bool:
        """Whether there are draws enough, 19, for a p-value of 0.05."""
        return self.p_value is not None and 1 / (1 + len(self.by_chance)) <= ALPHA

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the p-value is 0.05 at most."""
        return self.p_value is not None and self.p_value <= ALPHA

    @property
    def headline(self) -> str:
        """The prediction, and whether it depends on the samples that influenced it most.

        Examples
        --------
        >>> sample, without = InfluentialSample(7, "cat", 0.5), Retrained("non-cat", 0.2, -1.4)
        >>> drawn = 9 * (Retrained("cat", 0.85, 1.7),)
        >>> print(ExplainedPrediction(3, "cat", "non-cat", 0.9, 2.2, (sample,), (), without, drawn).headline)
        Test photo 3: 'cat' (90 %), in truth 'non-cat'. Without its most influential training photo 20 %,
        without a random one 85 to 85 % (9 draws: p = 0.100).
        """
        truth = "" if self.is_right else f", in truth '{self.actual}'"
        said = f"{capitalized(self.place)}: '{self.predicted}' ({chance(self.probability)}){truth}."
        if self.without is None:
            return said
        n, noun = len(self.towards), f"training {self.noun}"
        which, random = (
            ("most influential", "a random one") if n == 1 else (f"{n} most influential", f"{n} random ones")
        )
        found = f"without its {which} {noun}{'s' * (n > 1)} {chance(self.without.probability)}"
        if self.p_value is not None:
            low, high = map(percent, self.range)
            draws = f"{plural(len(self.by_chance), 'draw')}: {p_in_words(self.p_value)}"
            found += f", without {random} {low.removesuffix(' %')} to {high} ({draws})"
        is_open = self.is_tested and not self.is_beyond_chance
        return f"{said} Inconclusive: {found}." if is_open else f"{said} {capitalized(found)}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What the rows do not say."""
        return tuple(
            f"{capitalized(placed(f'training {self.noun} {one.row}', one.name))} is this very {self.noun}: the "
            "network has seen it in training."
            for one in (*self.towards, *self.against)
            if one.is_same
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each training: with all samples, without one, without the most influential together.

        ``probability`` is that of the class that is predicted with all samples; of random draws it is the median,
        the upper one of an even number, between ``lowest`` and ``highest``. A sample that was not left out alone
        has None.
        """
        rows = [self._row("none", (), self.predicted, self.probability)] if self.is_retrained else []
        for one in (*self.towards, *self.against):
            label, p = (None, None) if one.without is None else (one.without.label, one.without.probability)
            rows.append(
                self._row("sample", (one.row,), label, p)
                | {"name": one.name, "class": one.label, "score": one.score}
            )
        if self.without is not None:
            together = tuple(one.row for one in self.towards)
            rows.append(self._row("most influential", together, self.without.label, self.without.probability))
        if self.by_chance:
            low, high = self.range
            middle = sorted(self.by_chance, key=lambda one: one.probability)[len(self.by_chance) // 2]
            rows.append(
                self._row("random", (), middle.label, middle.probability)
                | {"n_draws": len(self.by_chance), "lowest": low, "highest": high, "p_value": self.p_value}
            )
        return rows

    def _row(
        self, kind: str, left_out: tuple[int, ...], label: str | None, p: float | None
    ) -> dict[str, Any]:
        return {"test": self.index, "kind": kind, "left_out": left_out, "predicted": label, "probability": p}

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        n, p = len(self.towards), row["probability"]
        shown = "" if p is None else chance(p, 1)
        if row["kind"] == "random":
            shown = f"{percent(row['lowest'], 1).removesuffix(' %')} to {percent(row['highest'], 1)}"
        tested = "" if self.p_value is None else f": {p_in_words(self.p_value)}"
        what = {
            "none": "none",
            "sample": placed(
                ", ".join(map(str, row["left_out"])), shorten(row.get("name", ""), LONGEST_NAME)
            ),
            "most influential": f"the {n} most influential",
            "random": f"{n} at random, {row.get('n_draws')} times{tested}",
        }[row["kind"]]
        score = signed_score(row["score"], 3) if "score" in row else ""
        cells = what, row.get("class", ""), score, row["predicted"] or "", shown
        return cells[: len(self.columns)]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        told = {"headline": self.headline, "notes": list(self.notes), "rows": self.to_rows()}
        test = {
            "p_value": self.p_value,
            "is_beyond_chance": self.is_beyond_chance if self.is_tested else None,
        }
        return {**asdict(self), "is_right": self.is_right, **test, **told}


def signed_score(score: float, digits: int = 2) -> str:
    """Return a score with its sign.

    Examples
    --------
    >>> signed_score(0.5), signed_score(-0.25)
    ('+0.50', '−0.25')
    """
    return ("+" if score >= 0 else "") + signed(score, digits)


@dataclass(frozen=True, eq=False, repr=False)
class InfluenceOutcome(Result):
    """Why a run gave some of its predictions.

    Attributes
    ----------
    method : str
        What training samples are ranked by: a key of ``METHODS``.
    influence : Influence
    explanations : list of ExplainedPrediction
    is_retrained : bool
        Whether the training was run again, and trainings without samples.
    agreement : dict of str to float, or None
        The mean rank correlation of each estimate with leave-one-out, where that is known.
    n_trainings : int
    seconds : float
    notes : tuple of str
        What a reader must know of how it was found out.
    files : tuple of Path
        What was written.
    """

    run: str
    split: Split
    method: str
    influence: Influence
    explanations: list[ExplainedPrediction]
    is_retrained: bool
    agreement: dict[str, float] | None
    n_trainings: int
    seconds: float
    notes: tuple[str, ...]
    files: tuple[Path, ...] = ()

    in_json = "run headline method is_retrained n_trainings seconds agreement notes explanations files"

    @property
    def noun(self) -> str:
        """What a sample is called."""
        return self.split.noun

    @property
    def headline(self) -> str:
        """How many predictions depend on few training samples; of chance only where there were draws enough."""
        proved = [one for one in self.explanations if one.without is not None]
        if not proved:
            return (
                f"{plural(len(self.explanations), 'prediction')} traced to training {self.noun}s; not proved."
            )
        tested = [one for one in proved if one.is_tested]
        without = (
            f"without the {max(len(one.towards) for one in proved)} most influential training {self.noun}s"
        )
        if not tested:
            n = sum(one.without is not None and one.without.label != one.predicted for one in proved)
            return f"{n} of {plural(len(proved), 'prediction')} change class {without}."
        n = sum(one.is_beyond_chance for one in tested)
        return (
            f"{n} of {plural(len(tested), 'prediction')} fall beyond chance {without} (p at most {ALPHA:g}; up to "
            f"{ALPHA * len(tested):.2g} expected by chance)."
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows of all explanations: see :meth:`ExplainedPrediction.to_rows`."""
        return [row for one in self.explanations for row in one.to_rows()]

    def blocks(self) -> list[Block]:
        """Return each explanation, how well the estimates agree with leave-one-out, and the notes."""
        table: list[Table] = []
        if self.agreement is not None:
            rows = [(name, signed(value)) for name, value in self.agreement.items()]
            table = [(("estimate", "rank correlation with leave-one-out"), rows)]
        return [*(block for one in self.explanations for block in one.blocks()), *table, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        own = {"gradients": self.influence.gradients, "snapshots": list(self.influence.steps)}
        return {**super().to_dict(), **own, "score": METHODS[self.method]}

    def plot(self, at: int = 0) -> Figure:
        """Return a figure of one explained prediction, by its place in ``explanations``."""
        from pellucid.evaluation.influence.plot_influence import influence_figure

        return influence_figure(self.explanations[at], self.split.train, self.split.test)

    def __repr__(self) -> str:
        return f"InfluenceOutcome({self.run}: {len(self.explanations)} predictions, {self.n_trainings} trainings)"

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html

        figures = range(len(self.explanations)) if self.split.train.has_pictures else ()
        return super()._repr_html_() + "".join(figure_html(self.plot(at)) for at in figures)
