"""The edge of ``pellucid robustness``."""

from pathlib import Path
from typing import Annotated, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, SOURCE, Flag, Needs, options
from pellucid.cli.terminal import print_result
from pellucid.errors import OptionError


@command("robustness", order=70, short_help="Accuracy on rotated, darkened, covered photos.")
@options(
    source=SOURCE.but(without=("seed", "test_fraction", "target", "decimal", "missing"), is_optional=True),
    kernels=KERNELS,
)
def robustness(
    model: o.Trained,
    source: Any,
    perturbations: Annotated[
        list[str] | None,
        Flag(
            choices="pellucid.evaluation.robustness.perturbations:PERTURBATIONS",
            help="Perturbations; default: all.",
        ),
    ] = None,
    strengths: Annotated[
        list[float] | None,
        Flag(help="Strengths such as 5,10,15, for one perturbation in --perturbations."),
        Needs(["perturbations"]),
    ] = None,
    sample: Annotated[
        int | None,
        Flag(help="Number of the test photo that the sheet in --out shows, from 0; default: a typical one."),
        Needs(["out"]),
    ] = None,
    out: Annotated[Path | None, o.out("A folder for curves, the sheet and all numbers.")] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    seed: o.Seed = 1,
) -> None:
    """The accuracy of a model on test photos that are rotated, recoloured, darkened, covered and more."""
    from pellucid.workflows.robustness import robustness as measure

    found = o.call(measure, locals(), data=source, strengths=_strengths(strengths, perturbations))
    print_result(found, found.files, as_json=as_json, quiet=quiet)


def _strengths(strengths: list[float] | None, names: list[str] | None) -> dict[str, list[float]] | None:
    if strengths is None:
        return None
    if names is None or len(names) != 1:
        raise OptionError(
            "--strengths: expected one perturbation in --perturbations, since each has a unit of its own. "
            "Try --perturbations rotation --strengths 15,45."
        )
    return {names[0]: strengths}
