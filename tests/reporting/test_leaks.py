"""What a report says of copies: a copy with another target gave no answer away."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.commands import Command

from pellucid.data.copies.duplicates import Leak
from pellucid.reporting.sections.summary import leaks
from pellucid.runs.run import read_run


def test_the_answer_was_seen_only_where_the_target_is_the_same(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 3)).round(3)
    y = X[:, 0]
    again = y + (np.arange(40) >= 20)  # of the later half, the copies have other targets
    rows = np.column_stack([np.tile(X, (2, 1)), np.concatenate([y, again])])
    np.savetxt("d.csv", rows, delimiter=",", header="a,b,c,y", comments="", fmt="%.3f")
    assert pellucid("run", "d.csv", "--target", "y", "--epochs", 3, "--out", "out", "--quiet").code == 0
    run = read_run(Path("out"))
    train, test = run.split.train.y, run.split.test.y
    twins = {train[leak.train] == test[leak.test]: leak for leak in run.leaks}

    def with_copies(*found: Leak) -> str:
        return leaks(replace(run, known_leaks=found))

    assert with_copies(twins[True]).endswith(" (same target in 1 of 1).")
    assert with_copies(twins[False]).endswith(" (same target in 0 of 1).")
    assert with_copies(*twins.values()).endswith(" (same target in 1 of 2).")
    assert with_copies() == "No test row is in the training part."


def test_the_words_say_how_a_copy_was_changed(trained: Path) -> None:
    run = read_run(trained)
    kinds = {"exact": "is training photo 2", "near": "is nearly training photo 2"}
    for kind in ("exact", "near", "mirrored", "mirrored and cropped"):
        words = leaks(replace(run, known_leaks=[Leak(0, 2, kind)]))
        assert kinds.get(kind, f"is a {kind} copy of training photo 2") in words
