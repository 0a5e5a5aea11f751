"""The command ``pellucid replay``."""

from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer, Note

OF_STEP = ("optimizer", "learning_rate", "seed")
OF_SAMPLES = ("label", "row", *OF_STEP)
MOST_LINES = 10  # of samples, and of what is odd


@command("replay", order=52, short_help="One training step, or a prediction, number by number, as a page.")
def replay(
    *,
    model: Path = o.TRAINED,
    images: list[str] | None = flag(
        None,
        is_argument=True,
        metavar="IMAGE",
        help="Images of any size and kind, folders, or patterns; or one .csv or .parquet file. None with --step.",
    ),
    label: str | None = flag(
        None,
        metavar="LABEL",
        help="The class of all images, or of each: cat,dog. Of a model of quantities a number.",
    ),
    row: int = flag(1, at_least=1, help="Which row of a table, from 1."),
    step: int | None = flag(None, at_least=1, help="A step of the run, from 1, with its own mini-batch."),
    data: str | None = o.DATA_NOW,
    optimizer: str = flag(
        "sgd", choices="pellucid.training.optimizers.base:OPTIMIZERS", help="What takes the step."
    ),
    learning_rate: float | None = flag(None, above=0, help="Step size; default: the optimizer's own."),
    seed: int = o.SEED,
    title: str = flag("", help="Heading of the page; default: what it shows."),
    samples: int = flag(64, at_least=1, help="How many samples of the batch are shown, at most."),
    most_mb: float = flag(32.0, above=0, help="Megabytes of the page, at most; what is left out is said."),
    out: Path = o.out("The page.", Path("replay.html")),
    overwrite: bool = o.OVERWRITE_FILE,
) -> Answer:
    """One page that shows a training step, or a prediction, number by number; it works offline.

    With --label the step that training on these images would take: forward, loss, backward, update. Without it the
    prediction alone. With --step a step of a run: its mini-batch, and the parameters that it began with, from the
    nearest checkpoint.
    """
    from pellucid.errors import OptionError
    from pellucid.workflows.replay import replay as use_case

    if step is not None:
        if given := ["IMAGE"] * bool(images) + _flags_given(OF_SAMPLES):
            raise OptionError(f"replay: --step is a step of the run as it was. Leave {given[0]} out.")
    elif not images:
        raise OptionError("replay: name an image or a table, or with --step a step of the run.")
    elif data is not None:
        raise OptionError("replay: --data is for --step. Leave it out.")
    elif label is None and (given := _flags_given(OF_STEP)):
        raise OptionError(
            f"replay: {given[0]} is for a training step, which needs labels. Add --label, or leave it out."
        )
    page = o.call(use_case, locals(), data=data if step is not None else [*(images or ())])
    lines = [page.title, *page.verdicts[:MOST_LINES], *page.remarks[:MOST_LINES]]
    return Answer(page, [*lines, *map(Note, page.notes)], [page.title], [out])


def _flags_given(names: tuple[str, ...]) -> list[str]:
    """Return the flags of these names that stand on the command line."""
    return [f"--{name.replace('_', '-')}" for name in names if o.was_given(name)]
