"""What wrong use of a command gets: the problem, what was probably meant, and where to read on."""

import difflib
import shlex
from typing import Any

COMMANDS = {  # what others call it
    **dict.fromkeys(("fit", "learn", "start"), "train"),
    **dict.fromkeys(("test", "score", "metrics", "validate", "eval"), "evaluate"),
    **dict.fromkeys(("classify", "infer", "inference"), "predict"),
    **dict.fromkeys(("lr", "lr-find", "find-lr", "tune"), "find-rate"),
    **dict.fromkeys(("summary", "models", "presets"), "model"),
    **dict.fromkeys(("dataset", "datasets", "download"), "data"),
    **dict.fromkeys(("plot", "show"), "report"),
}
MOVED = {"bench": "In a clone of the repository: python -m benchmarks.published"}
OPTIONS = {
    **dict.fromkeys(("--lr", "--rate", "--eta"), "--learning-rate"),
    **dict.fromkeys(("--batch", "--bs"), "--batch-size"),
    **dict.fromkeys(("--wd", "--l2"), "--weight-decay"),
    **dict.fromkeys(("--output", "--save", "--folder"), "--out"),
    **dict.fromkeys(("--network", "--arch", "--architecture", "--net"), "--model"),
    **dict.fromkeys(("--early-stopping", "--early-stop"), "--patience"),
    **dict.fromkeys(("--jobs", "--workers", "--cores", "--cpus"), "--threads"),
    **dict.fromkeys(("--val", "--validation-split", "--val-split"), "--validation"),
    **dict.fromkeys(("--size", "--resize", "--img-size"), "--image-size"),
    **dict.fromkeys(("--label", "--column", "--y"), "--target"),
    **dict.fromkeys(("--random-state", "--random-seed"), "--seed"),
    **dict.fromkeys(("--overwrite", "--yes"), "--force"),
    **dict.fromkeys(("--silent", "-q"), "--quiet"),
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
    "MODEL": "runs/drawn-cats-cnn-1",
    "RUN": "runs/drawn-cats-cnn-1",
    "IMAGE": "photo.jpg",
    "A": "cnn",
    "B": "mlp",
    "--space": "space.toml",
    "--to": "html",
}
CLOSE = 0.6  # likeness of a name from which it is suggested


def usage_message(error: Any) -> str:
    """Return what to print for one of typer's usage errors."""
    command = getattr(getattr(error, "ctx", None), "command_path", None) or "pellucid"
    problem = error.format_message()
    kind = type(error).__name__
    if kind == "NoSuchOption":
        problem = f"No such option: {error.option_name}.{_option_meant(error)}"
    elif kind == "MissingParameter":
        problem = f"{problem.rstrip('.')}. Try {_example(error.ctx)}."
    elif problem.startswith("No such command"):
        problem = _with_command(problem, error.ctx)
    return f"{problem}{'' if problem.endswith(('.', '?')) else '.'} See {command} --help."


def _option_meant(error: Any) -> str:
    """Return which option was probably meant, or what there is in its place."""
    name = error.option_name
    if name in HINTS:
        return f" {HINTS[name]}"
    if name in CLUSTER and (command := error.ctx.command.name) in ("train", "run"):
        return f" One training on several processes or machines: mpiexec -n 2 pellucid {command} ..."
    known = [each for param in error.ctx.command.params for each in param.opts if each.startswith("--")]
    name = name.replace("_", "-")
    meant = OPTIONS.get(name, name)
    if meant in known:
        return f" Did you mean {meant}?"
    if meant == "--learning-rate" and "--lowest" in known:
        return " This command finds a learning rate; --lowest and --highest bound it."
    near = [each for each in known if each.startswith(name)] or difflib.get_close_matches(
        name, known, n=1, cutoff=CLOSE
    )
    return f" Did you mean {near[0]}?" if near else ""


def _example(ctx: Any) -> str:
    """Return a use of the command with everything that it needs."""
    words = []
    for param in ctx.command.params:
        is_argument, name = param.param_type_name == "argument", param.metavar or param.name.upper()
        if is_argument and (param.required or name == "B"):
            words.append(EXAMPLES.get(name, name))
        elif not is_argument and (param.required or (name == "DATA" and words[:1] == [EXAMPLES["A"]])):
            words += [param.opts[0], EXAMPLES.get(param.opts[0]) or EXAMPLES.get(name, name)]
    return shlex.join([*ctx.command_path.split(), *words])


def _with_command(problem: str, ctx: Any) -> str:
    """Return the problem with the command that was probably meant, where typer did not find it."""
    asked = problem.split("'")[1] if "'" in problem else ""
    if asked in MOVED:
        return f"No such command '{asked}'. {MOVED[asked]}."
    meant = COMMANDS.get(asked.lower())
    if "Did you mean" in problem and meant is None:
        return problem
    if meant is not None and meant in ctx.command.commands:
        return f"No such command '{asked}'. Did you mean '{meant}'?"
    return problem
