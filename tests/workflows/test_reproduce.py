"""`pellucid reproduce`: every published number, by both forms."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command

from pellucid.textbook import published as published_run
from pellucid.textbook.published import PUBLISHED_COSTS, published_costs
from pellucid.workflows.reproduce import Reproduction, reproduce


@pytest.fixture(scope="module")
def ours(published_dir: Path) -> Reproduction:
    return reproduce(published_dir)


def test_our_copy_of_the_numbers_is_the_published_one(published: dict[str, Any]) -> None:
    assert {str(i): cost for i, cost in published_costs().items()} == published["costs"]
    assert published["train_accuracy"] == published_run.PUBLISHED_TRAIN_ACCURACY
    assert published["test_accuracy"] == published_run.PUBLISHED_TEST_ACCURACY
    assert published["new_photo"]["file"] == published_run.NEW_PHOTO
    assert published["new_photo"]["predicted"] == published_run.PUBLISHED_PREDICTION


@pytest.mark.slow
@pytest.mark.parametrize("form", ["costs", "direct_costs"])
def test_all_26_costs_within_1e_10(ours: Reproduction, published: dict[str, Any], form: str) -> None:
    costs = getattr(ours, form)
    assert len(costs) == len(PUBLISHED_COSTS) == 26
    for i, cost in published["costs"].items():
        assert costs[int(i)] == pytest.approx(cost, rel=1e-10)


@pytest.mark.slow
def test_accuracies_and_the_new_photo(ours: Reproduction) -> None:
    assert ours.train_accuracy == pytest.approx(0.9856459330143539, rel=1e-14)
    assert ours.test_accuracy == 0.8
    assert ours.new_photo == "cat"
    assert ours.matches


@pytest.mark.slow
def test_the_command_speaks_json_and_exits_1_when_numbers_differ(
    pellucid: Command, ours: Reproduction, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def remembered(data_dir: Path | None, *, tolerance: float, **_: object) -> Reproduction:
        asked["tolerance"] = tolerance
        return dataclasses.replace(ours, tolerance=tolerance)

    monkeypatch.setattr("pellucid.workflows.reproduce.reproduce", remembered)
    done = pellucid("reproduce", "--json")
    assert done.code == 0
    assert asked == {"tolerance": 1e-8}
    numbers = json.loads(done.out)
    assert {
        "costs",
        "train_accuracy",
        "test_accuracy",
        "new_photo",
        "dual_seconds",
        "direct_seconds",
        "matches",
    } <= set(numbers)
    assert numbers["costs"]["2499"] == ours.costs[2499]
    assert numbers["matches"] is True
    strict = pellucid("reproduce", "--tolerance", "1e-18")
    assert strict.code == 1
    assert "DIFFER" in strict.out
    text = pellucid("reproduce").out
    assert "cost at 2499" in text
    assert "The numbers match." in text
    assert ours.blas in text


@pytest.mark.slow
def test_a_wrong_number_or_verdict_does_not_match(ours: Reproduction) -> None:
    assert not dataclasses.replace(ours, largest_difference=1e-7).matches
    assert not dataclasses.replace(ours, new_photo="non-cat").matches
    assert dataclasses.replace(ours, new_photo=None).matches


def test_without_the_photos_it_says_so(
    pellucid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = pellucid("reproduce", "--mirror", "http://127.0.0.1:9/")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
