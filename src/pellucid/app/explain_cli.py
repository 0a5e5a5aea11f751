"""The edge of ``pellucid explain``."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.app import options as o
from pellucid.app.options import print_json

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  # seconds of work before a bar is shown


def explain(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    image: Annotated[Path, typer.Argument(help="An image of any size and kind.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for pictures, text and numbers.")],
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
    from pellucid.app.explanation import STAGES
    from pellucid.app.explanation import explain as explain_photo

    bar = _Bar(STAGES)
    try:
        result = explain_photo(
            model,
            image,
            out,
            data=data,
            target=target,
            methods=None
            if methods is None
            else [name.strip() for name in methods.split(",") if name.strip()],
            force=force,
            tell=bar,
        )
    finally:
        bar.stop()
    if as_json:
        print_json(result.to_dict())
        return
    for line in result.sentences:
        print(line)
    print()
    for path in result.files:
        print(path)


class _Bar:
    """A bar on standard error, once the work has taken two seconds; silent where that is no terminal."""

    def __init__(self, n_stages: int) -> None:
        self._n_stages = n_stages
        self._bar: Progress | None = None
        self._start = time.perf_counter()

    def __call__(self, stage: int, words: str) -> None:
        """Show how far it is."""
        if self._bar is None and sys.stderr.isatty() and time.perf_counter() - self._start > PATIENCE:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(words, total=self._n_stages - 1)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._task, completed=stage, description=words)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
