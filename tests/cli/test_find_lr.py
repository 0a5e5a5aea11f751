"""``pellucid find-lr``: a suggestion, a picture, and clear lines for what cannot be."""

from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command


def test_a_rate_is_found_and_drawn(pellucid: Command) -> None:
    line = "find-lr digits --model logistic --batch-size 64 --epochs 4 -o rates.png"
    Path("rates.png").write_text("old")
    found = pellucid.json(line, "--overwrite")
    assert 1e-3 < found["suggestion"] <= 1
    assert [len(rates) for rates in found["rounds"]][:1] == [9]
    assert len(found["rounds"]) == 3
    assert found["constant_loss"] == pytest.approx(2.3025, abs=1e-3)
    assert Path("rates.png").read_bytes().startswith(b"\x89PNG")
    rate = f"{found['suggestion']:.2g}"
    told = f"pellucid train digits --model logistic --epochs 4 --batch-size 64 --learning-rate {rate}"
    assert told in pellucid.ok(line, "--overwrite").out


def test_says_where_nothing_is_learned(pellucid: Command) -> None:
    np.savez("grey.npz", X=np.full((40, 6, 6, 3), 128, np.uint8), y=np.arange(40) % 2)
    out = pellucid.ok("find-lr grey.npz --model mlp --epochs 20").out
    assert "Nothing was learned at any rate from 0.0001 to 1" in out
    assert "pellucid find-lr grey.npz --model mlp --epochs 40" in out
