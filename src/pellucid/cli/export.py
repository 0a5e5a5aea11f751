"""The command ``pellucid export``."""

from pathlib import Path
from typing import Annotated, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import Flags, options
from pellucid.cli.terminal import echo, print_json


@command("export", order=45, short_help="A model as a file that runs by itself: ONNX, Python, HTML.")
@options(chosen=Flags("pellucid.workflows.export:ExportOptions", is_given=True, has_defaults=True))
def export(
    model: o.Trained,
    chosen: dict[str, Any],
    out: Annotated[
        Path | None, o.out("The file; default: beside the model, under its name, or predict.py for a script.")
    ] = None,
    overwrite: o.OverwriteFile = False,
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

    done = use_case.export(model, chosen.pop("to"), out, overwrite=overwrite, **chosen)
    if as_json:
        print_json(done.to_dict())
        return
    echo(done.path)
    if not quiet:
        within, note = done.difference, done.note
        told = f"Its outputs are the model's, within {within:.1g}." if within is not None else ""
        echo(told or f"Not compared with the model: {note}.", err=True)
        if done.dtype == "float16":
            echo("Its weights are float16: each class compared is the one that the model gives.", err=True)
        if done.beside:
            echo(f"Its weights are in {done.beside.name}; keep both files in one folder.", err=True)
