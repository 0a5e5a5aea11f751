"""The command ``pellucid bench``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, options
from pellucid.cli.terminal import echo, print_json, print_table
from pellucid.progress import ProgressBar

if TYPE_CHECKING:
    from pellucid.workflows.bench import Benchmark


@command("bench", order=120, short_help="Speed next to other libraries.")
@options(
    source=SOURCE.but(
        default="catvnoncat", without=("seed", "test_fraction", "target", "decimal", "missing")
    ),
    kernels=KERNELS,
)
def bench(
    source: Any,
    steps: Annotated[int, typer.Option(min=1, help="Steps of gradient descent.")] = 2500,
    repeats: Annotated[int, typer.Option(min=1, help="How often each is timed; the median counts.")] = 3,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Time the tutorial's training here, by the textbook's loop, and by every other library that is installed.

    For the accuracy of a model, see `pellucid compare MODEL --cv 5x3`.
    """
    from pellucid.workflows.bench import bench as run_benchmark

    with ProgressBar() as bar:
        result = run_benchmark(source.load(), n_steps=steps, n_repeats=repeats, progress=bar)
    if as_json:
        print_json(result.to_dict())
    else:
        _print(result, quiet=quiet)


def _print(result: "Benchmark", *, quiet: bool) -> None:
    if not quiet:
        versions = f"Python {result.python}, NumPy {result.numpy}, {result.blas}"
        echo(f"{result.machine}; {versions}, {result.threads} threads")
        echo(f"{result.n_steps} full-batch steps on {result.data}; each in a process of its own")
        timed = "once" if result.n_repeats == 1 else f"{result.n_repeats} times, in turn: the median counts"
        echo(f"Each timed {timed}.")
    print_table(
        ("", "version", "seconds", "fastest to slowest", "ratio", "final cost", "weights differ by"),
        [
            (
                r.name,
                r.version,
                f"{r.seconds:.3f}",
                f"{r.fastest:.3f} to {r.slowest:.3f}",
                f"{r.ratio:.1f}",
                f"{r.final_cost:.6g}",
                f"{r.weight_difference:.1e}",
            )
            for r in result.rows
        ],
    )
    for line in result.failed:
        echo(f"Left out: {line}")
    if result.absent and not quiet:
        echo(f"Not installed: {', '.join(result.absent)}. pip install 'pellucid[bench]' brings them.")
