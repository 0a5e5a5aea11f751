"""A run as the command that asks for it: spelled back, it means the same."""

from pathlib import Path
from typing import Any

import pytest

from pellucid.data.source import DataSource
from pellucid.runs.build import plan
from pellucid.runs.spelling import command_line


@pytest.mark.parametrize(
    ("model", "source", "options", "words"),
    [
        ("mlp", {}, {}, ""),
        ("cnn", {}, {"augment": "none"}, "--augment none"),
        ("cnn", {}, {"n_epochs": 5, "precise_bn": True}, "--epochs 5"),
        ("cnn", {}, {"precise_bn": False}, "--no-precise-bn"),
        ("mlp", {}, {"precise_bn": False}, ""),
        ("cnn", {}, {"label_smoothing": 0.0}, "--label-smoothing 0"),
        ("cnn", {}, {"label_smoothing": 0.1}, ""),
        ("mlp", {}, {"optimizer": "adam"}, "--optimizer adam"),
        (
            "mlp",
            {},
            {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}},
            "--optimizer-options momentum=0.9",
        ),
        ("mlp", {"seed": 3, "test_fraction": 0.5}, {"seed": 3}, "--test-fraction 0.5 --seed 3"),
        ("mlp", {"skip_bad": True, "image_size": (8, 9)}, {}, "--skip-bad --image-size 8x9"),
    ],
)
def test_only_what_was_chosen_is_spelled(
    model: str, source: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    config, *_ = plan(model, DataSource("my pets", **source), **options)
    line = command_line("train", config)
    own = f"{words} " if source else ""
    behind = f" {words}" if words and not source else ""
    assert line == f"pellucid train 'my pets' {own}--model {model}{behind}"


def test_a_networks_file_brings_its_own_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.toml").write_text('[[layers]]\ntype = "Dense"\nunits = 1\n[training]\nepochs = 7\n')
    config, *_ = plan("net.toml", DataSource("t.csv", target="y"), weight_decay=0.5)
    line = command_line("train", config)
    assert line == "pellucid train t.csv --target y --model net.toml --weight-decay 0.5"
    Path("net.toml").unlink()
    assert command_line("train", config, n_epochs=9).endswith("--model net.toml --epochs 9")


def test_a_search_for_a_rate_takes_no_options_that_it_has_no_use_for() -> None:
    config, *_ = plan("mlp", DataSource("pets"), learning_rate=3.0, n_epochs=9, validation=0.2)
    assert command_line("find-lr", config) == "pellucid find-lr pets --model mlp --epochs 9"
    changed = command_line("train", config, learning_rate=0.01)
    assert changed == "pellucid train pets --model mlp --epochs 9 --learning-rate 0.01 --validation 0.2"
