"""An explained prediction: its rows, its headline, and its figure."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.pictures import assert_readable, frames, shown, words

from pellucid.data.dataset import Dataset
from pellucid.errors import ShapeError
from pellucid.evaluation.influence.outcome import (
    ExplainedPrediction,
    InfluenceOutcome,
    InfluentialSample,
    Retrained,
)
from pellucid.evaluation.influence.plot_influence import influence_figure
from pellucid.plotting.saving import figure_png
from pellucid.plotting.style import ORANGE

TOWARDS = (InfluentialSample(4, "cat", 0.5), InfluentialSample(1, "cat", 0.4))
AGAINST = (InfluentialSample(2, "non-cat", -0.3),)
PLAIN = ExplainedPrediction(0, "cat", "non-cat", 0.9, 2.197, TOWARDS, AGAINST)


def retrained(p: float) -> Retrained:
    return Retrained("cat" if p > 0.5 else "non-cat", p, float(np.log(p / (1 - p))))


def proved(one: ExplainedPrediction, p: float, *by_chance: float) -> ExplainedPrediction:
    return replace(one, without=retrained(p), by_chance=tuple(map(retrained, by_chance)))


@every(
    ("p", "by_chance", "told"),
    [
        (0.2, (0.8, *[0.95] * 18), "Without{} 20 %, without 2 random ones 80 to 95 % (19 draws: p = 0.050)."),
        (
            0.85,
            (0.8, *[0.95] * 18),
            "Inconclusive: without{} 85 %, without 2 random ones 80 to 95 % (19 draws: p = 0.1",
        ),
        (0.2, [0.9] * 9, " Without{} 20 %, without 2 random ones 90 to 90 % (9 "),
        (0.2, (), "Without{} 20 %."),
    ],
)
def test_the_headline_compares_with_chance(p: float, by_chance: tuple[float, ...], told: str) -> None:
    one = proved(PLAIN, p, *by_chance)
    assert one.headline.startswith("Test photo 0: 'cat' (90 %), in truth 'non-cat'. ")
    assert told.format(" its 2 most influential training photos") in one.headline
    assert one.is_beyond_chance == (len(by_chance) == 19 and p < min(by_chance))


@every(
    ("explanations", "told"),
    [
        ([PLAIN], "1 prediction traced to training photos; not proved."),
        (
            [proved(PLAIN, 0.2, *[0.9] * 9), proved(PLAIN, 0.8, *[0.9] * 9), PLAIN],
            "1 of 2 predictions change class without the 2 most influential training photos.",
        ),
        (
            [proved(PLAIN, 0.2), *[proved(PLAIN, p, *[0.7] * 19) for p in (0.6, 0.8)]],
            "1 of 2 predictions fall beyond chance without the 2 most influential training photos (p at most 0.05; "
            "up to 0.1 expected by chance).",
        ),
    ],
)
def test_the_headline_of_all_counts_what_was_tested(
    explanations: list[ExplainedPrediction], told: str
) -> None:
    split: Any = SimpleNamespace(noun="photo")
    influence: Any = None
    found = InfluenceOutcome("run", split, "tracin", influence, explanations, True, None, 1, 0.0, ())
    assert found.headline == told


def test_rows_are_the_trainings() -> None:
    alone = (replace(TOWARDS[0], without=retrained(0.7), name="cats/tom.jpg"), TOWARDS[1])
    one = proved(replace(PLAIN, towards=alone), 0.2, 0.8, 0.95, 0.9)
    rows = one.to_rows()
    assert one.columns[-1] == "probability of 'cat'"
    assert [(row["kind"], row["left_out"], row["probability"]) for row in rows] == [
        ("none", (), 0.9),
        ("sample", (4,), 0.7),
        ("sample", (1,), None),
        ("sample", (2,), None),
        ("most influential", (4, 1), 0.2),
        ("random", (), 0.9),
    ]
    assert rows[-1] | {"n_draws": 3, "lowest": 0.8, "highest": 0.95, "p_value": 0.25} == rows[-1]
    assert [one.cells(row) for row in rows] == [
        ("none", "", "", "cat", "90.0 %"),
        ("cats/tom.jpg (4)", "cat", "+0.500", "cat", "70.0 %"),
        ("1", "cat", "+0.400", "", ""),
        ("2", "non-cat", "−0.300", "", ""),
        ("the 2 most influential", "", "", "non-cat", "20.0 %"),
        ("2 at random, 3 times: p = 0.25", "", "", "cat", "80.0 to 95.0 %"),
    ]
    assert list(one.to_frame()["kind"]) == [row["kind"] for row in rows]


def test_the_same_photo_is_noted_and_a_right_prediction_that_was_not_trained_again_is_all_that_is_said() -> (
    None
):
    assert replace(PLAIN, actual="cat", noun="row").headline == "Test row 0: 'cat' (90 %)."
    same = replace(PLAIN, towards=(replace(TOWARDS[0], is_same=True),))
    assert same.notes == ("Training photo 4 is this very photo: the network has seen it in training.",)


@pytest.fixture
def photos(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.integers(0, 255, (9, 8, 6, 3), dtype=np.uint8), np.arange(9) % 2, ("non-cat", "cat"))


def test_the_figure_shows_both_sides_and_frames_what_was_left_out(photos: Dataset) -> None:
    alone = (replace(TOWARDS[0], without=retrained(0.8), is_same=True),)
    figure = influence_figure(proved(replace(PLAIN, towards=alone), 0.2, 0.8, 0.8, 0.8), photos, photos)
    np.testing.assert_array_equal(shown(figure)[0], photos.X[0])
    np.testing.assert_array_equal(shown(figure)[1], photos.X[4])
    lines = words(figure)
    at = lines.index("4: cat")
    assert lines[at + 1] == "+0.50, the same photo"
    assert lines[at + 2] == "without: 80 %"
    assert lines[lines.index("2: non-cat") + 1] == "−0.30"
    assert sum(frames(axes, ORANGE) for axes in figure.axes) == 1
    points = [line.get_xdata() for line in figure.axes[-1].lines]
    np.testing.assert_allclose(np.concatenate(points[:3]), [90, 20, 80, 80, 80])
    assert figure_png(figure).startswith(b"\x89PNG")


@every("n", [1, 8])
def test_no_text_leaves_the_figure(photos: Dataset, n: int) -> None:
    long = "a class with a very long name indeed"
    wide = tuple(replace(TOWARDS[0], row=i, label=long) for i in range(n))
    one = replace(PLAIN, predicted=long, actual=long, towards=wide)
    assert_readable(influence_figure(proved(one, 0.2, *([0.8] * (n - 1))), photos, photos))


def test_a_table_has_no_figure() -> None:
    table = Dataset(np.zeros((5, 3)), np.zeros(5, int), ("non-cat", "cat"))
    with pytest.raises(ShapeError, match="expected images"):
        influence_figure(PLAIN, table, table)
