"""The command ``pellucid compare``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, TRAINING, options
from pellucid.cli.terminal import echo, print_blocks, print_json, say
from pellucid.errors import OptionError
from pellucid.progress import ProgressBar

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
    a: Annotated[str, typer.Argument(help=MODEL)],
    b: Annotated[str | None, typer.Argument(help="The same; may be left out with --cv or --seeds.")] = None,
    data: Annotated[str, typer.Option(help="A built-in name, a folder of images, a file.")] = "",
    cv: Annotated[
        str | None, typer.Option(help="FOLDSxREPEATS, such as 5x3: train again for every fold.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Train from this many random seeds.")] = None,
    jobs: Annotated[
        int | None, typer.Option(help="With --cv or --seeds: trainings side by side; default: one a core.")
    ] = None,
    cluster: o.Cluster = None,
    workers: o.Workers = None,
    out: o.OutFolder = None,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Is B better than A, or was it luck? On the same samples, over folds (--cv), or over random seeds (--seeds).

    One model alone is looked at over folds or seeds. Options of the training apply to both models, where they are
    trained here; what is left out is each one's own recipe.
    """
    if cv is None and seeds is None and (cluster is not None or workers is not None):
        flag = "--workers" if cluster is None else "--cluster"
        raise OptionError(f"{flag}: it is for --cv and --seeds, which train side by side. Leave it out.")
    if not data:
        raise OptionError("--data: expected the data to compare on, such as --data drawn-cats, got nothing.")
    from pellucid.data.source import DataSource
    from pellucid.workflows.compare import compare_into

    given = {"seed": 1, **training}
    source = DataSource(data, seed=given["seed"], **reading)
    with o.on_cluster(cluster, workers, jobs), ProgressBar() as progress:
        result = compare_into(
            out, a, b, force=force, data=source, cv=cv, n_seeds=seeds, n_jobs=jobs, progress=progress, **given
        )
    if as_json:
        print_json(result.to_dict())
    elif quiet:
        say(result.finding)
    else:
        print_blocks(result.blocks())
        if out is not None:
            echo("", f"Figures and numbers: {out}")
    if not result.is_complete:
        raise typer.Exit(130)
