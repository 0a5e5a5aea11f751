"""The edge of ``pellucid robustness``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, options
from pellucid.cli.terminal import print_json, print_table, say
from pellucid.errors import OptionError
from pellucid.progress import ProgressBar

if TYPE_CHECKING:
    from pellucid.evaluation.robustness.records import Robustness


@command("robustness", order=70, short_help="Accuracy on rotated, darkened, covered photos.")
@options(source=SOURCE.but(without=("seed", "test_fraction", "target", "decimal")))
def robustness(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    source: Any,
    only: Annotated[
        str | None, typer.Option(help="Perturbations, such as rotation,blur; default: all.")
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(help="Strengths such as 5,10,15; for one perturbation in --only.")
    ] = None,
    photo: Annotated[
        int | None, typer.Option(help="Which test photo the sheet shows, from 0; default: a typical one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A folder for curves, the sheet and all numbers.")
    ] = None,
    force: o.Force = False,
    as_json: o.Json = False,
    seed: o.Seed = 1,
) -> None:
    """How a model bears test photos that are turned, recoloured, darkened, covered and more."""
    from pellucid.evaluation.robustness.of_run import robustness_of

    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    with ProgressBar() as bar:
        outcome = robustness_of(
            model,
            source,
            only=names,
            strengths=_strengths(strengths, names),
            photo=photo,
            seed=seed,
            out=out,
            force=force,
            progress=partial(bar, "changing photos"),
        )
    if as_json:
        print_json(outcome.to_dict())
        return
    _print(outcome.result)
    for note in outcome.notes:
        say(f"Note: {note}")
    for path in outcome.files:
        print(path)


def _strengths(text: str | None, names: list[str] | None) -> dict[str, list[float]] | None:
    if text is None:
        return None
    if names is None or len(names) != 1:
        raise OptionError(
            "--strengths: expected one perturbation in --only, since each has a unit of its own. "
            "Try --only rotation --strengths 15,45."
        )
    try:
        return {names[0]: [float(number) for number in text.split(",")]}
    except ValueError:
        raise OptionError(f"--strengths: expected numbers such as 5,10,15, got {text!r}.") from None


def _print(result: "Robustness") -> None:
    for line in result.in_words:
        say(line)
    from pellucid.text import percent

    rows = []
    for curve in result.ranking:
        row = curve.moderate
        rows.append(
            (
                curve.perturbation.title,
                curve.perturbation.reason,
                row.label,
                f"{row.n_correct}/{row.n}",
                f"{percent(row.low)} to {percent(row.high)}",
                curve.breaks_label,
            )
        )
    print_table(("change", "reason", "moderate", "right", "95 %", "breaks at"), rows)
    say(
        "Breaks at: the weakest strength measured that costs 10 points, or brings it below one answer for all."
    )
