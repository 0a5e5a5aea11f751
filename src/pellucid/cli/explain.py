"""The edge of ``pellucid explain``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, options
from pellucid.cli.terminal import echo, print_json, say
from pellucid.progress import ProgressBar


@command("explain", order=50, short_help="Why it predicts so for one photo: where it looks.")
@options(kernels=KERNELS)
def explain(
    model: o.Trained,
    image: Annotated[Path, typer.Argument(help="An image of any size and kind.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="The folder for pictures, text and numbers; default: explained/IMAGE-N."
        ),
    ] = None,
    data: o.DataNow = None,
    target: Annotated[
        str | None,
        typer.Option("--class", help="The class that the maps explain; default: the predicted one."),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Saliency maps, joined by commas: {pellucid.evaluation.saliency.measure:METHODS}; default: all."
        ),
    ] = None,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Why a model predicts what it does for one photo: saliency maps, nearest training photos, stability."""
    from pellucid.workflows.explain import explain_file

    names = None if methods is None else [name.strip() for name in methods.split(",") if name.strip()]
    with ProgressBar() as bar:
        found = explain_file(
            model,
            image,
            out,
            data=data,
            target=target,
            methods=names,
            force=force,
            progress=bar,
        )
    if as_json:
        print_json(found.to_dict())
        return
    if not quiet:
        for line in str(found).splitlines():
            say(line)
        echo("")
    for path in found.files:
        echo(path)
