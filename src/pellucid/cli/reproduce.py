"""The command ``pellucid reproduce``."""

from pathlib import Path
from typing import Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, flag, options
from pellucid.cli.terminal import Answer, Line

VERDICTS = {True: "The numbers match.", False: "The numbers DIFFER."}


@command("reproduce", order=100, short_help="Compare the published numbers with ours.")
@options(kernels=KERNELS)
def reproduce(
    *,
    data_dir: Path | None = flag(None, help="A folder that holds the published photos."),
    tolerance: float = flag(1e-8, at_least=0, help="The largest relative difference that counts as equal."),
    mirror: str | None = o.MIRROR,
) -> Answer:
    """The published numbers next to ours; exit 1 if they differ."""
    from pellucid.textbook import published as published_run
    from pellucid.training.callbacks.progress import Progress
    from pellucid.workflows.reproduce import reproduce as reproduce_run

    callbacks = () if o.is_quiet() else (Progress(),)
    result = reproduce_run(data_dir, tolerance=tolerance, mirror=mirror, callbacks=callbacks)
    published = published_run.published_costs()
    costs = [(f"cost at {i}", published[i], ours, result.direct_costs[i]) for i, ours in result.costs.items()]
    photo, theirs = f"new photo {published_run.NEW_PHOTO}", published_run.PUBLISHED_PREDICTION
    accuracies = (
        ("training accuracy", published_run.PUBLISHED_TRAIN_ACCURACY, result.train_accuracy, ""),
        ("test accuracy", published_run.PUBLISHED_TEST_ACCURACY, result.test_accuracy, ""),
        (photo, theirs, result.new_photo or "not there", ""),
    )
    verdict, largest = Line(VERDICTS[result.matches]), result.largest_relative_difference
    told: list[Any] = [
        (("", "published", "dual form", "direct form"), [*costs, *accuracies]),
        Line(),
        Line(f"Largest relative difference: {largest:.1e} (allowed: {tolerance:g})"),
        Line(f"Dual form: {result.dual_seconds:.3f} s. Direct form: {result.direct_seconds:.2f} s."),
        Line(f"BLAS: {result.blas}, {result.threads} threads."),
        verdict,
    ]
    return Answer(result, told, [verdict], code=0 if result.matches else 1)
