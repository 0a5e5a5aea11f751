"""The command ``pellucid compare``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, TRAINING, flag, options
from pellucid.cli.terminal import Answer, Line

MODEL = "A preset, a .toml file, a model file or a run folder."
TRAINED_AGAIN = ("cv", "n_seeds")


@command("compare", order=80, short_help="Is B better than A, or was it luck?")
@options(
    reading=SOURCE.but(
        argument="", without=("name", "seed", "test_fraction"), is_given=True, has_defaults=True
    ),
    training=TRAINING.but(without=("kernels",)),  # trained models have it, too
    kernels=KERNELS,
)
def compare(
    *,
    reading: Mapping[str, Any],
    training: Mapping[str, Any],
    a: str = flag(is_argument=True, help=MODEL),
    data: str = flag(group="Data", metavar="DATA", help="A built-in name, a folder of images or a file."),
    b: str | None = flag(None, is_argument=True, help="The same; may be left out with --cv or --seeds."),
    cv: str | None = flag(None, metavar="FOLDSxREPEATS", help="Train again for every fold, such as 5x3."),
    n_seeds: int | None = flag(None, at_least=2, help="Train from this many random seeds."),
    body: str | None = o.BODY,
    pixels: str | None = o.PIXELS,
    unfreeze: int | None = o.UNFREEZE,
    n_jobs: int | None = o.JOBS.needing(*TRAINED_AGAIN),
    cluster: str | None = o.CLUSTER.needing(*TRAINED_AGAIN),
    n_workers: int | None = o.WORKERS.needing(*TRAINED_AGAIN),
    out: Path | None = o.out("A folder for figures and numbers."),
    overwrite: bool = o.OVERWRITE,
) -> Answer:
    """Is B better than A, or was it luck? On the same samples, over folds (--cv), or over random seeds (--seeds).

    One model alone is looked at over folds or seeds. Options of the training apply to both models, where they are
    trained here; what is left out is each one's own recipe.
    """
    from pellucid.data.source import DataSource
    from pellucid.evaluation.comparison.splitting import folds_of_text
    from pellucid.workflows.compare import compare as compare_named

    given = {"seed": 1, **training}
    source = DataSource(data, seed=given["seed"], **reading)
    with o.on_cluster(cluster, n_workers, n_jobs):
        folds = None if cv is None else folds_of_text(cv)
        found = o.call(compare_named, locals(), data=source, cv=folds, **given)
    where = [] if out is None else [Line(), Line(f"Figures and numbers: {out}")]
    return Answer(found, [*found.blocks(), *where], code=0 if found.is_complete else 130)
