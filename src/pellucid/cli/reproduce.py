"""The command ``pellucid reproduce``."""

from pathlib import Path
from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, Flag, options
from pellucid.cli.terminal import echo, print_json, print_table

VERDICTS = {True: "The numbers match.", False: "The numbers DIFFER."}


@command("reproduce", order=100, short_help="Compare the published numbers with ours.")
@options(kernels=KERNELS)
def reproduce(
    data_dir: Annotated[Path | None, Flag(help="A folder that holds the published photos.")] = None,
    tolerance: Annotated[
        float, Flag(at_least=0, help="The largest relative difference that counts as equal.")
    ] = 1e-8,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    mirror: o.Mirror = None,
) -> int:
    """The published numbers next to ours; exit 1 if they differ."""
    from pellucid.textbook import published as published_run
    from pellucid.training.callbacks.progress import Progress
    from pellucid.workflows.reproduce import reproduce as reproduce_run

    callbacks = () if quiet or as_json else (Progress(),)
    result = reproduce_run(data_dir, tolerance=tolerance, mirror=mirror, callbacks=callbacks)
    if as_json:
        print_json(result.to_dict())
    elif quiet:
        echo(VERDICTS[result.matches])
    else:
        published = published_run.published_costs()
        rows = [
            (f"cost at {i}", published[i], ours, result.direct_costs[i]) for i, ours in result.costs.items()
        ]
        accuracies = (
            ("training accuracy", published_run.PUBLISHED_TRAIN_ACCURACY, result.train_accuracy),
            ("test accuracy", published_run.PUBLISHED_TEST_ACCURACY, result.test_accuracy),
            (
                f"new photo {published_run.NEW_PHOTO}",
                published_run.PUBLISHED_PREDICTION,
                result.new_photo or "not there",
            ),
        )
        print_table(("", "published", "dual form", "direct form"), rows + [(*row, "") for row in accuracies])
        echo(
            "",
            f"Largest relative difference: {result.largest_relative_difference:.1e} (allowed: {tolerance:g})",
        )
        echo(f"Dual form: {result.dual_seconds:.3f} s. Direct form: {result.direct_seconds:.2f} s.")
        echo(f"BLAS: {result.blas}, {result.threads} threads.")
        echo(VERDICTS[result.matches])
    return 0 if result.matches else 1
