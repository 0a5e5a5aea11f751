"""The edge of ``pellucid learn``."""

import itertools
import os
from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli.command import command, group
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer, Line, print_blocks
from pellucid.text import plural

group("learn", order=145, short_help="Write the network yourself; a coach finds what is wrong.")


@command("learn start", order=145.1, short_help="A folder with a file to fill in for each exercise.")
def learn_start(
    *,
    folder: Path = flag(is_argument=True, metavar="DIR", help="The folder; files that are there are kept."),
    notebook: bool = flag(False, help="Notebooks instead of Python files."),
) -> Answer:
    """A folder with a file to fill in for each exercise, from reading the photos to convolution."""
    from pellucid.learn.exercise import BUILTIN
    from pellucid.learn.write_files import start

    written = start(folder, notebook=notebook)
    n_kept = len(BUILTIN) - len(written)
    told = [f"{plural(len(written), 'exercise')} written, {n_kept} kept: {folder}."]
    if written:
        told.append(f"Write the missing lines of {written[0].name}, then: pellucid learn check {folder}")
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
    from pellucid.learn.coach import check_folder
    from pellucid.learn.exercise import BUILTIN

    verdicts = []
    open_ones = []
    for verdict in check_folder(folder, exercises or (), hints=hints):
        verdicts.append(verdict)
        is_open = verdict.state == "not started" and not exercises
        open_ones += [verdict.exercise] * is_open
        if not (o.is_quiet() or is_open):
            print_blocks([*verdict.blocks(), Line("")])
    n_right = sum(verdict.is_right for verdict in verdicts)
    last = f"{n_right} of {plural(len(verdicts), 'exercise')} right."
    told = [last]
    if n_open := len(open_ones):
        told.append(f"{n_open} not started, {open_ones[0]} first.")
    elif n_right == len(verdicts) == len(BUILTIN):
        told.append(f"Now your own network: pellucid learn train {folder}")
    return Answer(verdicts, told, [last], code=0 if n_right == len(verdicts) else 1)


@command("learn watch", order=145.3, short_help="Check on every save; hints and the next exercise by a key.")
def learn_watch(
    *, folder: Path = flag(is_argument=True, metavar="DIR", help="The folder that learn start made.")
) -> int:
    """Check on every save, until q: h shows the next hint, n and p go to other exercises; right moves on."""
    from pellucid.cli.keys import keys
    from pellucid.learn.watch import Watch

    watch = Watch(folder)
    told = watch.begin()
    with keys() as pressed:
        while True:
            print_blocks(block or Line("") for block in told)
            if (key := pressed()) == "q":
                break
            told = itertools.chain(watch.press(key) if key else (), watch.look())
    return 0


@command("learn train", order=145.4, short_help="Your own functions train the published network.")
def learn_train(
    *,
    folder: Path = flag(is_argument=True, metavar="DIR", help="The folder with your functions, all right."),
    data: str = flag("", help="Photos; default: the published ones where they are, else drawn-cats."),
    n_iterations: int = flag(2500, at_least=1, help="Of the training; a minute or two for 2,500."),
) -> Answer:
    """Your own functions, from load_and_flatten on, train the published network; costs next to the textbook's."""
    from pellucid.learn.own_network import train_own

    chosen = data or ("catvnoncat" if os.environ.get("PELLUCID_DATA_DIR") else "drawn-cats")
    rows = []
    for iteration, mine, ours in train_own(folder, chosen, n_iterations, progress=None):
        rows.append({"iteration": iteration, "cost": mine, "expected": ours})
        if not o.is_quiet():
            print_blocks([Line(f"Cost after iteration {iteration}: {mine!r} (textbook: {ours!r})")])
    far = max((abs(row["cost"] - row["expected"]) for row in rows), default=0.0)
    is_same = bool(rows) and far < 1e-9
    last = f"{len(rows)} costs, the textbook's within {far:.1g}." if rows else "No cost was kept."
    if is_same:
        last = f"{len(rows)} costs, all as the textbook has them (within {far:.1g}). You have built it."
    return Answer(
        {"data": chosen, "costs": rows, "is_same": is_same}, [last], [last], code=0 if is_same else 1
    )


@command("learn bugs", order=145.5, short_help="Ten trainings, each with one fault: which is it?")
def learn_bugs(
    *,
    number: int | None = flag(None, is_argument=True, metavar="NUMBER", help="Of a training, 1 to 10."),
    answer: str = flag("", metavar="NAME", help="Which fault it is; the coach confirms and explains."),
    out: Path | None = o.out("The replay of its first step, a page."),
    overwrite: bool = o.OVERWRITE_FILE.needing("out"),
) -> Answer:
    """Ten trainings of the textbook's network, each with one fault: find it by costs, gradients and replay."""
    from pellucid.errors import OptionError
    from pellucid.learn import bugs

    if number is None:
        if option := "--answer" * bool(answer) or "--out" * bool(out):
            raise OptionError(f"learn bugs: {option} is for one training. Name its number, too.")
        first = (
            f"Trainings 1 to {len(bugs.BUGS)}; to see the first: `pellucid learn bugs 1`. Each has one of:"
        )
        return Answer(bugs.names(), [first, *map(Line, bugs.names())], [*map(Line, bugs.names())])
    if answer:
        is_right, words = bugs.answer(number, answer)
        return Answer({"is_right": is_right, "said": words}, [words], [words], code=0 if is_right else 1)
    found = bugs.train_bug(number)
    if not out:
        return Answer(found)
    title = f"Training {number}: its first step"
    bugs.trace_bug(number).save(out, title=title, overwrite=overwrite)
    return Answer(found, files=[out])
