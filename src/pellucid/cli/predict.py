"""The command ``pellucid predict``."""

from pathlib import Path
from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli import predicting
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, Flag, Needs, options


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
@options(kernels=KERNELS)
def predict(
    model: o.Trained,
    images: Annotated[
        list[str],
        Flag(
            is_argument=True,
            metavar="IMAGE",
            help="Images of any size and kind, folders, patterns such as 'photos/*.jpg', or - for names on "
            "standard input, one a line, or for an image there; or one .csv file.",
        ),
    ],
    out: Annotated[
        Path | None,
        Flag(
            short="-o",
            group="Output",
            metavar="FILE",
            help="Write the predictions to this .csv or .jsonl file, or .parquet folder, as they come.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        Flag(group="Output", help="Go on with the file of --out: leave out what it has already."),
        Needs(["out"]),
    ] = False,
    overwrite: Annotated[o.OverwriteFile, Needs(["out"])] = False,
    skip_bad: Annotated[
        bool, Flag(help="Images that cannot be read are listed, but are no failure.")
    ] = False,
    is_nul: Annotated[
        bool,
        Flag(
            flag="null", short="-0", help="Names on standard input end with a NUL byte, as of find -print0."
        ),
    ] = False,
    n_workers: Annotated[o.Workers, Needs(["out"])] = None,
    cluster: Annotated[o.Cluster, Needs(["out"])] = None,
    as_json: o.Json = False,
    as_lines: Annotated[
        bool, Flag(flag="jsonl", group="Output", help="Print one JSON object a line.")
    ] = False,
    quiet: o.Quiet = False,
) -> int:
    """What a saved model predicts for images, or for the rows of a table; exit 1 if an image cannot be read."""
    return predicting.predict(**locals())
