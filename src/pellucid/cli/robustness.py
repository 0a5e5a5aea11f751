"""The edge of ``pellucid robustness``."""

from pathlib import Path
from typing import Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, flag, options
from pellucid.cli.terminal import Answer
from pellucid.errors import OptionError


@command("robustness", order=70, short_help="Accuracy on rotated, darkened, covered photos.")
@options(
    source=SOURCE.but(
        without=("seed", "test_fraction", "target", "drop", "kinds", "decimal", "missing"), is_optional=True
    ),
    kernels=KERNELS,
)
def robustness(
    *,
    model: Path = o.TRAINED,
    source: Any,
    perturbations: list[str] | None = flag(
        None,
        choices="pellucid.evaluation.robustness.perturbations:PERTURBATIONS",
        help="Perturbations; default: all.",
    ),
    strengths: list[float] | None = flag(
        None,
        needs=("perturbations",),
        help="Strengths such as 5,10,15, for one perturbation in --perturbations.",
    ),
    sample: int | None = flag(
        None,
        needs=("out",),
        help="Number of the test photo that the sheet in --out shows, from 0; default: a typical one.",
    ),
    out: Path | None = o.out("A folder for curves, the sheet and all numbers."),
    overwrite: bool = o.OVERWRITE,
    seed: int = o.SEED,
) -> Answer:
    """The accuracy of a model on test photos that are rotated, recoloured, darkened, covered and more."""
    from pellucid.workflows.robustness import robustness as measure

    if strengths is not None and (perturbations is None or len(perturbations) != 1):
        raise OptionError(
            "--strengths: expected one perturbation in --perturbations, since each has a unit of its own. "
            "Try --perturbations rotation --strengths 15,45."
        )
    of_one = dict.fromkeys(perturbations or (), strengths) if strengths is not None else None
    found = o.call(measure, locals(), data=source, strengths=of_one)
    return Answer(found, files=found.files)
