"""The command: argv -> use case -> text. Each command's edge is in a file of its own, and so is what it does."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from pellucid.cli.bench import bench
from pellucid.cli.compare import compare
from pellucid.cli.data import data_app
from pellucid.cli.evaluate import evaluate
from pellucid.cli.explain import explain
from pellucid.cli.find_rate import find_rate
from pellucid.cli.influence import influence
from pellucid.cli.model import model_app
from pellucid.cli.predict import predict
from pellucid.cli.report import report
from pellucid.cli.reproduce import reproduce
from pellucid.cli.robustness import robustness
from pellucid.cli.run import run
from pellucid.cli.train import train
from pellucid.errors import PellucidError

app = typer.Typer(
    name="pellucid",
    help="Neural networks from scratch on NumPy: train, look through, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS: dict[Callable[..., None], str] = {  # in the order of use; the words fit a terminal of 80 columns
    run: "Look, train, evaluate, report: the whole tutorial.",
    train: "Train with checkpoints; go on where it stopped.",
    evaluate: "What a model scores, and how sure that is.",
    predict: "What a model says of images or a table's rows.",
    explain: "Why it says so of one photo: where it looks.",
    influence: "Which training samples pushed a verdict.",
    robustness: "How it bears turned, darkened, covered photos.",
    compare: "Is B better than A, or was it luck?",
    report: "Write a run's report anew, short or in full.",
    reproduce: "The published numbers beside ours.",
    find_rate: "Find a learning rate.",
    bench: "Speed against others; accuracy over folds.",
}
for command, words in COMMANDS.items():
    app.command(command.__name__.replace("_", "-"), short_help=words)(command)
app.add_typer(data_app, name="data")
app.add_typer(model_app, name="model")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with every error.")] = False,
) -> None:
    if version:
        from pellucid import __version__

        print(f"pellucid {__version__}")
        raise typer.Exit


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 (a check fails), 2 (bad use or input), 130 (Ctrl-C)."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = app(args=arguments, standalone_mode=False, prog_name="pellucid")
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if "--debug" in arguments:
            raise
        return _explain(error)


def _explain(error: Exception) -> int:
    """Print an expected error in at most three lines; raise an unexpected one."""
    if isinstance(error, PellucidError):
        message = str(error)
    elif hasattr(error, "format_message"):  # typer's usage errors
        command = getattr(getattr(error, "ctx", None), "command_path", None) or "pellucid"
        message = f"{error.format_message().rstrip('.')}. See {command} --help."
    else:
        raise error
    lines = message.splitlines()
    print("pellucid: " + "\n".join(lines[:3]), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
