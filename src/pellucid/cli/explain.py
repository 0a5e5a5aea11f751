"""The edge of ``pellucid explain``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import print_json, say
from pellucid.progress import ProgressBar


@command("explain", order=50, short_help="Why it predicts so for one photo: where it looks.")
def explain(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    image: Annotated[Path, typer.Argument(help="An image of any size and kind.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="The folder for pictures, text and numbers; default: explained/IMAGE-N."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="The training data; default: where they were at the training.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--class", help="The class that the maps explain; default: the predicted one."),
    ] = None,
    methods: Annotated[
        str | None, typer.Option(help="Maps, such as smoothgrad,occlusion; default: all.")
    ] = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> None:
    """Why a model says what it says of one photo: where it looks, what it is near to, how firm the verdict is."""
    from pellucid.evaluation.photo.explain import STAGES
    from pellucid.evaluation.photo.explain import explain as explain_photo
    from pellucid.files import next_folder

    with ProgressBar() as bar:
        result = explain_photo(
            model,
            image,
            out or next_folder(Path("explained"), image.stem),
            data=data,
            target=target,
            methods=None
            if methods is None
            else [name.strip() for name in methods.split(",") if name.strip()],
            force=force,
            progress=lambda stage, words: bar(words, stage, STAGES - 1),
        )
    if as_json:
        print_json(result.to_dict())
        return
    for line in result.sentences:
        say(line)
    print()
    for path in result.files:
        print(path)
