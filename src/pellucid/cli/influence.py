"""The edge of ``pellucid influence``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import print_json, print_table, say
from pellucid.errors import OptionError

if TYPE_CHECKING:
    from pellucid.evaluation.influence.measure import Explanation
    from pellucid.evaluation.influence.outcome import InfluenceOutcome


@command("influence", order=60, short_help="Which training samples pushed a prediction.")
def influence(
    run: Annotated[Path, typer.Argument(help="A run folder of `pellucid run` or `pellucid train`.")],
    test: Annotated[
        str | None,
        typer.Option(help="Numbers of test samples, such as 3,17; default: the most confident mistakes."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the run's data are now; default: where they were.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="tracin, tracin-plain (as published) or leave-one-out: what training samples are ranked by."
        ),
    ] = "tracin",
    top: Annotated[int, typer.Option(help="How many training samples are shown on each side.")] = 5,
    retrain: Annotated[
        bool | None,
        typer.Option(help="Train again to prove it; default: where a training takes two seconds or less."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A folder for a figure of each photo, and all numbers.")
    ] = None,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Which training samples pushed a verdict, and what it would be without them, trained again to prove it."""
    tests = _numbers(test)
    from pellucid.evaluation.influence.of_run import influence_of_run

    outcome = influence_of_run(
        run,
        tests,
        data=data,
        method=method,
        top=top,
        is_retrained=retrain,
        n_jobs=jobs,
        is_quiet=quiet,
        out=out,
        force=force,
    )
    if as_json:
        print_json(outcome.to_dict())
        return
    if not quiet:
        _print(outcome)
    for path in outcome.files:
        print(path)


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",") if number.strip()]
    except ValueError:
        raise OptionError(
            f"--test: expected numbers of test samples such as 3,17,20, got {text!r}."
        ) from None


def _print(outcome: "InfluenceOutcome") -> None:
    from pellucid.text import signed

    for one in outcome.explanations:
        for sentence in outcome.sentences(one):
            say(sentence)
        _print_pushers(one, outcome.thing)
    if outcome.agreement is not None:
        words = ", ".join(f"{name} {signed(rho)}" for name, rho in outcome.agreement.items())
        say(f"Rank correlation of estimates with leave-one-out: {words}.")
    for note in outcome.notes:
        say(f"Note: {note}")
    print(f"{outcome.n_trainings} trainings, {outcome.seconds:.1f} s.")


def _print_pushers(one: "Explanation", thing: str) -> None:
    from pellucid.text import percent

    rows = []
    for pusher in (*one.towards, *one.against):
        alone = pusher.alone
        rows.append(
            (
                f"{pusher.row}",
                pusher.label,
                "towards" if pusher.score > 0 else "against",
                f"{pusher.score:+.3f}",
                "not trained" if alone is None else f"{percent(alone.probability, 1)} “{one.verdict}”",
            )
        )
    if rows:
        print_table((f"training {thing}", "class", "pushed", "score", "without it alone"), rows)
