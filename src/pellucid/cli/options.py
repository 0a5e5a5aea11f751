"""The options and arguments that several commands share, each declared once.

Those of a training and of data come from dataclasses: see :mod:`pellucid.cli.flags`.
"""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import click

from pellucid.cli.flags import flag

T = TypeVar("T")


def out(words: str, default: Path | None = None) -> Any:
    """Return what a command declares its --out by, which is a file or folder of its own kind."""
    return flag(default, short="-o", group="Output", help=words)


MIRROR = flag(None, help="Download from this address instead of the public home.")
MODEL_NAME = flag(
    "auto",
    group="Network",
    metavar="MODEL",
    choices="pellucid.nn.presets:PRESETS",
    is_open=True,
    help="A .toml file, auto (the preset that suits the data) or a preset:",
)
BODY = flag(
    None,
    group="Network",
    metavar="BODY",
    help="What the preset pretrained begins with: an .onnx file, a saved model or efficientnet-lite0, 1, 2.",
)
PIXELS = flag(
    None,
    group="Network",
    choices="pellucid.nn.pretrained.pixels:PIXELS",
    help="What the body of a file was trained on, where it does not say.",
)
UNFREEZE = flag(None, group="Network", help="Then go on training the body's last blocks, as many as this.")
OVERWRITE = flag(False, group="Output", help="Write into a folder that is not empty.", needs=("out",))
OVERWRITE_FILE = flag(False, group="Output", help="Replace a file that is there already.")
DATA_NOW = flag(None, flag="data", help="Where the data are now; default: where they were at the training.")
TRAINED = flag(is_argument=True, metavar="MODEL", help="A model file, or a run folder.")
CLUSTER = flag(
    None,
    group="Computation",
    metavar="ADDRESS",
    help="Run on the Dask cluster of this scheduler: tcp://HOST:8786.",
)
WORKERS = flag(None, at_least=1, group="Computation", help="Run on this many processes of this machine.")
JOBS = flag(None, at_least=1, group="Computation", help="Trainings side by side; default: one a core.")
SEED = flag(1, at_least=0, below=2**32, help="Random seed.")
INPUT_SHAPE = flag(None, at_least=1, help="One sample's shape, where it is free.")
ANY_MODEL = flag(
    is_argument=True, metavar="MODEL", help="A preset, a .toml file, a model file or a run folder."
)
POSITIVE = flag(
    None, help="Of two classes, the one that sensitivity is of; default: as at the training, else the rarer."
)
IMAGE = flag(is_argument=True, help="An image of any size and kind.")


def was_given(parameter: str) -> bool:
    """Return whether an option stands on the command line, rather than at its default."""
    return click.get_current_context().params.get(parameter) is not None


def is_quiet() -> bool:
    """Return whether only what was asked for is printed: --quiet, or --json."""
    return was_given("quiet") or was_given("as_json")


def call(use_case: Callable[..., T], flags: Mapping[str, Any], **others: Any) -> T:
    """Return what a use case returns for the flags that it takes, by their names, and others in their place."""
    taken = inspect.signature(use_case).parameters.values()
    names = {each.name for each in taken if each.kind is not each.VAR_KEYWORD}
    return use_case(**{name: value for name, value in flags.items() if name in names} | others)


def on_cluster(
    cluster: str | None, n_workers: int | None, n_jobs: int | None = None
) -> AbstractContextManager[None]:
    """Return the block in which trainings run on a cluster, where one is asked for: --cluster or --workers."""
    from pellucid.distributed.jobs import cluster as run_on
    from pellucid.errors import OptionError

    if n_jobs is not None and (cluster is not None or n_workers is not None):
        raise OptionError(
            "--jobs: it counts processes of this command, of which a cluster needs none. Leave it out."
        )
    return run_on(cluster, n_workers)


def say_nothing(*what: object) -> None:
    """Print nothing: what a quiet command says its lines with."""
