"""Robustness as a whole: scores, chance, and what is said of them."""

import json

import numpy as np
import pytest
from tests.evaluation.robustness.models import SHAPE, brightness_model

import pellucid as pl
import pellucid.evaluation.robustness.try_perturbations as module
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.evaluation.robustness.curves import PerturbationCurve, Robustness, StrengthRow, judge
from pellucid.evaluation.robustness.perturbations import PERTURBATIONS, Perturbation
from pellucid.evaluation.robustness.plot_robustness import robustness_curves
from pellucid.evaluation.robustness.try_perturbations import change_photo, robustness
from pellucid.prediction.predict import predict
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import mcnemar


@pytest.fixture
def data(rng: np.random.Generator) -> pl.Dataset:
    """50 photos, 30 bright ones; three of the dark ones are bright, and so misread."""
    y = (np.arange(50) < 30).astype(int)
    level = np.where(y == 1, 180, 60)
    level[[31, 35, 49]] = 190
    noise = rng.integers(-20, 21, (50, *SHAPE))
    return pl.Dataset((level[:, None, None, None] + noise).astype(np.uint8), y, ("dark", "bright"))


def p_of(lost: int, gained: int) -> float:
    """McNemar's exact p-value."""
    before = np.array([True] * lost + [False] * gained + [True])
    return mcnemar(before, np.array([False] * lost + [True] * gained + [True])).p_value


def row(p: Perturbation, strength: float, n: int, before: int, lost: int = 0, gained: int = 0) -> StrengthRow:
    """A row where so many photos are lost and gained."""
    now = before - lost + gained
    interval = wilson_interval(now, n)
    return StrengthRow(
        strength, p.label(strength), now, n, now / n, *interval, lost, gained, p_of(lost, gained)
    )


def curve(name: str, counts: list[int], n: int = 50, n_baseline: int = 20) -> PerturbationCurve:
    """A curve with so many right at each strength."""
    p, before = PERTURBATIONS[name], counts[0]
    pairs = zip((0.0, *p.strengths), counts, strict=False)
    rows = (row(p, s, n, before, max(before - k, 0), max(k - before, 0)) for s, k in pairs)
    return PerturbationCurve(p, tuple(rows), n_baseline)


def result_of(
    *curves: PerturbationCurve, n_correct: int = 40, n: int = 50, baseline: float = 0.4
) -> Robustness:
    return Robustness(n, n_correct, baseline, "cat", curves, {}, 0)


def test_strength_0_is_the_clean_accuracy_exactly(data: pl.Dataset) -> None:
    model = brightness_model()
    clean = predict(model, data).confusion
    assert clean.n_correct == 47
    result = robustness(model, data)
    assert (result.n, result.n_correct, result.accuracy) == (50, clean.n_correct, clean.accuracy)
    assert (result.baseline, result.most_common) == (0.6, "bright")
    assert [c.perturbation.name for c in result.curves] == list(PERTURBATIONS)
    for c in result.curves:
        first = c.rows[0]
        assert (first.strength, first.n_correct, first.n, first.accuracy) == (0, 47, 50, clean.accuracy)
        assert (first.n_lost, first.n_gained) == (0, 0)
        assert c.n_baseline == 30


def test_each_row_is_what_the_model_says_of_the_changed_photos(
    data: pl.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each photo is changed as ``change_photo`` changes it at its row, in whatever piece it comes."""
    monkeypatch.setattr(module, "PIECE", 7)
    model, data = brightness_model(), data.take(np.arange(18))
    before, shown, predict = data.X.copy(), list[np.ndarray](), model.predict
    right = predict(data.X) == data.y

    def watched(X: np.ndarray) -> np.ndarray:
        shown.append(X)
        return predict(X)

    monkeypatch.setattr(model, "predict", watched)
    for c in robustness(model, data, seed=5).curves:
        assert [row.strength for row in c.rows] == [0, *c.perturbation.strengths]
        for row in c.rows:
            changed = np.stack(
                [change_photo(X, c.perturbation, row.strength, 5, row=i) for i, X in enumerate(data.X)]
            )
            if row.strength:
                np.testing.assert_array_equal(np.concatenate(shown[:3]), changed, c.perturbation.name)
                del shown[:3]
            now = predict(changed) == data.y
            lost, gained = (right & ~now).sum(), (~right & now).sum()
            interval, p = wilson_interval(int(now.sum()), 18), mcnemar(right, now).p_value
            label = c.perturbation.label(row.strength)
            of_now = (label, now.sum(), 18, now.mean(), *interval, lost, gained, p)
            assert row == StrengthRow(row.strength, *of_now)
    np.testing.assert_array_equal(data.X, before)


def test_darkness_makes_all_dark_and_the_strength_is_found(data: pl.Dataset) -> None:
    """At 65 % of the light all photos are dark: the 20 dark ones are right, fewer than one answer's 30."""
    asked = {"darker": [0.5, 0.1, 0.35]}
    (found,) = robustness(brightness_model(), data, perturbations=["darker"], strengths=asked).curves
    assert [row.strength for row in found.rows] == [0, 0.1, 0.35, 0.5]
    assert [row.n_correct for row in found.rows] == [47, 47, 20, 20]
    assert (found.rows[-1].n_lost, found.rows[-1].n_gained) == (30, 3)
    assert found.breaks_at == 0.35
    assert found.moderate.strength == 0.35  # the nearest to 0.3
    assert found.cost == 27


def test_the_same_seed_gives_the_same_result_and_rounds_are_told(data: pl.Dataset) -> None:
    told: list[tuple[int, int]] = []
    model = brightness_model(threshold=60 / 255)  # about where the dark photos are: noise decides
    names = ["rotation", "noise", "mirror"]
    first = robustness(
        model, pl.Dataset(data.X, data.y), perturbations=names, progress=lambda *step: told.append(step)
    )
    again = robustness(model, pl.Dataset(data.X, data.y), perturbations=names)
    assert first.to_dict() == again.to_dict()
    assert told == [(i, 13) for i in range(1, 14)]
    other = robustness(model, pl.Dataset(data.X, data.y), perturbations=names, seed=2)
    assert other.curves != first.curves


def test_grey_photos_leave_out_hue_and_say_so(data: pl.Dataset) -> None:
    for X in (data.X[..., :1], data.X[..., 0], data.X[..., :1].repeat(3, axis=3)):
        result = robustness(brightness_model(X.shape[1:]), pl.Dataset(X, data.y, data.classes))
        noun = "photo" if X.shape[3:] == (3,) else "picture"
        assert result.left_out == {"hue": f"the {noun}s are grey"}
        assert [c.perturbation.name for c in result.curves] == [n for n in PERTURBATIONS if n != "hue"]
        assert f"Left out: hue, since the {noun}s are grey." in result.notes
    with pytest.raises(OptionError, match="nothing is left to measure: hue needs colour"):
        robustness(brightness_model((8, 8)), pl.Dataset(data.X[..., 0], data.y), perturbations=["hue"])


def test_what_breaks_a_model() -> None:
    """A tenth of all photos lost, exactly, or fewer correct than the baseline where it was better before."""
    assert curve("rotation", [40, 36, 35, 30]).breaks_at == 10
    assert curve("rotation", [40, 36, 36, 36]).breaks_at is None
    assert curve("rotation", [7, 7, 6, 5], n=10).breaks_at == 10
    assert curve("rotation", [40, 38, 37, 36], n_baseline=37).breaks_at == 20
    assert curve("rotation", [40, 38, 37, 37], n_baseline=37).breaks_at is None
    assert curve("rotation", [30, 29, 31, 28], n_baseline=37).breaks_at is None
    assert curve("rotation", [40, 38, 37, 34], n_baseline=38).breaks_at == 10


def test_the_ranking_goes_by_the_loss_at_moderate_strength() -> None:
    turned = curve("rotation", [40, 40, 39, 33, 33, 33, 33])  # moderate: the third
    blurred = curve("blur", [40, 39, 36, 30, 20, 10, 5])  # moderate: the second
    spread = curve("noise", [40, 40, 41, 40, 40, 40, 40])
    result = result_of(spread, blurred, turned)
    assert [c.cost for c in result.ranking] == [7, 4, -1]
    rows = {row["change"]: row for row in result.to_rows()}
    assert list(rows) == ["none", "always 'cat'", "Rotation 20°", "Blur 1 px", "Noise 5 %"]
    assert result.headline == "Rotation 20° costs most: 7 of 50 photos (p = 0.047)."
    # 7 lost, none gained, three changes
    assert rows["Rotation 20°"]["p_value"] == pytest.approx(3 * 2 / 2**7)
    cells = {row["change"]: result.cells(row)[1:] for row in result.to_rows()}
    assert cells["none"] == ("40/50", "67 to 89 %", "", "", "")
    assert cells["always 'cat'"] == ("20/50", "", "", "", "")
    assert cells["Rotation 20°"][:1] + cells["Rotation 20°"][2:] == ("33/50", "0.047", "yes", "20°")
    assert cells["Noise 5 %"][-2:] == ("no loss", "never")
    assert "with Holm's correction for 3 changes" in result.notes[0]


def test_the_stand_in_for_the_background_is_noted() -> None:
    for name, is_told in (("background", True), ("blur", False)):
        notes = " ".join(result_of(curve(name, [40, 40, 40, 40])).notes)
        assert ("an ellipse about the photo's middle stands in" in notes) == is_told


def test_a_headline_without_a_significant_loss() -> None:
    for n, largest in ((36, 4), (41, 0)):
        found = result_of(curve("mirror", [40, n])).headline
        assert found == f"No change lowers accuracy significantly (50 photos; the largest loss is {largest})."


def test_the_dictionary_is_json_with_every_figure(data: pl.Dataset) -> None:
    result = robustness(brightness_model(), data, perturbations=["darker", "hue"])
    read = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert read["ranking"] == ["darker", "hue"]
    assert [p["name"] for p in read["perturbations"]] == ["darker", "hue"]
    assert read["perturbations"][0]["reason"] == "brightness and contrast"
    rows = read["perturbations"][0]["rows"]
    assert set(rows[0]) >= {"strength", "n_correct", "n", "accuracy", "low", "high"}
    assert read["perturbations"][1]["breaks_at"] is None
    assert read["interval"] == list(wilson_interval(47, 50))


def test_models_and_data_that_do_not_fit_are_told(data: pl.Dataset) -> None:
    """What ``predict`` refuses is tested with it."""
    model, quantities, table = brightness_model(), brightness_model(), pl.Sequential([pl.Dense(1)])
    quantities.set_loss("mean_squared_error")
    table.initialize((5,))
    rows = pl.Dataset(np.zeros((3, 5)), np.zeros(3, int))
    strange = pl.Dataset(data.X, data.y, ("dog", "bright"))
    for network, photos, options, error, expected in (
        (quantities, data, {}, OptionError, "a classifier, got a model trained on mean_squared_error"),
        (table, rows, {}, ShapeError, r"of photos, .* takes \(5,\)"),
        (model, strange, {}, DataError, "knows the classes dark, bright, the"),
        (model, pl.Dataset(data.X / 255, data.y), {}, DataError, "expected photos of bytes"),
        (model, data, {"perturbations": ["rotate"]}, OptionError, r"Did you mean 'rotation'\?"),
        (model, data, {"strengths": {"darker": [2]}}, OptionError, "darker: expected a strength from 0 to 1"),
    ):
        with pytest.raises(error, match=expected):
            robustness(network, photos, **options)  # type: ignore[arg-type]


def measured(n: int, n_correct: int, **changes: tuple[int, int]) -> Robustness:
    """A measurement where each change loses and gains so many photos at its moderate strength."""
    curves = []
    for p, change in ((PERTURBATIONS[name], change) for name, change in changes.items()):
        rows = row(p, 0.0, n, n_correct), row(p, p.moderate, n, n_correct, *change)
        curves.append(PerturbationCurve(p, rows, n // 2))
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
    assert "– means that it cannot be told: of 52 photos, even 10 % lost are not significant." in few.notes[0]
    assert "–" not in many.notes[0]


def test_text_table_figure_and_json_agree() -> None:
    found = measured(52, 45, blur=(10, 0), rotation=(5, 1), noise=(1, 1))
    # Correct, 95 %, p, beyond chance
    rows = {name: cells for name, *cells in map(found.cells, found.to_rows())}
    assert [rows[name][3] for name in ("Blur 1 px", "Rotation 20°", "Noise 5 %")] == ["yes", "–", "no loss"]
    assert rows["Blur 1 px"][2] == "0.006"
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
