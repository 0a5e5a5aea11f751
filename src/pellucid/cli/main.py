"""The command: argv -> use case -> text. Each command has its own file, and so does its workflow."""

import sys
from typing import Annotated

import typer

from pellucid.cli.command import PLAIN, CommandGroup, find_commands
from pellucid.errors import PellucidError

find_commands()
app = typer.Typer(
    cls=CommandGroup,
    name="pellucid",
    help="Neural networks from scratch on NumPy: train, look inside, compare.",
    no_args_is_help=True,
    **{**PLAIN, "add_completion": True},
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and what does the work.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with every error.")] = False,
) -> None:
    if version:
        from pellucid.workflows.about import about

        print("\n".join(about()))
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
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.ctx.get_help())  # type: ignore[attr-defined]
            return 0
        return _explain(error)


def _explain(error: Exception) -> int:
    """Print an expected error in at most three lines; raise an unexpected one."""
    if isinstance(error, PellucidError):
        message = str(error)
    elif hasattr(error, "format_message"):  # typer's usage errors
        command = getattr(getattr(error, "ctx", None), "command_path", None) or "pellucid"
        problem = error.format_message()
        message = f"{problem}{'' if problem.endswith(('.', '?')) else '.'} See {command} --help."
    else:
        raise error
    lines = [line for line in message.splitlines() if line.strip()]
    print("pellucid: " + "\n".join(lines[:3]), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
