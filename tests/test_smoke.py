"""The commands that a newcomer starts with run once, small."""

from pathlib import Path

from tests.commands import Command


def test_run_evaluate_report_train_look(pellucid: Command, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for arguments in (
        ("run", "--epochs", 20, "--out", folder),
        ("evaluate", folder / "model.safetensors", "drawn-cats"),
        ("report", folder),
        ("train", "drawn-cats", "--epochs", 2, "--out", tmp_path / "trained"),
        ("data", "info", "drawn-cats"),
        ("model", "show", "cnn"),
    ):
        done = pellucid(*arguments)
        assert done.code == 0, done.err
