"""The edge of ``pellucid bench``."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import print_json, print_table
from pellucid.errors import OptionError, unknown_name

if TYPE_CHECKING:
    from pellucid.data.dataset import Split


@command("bench", order=120, short_help="Speed against others; accuracy over folds.")
def bench(
    what: Annotated[str, typer.Argument(help="speed, or accuracy.")] = "speed",
    data: Annotated[str, typer.Option(help="The data set; default: the published photos.")] = "catvnoncat",
    model: Annotated[str, typer.Option(help="For accuracy: a preset or a .toml file.")] = "cnn",
    repeats: Annotated[int, typer.Option(min=1, help="For accuracy: repeats of the five folds.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="For speed: steps of gradient descent.")] = 2500,
    as_json: o.Json = False,
    mirror: o.Mirror = None,
) -> None:
    """The tutorial's training against other libraries; or the accuracy of a model by cross-validation."""
    if what not in ("speed", "accuracy"):
        raise OptionError(unknown_name("benchmark", what, ("speed", "accuracy")))
    split = o.load(data, mirror=mirror)
    if what == "speed":
        _bench_speed(split, steps, as_json=as_json)
    else:
        _bench_accuracy(split, model, repeats, as_json=as_json)


def _bench_speed(split: "Split", steps: int, *, as_json: bool) -> None:
    from pellucid.workflows import bench as benchmark

    result = benchmark.bench(
        split, n_steps=steps, progress=lambda name: print(f"running {name} ...", file=sys.stderr)
    )
    if as_json:
        print_json(result.to_dict())
        return
    print(
        f"{result.machine}; Python {result.python}, NumPy {result.numpy}, {result.blas}, {result.threads} threads"
    )
    print(f"{result.n_steps} full-batch steps on {result.data}; each in a process of its own\n")
    print_table(
        ("", "version", "seconds", "ratio", "final cost", "largest weight difference"),
        [
            (
                r.name,
                r.version,
                f"{r.seconds:.3f}",
                f"{r.ratio:.1f}",
                r.final_cost,
                f"{r.weight_difference:.1e}",
            )
            for r in result.rows
        ],
    )
    for line in result.failed:
        print(f"Left out: {line}")
    if result.absent:
        print(f"Not installed: {', '.join(result.absent)}. pip install 'pellucid[bench]' brings them.")


def _bench_accuracy(split: "Split", model: str, repeats: int, *, as_json: bool) -> None:
    from pellucid.evaluation.comparison.accuracy import Fold, measure_accuracy

    def progress(fold: Fold) -> None:
        print(
            f"repeat {fold.repeat + 1} fold {fold.fold + 1}: balanced accuracy {fold.balanced_accuracy:.4f}, "
            f"accuracy {fold.accuracy:.4f}, trained in {fold.seconds:.1f} s",
            file=sys.stderr if as_json else sys.stdout,
            flush=True,
        )

    result = measure_accuracy(split, model, n_repeats=repeats, progress=progress)
    if as_json:
        print_json(result.to_dict())
    else:
        print(f"{result.model} on {result.n_samples} samples of {split.name}, {len(result.folds)} trainings")
        print(f"mean balanced accuracy {result.balanced_accuracy:.4f}, mean accuracy {result.accuracy:.4f}")
