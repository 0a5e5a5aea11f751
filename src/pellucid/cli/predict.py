"""The command ``pellucid predict``."""

from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli import predicting
from pellucid.cli.command import PRINTED, command
from pellucid.cli.flags import KERNELS, flag, options


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
@options(kernels=KERNELS)
def predict(
    *,
    model: Path = o.TRAINED,
    images: list[str] = flag(
        is_argument=True,
        metavar="IMAGE",
        help="Images of any size and kind, folders, patterns such as 'photos/*.jpg', or - for names on "
        "standard input, one a line, or for an image there; or one .csv or .parquet file.",
    ),
    out: Path | None = flag(
        None,
        short="-o",
        group="Output",
        metavar="FILE",
        help="Write the predictions to this .csv or .jsonl file, or .parquet folder, as they come.",
    ),
    resume: bool = flag(
        False,
        group="Output",
        needs=("out",),
        help="Go on with the file of --out: leave out what it has already.",
    ),
    overwrite: bool = o.OVERWRITE_FILE.needing("out"),
    skip_bad: bool = flag(False, help="Images that cannot be read are listed, but are no failure."),
    is_nul: bool = flag(
        False,
        flag="null",
        short="-0",
        help="Names on standard input end with a NUL byte, as of find -print0.",
    ),
    n_workers: int | None = o.WORKERS.needing("out"),
    cluster: str | None = o.CLUSTER.needing("out"),
    as_json: bool = PRINTED["as_json"],
    as_lines: bool = flag(False, flag="jsonl", group="Output", help="Print one JSON object a line."),
    quiet: bool = PRINTED["quiet"],
) -> int:
    """What a saved model predicts for images, or for the rows of a table; exit 1 if an image cannot be read."""
    return predicting.predict(**locals())
