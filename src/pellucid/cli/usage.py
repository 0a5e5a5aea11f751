"""What wrong use of a command gets: the problem, what was probably meant, and where to read on."""

import difflib
import shlex
from collections.abc import Sequence
from typing import Any

import click

COMMANDS = {  # what others call it
    **dict.fromkeys(("fit", "learn", "start"), "train"),
    **dict.fromkeys(("test", "score", "metrics", "validate", "eval"), "evaluate"),
    **dict.fromkeys(("classify", "infer", "inference"), "predict"),
    **dict.fromkeys(("lr", "lr-find", "find-rate", "tune"), "find-lr"),
    **dict.fromkeys(("summary", "models", "presets"), "model"),
    **dict.fromkeys(("dataset", "datasets", "download"), "data"),
    **dict.fromkeys(("plot", "show"), "report"),
}
MOVED = {"bench": "In a clone of the repository: python -m benchmarks.published"}
HINTS = {
    **dict.fromkeys(
        ("--gpu", "--device", "--cuda"),
        "All work is done by the processor; --threads says on how many cores.",
    ),
    **dict.fromkeys(("--verbose", "-v"), "Progress is shown in a terminal anyway; --quiet hides it."),
}
CLUSTER = ("--workers", "--cluster")  # of commands that do many trainings or predictions
EXAMPLES = {
    "DATA": "drawn-cats",
    "--data": "drawn-cats",
    "MODEL": "runs/drawn-cats-cnn-1",
    "RUN": "runs/drawn-cats-cnn-1",
    "IMAGE": "photo.jpg",
    "PHOTO": "photo.jpg",
    "FILE": "model.onnx",
    "A": "cnn",
    "B": "mlp",
    "--space": "space.toml",
    "--to": "html",
}
CLOSE = 0.7  # likeness of a name from which it is suggested


def usage_message(error: Any) -> str:
    """Return what to print for one of click's usage errors: command, problem, hint, and where to read on."""
    path = error.ctx.command_path if error.ctx else "pellucid"
    command: Any = error.ctx.command if error.ctx else None
    problem = error.format_message()
    if isinstance(error, click.NoSuchOption):
        problem = f"unknown option {error.option_name}.{_option_meant(error.option_name, command)}"
    elif isinstance(error, click.BadOptionUsage):
        flags = {name: each for each in _flags(command) for name in (each.short, each.spelling)}
        flag = flags.get(error.option_name)
        takes = "no value" if flag is None or flag.type is bool else f"a value: {flag.value}"
        problem = f"{error.option_name} takes {takes}."
    elif isinstance(error, click.MissingParameter):
        name = error.param.name if error.param else ""
        problem = f"{command.flags[name].spelling} is missing. Try {_example(path, command)}."
    where = path.removeprefix("pellucid").strip()
    return f"{f'{where}: ' if where else ''}{problem} See {path} --help."


def unknown_command(asked: str, known: Sequence[str]) -> str:
    """Return the problem of a command that does not exist, with the one that is probably meant."""
    if asked in MOVED:
        return f"unknown command {asked!r}. {MOVED[asked]}."
    meant = COMMANDS.get(asked.lower(), "")
    near = [meant] if meant in known else difflib.get_close_matches(asked, known, n=1)
    return f"unknown command {asked!r}.{f' Did you mean {near[0]!r}?' if near else ''}"


def _flags(command: Any) -> list[Any]:
    return list(getattr(command, "flags", {}).values())


def _option_meant(name: str, command: Any) -> str:
    """Return which option was probably meant, or what there is in its place."""
    if name in HINTS:
        return f" {HINTS[name]}"
    if name in CLUSTER and command.name in ("train", "run"):
        return f" One training on several processes or machines: mpiexec -n 2 pellucid {command.name} ..."
    if (command.name, name) == ("explain", "--positive"):
        return " The class to explain is --target."
    from pellucid.aliases import nearest

    flags = [flag for flag in _flags(command) if not flag.is_argument]
    known = {spelled: flag.spelling for flag in flags for spelled in (flag.spelling, flag.name)}
    meant = nearest(name, known, cutoff=CLOSE)
    if not meant and "--min-lr" in known and nearest(name, ["learning_rate"]):
        return " This command finds a learning rate; --min-lr and --max-lr bound it."
    return f" Did you mean {known[meant]}?" if meant else ""


def _example(path: str, command: Any) -> str:
    """Return a use of the command with everything that it needs."""
    needed = [flag for flag in _flags(command) if flag.is_required or flag.name == "b"]
    words = [EXAMPLES.get(flag.spelling, flag.value) for flag in needed if flag.is_argument]
    for flag in needed:
        words += [] if flag.is_argument else [flag.spelling, EXAMPLES.get(flag.spelling, flag.value)]
    return shlex.join([*path.split(), *words])
