"""The command ``pellucid predict``."""

import json
from functools import partial
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, options
from pellucid.cli.terminal import echo, print_json
from pellucid.progress import ProgressBar


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
@options(kernels=KERNELS)
def predict(
    model: o.Trained,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Images of any size and kind, folders, or patterns such as 'photos/*.jpg'; or one .csv file.",
        ),
    ],
    as_json: o.Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """What a saved model predicts for images, or for the rows of a table; exit 1 if an image cannot be read."""
    from pellucid.workflows.predict import predict_files

    with ProgressBar() as bar:
        found = predict_files(model, images, progress=partial(bar, "reading images"))
    if as_json:
        print_json(found.to_dict())
    else:
        for each in found.predictions:
            name = f"row {each.sample}" if isinstance(each.sample, int) else each.sample
            echo(json.dumps(each.to_dict()) if as_lines else f"{name}: {each.in_words(is_brief=quiet)}")
        for error in found.faults.values():
            echo(error, err=True)
        if not (quiet or as_lines):
            for note in found.notes:
                echo(f"Note: {note}", err=True)
    if found.faults:
        raise typer.Exit(1)
