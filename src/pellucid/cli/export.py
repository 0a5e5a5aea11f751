"""The command ``pellucid export``."""

from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import Flags, options
from pellucid.cli.terminal import Answer, Note

if TYPE_CHECKING:
    from pellucid.workflows.export import ExportOptions


@command("export", order=45, short_help="A model as a file that runs by itself: ONNX, Python, HTML.")
@options(chosen=Flags("pellucid.workflows.export:ExportOptions"))
def export(
    *,
    model: Path = o.TRAINED,
    chosen: "ExportOptions",
    out: Path | None = o.out(
        "The file; default: beside the model, under its name, or predict.py for a script."
    ),
    overwrite: bool = o.OVERWRITE_FILE,
) -> Answer:
    """Write a model as a file that runs without pellucid, once it has given what the model gives.

    onnx: for other programs and languages; takes photos of bytes, (m, height, width, channels), or rows of
    numbers, and gives probabilities. script: one Python file that needs NumPy and Pillow only, with the network
    written out a line a layer: `python predict.py photo.jpg`. html: one page for a browser, offline, that takes a
    dropped photo or the fields of a table's row.
    """
    from pellucid.workflows.export import export as use_case

    done = use_case(model, chosen, out, overwrite=overwrite)
    told = [f"Not compared with the model: {done.note}."]
    if done.difference is not None:
        told = [f"Its outputs are the model's, within {done.difference:.1g}."]
    if done.dtype == "float16":
        told.append("Its weights are float16: each class compared is the one that the model gives.")
    if done.beside:
        told.append(f"Its weights are in {done.beside.name}; keep both files in one folder.")
    return Answer(done, [done.path, *map(Note, told)], [done.path])
