"""The options and arguments that several commands share, each declared once.

Those of a training and of data come from dataclasses: see :mod:`pellucid.cli.flags`.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pellucid.data.source import DataSource

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what was asked for: no progress, no notes.")]
Mirror = Annotated[str | None, typer.Option(help="Download from this address instead of the public home.")]
ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        help="A preset ({pellucid.nn.presets:PRESETS}), a .toml file, or auto: the preset that suits the data.",
    ),
]
Start = Annotated[
    Path | None,
    typer.Option("--from", metavar="MODEL", help="Begin from this trained model: a file or a run folder."),
]
Freeze = Annotated[
    str | None,
    typer.Option(
        "--freeze",
        metavar="LAYER",
        help="Keep its layers up to this one, of `model show MODEL`, as they are; needs --from.",
    ),
]
TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Write event files into the folder.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")]
ForceRun = Annotated[bool, typer.Option("--force", help="Replace the run in a folder that is not empty.")]
ForceFile = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
RunFolder = Annotated[
    Path | None, typer.Option("-o", "--out", help="The run folder; default: runs/DATA-MODEL-N.")
]
OutFolder = Annotated[Path | None, typer.Option("-o", "--out", help="A folder for figures and numbers.")]
OutFile = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="The picture; default: learning-rate.png, or the next number."),
]
DataNow = Annotated[
    str | None,
    typer.Option("--data", help="Where the data are now; default: where they were at the training."),
]
Trained = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, or a run folder.")]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler: tcp://HOST:8786."
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Or on this many processes of this machine.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Trainings side by side; default: one a core.")]
Seed = Annotated[int, typer.Option(help="Random seed.")]


def run_folder(source: "DataSource", model: str) -> Path:
    """Return the folder of a run that was given none: runs/DATA-MODEL-N, the first that is not there yet."""
    from pellucid.folders import next_folder

    return next_folder(Path("runs"), f"{Path(source.name).stem}-{Path(model).stem}")


def was_given(context: typer.Context, parameter: str) -> bool:
    """Return whether an option stands on the command line, rather than at its default."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def check_start(context: typer.Context, start: Path | None) -> None:
    """Raise OptionError if both a new model and one to begin from are named."""
    if start is not None and was_given(context, "model"):
        from pellucid.errors import OptionError

        raise OptionError(f"--model and --from: {start} brings its own layers. Leave --model out.")


def on_cluster(
    cluster: str | None, workers: int | None, jobs: int | None = None
) -> AbstractContextManager[None]:
    """Return the block in which trainings run on a cluster, where one is asked for: --cluster or --workers."""
    from pellucid.distributed.jobs import jobs_on
    from pellucid.errors import OptionError

    if jobs is not None and (cluster is not None or workers is not None):
        raise OptionError(
            "--jobs: it counts processes of this command, of which a cluster needs none. Leave it out."
        )
    return jobs_on(cluster, workers)


@contextmanager
def chosen(choice: str | None) -> Iterator[None]:
    """Let --kernels be the environment's choice inside this block, for threads and processes, too."""
    if choice is None:
        yield
        return
    from pellucid.dispatch import VARIABLE

    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = choice
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        os.environ.update({} if before is None else {VARIABLE: before})


def say_nothing(what: object) -> None:
    """Print nothing: what a quiet command says its lines with."""
