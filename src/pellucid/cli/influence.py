"""The edge of ``pellucid influence``."""

from pathlib import Path
from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, Flag, options
from pellucid.cli.terminal import echo, print_blocks, print_json, say
from pellucid.text import plural


@command("influence", order=60, short_help="Which training samples influenced a prediction.")
@options(kernels=KERNELS)
def influence(
    run: Annotated[Path, Flag(is_argument=True, help="A run folder of `pellucid run` or `pellucid train`.")],
    samples: Annotated[
        list[int | str] | None,
        Flag(
            metavar="N,...",
            help="Numbers of test samples, or their files, such as 3,17; default: the most confident mistakes.",
        ),
    ] = None,
    data: o.DataNow = None,
    method: Annotated[
        str,
        Flag(
            choices="pellucid.evaluation.influence.explained:METHODS",
            help="What training samples are ranked by; tracin-plain is TracIn as published.",
        ),
    ] = "tracin",
    top: Annotated[int, Flag(help="How many training samples are shown on each side.")] = 5,
    retrain: Annotated[
        bool | None,
        Flag(help="Train again to prove it; default: where a training takes two seconds or less."),
    ] = None,
    n_jobs: o.Jobs = None,
    cluster: o.Cluster = None,
    n_workers: o.Workers = None,
    out: Annotated[Path | None, o.out("A folder for a figure of each photo, and all numbers.")] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Which training samples influenced a prediction, and the prediction after a training without them."""
    from pellucid.workflows.influence import influence as find_influence

    with o.on_cluster(cluster, n_workers, n_jobs):
        outcome = o.call(find_influence, locals())
    if as_json:
        print_json(outcome.to_dict())
        return
    if quiet:
        for one in outcome.explanations:
            say(one.headline)
    else:
        print_blocks(outcome.blocks())
        echo(f"{plural(outcome.n_trainings, 'training')}, {outcome.seconds:.1f} s.")
    for path in outcome.files:
        echo(path)
