"""The command ``pellucid find-lr``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, TRAINING, flag, options
from pellucid.cli.terminal import Answer, Line, say
from pellucid.progress import ProgressBar
from pellucid.registry import Limits, check_option

if TYPE_CHECKING:
    from pellucid.data.source import DataSource


@command("find-lr", order=110, short_help="Find a learning rate.")
@options(
    source=SOURCE,
    training=TRAINING.but(without="pellucid.runs.spelling:NOT_OF_A_SEARCH"),
)
def find_lr(
    *,
    source: "DataSource",
    training: Mapping[str, Any],
    model: str = o.MODEL_NAME,
    body: str | None = o.BODY,
    pixels: str | None = o.PIXELS,
    unfreeze: int | None = o.UNFREEZE,
    out: Path | None = o.out("The picture; default: learning-rate.png, or the next number."),
    overwrite: bool = o.OVERWRITE_FILE.needing("out"),
    min_lr: float = flag(1e-4, above=0, help="The first rate tried."),
    max_lr: float = flag(1.0, above=0, help="The last one."),
    n_rates: int = flag(9, at_least=3, help="How many are tried."),
) -> Answer:
    """Short trainings at many learning rates, longer ones at the best of them: the rate of the lowest loss.

    Cost: about two thirds of a training, at least 800 steps; a whole training where nothing is learned.
    """
    from pellucid.files import check_free, check_png, next_file
    from pellucid.plotting.saving import save_figure
    from pellucid.runs.build import plan
    from pellucid.runs.spelling import command_line
    from pellucid.workflows.find_lr import find_lr as search
    from pellucid.workflows.run_words import say_choice

    check_option("find-lr", "--max-lr", max_lr, float, Limits(above=min_lr))
    picture = out or next_file(Path("learning-rate.png"))
    check_free(picture, overwrite=overwrite)
    check_png(picture)
    asked = plan(model, source, body=body, pixels=pixels, unfreeze=unfreeze, **training)
    config = asked.config
    say_choice(config, o.say_nothing if o.is_quiet() else say)
    with ProgressBar() as bar:
        found = search(asked, min_lr=min_lr, max_lr=max_lr, n_rates=n_rates, progress=bar)
    save_figure(found.plot(), picture)
    if found.suggestion is None:
        again = command_line("find-lr", config, n_epochs=2 * config.options.n_epochs)
    else:
        again = command_line("train", config, learning_rate=float(f"{found.suggestion:.2g}"))
    told = [str(found), Line("Try:"), Line(f"    {again}"), Line(f"The curves: {picture}")]
    return Answer({**found.to_dict(), "figure": str(picture)}, told, [Line(found.suggestion)])
