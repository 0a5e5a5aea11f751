"""`pellucid reproduce`: every published number, by both forms."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command

from pellucid.textbook import published as published_run
from pellucid.textbook.published import PUBLISHED_COSTS, published_costs
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
