"""One vocabulary for Python and the command: the rules of CONTRIBUTING.md, held over all signatures and flags."""

import inspect
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid.cli.command import DECLARED, FlagCommand, build, find_commands
from pellucid.cli.main import main
from pellucid.data.source import DataSource
from pellucid.dispatch import KernelChoice
from pellucid.errors import CallError, UnknownAttributeError
from pellucid.registry import flags_of, options_of
from pellucid.training.options import TrainingOptions
from pellucid.workflows.explain import explain_row_of
from tests.every import every

FUNCTIONS = {name: one for name in pl.__all__ if inspect.isfunction(one := getattr(pl, name))}
PARAMETERS = {name: list(inspect.signature(one).parameters) for name, one in FUNCTIONS.items()}
IN_BETWEEN = {"explain_photo": "image"}  # (model, image, data)
BY_KEYWORD = {"compare"}  # compare(a, b, data=...)
PYTHON: dict[str, tuple[Any, ...]] = {  # which functions a command is
    "run": (pl.run,),
    "train": (pl.train, pl.run),
    "evaluate": (pl.evaluate,),
    "predict": (pl.predict,),
    "export": (pl.export_onnx, pl.export_script, pl.export_html),
    "import": (pl.import_onnx,),
    "explain": (pl.explain_photo, explain_row_of),
    "influence": (pl.influence,),
    "robustness": (pl.robustness,),
    "compare": (pl.compare,),
    "report": (pl.report,),
    "find-lr": (pl.find_learning_rate, pl.run),
    "sweep": (pl.sweep,),
    "data check": (pl.check_data, pl.find_label_errors),
    "data augment": (pl.train,),
}
OWN = {"json", "jsonl", "quiet", "out", "overwrite", "cluster", "workers", "kernels", "jobs"}  # of a process
OWN |= {"resume", "checkpoint-steps", "checkpoint-minutes", "skip-bad", "null"}  # of what is written or read
OWN |= {"to", "strict", "labels", "model", "data"}
REFUSED = {"force", "replace", "folds", "jobs", "workers", "threads", "verbose", "tests", "only", "epochs"}
OLD_FLAGS = {
    "train x --force": "--overwrite",
    "train x --from y": "--start",
    "robustness x --only hue": "--perturbations",
    "robustness x --photo 3": "--sample",
    "influence x --test 3": "--samples",
    "explain x y --class cat": "--target",
    "data check x --folds 3": "--cv",
    "find-lr x --lowest 1": "--min-lr",
    "find-lr x --highest 1": "--max-lr",
    "find-rate x": "find-lr",
}
OLD_NAMES = {"hooked": "hook", "watched": "record", "jobs_on": "cluster", "load_architecture": "load"}
OLD_ARGUMENTS = [
    ("export_onnx", "force", "overwrite"),
    ("export_onnx", "is_raw", "raw"),
    ("influence", "tests", "samples"),
    ("influence", "is_retrained", "retrain"),
    ("saliency", "has_sanity", "sanity_check"),
    ("find_learning_rate", "lowest", "min_lr"),
    ("find_learning_rate", "highest", "max_lr"),
    ("robustness", "only", "perturbations"),
    ("report", "is_full", "full"),
    ("run", "force", "overwrite"),
    ("sweep", "replace", "overwrite"),
    ("compare", "folds", "cv"),
    ("find_label_errors", "folds", "cv"),
]


@every("name", PARAMETERS)
def test_arguments_have_one_name_and_order(name: str) -> None:
    names = [one for one in PARAMETERS[name] if one != IN_BETWEEN.get(name)]
    if "model" in names:
        assert names[0] == "model"
    if "model" in names and "data" in names and name not in BY_KEYWORD:
        assert names[1] == "data"
    assert not REFUSED & set(names)
    assert not [one for one in names if one.startswith(("is_", "has_"))]
    if "out" in names:
        assert "overwrite" in names
    if "progress" in names:  # a bar
        assert inspect.signature(FUNCTIONS[name]).parameters["progress"].default is None


@every("name", PYTHON)
def test_a_flag_is_an_argument_without_its_n(name: str) -> None:
    find_commands()
    command = build(DECLARED[name])
    assert isinstance(command, FlagCommand)
    flags = {flag.spelling[2:] for flag in command.flags.values() if not flag.is_argument}
    known = {one for function in PYTHON[name] for one in inspect.signature(function).parameters}
    known |= {*options_of(DataSource), *flags_of(TrainingOptions), *options_of(KernelChoice)}
    spelled = {one.removeprefix("n_").replace("_", "-") for one in known}
    assert not flags - spelled - OWN


@every("line", OLD_FLAGS)
def test_an_old_flag_is_answered_with_the_new(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    assert f"Did you mean {OLD_FLAGS[line]}" in capsys.readouterr().err.replace("'", "")


def test_an_old_name_or_argument_is_answered_with_the_new() -> None:
    for name, new in OLD_NAMES.items():
        with pytest.raises(UnknownAttributeError, match=f"Did you mean '{new}'"):
            getattr(pl, name)
    for function, old, new in OLD_ARGUMENTS:
        with pytest.raises(CallError, match=f"unknown argument '{old}'. Did you mean '{new}'"):
            getattr(pl, function)(**{old: 1})


def test_the_changelog_has_every_renamed_name() -> None:
    text = (Path(__file__).parents[1] / "CHANGELOG.md").read_text("utf-8")
    flags = [(word, new) for line, new in OLD_FLAGS.items() for word in line.split() if word.startswith("--")]
    pairs = [*OLD_NAMES.items(), *((old, new) for _, old, new in OLD_ARGUMENTS), *flags]
    assert not [old for old, new in pairs if f"`{old}`" not in text or f"`{new}`" not in text]
