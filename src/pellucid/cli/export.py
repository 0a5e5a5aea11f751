"""The command ``pellucid export``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import echo, print_json


@command("export", order=45, short_help="A model as a file that runs by itself: ONNX, Python, HTML.")
def export(
    model: o.Trained,
    to: Annotated[str, typer.Option(help="The kind of file: onnx, script or html.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="The file; default: beside the model, under its name, or predict.py for a script.",
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="onnx: without preprocessing and probabilities; floats in, logits out."),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            help="script: inside the file, or beside it as .npz; default: inside up to 20 MB.",
            metavar="inside|beside",
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="html: the heading of the page; default: its classes.")
    ] = None,
    force: o.ForceFile = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a model as a file that runs without pellucid, once it has given what the model gives.

    onnx: for other programs and languages; takes photos of bytes, (m, height, width, channels), or rows of
    numbers, and gives probabilities. script: one Python file that needs NumPy and Pillow only, with the network
    written out a line a layer: `python predict.py photo.jpg`. html: one page for a browser, offline, that takes a
    dropped photo or the fields of a table's row.
    """
    from pellucid.workflows import export as use_case

    done = use_case.export(model, to, out, force=force, raw=raw, weights=weights, title=title)
    if as_json:
        print_json(done.to_dict())
        return
    echo(done.path)
    if not quiet:
        within, note = done.difference, done.note
        told = f"Its outputs are the model's, within {within:.1g}." if within is not None else ""
        echo(told or f"Not compared with the model: {note}.", err=True)
