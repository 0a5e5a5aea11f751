"""The command ``pellucid compare``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, TRAINING, Flag, Needs, options
from pellucid.cli.terminal import print_result

MODEL = "A preset, a .toml file, a model file or a run folder."


@command("compare", order=80, short_help="Is B better than A, or was it luck?")
@options(
    reading=SOURCE.but(
        argument="", without=("name", "seed", "test_fraction"), is_given=True, has_defaults=True
    ),
    training=TRAINING.but(without=("kernels",)),  # trained models have it, too
    kernels=KERNELS,
)
def compare(
    reading: Mapping[str, Any],
    training: Mapping[str, Any],
    a: Annotated[str, Flag(is_argument=True, help=MODEL)],
    data: Annotated[
        str,
        Flag(group="Data", metavar="DATA", help="A built-in name, a folder of images or a file."),
    ],
    b: Annotated[
        str | None, Flag(is_argument=True, help="The same; may be left out with --cv or --seeds.")
    ] = None,
    cv: Annotated[
        str | None, Flag(metavar="FOLDSxREPEATS", help="Train again for every fold, such as 5x3.")
    ] = None,
    n_seeds: Annotated[int | None, Flag(at_least=2, help="Train from this many random seeds.")] = None,
    body: o.Body = None,
    pixels: o.Pixels = None,
    n_jobs: Annotated[o.Jobs, Needs(["cv", "n_seeds"])] = None,
    cluster: Annotated[o.Cluster, Needs(["cv", "n_seeds"])] = None,
    n_workers: Annotated[o.Workers, Needs(["cv", "n_seeds"])] = None,
    out: Annotated[Path | None, o.out("A folder for figures and numbers.")] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
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
        result = o.call(compare_named, locals(), data=source, cv=folds, **given)
    shown = () if out is None or quiet else ("", f"Figures and numbers: {out}")
    print_result(result, shown, as_json=as_json, quiet=quiet)
    return 0 if result.is_complete else 130
