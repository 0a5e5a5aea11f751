"""The command ``pellucid predict``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, options
from pellucid.cli.terminal import echo, print_json


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
@options(kernels=KERNELS)
def predict(
    model: o.Trained,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="Images of any size and kind; or one .csv file.")
    ],
    as_json: o.Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """What a saved model predicts for images, or for the rows of a table."""
    from pellucid.workflows.predict import predict_files

    found, notes = predict_files(model, images)
    if as_json:
        print_json({"predictions": [each.to_dict() for each in found], "notes": list(notes)})
        return
    for each in found:
        name = f"row {each.sample}" if isinstance(each.sample, int) else each.sample
        echo(json.dumps(each.to_dict()) if as_lines else f"{name}: {each.in_words(is_brief=quiet)}")
    if not (quiet or as_lines):
        for note in notes:
            echo(f"Note: {note}", err=True)
