"""The three ways of ``pellucid compare``: each runs its use case, draws its figures, and prints what was found."""

import sys
from itertools import count
from typing import TYPE_CHECKING, Any

from pellucid.cli.terminal import print_table, say
from pellucid.progress import ProgressBar
from pellucid.text import join_some

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.evaluation.comparison.candidates import Candidate
    from pellucid.evaluation.comparison.cross_validation import CrossValidation
    from pellucid.evaluation.comparison.on_test import Comparison
    from pellucid.evaluation.comparison.seed_records import Draws, Lottery

MOST_LISTED = 20


class OnTest:
    """Two models on the same test samples."""

    name = "comparison"

    def run(
        self, split: Any, candidates: "list[Candidate]", *, data: str, quiet: bool, **rest: Any
    ) -> "Comparison":
        from pellucid.evaluation.comparison.on_test import compare_candidates
        from pellucid.training.callbacks import Progress

        return compare_candidates(
            split,
            *candidates,
            path=data,
            callbacks=lambda candidate: [] if quiet else [Progress(f"training {candidate.title}")],
        )

    def figures(self, result: "Comparison") -> "dict[str, Figure]":
        from pellucid.evaluation.comparison.figures import comparison_figure, disputed_pictures

        table, sides = result.test_of_chance, (result.a, result.b)
        figures = {
            self.name: comparison_figure(
                [side.result.accuracy for side in sides],
                [side.interval for side in sides],
                (table.both, table.only_a, table.only_b, table.neither),
                [side.source for side in sides],
                baseline=(result.a.result.baseline, result.a.result.majority_class),
                things=result.things,
            )
        }
        if result.things == "photos":
            predicted = (result.a.predicted, result.b.predicted)
            figures["disputed"] = disputed_pictures(result.test, result.only_a, result.only_b, predicted)
        return figures

    def say(self, result: "Comparison") -> None:
        sides, table = (result.a, result.b), result.test_of_chance
        rows = [
            ("", *(side.source for side in sides)),
            ("accuracy", *(f"{side.result.accuracy:.4f}" for side in sides)),
            ("  95 % interval", *(f"{side.interval[0]:.3f} to {side.interval[1]:.3f}" for side in sides)),
            ("balanced accuracy", *(f"{side.result.balanced_accuracy:.4f}" for side in sides)),
            (f"right, of {sides[0].result.n_samples}", *(side.result.n_correct for side in sides)),
            ("trained", *(_trained(side.seconds) for side in sides)),
        ]
        print_table(("", "A", "B"), rows)
        print_table(
            ("", "B right", "B wrong"),
            [("A right", table.both, table.only_a), ("A wrong", table.only_b, table.neither)],
        )
        between = result.difference_interval
        within = (
            "" if between is None else f" ({between[0]:+.3f} to {between[1]:+.3f}, paired bootstrap, 95 %)"
        )
        say(f"B less A: {result.difference:+.4f}{within}")
        say(f"McNemar's exact test: p = {table.p_value:.4f}")
        for letter, numbers in (("A", result.only_a), ("B", result.only_b)):
            if numbers:
                say(f"Only {letter} was right on {result.things} {join_some(numbers, most=MOST_LISTED)}.")
        best = result.a.result
        print(f"Always answering {best.majority_class!r} would score {best.baseline:.4f}.")
        for note in result.notes:
            say(f"Note: {note}")
        print()
        say(result.verdict)


class OverFolds:
    """Repeated cross-validation."""

    name = "cross-validation"

    def __init__(self, cv: str) -> None:
        from pellucid.evaluation.comparison.folds import folds_of

        self.n_splits, self.n_repeats = folds_of(cv)

    def run(
        self,
        split: Any,
        candidates: "list[Candidate]",
        *,
        seed: int,
        workers: int | None,
        quiet: bool,
        **rest: Any,
    ) -> "CrossValidation":
        from pellucid.evaluation.comparison.cross_validation import cross_validate

        n_jobs = self.n_splits * self.n_repeats * len(candidates)
        with ProgressBar(False if quiet else None) as progress:
            done = count(1)
            return cross_validate(
                split,
                candidates,
                n_splits=self.n_splits,
                n_repeats=self.n_repeats,
                seed=seed,
                n_jobs=workers or _workers(candidates),
                progress=lambda fold: progress(
                    "folds", next(done), n_jobs, f"balanced accuracy {fold.balanced_accuracy:.3f}"
                ),
            )

    def figures(self, result: "CrossValidation") -> "dict[str, Figure]":
        from pellucid.evaluation.comparison.figures import cross_validation_figure

        return {
            self.name: cross_validation_figure(
                result.values(),
                result.means(),
                result.difference(),
                result.sources,
                n_splits=result.n_splits,
            )
        }

    def say(self, result: "CrossValidation") -> None:
        folds, letters = result.folds, "AB"[: len(result.sources)]
        a, *b = result.values()
        rows = [
            (
                f"repeat {one.repeat + 1} fold {one.fold + 1}",
                *(f"{values[i]:.4f}" for values in (a, *b)),
                *(f"{values[i] - a[i]:+.4f}" for values in b),
                f"{sum(each[i].seconds for each in folds):.1f}",
            )
            for i, one in enumerate(folds[0])
        ]
        print(f"Balanced accuracy on {result.n_samples} samples of {result.data}, each tested once a repeat")
        if result.n_left_out:
            print(
                f"({result.n_left_out} left out, an exact copy of another)"
                if result.n_left_out == 1
                else f"({result.n_left_out} left out, exact copies of others)"
            )
        heads = [f"{letter}: {source}" for letter, source in zip(letters, result.sources, strict=True)]
        print_table(("", *heads, *(["B less A"] if b else []), "seconds"), rows)
        for metric in ("balanced_accuracy", "accuracy"):
            parts = [
                f"{letter} {_mean(one)}" for letter, one in zip(letters, result.means(metric), strict=True)
            ]
            difference = result.difference(metric)
            if difference is not None:
                parts.append(f"B less A {_mean(difference, '+.4f')}")
            say(f"Mean {metric.replace('_', ' ')}: {'; '.join(parts)}")
        if not result.is_complete:
            print(f"Stopped after {len(folds[0])} of {result.n_splits * result.n_repeats} folds, as asked.")
        print()
        say(result.verdict)


class OverStarts:
    """The seed lottery."""

    name = "lottery"

    def __init__(self, n_seeds: int) -> None:
        self.n_seeds = n_seeds

    def run(
        self,
        split: Any,
        candidates: "list[Candidate]",
        *,
        seed: int,
        workers: int | None,
        quiet: bool,
        **rest: Any,
    ) -> "Lottery":
        from pellucid.evaluation.comparison.seeds import seed_lottery

        with ProgressBar(False if quiet else None) as progress:
            done = count(1)
            return seed_lottery(
                split,
                candidates,
                self.n_seeds,
                first_seed=seed,
                n_jobs=workers or _workers(candidates),
                progress=lambda which, start: progress(
                    "starts",
                    next(done),
                    self.n_seeds * len(candidates),
                    start.fault[:40] if start.accuracy is None else f"accuracy {start.accuracy:.3f}",
                ),
            )

    def figures(self, result: "Lottery") -> "dict[str, Figure]":
        from pellucid.evaluation.comparison.seed_figures import lottery_figure

        return {
            self.name: lottery_figure(
                [draws.accuracies for draws in result.draws],
                [draws.source for draws in result.draws],
                n_test=result.n_test,
                baseline=(result.baseline, result.most_common),
                reference=result.reference(),
            )
        }

    def say(self, result: "Lottery") -> None:
        if not result.is_complete:
            print(f"Stopped after {len(result.draws[0].starts)} of {result.n_seeds} starts, as asked.")
        names = list(result.draws[0].spread())
        rows: list[Any] = [
            (name.replace("_", " "), *(f"{draws.spread()[name]:.4f}" for draws in result.draws))
            for name in names
        ]
        value, of = result.reference()
        rows += [
            (
                f"above always {result.most_common!r} ({result.baseline:.{result.digits}f})",
                *(self._of(d, d.n_above(result.baseline)) for d in result.draws),
            ),
            (
                f"{value:.{result.digits}f} ({of}) or better",
                *(self._of(d, d.n_at_least(value)) for d in result.draws),
            ),
        ]
        heads = [f"{draws.letter}: {draws.source}" for draws in result.draws]
        print(
            f"Test accuracy over {len(result.draws[0].starts)} starts on {result.data}, seeds "
            f"{result.draws[0].starts[0].seed} to {result.draws[0].starts[-1].seed}"
        )
        print_table(("", *heads), rows)
        for draws in result.draws:
            for start in draws.faults[:3]:
                print(f"{draws.letter}, seed {start.seed}: {start.fault}", file=sys.stderr)
        for words in result.in_words():
            print()
            say(words)

    @staticmethod
    def _of(draws: "Draws", n: int) -> str:
        return f"{n} of {len(draws.accuracies)}"


def _workers(candidates: "list[Candidate]") -> int:
    """Return how many trainings fit on the cores, where each may take several threads."""
    from pellucid.training.executor.executor import n_cores

    threads = [one.config.options.n_threads or 1 for one in candidates if one.config is not None]
    return max(1, n_cores() // max(threads, default=1))


def _trained(seconds: float | None) -> str:
    return "before" if seconds is None else f"here, in {seconds:.1f} s"


def _mean(one: Any, digits: str = ".4f") -> str:
    within = "" if one.low is None else f" ({one.low:{digits}} to {one.high:{digits}})"
    return f"{one.mean:{digits}}{within}"
