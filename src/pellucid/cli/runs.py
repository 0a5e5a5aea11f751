"""The command ``pellucid runs``."""

from pellucid.cli.command import command
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer


@command("runs", order=95, short_help="What was run on what, and what it scored; two side by side.")
def runs(
    *,
    folders: list[str] = flag(
        None, is_argument=True, metavar="RUN", help="A folder of runs (default: runs), or two runs."
    ),
) -> Answer:
    """The runs of a folder, the newest first: data, model, score; or two runs side by side, where they differ."""
    from pellucid.workflows.runs import runs as find_runs

    return Answer(find_runs(folders or ()))
