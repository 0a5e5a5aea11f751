"""The edge of ``pellucid learn``."""

from pathlib import Path

from pellucid.cli.command import command, group
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer, Line, print_blocks

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


@command("learn check", order=145.2, short_help="What is wrong in what you wrote, which line, and why.")
def learn_check(
    *,
    folder: Path = flag(is_argument=True, metavar="DIR", help="The folder that learn start made."),
    exercises: list[str] = flag(
        None, is_argument=True, metavar="EXERCISE", help="Names, such as linear_backward; default: all."
    ),
    hints: int = flag(
        2, at_least=0, at_most=4, help="How many: the property, the line, the cause, a number."
    ),
) -> Answer:
    """What is wrong in what you wrote, which line, and why: in hints, never the solution; exit 1 unless right."""
    from pellucid.cli.options import was_given
    from pellucid.learn.coach import check_folder
    from pellucid.text import join, plural

    verdicts = []
    open_ones = []
    for verdict in check_folder(folder, exercises or (), hints=hints):
        verdicts.append(verdict)
        is_open = verdict.state == "not started" and not exercises
        open_ones += [verdict.exercise] * is_open
        if not (was_given("quiet") or was_given("as_json") or is_open):
            print_blocks([*verdict.blocks(), Line("")])
    n_right = sum(verdict.is_right for verdict in verdicts)
    last = f"{n_right} of {plural(len(verdicts), 'exercise')} right."
    told = [last, f"Not started: {join(open_ones)}."] if open_ones else [last]
    return Answer(verdicts, told, [last], code=0 if n_right == len(verdicts) else 1)
