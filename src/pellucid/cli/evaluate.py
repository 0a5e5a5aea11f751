"""The edge of ``pellucid evaluate``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import columns, print_json, print_table, say
from pellucid.progress import ProgressBar

if TYPE_CHECKING:
    from pellucid.evaluation.scores.records import ScoresWithIntervals

WIDE = 115  # columns of a terminal that all scores of a class fit in
MOST_CLASSES = 10  # of a confusion matrix in a terminal


@command("evaluate", order=30, short_help="What a model scores, and how sure that is.")
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    data: o.Data,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A folder for the figures.")] = None,
    force: o.Force = False,
    as_json: o.Json = False,
    x_key: o.XKey = None,
    y_key: o.YKey = None,
    target: o.Target = None,
    skip_bad: o.SkipBad = False,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
) -> None:
    """What a saved model is worth on the test part of a data set, and how sure one may be of it."""
    from pellucid.evaluation.scores.of_model import evaluate_on

    with ProgressBar() as bar:
        found = evaluate_on(
            model,
            data,
            load=lambda seed, size: o.load(
                data,
                x_key=x_key,
                y_key=y_key,
                target=target,
                skip_bad=skip_bad,
                image_size=image_size or size,
                mirror=mirror,
                seed=seed,
            ),
            out=out,
            force=force,
            progress=bar,
        )
    if as_json:
        print_json(found.to_dict())
        return
    _print(found.assessment)
    for path in found.files:
        print(path)


def _print(result: "ScoresWithIntervals") -> None:
    from pellucid.evaluation.scores.text import in_words

    for line in in_words(result):
        say(line)
    if result.kind == "regression":
        return
    for header, rows in _class_tables(result):
        print_table(header, rows)
    counts = result.evaluation
    if counts is not None and len(counts.classes) <= MOST_CLASSES:
        print("Each row is a true class, each column an answer:")
        print_table(
            ("", *counts.classes),
            [(name, *row) for name, row in zip(counts.classes, counts.confusion, strict=True)],
        )
    _print_reasons(result)


def _print_reasons(result: "ScoresWithIntervals") -> None:
    """Print why there are dashes, and numbers without an interval."""
    estimates = [one for figures in result.per_class for one in figures.estimates.values() if one.reason]
    for words, is_undefined in (("Undefined (–)", True), ("Without interval", False)):
        reasons = dict.fromkeys(one.reason for one in estimates if (one.value is None) == is_undefined)
        if reasons:
            say(f"{words}: {'; '.join(reasons)}.")


def _class_tables(result: "ScoresWithIntervals") -> list[tuple[tuple[str, ...], list[Any]]]:
    """Return header and rows of the scores of each class and of their means; two tables where a line is short."""
    titles = {"recall": "recall", "precision": "precision", "f1": "F1"}
    titles |= {"roc_auc": "ROC area", "average_precision": "PR area"}
    if result.kind == "multi_label":
        titles = {"accuracy": "accuracy", **titles}
    names = list(titles)
    is_narrow = sys.stdout.isatty() and columns() < WIDE
    parts = [names[:3], names[3:]] if is_narrow else [names]
    return [_class_table(result, {name: titles[name] for name in part}) for part in parts]


def _class_table(result: "ScoresWithIntervals", titles: dict[str, str]) -> tuple[tuple[str, ...], list[Any]]:
    from pellucid.evaluation.scores.text import with_interval

    # Of classes, the mean recall goes by a name of its own; of labels, the mean accuracy does.
    mean_of = (
        {"accuracy": "label_accuracy"} if result.kind == "multi_label" else {"recall": "balanced_accuracy"}
    )
    rows: list[Any] = [
        (one.name, one.n_samples, *(with_interval(one.estimates[name], to="–") for name in titles))
        for one in result.per_class
    ]
    means = [with_interval(result.estimates[mean_of.get(name, name)], to="–") for name in titles]
    rows.append(("mean", result.n_samples if result.evaluation else "", *means))
    return ("class" if result.evaluation else "label", "samples", *titles.values()), rows
