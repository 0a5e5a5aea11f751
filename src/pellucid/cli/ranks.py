"""The command in several processes that ``mpiexec`` started: which commands share one training, and who speaks."""

import io
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout

from pellucid.cli.terminal import say
from pellucid.errors import OptionError, PellucidError
from pellucid.launched import launched

COMMANDS = ("train", "run")


def run_in_ranks(run: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run a command as one of several ranks, of which the first prints; return its exit code.

    A rank that fails alone writes its line, and ends all.
    """
    from pellucid.ranks import MEET_SECONDS, Done, abort, meet, together, world

    rank, n = launched()
    name = next((word for word in arguments if not word.startswith("-")), "pellucid")
    try:
        if name not in COMMANDS:
            raise OptionError(
                f"{name}: mpiexec started {n} processes, which only train and run share. Start it alone."
            )
        world()
    except PellucidError as error:
        if rank == 0:
            say(f"pellucid: {error}", err=True)
        return 2
    words = io.StringIO()
    with ExitStack() as stack:
        if rank > 0:
            stack.enter_context(redirect_stdout(io.StringIO()))
            stack.enter_context(redirect_stderr(words))
        try:
            with together():
                code = run(arguments)
        except Done:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first rank goes on, and hears it
            code = 0
    if code and not meet(MEET_SECONDS):
        last = words.getvalue().splitlines()[-1:]
        abort(f"{last[0]} (rank {rank})" if last else "", code)
    return code
