"""The edge of ``pellucid explain``."""

from pathlib import Path
from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, Flag, options
from pellucid.cli.terminal import echo, print_blocks, print_json


@command("explain", order=50, short_help="Explain the prediction for one photo by saliency maps.")
@options(kernels=KERNELS)
def explain(
    model: o.Trained,
    image: o.Image,
    out: Annotated[
        Path | None, o.out("The folder for pictures, text and numbers; default: explained/IMAGE-N.")
    ] = None,
    data: o.DataNow = None,
    target: Annotated[
        str | None,
        Flag(help="The class that the maps explain; default: the predicted one."),
    ] = None,
    methods: Annotated[
        list[str] | None,
        Flag(
            choices="pellucid.evaluation.saliency.compute_maps:METHODS",
            help="Saliency maps; default: all.",
        ),
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Why a model predicts what it does for one photo: saliency maps, nearest training photos, stability."""
    from pellucid.folders import next_folder
    from pellucid.workflows.explain import explain_photo

    found = o.call(explain_photo, locals(), out=out or next_folder(Path("explained"), image.stem))
    if as_json:
        print_json(found.to_dict())
        return
    if not quiet:
        print_blocks(found.blocks())
    for path in found.files:
        echo(path)
