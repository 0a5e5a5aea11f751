"""The command ``pellucid import``."""

from pathlib import Path
from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import Flag
from pellucid.cli.terminal import echo, print_json


@command("import", order=46, short_help="A network of another library, from an ONNX file, as a model.")
def import_(
    file: Annotated[
        Path, Flag(is_argument=True, help="An ONNX file, of PyTorch, Keras or scikit-learn's converter.")
    ],
    out: Annotated[
        Path | None, o.out("The model file; default: beside the ONNX file, under its name.")
    ] = None,
    input_shape: o.InputShape = None,
    pixels: Annotated[
        str | None,
        Flag(
            choices="pellucid.nn.pretrained.pixels:PIXELS",
            help="What it was trained on: see docs/pretrained.md; default: 0..1.",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        Flag(
            metavar="NAME,...|FILE",
            help="The names of the classes, in order: cat,dog; or a text file with one in each line.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        Flag(
            choices="pellucid.formats.onnx.importing:TASKS",
            help="What outputs without softmax or sigmoid are; default: of one output regression, else "
            "classification.",
        ),
    ] = None,
    overwrite: o.OverwriteFile = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Read a network from an ONNX file, compare what both predict, and write it as a model file.

    It can then be trained on (train --start), explained, evaluated and exported like one's own.
    """
    from pellucid.cli.model import print_summary
    from pellucid.errors import OptionError
    from pellucid.files import check_free
    from pellucid.formats.onnx.importing import read_onnx
    from pellucid.formats.safetensors import SUFFIX, save

    target = out or file.parent / f"{file.stem}{SUFFIX}"
    check_free(target, overwrite=overwrite)
    names = None
    if classes is not None:
        path = Path(classes)
        try:
            text = path.read_text(encoding="utf-8") if path.suffix and path.is_file() else None
        except (OSError, ValueError):
            raise OptionError(
                f"--classes: {classes} is not a text file with one name in each line."
            ) from None
        names = classes.split(",") if text is None else text.splitlines()
        names = [name.strip() for name in names if name.strip()]
    found = read_onnx(file, input_shape=input_shape, classes=names, pixels=pixels, task=task)
    save(found.model, target)
    summary = found.model.summary()
    if as_json:
        print_json({"file": str(target), "largest_difference": found.difference, "model": summary.to_dict()})
        return
    if quiet:
        echo(target)
        return
    print_summary(summary)
    echo(target)
    echo(f"Its outputs are the file's, within {found.difference:.1g}.", err=True)
    if found.pixels:
        echo(
            "Photos are divided by 255. If it was trained on others: --pixels imagenet, -1..1, lite or 0..255.",
            err=True,
        )
