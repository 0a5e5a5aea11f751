"""The edge: help, what is common to all commands, and how little of it is imported."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands import Command, assert_refused
from tests.every import every

import pellucid as pl
from pellucid import progress
from pellucid.cli.command import DECLARED, build

COMMANDS = sorted(name for name, each in DECLARED.items() if each.function)
SHOWS_ONLY = {"predict", "reproduce", "data list", "data info", "data fetch"}
SHOWS_ONLY |= {"model list", "model show", "model check", "runs"}
SHOWS_ONLY |= {"learn start", "learn check", "learn watch", "learn train", "learn bugs"}  # DIR is an argument


def test_help_version_and_no_arguments(pellucid: Command) -> None:
    for line in ("", "-h", "--help"):
        done = pellucid.ok(line)
        assert done.err == ""
        for name in ("run", "reproduce", "predict", "find-lr", "data", "model"):
            assert name in done.out
    first, kernels, *_, blas = pellucid("--version").out.splitlines()
    assert first == f"pellucid {pl.__version__}"
    assert kernels.startswith("kernels: num")
    assert blas.startswith("BLAS: ")


@every("name", sorted(DECLARED))
def test_every_command_has_help_that_fits_a_terminal(pellucid: Command, name: str) -> None:
    assert pellucid.ok(name, "-h").err == ""
    assert DECLARED[name].short_help in pellucid(*name.split()[:-1], "-h").out


@every("name", COMMANDS)
def test_every_command_takes_the_common_options(name: str) -> None:
    made = build(DECLARED[name])
    expected = {"--json", "--quiet"} | (set() if name in SHOWS_ONLY else {"-o", "--out", "--overwrite"})
    if name == "serve":  # which writes nothing but its log, in JSON
        expected = {"--quiet"}
    if name == "learn watch":  # which talks until a key ends it
        expected = set()
    assert expected <= {flag for parameter in made.params for flag in parameter.opts}
    for parameter in made.params:
        if parameter.param_type_name == "argument":
            assert parameter.metavar == parameter.metavar.upper()


def test_many_flags_stand_under_headings(pellucid: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = pellucid("run -h").out.splitlines()
    assert max(map(len, lines)) <= 80
    heading_of, heading = {}, ""
    for line in lines:
        heading = line if line.endswith(":") and line[:1].isalpha() else heading
        heading_of |= {word: heading for word in line.split()[:2] if word.startswith("--")}
    for flag, words in (
        ("--image-size", "Data:"),
        ("--model", "Network:"),
        ("--epochs", "Training:"),
        ("--learning-rate", "Optimizer:"),
        ("--resume", "Checkpoints:"),
        ("--threads", "Computation:"),
        ("--out", "Output:"),
        ("--photo", "Options:"),
    ):
        assert heading_of[flag] == words
    assert "Output:" not in pellucid("model check -h").out
    assert lines[0] == "Usage: pellucid run [OPTIONS] [DATA]"
    assert pellucid("predict -h").out.startswith("Usage: pellucid predict [OPTIONS] MODEL IMAGE...\n")


def test_run_and_train_have_the_same_flags() -> None:
    run, train = (
        {flag for each in build(DECLARED[name]).params for flag in each.opts} for name in ("run", "train")
    )
    assert run ^ train == {"--photo"}


def test_a_shell_completes_commands_and_choices() -> None:
    for line, words in (("pellucid tra", "plain,train"), ("pellucid run --kernels nump", "plain,numpy")):
        asked = {
            "_PELLUCID_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        }
        command = [sys.executable, "-m", "pellucid"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | asked)
        assert (done.returncode, done.stdout.split(), done.stderr) == (0, [words], "")


def test_lists(pellucid: Command) -> None:
    for command, line in (("data", "drawn-cats"), ("model", "two-layer")):
        assert line in pellucid(command, "list").out
        lines = pellucid(command, "list", "--quiet").out.splitlines()
        assert line in lines
        assert all(" " not in each for each in lines)
        assert set(pellucid.json(command, "list")) == {*lines}


def test_quiet_prints_nothing_else(pellucid: Command, photos: Path) -> None:
    done = pellucid.ok("data check photos.npz --quiet")
    assert "Baseline (always" in done.out
    assert "--json" not in done.out + done.err
    assert pellucid("model check two-layer --input-shape 2x2x3 --quiet").out.count("\n") == 1
    assert "Note:" not in pellucid.ok("data info photos.npz --quiet").out


def test_quiet_and_json_show_no_bar(pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress.ProgressBar, "__call__", lambda bar, *_: seen.add(bar.is_shown))
    for option, is_shown in (("--json", False), ("--quiet", False), ("--strict", True)):
        pellucid("data check photos.npz", option)
        assert seen == {is_shown}
        seen.clear()


def test_files_of_commands_import_nothing_large() -> None:
    light = {"click", "pellucid", *sys.stdlib_module_names}
    ours = ("cli", "errors", "registry", "text", "progress", "files", "launched")
    for path in Path(pl.__file__).parent.joinpath("cli").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for parts in (name.split(".") for name in names):
                assert parts[0] in light, path
                assert parts[0] != "pellucid" or parts[1] in ours, path


def test_the_module_runs_as_a_command() -> None:
    for module, name, code in (("pellucid", "list", 0), ("pellucid.cli.main", "lits", 2)):
        command = [sys.executable, "-m", module, "data", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "drawn-cats" in done.stdout) == (code, not code)


def test_the_page_of_the_command_is_current() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, root / "scripts" / "cli_page"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == (root / "docs" / "cli.md").read_text(), "write it again: scripts/check --fix"


def test_debug_shows_the_traceback(pellucid: Command) -> None:
    with pytest.raises(pl.PellucidError):
        pellucid("--debug data info missing.h5")


def test_fetch_offline(pellucid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for command in ("data fetch", "reproduce"):
        done = pellucid(command, "--mirror", "http://127.0.0.1:9/nothing")
        assert_refused(done, "drawn-cats")
        assert done.err.count("\n") == 1
