"""The command ``pellucid export``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import echo, print_json
from pellucid.registry import Limits, check_option

KINDS = ("onnx",)


@command("export", order=45, short_help="A model as a file for other programs: ONNX.")
def export(
    model: o.Trained,
    to: Annotated[str, typer.Option(help="The kind of file: onnx.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The file; default: beside the model, under its name.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Without preprocessing and probabilities: floats in, logits out.")
    ] = False,
    force: o.ForceFile = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a model as an ONNX file, with preprocessing and class names inside, and compare it with the model.

    The file takes photos of bytes, (m, height, width, channels), or rows of numbers, and gives probabilities.
    """
    from pellucid.formats.onnx.export import export_onnx
    from pellucid.formats.safetensors import load, model_file

    check_option("export", "--to", to, str, Limits(choices=lambda: KINDS))
    source = model_file(model)
    out = out or source.with_suffix(f".{to}")
    difference = export_onnx(load(source), out, is_raw=raw, force=force)
    if as_json:
        print_json({"file": str(out), "bytes": out.stat().st_size, "largest_difference": difference})
        return
    echo(out)
    if not quiet:
        echo(f"Its outputs are the model's, within {difference:.1g}.", err=True)
