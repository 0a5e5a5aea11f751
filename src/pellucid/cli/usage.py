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
OPTIONS = {  # the first of these that the command has is meant
    **dict.fromkeys(("--lr", "--rate", "--eta"), ("--learning-rate",)),
    **dict.fromkeys(("--batch", "--bs"), ("--batch-size",)),
    **dict.fromkeys(("--wd", "--l2"), ("--weight-decay",)),
    **dict.fromkeys(("--output", "--save", "--folder"), ("--out",)),
    **dict.fromkeys(("--network", "--arch", "--architecture", "--net"), ("--model",)),
    **dict.fromkeys(("--early-stopping", "--early-stop"), ("--patience",)),
    **dict.fromkeys(("--jobs", "--workers", "--n-jobs"), ("--jobs", "--workers", "--threads")),
    **dict.fromkeys(("--cores", "--cpus"), ("--threads", "--jobs", "--workers")),
    **dict.fromkeys(("--val", "--validation-split", "--val-split"), ("--validation",)),
    **dict.fromkeys(("--size", "--resize", "--img-size"), ("--image-size",)),
    **dict.fromkeys(("--label", "--column", "--y"), ("--target",)),
    **dict.fromkeys(("--random-state", "--random-seed"), ("--seed",)),
    **dict.fromkeys(("--force", "--yes", "--replace"), ("--overwrite",)),
    **dict.fromkeys(("--silent", "-q"), ("--quiet",)),
    **dict.fromkeys(("--only", "--perturbation"), ("--perturbations",)),
    **dict.fromkeys(("--folds", "--k"), ("--cv",)),
    "--from": ("--start",),
    "--test": ("--samples",),
    "--class": ("--target",),
    "--photo": ("--sample",),
    "--lowest": ("--min-lr",),
    "--highest": ("--max-lr",),
}
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
    known, name = [flag.spelling for flag in _flags(command) if not flag.is_argument], name.replace("_", "-")
    wanted = OPTIONS.get(name, (name,))
    meant = [each for each in wanted if each in known]
    if not meant and "--learning-rate" in wanted and "--min-lr" in known:
        return " This command finds a learning rate; --min-lr and --max-lr bound it."
    meant = meant or [each for each in known if each.startswith(name)]
    meant = meant or difflib.get_close_matches(name, known, n=1, cutoff=CLOSE)
    return f" Did you mean {meant[0]}?" if meant else ""


def _example(path: str, command: Any) -> str:
    """Return a use of the command with everything that it needs."""
    needed = [flag for flag in _flags(command) if flag.is_required or flag.name == "b"]
    words = [EXAMPLES.get(flag.spelling, flag.value) for flag in needed if flag.is_argument]
    for flag in needed:
        words += [] if flag.is_argument else [flag.spelling, EXAMPLES.get(flag.spelling, flag.value)]
    return shlex.join([*path.split(), *words])
