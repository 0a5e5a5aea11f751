"""Whether a loss is more than chance: each change has its own corrected p-value, and few photos cannot tell."""

import json

import numpy as np
import pytest

from pellucid.evaluation.robustness.curves import PerturbationCurve, Robustness, StrengthRow, judge
from pellucid.evaluation.robustness.perturbations import PERTURBATIONS
from pellucid.evaluation.robustness.plot_robustness import robustness_curves
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import mcnemar


def p_of(lost: int, gained: int) -> float:
    """McNemar's exact p-value."""
    before = np.array([True] * lost + [False] * gained + [True])
    return mcnemar(before, np.array([False] * lost + [True] * gained + [True])).p_value


def measured(n: int, n_correct: int, **changes: tuple[int, int]) -> Robustness:
    """A measurement where each change loses and gains so many photos at its moderate strength."""
    curves = []
    for name, (lost, gained) in changes.items():
        p = PERTURBATIONS[name]
        rows = [StrengthRow(0.0, "0", n_correct, n, n_correct / n, *wilson_interval(n_correct, n), 0, 0, 1.0)]
        now = n_correct - lost + gained
        interval = wilson_interval(now, n)
        label = p.label(p.moderate)
        rows.append(
            StrengthRow(p.moderate, label, now, n, now / n, *interval, lost, gained, p_of(lost, gained))
        )
        curves.append(PerturbationCurve(p, tuple(rows), n // 2))
    return Robustness(n, n_correct, 0.5, "cat", tuple(curves), {}, 1)


def test_two_tied_changes_have_each_a_p_value_of_its_own() -> None:
    """Both cost 10 of 52 photos: blur gains none, so that it is told from chance; rotation gains three."""
    found = measured(52, 45, blur=(10, 0), rotation=(13, 3), noise=(1, 1))
    p = [found.cost_tests[name].p_value for name in ("blur", "rotation", "noise")]
    assert p == pytest.approx([3 * p_of(10, 0), 2 * p_of(13, 3), 1.0])
    assert [found.cost_tests[name].outcome for name in ("blur", "rotation")] == ["more than chance"] * 2


def test_few_photos_cannot_tell_and_many_can() -> None:
    few, many = measured(52, 45, blur=(5, 1)), measured(1000, 900, blur=(5, 1))
    assert few.cost_tests["blur"].outcome == "cannot be told"
    assert many.cost_tests["blur"].outcome == "not shown"
    assert (
        "Cannot be told (–): with 52 photos, 10 points lost and none gained are not significant."
        in few.notes[0]
    )
    assert "Cannot be told" not in many.notes[0]


def test_text_table_figure_and_json_agree() -> None:
    found = measured(52, 45, blur=(10, 0), rotation=(5, 1), noise=(1, 1))
    rows = {
        cells[0]: dict(zip(found.columns, cells, strict=True)) for cells in map(found.cells, found.to_rows())
    }
    assert [rows[name]["beyond chance"] for name in ("Blur 1 px", "Rotation 20°", "Noise 5 %")] == [
        "yes",
        "–",
        "no loss",
    ]
    assert rows["Blur 1 px"]["p"] == "0.006"
    drawn = [text.get_text() for axes in robustness_curves(found).axes for text in axes.texts]
    for line in ("1 px: 10 fewer, p = 0.006", "20°: 4 fewer, cannot be told", "5 %: none fewer"):
        assert line in drawn
    read = {one["name"]: one for one in json.loads(json.dumps(found.to_dict()))["perturbations"]}
    assert read["rotation"]["moderate_outcome"] == "cannot be told"
    assert read["blur"]["moderate_p_value_holm"] == pytest.approx(3 * p_of(10, 0))
    assert found.headline == "Blur 1 px costs most: 10 of 52 photos (p = 0.006)."


def test_a_headline_names_what_is_significant_where_a_larger_loss_is_not() -> None:
    behind = measured(300, 260, rotation=(60, 43), blur=(14, 0))
    assert behind.cost_tests["rotation"].outcome == "not shown"
    assert behind.headline.startswith("Of the changes beyond chance, Blur 1 px costs most: 14 of 300")
    assert behind.cells(behind.to_rows()[2])[-2] == "not shown"


def test_a_loss_of_ten_points_can_be_told_from_so_many_photos_on() -> None:
    """Of five changes, eight photos lost and none gained are the fewest that the test tells from chance."""
    assert 5 * p_of(8, 0) < 0.05 <= 5 * p_of(7, 0)
    for n, outcome in ((79, "cannot be told"), (80, "not shown")):
        assert {found.outcome for found in judge([1] * 5, [1.0] * 5, n)} == {outcome}


def test_what_is_told_already_leaves_fewer_to_correct_for() -> None:
    raw = [p_of(12, 0), p_of(6, 0)]
    first, second = judge([12, 6], raw, 100)
    assert (first.outcome, second.outcome) == ("more than chance", "more than chance")
    assert second.p_value == pytest.approx(raw[1])
