"""What is too large, too many or not to be trained by a command: at most three lines and exit 2."""

from pathlib import Path

import pytest
from tests.cli.test_main import assert_clear
from tests.commands import Command

TWO_OUTPUTS = """
[graph]
inputs = ["photo"]
outputs = ["a", "b"]
[[nodes]]
name = "pixels"
from = "photo"
type = "Flatten"
[[nodes]]
name = "a"
from = "pixels"
type = "Dense"
units = 2
[[nodes]]
name = "b"
from = "pixels"
type = "Dense"
units = 2
"""
LAYERS = '[[layers]]\ntype = "Flatten"\n[[layers]]\ntype = "Dense"\nunits = {}\n'
ENLARGED = (
    '[[layers]]\ntype = "UpSample2D"\nfactor = 100000\n[[layers]]\ntype = "GlobalAvgPool2D"\n'
    + LAYERS.format(2)
)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (TWO_OUTPUTS, "expected y as a dictionary of a, b"),
        (TWO_OUTPUTS.replace('from = "pixels"', "from = []"), "line 9: Graph: node 'a': expected a source"),
        (TWO_OUTPUTS.replace('type = "Dense"\nunits = 2', 'type = "add"').replace('from = "pixels"', "from = []"),
         "node 'a': expected a source, got none"),
        (TWO_OUTPUTS.replace('"a"', f'"{"n" * 300}"').replace('"b"]', '"c"]'), "unknown output 'c'"),
        (LAYERS.format(10**12), "do not fit in memory"),
        (ENLARGED + LAYERS.format(2), "Try a smaller batch, a smaller image size"),
    ],
    ids=["outputs", "sources", "merge", "name", "units", "factor"],
)  # fmt: skip
def test_networks_that_cannot_be_trained(
    pellucid: Command, photos: Path, tmp_path: Path, network: str, words: str
) -> None:
    (tmp_path / "net.toml").write_text(network)
    done = pellucid("train", photos, "--model", "net.toml", "--epochs", "1")
    assert_clear(done, words)
    assert len(done.err) < 700


def test_more_threads_than_any_machine_has(pellucid: Command, photos: Path) -> None:
    assert_clear(
        pellucid("train", photos, "--threads", "100000", "--epochs", "1"), "--threads", "of at most 256"
    )
