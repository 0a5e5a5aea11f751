"""The command ``pellucid evaluate``."""

from pathlib import Path
from typing import Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, flag, options
from pellucid.cli.terminal import Answer


@command("evaluate", order=30, short_help="Scores of a model, with confidence intervals.")
@options(source=SOURCE.but(without=("seed", "test_fraction"), is_optional=True), kernels=KERNELS)
def evaluate(
    *,
    model: Path = o.TRAINED,
    source: Any,
    out: Path | None = o.out("A folder for the figures."),
    level: float = flag(0.95, above=0, below=1, help="Level of the intervals."),
    n_resamples: int = flag(2000, at_least=1, help="Resamples of the bootstrap."),
    metrics: list[str] | None = flag(None, choices="pellucid.ops.metrics:METRICS", help="Further metrics."),
    positive: str | None = o.POSITIVE,
    overwrite: bool = o.OVERWRITE,
    n_workers: int | None = o.WORKERS,
    cluster: str | None = o.CLUSTER,
) -> Answer:
    """Scores of a saved model on the test part of data, by default its own, with confidence intervals."""
    from pellucid.distributed.evaluation import computing_on
    from pellucid.evaluation.scores.plot_scores import draw_all
    from pellucid.plotting.saving import save_figures
    from pellucid.runs.data import model_and_data
    from pellucid.text_blocks import as_json
    from pellucid.workflows.evaluate import evaluate as evaluate_named
    from pellucid.workflows.results import results_folder

    if source is None:
        source = model_and_data("evaluate", model, None)[1]
    files: list[str] = []
    with results_folder(out, overwrite=overwrite) as results:
        with computing_on(cluster, n_workers) as compute:
            scores = o.call(evaluate_named, locals(), data=source, metrics=metrics or ())
        if results.folder is not None:
            files = [f"{out}/{name}" for name in save_figures(draw_all(scores), results.folder)]
    told = {"data": source.name, "files": files, **as_json(scores)}
    return Answer(told, scores.blocks(), [scores.headline], files)
