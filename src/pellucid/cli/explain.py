"""The edge of ``pellucid explain``."""

from pathlib import Path
from typing import Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, flag, options
from pellucid.cli.terminal import Answer


@command("explain", order=50, short_help="Explain the prediction for a photo, or for a row of a table.")
@options(kernels=KERNELS)
def explain(
    *,
    model: Path = o.TRAINED,
    image: Path = flag(is_argument=True, metavar="SAMPLE", help="An image of any size and kind; or a table."),
    row: int = flag(1, at_least=1, help="Which row of a table: 1 is the first below the header."),
    out: Path | None = o.out("The folder for pictures, text and numbers; default: explained/NAME-N."),
    data: str | None = o.DATA_NOW,
    target: str | None = flag(None, help="The class that the maps explain; default: the predicted one."),
    methods: list[str] | None = flag(
        None,
        choices="pellucid.evaluation.saliency.compute_maps:METHODS",
        help="Saliency maps; default: all.",
    ),
    overwrite: bool = o.OVERWRITE,
) -> Answer:
    """Why a model predicts what it does, for one photo or one row of a table.

    Of a photo: saliency maps, nearest training photos, stability, novelty. Of a row: what each column adds to the
    prediction, against a typical row.
    """
    from pellucid.data.readers.listing import TABLES
    from pellucid.errors import OptionError
    from pellucid.folders import next_folder
    from pellucid.workflows.explain import explain_photo, explain_row_of

    use_case: Any = explain_row_of if image.suffix.lower() in TABLES else explain_photo
    of_other = ("data", "methods") if use_case is explain_row_of else ("row",)
    if given := [name for name in of_other if o.was_given(name)]:
        what = "photos" if use_case is explain_row_of else "rows of a table"
        raise OptionError(f"explain: --{given[0]} is for {what}. Leave it out.")
    found = o.call(use_case, locals(), out=out or next_folder(Path("explained"), image.stem))
    return Answer(found, brief=(), files=found.files)
