"""What an install must do: every module imports, and the commands that a newcomer starts with run once, small.

``scripts/check_install`` runs it with the lowest versions of all dependencies, too.
"""

import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pellucid
from tests.commands import Command
from tests.every import every

NEEDED = {"kernels": "numba", "server": "fastapi", "distributed": "distributed"}
MODULES = sorted(module.name for module in pkgutil.walk_packages(pellucid.__path__, "pellucid."))


@every("name", [name for name in MODULES if name != "pellucid.__main__"])
def test_every_module_imports(name: str) -> None:
    room = name.split(".")[1]
    if "uncompiled" in name or room not in NEEDED or importlib.util.find_spec(NEEDED[room]):
        importlib.import_module(name)


def test_run_evaluate_report_train_look(pellucid: Command, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for arguments in (
        ("run", "--model", "mlp-small", "--epochs", 2, "--out", folder),
        ("evaluate", folder / "model.safetensors", "drawn-cats"),
        ("report", folder),
        ("train", "drawn-cats", "--model", "logistic", "--epochs", 2, "--out", tmp_path / "trained"),
        ("data", "info", "drawn-cats"),
        ("model", "show", "cnn"),
    ):
        pellucid.ok(*arguments)
