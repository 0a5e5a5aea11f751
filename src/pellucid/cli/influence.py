"""The edge of ``pellucid influence``."""

from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, flag, options
from pellucid.cli.terminal import Answer, Line
from pellucid.text import plural


@command("influence", order=60, short_help="Which training samples influenced a prediction.")
@options(kernels=KERNELS)
def influence(
    *,
    run: Path = flag(is_argument=True, help="A run folder of `pellucid run` or `pellucid train`."),
    samples: list[int | str] | None = flag(
        None,
        metavar="N,...",
        help="Numbers of test samples, or their files, such as 3,17; default: the most confident mistakes.",
    ),
    data: str | None = o.DATA_NOW,
    method: str = flag(
        "tracin",
        choices="pellucid.evaluation.influence.outcome:METHODS",
        help="What training samples are ranked by; tracin-plain is TracIn as published.",
    ),
    top: int = flag(5, help="How many training samples are shown on each side."),
    retrain: bool | None = flag(
        None, help="Train again to prove it; default: where a training takes two seconds or less."
    ),
    n_jobs: int | None = o.JOBS,
    cluster: str | None = o.CLUSTER,
    n_workers: int | None = o.WORKERS,
    out: Path | None = o.out("A folder for a figure of each photo, and all numbers."),
    overwrite: bool = o.OVERWRITE,
) -> Answer:
    """Which training samples influenced a prediction, and the prediction after a training without them."""
    from pellucid.workflows.influence import influence as find_influence

    with o.on_cluster(cluster, n_workers, n_jobs):
        found = o.call(find_influence, locals())
    took = Line(f"{plural(found.n_trainings, 'training')}, {found.seconds:.1f} s.")
    brief = [one.headline for one in found.explanations]
    return Answer(found, [*found.blocks(), took], brief, found.files)
