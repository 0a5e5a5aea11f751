"""The command ``pellucid predict``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli import predicting
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, options


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
@options(kernels=KERNELS)
def predict(
    model: o.Trained,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Images of any size and kind, folders, patterns such as 'photos/*.jpg', or - for names on "
            "standard input, one a line, or for an image there; or one .csv file.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Write the predictions to this .csv or .jsonl file, or .parquet folder, as they come.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with it: leave out what it has already.")
    ] = False,
    force: o.ForceFile = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Images that cannot be read are listed, but are no failure.")
    ] = False,
    is_nul: Annotated[
        bool,
        typer.Option("-0", "--null", help="Names on standard input end with a NUL byte, as of find -print0."),
    ] = False,
    workers: o.Workers = None,
    cluster: o.Cluster = None,
    as_json: o.Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """What a saved model predicts for images, or for the rows of a table; exit 1 if an image cannot be read."""
    code = predicting.predict(
        model,
        images,
        out,
        is_resumed=resume,
        is_forced=force,
        skips_bad=skip_bad,
        is_nul=is_nul,
        workers=workers,
        cluster=cluster,
        as_json=as_json,
        as_lines=as_lines,
        is_quiet=quiet,
    )
    if code:
        raise typer.Exit(code)
