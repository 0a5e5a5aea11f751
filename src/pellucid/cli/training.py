"""What ``train`` and ``run`` have in common: the plan of a training and its folder, and how both end."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.terminal import echo, print_json, say

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.runs.build import RunRequest
    from pellucid.workflows.train import Outcome


def plan_training(
    context: typer.Context,
    source: "DataSource",
    training: Mapping[str, Any],
    *,
    model: str,
    start: Path | None,
    out: Path | None,
    resume: bool,
    **given: Any,
) -> tuple["RunRequest", Path]:
    """Return what a training is asked for, and its folder; with ``resume`` what is left out is as it was."""
    from pellucid.runs.build import plan
    from pellucid.workflows.train import plan_to_resume

    o.check_start(context, start)
    given |= {"start": start, **training}
    if resume:
        own = model if o.was_given(context, "model") else None
        data = source if o.was_given(context, "name") else replace(source, name="")
        asked = plan_to_resume(out, own, data, **given)
    else:
        asked = plan(model, source, **given)
    return asked, out or o.run_folder(source, asked.config.model_name)


def shown(is_silent: bool) -> dict[str, Any]:
    """Return how a training shows its progress and says its lines."""
    from pellucid.training.callbacks.progress import Progress

    return {
        "callbacks": () if is_silent else (Progress(),),
        "say": o.say_nothing if is_silent else say,
    }


def end(outcome: "Outcome", result: Path | None, *, as_json: bool) -> None:
    """Print the outcome as JSON, or else its result; exit as a process that was ended by a signal, if one came."""
    if as_json:
        print_json(outcome.to_dict())
    elif result is not None:
        echo(result)
    if outcome.signal:
        raise typer.Exit(128 + outcome.signal)
