"""The edge of ``pellucid learn``."""

from pathlib import Path

from pellucid.cli.command import command, group
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer

group("learn", order=145, short_help="Write the network yourself; a coach finds what is wrong.")


@command("learn start", order=145.1, short_help="A folder with a file to fill in for each exercise.")
def learn_start(
    *,
    folder: Path = flag(is_argument=True, metavar="DIR", help="The folder; files that are there are kept."),
) -> Answer:
    """A folder with a file to fill in for each exercise, from reading the photos to convolution."""
    from pellucid.learn.exercise import BUILTIN
    from pellucid.learn.write_files import start
    from pellucid.text import plural

    written = start(folder)
    n_kept = len(BUILTIN) - len(written)
    told = [f"{plural(len(written), 'exercise')} written, {n_kept} kept: {folder}."]
    return Answer([str(path) for path in written], told, [])
