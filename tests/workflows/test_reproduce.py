"""The published numbers next to ours, and what computes them."""

import dataclasses
import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command

from pellucid import dispatch
from pellucid.textbook import published as published_run
from pellucid.textbook.published import PUBLISHED_COSTS, published_costs
from pellucid.workflows import about as module
from pellucid.workflows.about import about
from pellucid.workflows.reproduce import reproduce


def test_our_copy_of_the_numbers_is_the_published_one(published: dict[str, Any]) -> None:
    assert {str(i): cost for i, cost in published_costs().items()} == published["costs"]
    assert published["train_accuracy"] == published_run.PUBLISHED_TRAIN_ACCURACY
    assert published["test_accuracy"] == published_run.PUBLISHED_TEST_ACCURACY
    assert published["new_photo"]["file"] == published_run.NEW_PHOTO
    assert published["new_photo"]["predicted"] == published_run.PUBLISHED_PREDICTION


@pytest.mark.slow
def test_every_number_by_both_forms(
    pellucid: Command, published_dir: Path, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = reproduce(published_dir)
    for costs in (ours.costs, ours.direct_costs):
        assert len(costs) == len(PUBLISHED_COSTS) == 26
        assert costs == pytest.approx({int(i): cost for i, cost in published["costs"].items()}, rel=1e-10)
    assert ours.train_accuracy == pytest.approx(0.9856459330143539, rel=1e-14)
    assert ours.test_accuracy == 0.8
    assert ours.new_photo == "cat"
    assert ours.matches
    assert not dataclasses.replace(ours, largest_relative_difference=1e-7).matches
    assert not dataclasses.replace(ours, new_photo="non-cat").matches
    assert dataclasses.replace(ours, new_photo=None).matches
    monkeypatch.setattr(
        "pellucid.workflows.reproduce.reproduce",
        lambda data_dir, *, tolerance, **_: dataclasses.replace(ours, tolerance=tolerance),
    )
    numbers = pellucid.json("reproduce")
    keys = "costs train_accuracy test_accuracy new_photo dual_seconds direct_seconds matches"
    assert set(keys.split()) <= set(numbers)
    assert (numbers["costs"]["2499"], numbers["matches"]) == (ours.costs[2499], True)
    assert numbers["tolerance"] == 1e-8
    strict = pellucid("reproduce --tolerance 1e-18")
    assert strict.code == 1
    assert "DIFFER" in strict.out
    text = pellucid("reproduce").out
    for said in ("cost at 2499", "The numbers match.", ours.blas):
        assert said in text


def test_it_says_what_runs_and_why_not_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(dispatch.VARIABLE, raising=False)
    monkeypatch.setattr(module, "version", lambda name: "0.68.1")
    assert about()[1].startswith("kernels: numba 0.68.1 from ")
    monkeypatch.setenv(dispatch.VARIABLE, "numba")
    assert about()[1] == "kernels: numba 0.68.1 (PELLUCID_KERNELS=numba)"
    monkeypatch.setenv(dispatch.VARIABLE, "numpy")
    assert about()[1] == "kernels: numpy (PELLUCID_KERNELS=numpy); numba 0.68.1 is installed"
    monkeypatch.setattr(module, "version", lambda name: "0.60.0")
    assert "numba 0.60.0 is too old" in about()[1]

    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", absent)
    assert "numba is not installed" in about()[1]


def test_the_folder_of_compiled_code_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "kernels_12ab"
    folder.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not [line for line in about() if line.startswith("compiled code")]
    (folder / "conv.f-1.py311.1.nbc").write_bytes(bytes(1_500_000))
    (line,) = (line for line in about() if line.startswith("compiled code"))
    assert line == f"compiled code: {folder} (1.5 MB). To clear it: rm {folder}/*.nb[ci]"


def test_numba_is_not_imported() -> None:
    program = (
        "import sys; from pellucid.workflows.about import about; about(); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
