"""The command ``pellucid import``."""

from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer, Note


@command("import", order=46, short_help="A network of another library, from an ONNX file, as a model.")
def import_(
    *,
    file: Path = flag(is_argument=True, help="An ONNX file, of PyTorch, Keras or scikit-learn's converter."),
    out: Path | None = o.out("The model file; default: beside the ONNX file, under its name."),
    input_shape: tuple[int, ...] | None = o.INPUT_SHAPE,
    pixels: str | None = flag(
        None,
        choices="pellucid.nn.pretrained.pixels:PIXELS",
        help="What it was trained on: see docs/pretrained.md; default: 0..1.",
    ),
    classes: str | None = flag(
        None,
        metavar="NAME,...|FILE",
        help="The names of the classes, in order: cat,dog; or a text file with one in each line.",
    ),
    task: str | None = flag(
        None,
        choices="pellucid.formats.onnx.importing:TASKS",
        help="What outputs without softmax or sigmoid are; default: of one output regression, else "
        "classification.",
    ),
    overwrite: bool = o.OVERWRITE_FILE,
) -> Answer:
    """Read a network from an ONNX file, compare what both predict, and write it as a model file.

    It can then be trained on (train --start), explained, evaluated and exported like one's own.
    """
    from pellucid.cli.model import summary_lines
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
    notes = [Note(f"Its outputs are the file's, within {found.difference:.1g}.")]
    if found.pixels:
        words = "Photos are divided by 255. If it was trained on others: "
        words += "--pixels imagenet, -1..1, lite or 0..255."
        notes.append(Note(words))
    told = {"file": target, "largest_difference": found.difference, "model": summary}
    return Answer(told, [*summary_lines(summary), target, *notes], [target])
