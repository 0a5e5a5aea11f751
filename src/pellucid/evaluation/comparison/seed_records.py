"""What a seed lottery found: every start, their spread, and what it means."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.stats.intervals import wilson_interval
from pellucid.stats.t_tests import MeanDifference, welch_difference
from pellucid.textbook.published import PUBLISHED_TEST_ACCURACY
from pellucid.types import Array

QUARTILES = ("min", "lower_quartile", "median", "upper_quartile", "max")


@dataclass(frozen=True)
class Start:
    """One start and what came of it.

    Attributes
    ----------
    seed : int
    accuracy, balanced_accuracy : float or None
        On the test part; None where the training broke.
    n_correct : int or None
    final_loss : float or None
        On the training part.
    seconds : float
        Of the training.
    form : str
        The form that it was trained in, ``"dual"`` or ``"direct"``.
    theta_sha256 : str
        Of the trained parameters: two that agree in it are the same network bit for bit.
    fault : str
        Why the training broke, or the scores are no numbers; else empty.
    """

    seed: int
    accuracy: float | None
    balanced_accuracy: float | None
    n_correct: int | None
    final_loss: float | None
    seconds: float
    form: str
    theta_sha256: str
    fault: str = ""


@dataclass(frozen=True, eq=False)
class Draws:
    """All starts of one network, by seed."""

    letter: str
    source: str
    starts: tuple[Start, ...]

    @property
    def accuracies(self) -> Array:
        """The test accuracy of every start that went well, shape (n,)."""
        return np.array([start.accuracy for start in self.starts if start.accuracy is not None])

    @property
    def faults(self) -> tuple[Start, ...]:
        """The starts whose training broke."""
        return tuple(start for start in self.starts if start.fault)

    @property
    def is_without_luck(self) -> bool:
        """Whether every seed gave the same network."""
        return len(self.starts) > 1 and len({start.theta_sha256 for start in self.starts}) == 1

    def spread(self) -> dict[str, float]:
        """Return minimum, quartiles, maximum, mean and standard deviation (of the sample) of the accuracies."""
        values = self.accuracies
        points = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
        deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        named = dict(zip(QUARTILES, map(float, points), strict=True))
        return {**named, "mean": float(values.mean()), "standard_deviation": deviation}

    def n_at_least(self, accuracy: float) -> int:
        """Return how many starts score so much or more."""
        return int((self.accuracies >= accuracy - 1e-12).sum())

    def n_above(self, accuracy: float) -> int:
        """Return how many starts score more than that."""
        return int((self.accuracies > accuracy + 1e-12).sum())


@dataclass(frozen=True, eq=False)
class Lottery:
    """What came of all starts.

    Attributes
    ----------
    data, things : str
        The data's name, and what its samples are: "photos" or "samples".
    n_test : int
    baseline : float
        The accuracy of always answering the commonest class of the test part, ``most_common``.
    n_seeds : int
        As asked for; ``draws`` may hold fewer where it was stopped.
    is_published : bool
        Whether the data are the published photos, on which the tutorial reports 0.80.
    draws : tuple of Draws
        Of A, and of B where there is one, from the same seeds.
    """

    data: str
    things: str
    n_test: int
    baseline: float
    most_common: str
    n_seeds: int
    is_published: bool
    draws: tuple[Draws, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every start was trained."""
        return len(self.draws[0].starts) == self.n_seeds

    @property
    def digits(self) -> int:
        """How many digits a score is told with: as many as the test samples can tell."""
        return 2 if self.n_test <= 100 else 3

    def reference(self) -> tuple[float, str]:
        """Return the score whose luck is asked for, and its name: the published one, else A's first seed's."""
        if self.is_published:
            return PUBLISHED_TEST_ACCURACY, "published"
        first = next(start for start in self.draws[0].starts if start.accuracy is not None)
        assert first.accuracy is not None
        return first.accuracy, f"seed {first.seed}"

    def advantage(self) -> MeanDifference | None:
        """Return how much B's starts exceed A's; None where there is only A."""
        if len(self.draws) == 1:
            return None
        return welch_difference(self.draws[0].accuracies, self.draws[1].accuracies)

    def in_words(self) -> list[str]:
        """Return what it means, a paragraph for each network, and one for the two together."""
        told = [_in_words(self, draws) for draws in self.draws]
        advantage = self.advantage()
        if advantage is None:
            return told
        more = "more" if advantage.mean >= 0 else "less"
        likely = ""
        if advantage.low is not None and advantage.high is not None:
            likely = f" (B less A: {advantage.low:+.3f} to {advantage.high:+.3f}, 95 %)"
        told.append(
            f"B scores {abs(advantage.mean):.3f} {more} than A on average over starts{likely}. One start of each: "
            f"B wins in {100 * advantage.wins:.0f} % of the pairs and ties in {100 * advantage.ties:.0f} %. This "
            f"is about luck of the start, on these {self.n_test} {self.things} only."
        )
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        value, name = self.reference()
        advantage = self.advantage()
        return {
            "data": self.data,
            "n_test": self.n_test,
            "baseline": {"accuracy": self.baseline, "always": self.most_common},
            "reference": {"accuracy": value, "of": name},
            "n_seeds": self.n_seeds,
            "is_complete": self.is_complete,
            **{draws.letter.lower(): self._draws_dict(draws, value) for draws in self.draws},
            "difference": None if advantage is None else advantage.to_dict(),
            "in_words": self.in_words(),
        }

    def _draws_dict(self, draws: Draws, reference: float) -> dict[str, Any]:
        n = len(draws.accuracies)
        return {
            "source": draws.source,
            "n_starts": len(draws.starts),
            "n_broken": len(draws.faults),
            "accuracy": draws.spread() if n else None,
            "n_above_baseline": draws.n_above(self.baseline),
            "n_at_least_reference": draws.n_at_least(reference),
            "is_without_luck": draws.is_without_luck,
            "starts": [asdict(start) for start in draws.starts],
        }


def _in_words(lottery: Lottery, draws: Draws) -> str:
    values, n = draws.accuracies, len(draws.accuracies)
    title = f"{draws.letter} ({draws.source})"
    broken = len(draws.faults)
    left_out = f" {broken} more broke and {'is' if broken == 1 else 'are'} left out." if broken else ""
    if draws.is_without_luck:
        return (
            f"{title}: all {n} starts gave the same network, which scores {values[0]:.3f}. Nothing in this "
            "training depends on the seed; there is no luck in it."
        )
    spread = draws.spread()
    times = "once" if n == 1 else f"{n} times"
    reference, of = lottery.reference()

    def show(value: float) -> str:
        return f"{value:.{lottery.digits}f}"

    at_least = draws.n_at_least(reference)
    whose = (
        f"The published {show(reference)} or better"
        if of == "published"
        else f"What {of} gave, {show(reference)}, or better"
    )
    luck = "is luck" if at_least < 0.5 * n else "takes no luck"
    low, high = (f"{100 * end:.0f}" for end in wilson_interval(at_least, n))
    scores = f"scores {show(spread['min'])} each time on the {lottery.n_test} test {lottery.things}"
    if spread["max"] > spread["min"]:
        scores = (
            f"scores between {show(spread['min'])} and {show(spread['max'])} on the {lottery.n_test} test "
            f"{lottery.things}; half of the starts lie between {spread['lower_quartile']:.3f} and "
            f"{spread['upper_quartile']:.3f}"
        )
    return (
        f"{title}: the same network, started {times}, {scores}. {whose} {luck}: it comes up in {at_least} of {n} "
        f"starts, which speaks for {low} to {high} % of all. Always answering {lottery.most_common!r} scores "
        f"{show(lottery.baseline)}; {draws.n_above(lottery.baseline)} of {n} starts are above that.{left_out}"
    )
