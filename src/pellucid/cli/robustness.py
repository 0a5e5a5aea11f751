"""The edge of ``pellucid robustness``."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, options
from pellucid.cli.terminal import echo, print_blocks, print_json, say
from pellucid.errors import OptionError
from pellucid.progress import ProgressBar


@command("robustness", order=70, short_help="Accuracy on rotated, darkened, covered photos.")
@options(
    source=SOURCE.but(without=("seed", "test_fraction", "target", "decimal", "missing"), is_optional=True),
    kernels=KERNELS,
)
def robustness(
    model: o.Trained,
    source: Any,
    only: Annotated[
        str | None,
        typer.Option(
            help="Perturbations, joined by commas: "
            "{pellucid.evaluation.robustness.table:PERTURBATIONS}; default: all."
        ),
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
    quiet: o.Quiet = False,
    seed: o.Seed = 1,
) -> None:
    """The accuracy of a model on test photos that are rotated, recoloured, darkened, covered and more."""
    from pellucid.workflows.robustness import robustness_of_file

    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    with ProgressBar() as bar:
        found = robustness_of_file(
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
        print_json(found.to_dict())
        return
    if quiet:
        say(found.headline)
    else:
        print_blocks(found.blocks())
    for path in found.files:
        echo(path)


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
