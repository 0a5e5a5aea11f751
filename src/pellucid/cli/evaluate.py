"""The command ``pellucid evaluate``."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, Flag, options
from pellucid.cli.terminal import print_result

if TYPE_CHECKING:
    from pellucid.prediction.predict import Compute


@command("evaluate", order=30, short_help="Scores of a model, with confidence intervals.")
@options(source=SOURCE.but(without=("seed", "test_fraction"), is_optional=True), kernels=KERNELS)
def evaluate(
    model: o.Trained,
    source: Any,
    out: Annotated[Path | None, o.out("A folder for the figures.")] = None,
    level: Annotated[float, Flag(above=0, below=1, help="Level of the intervals.")] = 0.95,
    n_resamples: Annotated[int, Flag(at_least=1, help="Resamples of the bootstrap.")] = 2000,
    metrics: Annotated[
        list[str] | None,
        Flag(choices="pellucid.ops.metrics:METRICS", help="Further metrics."),
    ] = None,
    overwrite: o.Overwrite = False,
    n_workers: o.Workers = None,
    cluster: o.Cluster = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Scores of a saved model on the test part of data, by default its own, with confidence intervals."""
    from pellucid.evaluation.scores.plot_scores import draw_all
    from pellucid.folders import atomic_folder
    from pellucid.plotting.saving import save_figures
    from pellucid.runs.data import named_source
    from pellucid.workflows.evaluate import evaluate as evaluate_named

    source = named_source("evaluate", model, source)
    files: list[str] = []
    with nullcontext() if out is None else atomic_folder(out, overwrite=overwrite) as folder:
        with _computing(cluster, n_workers) as compute:
            scores = o.call(evaluate_named, locals(), data=source, metrics=metrics or ())
        if folder is not None:
            files = [f"{out}/{name}" for name in save_figures(draw_all(scores), folder)]
    print_result(scores, files, as_json=as_json, quiet=quiet, data=source.name, files=files)


def _computing(cluster: str | None, n_workers: int | None) -> "AbstractContextManager[Compute]":
    """Return the block in which outputs are computed: here, or on a cluster."""
    if cluster is None and n_workers is None:
        from pellucid.prediction.predict import compute_here

        return nullcontext(compute_here)
    from pellucid.distributed.evaluation import computing_on

    return computing_on(cluster, n_workers)
