"""The edge of ``pellucid explain``."""

from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, flag, options
from pellucid.cli.terminal import Answer


@command("explain", order=50, short_help="Explain the prediction for one photo by saliency maps.")
@options(kernels=KERNELS)
def explain(
    *,
    model: Path = o.TRAINED,
    image: Path = o.IMAGE,
    out: Path | None = o.out("The folder for pictures, text and numbers; default: explained/IMAGE-N."),
    data: str | None = o.DATA_NOW,
    target: str | None = flag(None, help="The class that the maps explain; default: the predicted one."),
    methods: list[str] | None = flag(
        None,
        choices="pellucid.evaluation.saliency.compute_maps:METHODS",
        help="Saliency maps; default: all.",
    ),
    overwrite: bool = o.OVERWRITE,
) -> Answer:
    """Why a model predicts what it does for one photo: saliency maps, nearest training photos, stability."""
    from pellucid.folders import next_folder
    from pellucid.workflows.explain import explain_photo

    found = o.call(explain_photo, locals(), out=out or next_folder(Path("explained"), image.stem))
    return Answer(found, brief=(), files=found.files)
