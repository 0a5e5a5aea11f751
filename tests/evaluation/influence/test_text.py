"""Explanations in words and as figures."""

from dataclasses import replace

import numpy as np
import pytest
from tests.pictures import assert_readable, frames, page_text, shown, words

from pellucid.data.dataset import Dataset
from pellucid.errors import ShapeError
from pellucid.evaluation.influence.figures import influence_figure
from pellucid.evaluation.influence.records import (
    ExplainedPrediction,
    GroupRemoval,
    InfluentialSample,
    Retrained,
)
from pellucid.evaluation.influence.text import in_short, in_words
from pellucid.plotting.saving import figure_png
from pellucid.plotting.style import ORANGE

TOWARDS = (InfluentialSample(4, "cat", 0.5, 2.0, 0.5), InfluentialSample(1, "cat", 0.4, 1.0, 0.4))
AGAINST = (InfluentialSample(2, "non-cat", -0.3, -1.0, -0.3),)
PLAIN = ExplainedPrediction(0, "cat", "non-cat", 0.9, 2.197, TOWARDS, AGAINST)


def _removal(n: int, p: float, *, n_changed: int = 0, n_chance: int = 0) -> GroupRemoval:
    def outcome(q: float) -> Retrained:
        return Retrained("cat" if q > 0.5 else "non-cat", q, float(np.log(q / (1 - q))), q <= 0.5)

    by_chance = [0.2] * n_changed + [0.8] * (n_chance - n_changed)
    return GroupRemoval(tuple(range(n)), outcome(p), tuple(outcome(q) for q in by_chance))


def _text(explanation: ExplainedPrediction) -> str:
    return " ".join(in_words(explanation))


def test_a_mistake_and_a_right_verdict_are_told_apart() -> None:
    words = _text(PLAIN)
    assert "Test photo 0 is a “non-cat”; the network predicts “cat” (90 %)." in words
    assert "Training photos 4 and 1 (both “cat”) misled it most." in words
    assert "Training photo 2 (“non-cat”) spoke for the truth." in words
    assert "Nothing was trained again" in words
    right = _text(replace(PLAIN, actual="cat"))
    assert "is a “cat”, and the network predicts so (90 %)" in right
    assert "taught it that" in right
    assert "spoke against it" in right


def test_mixed_classes_are_counted() -> None:
    mixed = replace(PLAIN, towards=(*TOWARDS, InfluentialSample(9, "non-cat", 0.1, 0.1, 0.1)))
    assert "Training photos 4, 1 and 9 (2 “cat”, 1 “non-cat”)" in _text(mixed)
    assert "No training photo speaks for" in _text(replace(PLAIN, towards=()))


@pytest.mark.parametrize(
    ("n_changed", "words"),
    [(0, "these matter more than most"), (8, "fragile"), (4, "never stable")],
)
def test_the_verdict_is_compared_with_chance(n_changed: int, words: str) -> None:
    group = _removal(3, 0.2, n_changed=n_changed, n_chance=8)
    explanation = replace(PLAIN, removals=(_removal(1, 0.8), group))
    assert explanation.is_beyond_chance is (n_changed == 0)
    said = _text(explanation)
    assert "without the 3 photos that influenced it most, it predicts “non-cat”" in said
    assert "“cat” gets 20 % instead of 90 %" in said
    assert f"changed in {n_changed} of 8 tries" in said
    assert words in said


def test_a_try_at_random_counts_if_it_changed_the_verdict_on_the_way() -> None:
    first = _removal(1, 0.8, n_changed=3, n_chance=8)  # the first three
    last = replace(
        _removal(3, 0.2, n_chance=8), by_chance=_removal(3, 0.2, n_changed=4, n_chance=8).by_chance[::-1]
    )
    beyond = _removal(9, 0.1, n_changed=8, n_chance=8)  # no part of what is told
    explanation = replace(PLAIN, removals=(first, last, beyond))
    assert (explanation.n_changed_by_chance, explanation.n_chance) == (7, 8)
    assert not explanation.is_beyond_chance
    kept = replace(PLAIN, removals=(_removal(1, 0.8, n_changed=2, n_chance=8), _removal(3, 0.2, n_chance=8)))
    assert kept.n_changed_by_chance == 2
    assert kept.is_beyond_chance
    assert replace(PLAIN, removals=()).n_chance == 0


def test_shares_that_look_alike_get_a_digit_more_or_are_said_to_be_as_before() -> None:
    odds = {"probability": 0.9041, "removals": (_removal(3, 0.9022),)}
    assert "“cat”, with 90.2 % instead of 90.4 %" in _text(replace(PLAIN, **odds))
    assert "“cat”, with 90.4 %, as before" in _text(
        replace(PLAIN, **{**odds, "removals": (_removal(3, 0.90412),)})
    )


def test_what_it_says_without_those_against_is_what_it_says() -> None:
    flipped = replace(PLAIN, removals=(_removal(1, 0.8),), without_against=_removal(1, 0.3))
    assert "Without the one photo with the most influence against it, it predicts “non-cat”" in _text(flipped)
    kept = replace(flipped, without_against=_removal(1, 0.95))
    assert "against it, it still predicts “cat”, with 95 % instead of 90 %." in _text(kept)


def test_only_the_true_class_pulls_towards_the_truth() -> None:
    other = replace(PLAIN, against=(InfluentialSample(2, "dog", -0.3, -1.0, -0.3),))
    assert "Training photo 2 (“dog”) spoke against it." in _text(other)


def test_groups_that_change_nothing_are_said_to() -> None:
    said = _text(replace(PLAIN, removals=(_removal(1, 0.8), _removal(3, 0.7, n_chance=8))))
    assert "Even trained again without the 3 photos" in said
    assert "it still predicts “cat”, with 70 % instead of 90 %" in said
    assert "no small group of photos" in said
    assert "more than most" not in said


def test_one_found_by_trying_all_claims_nothing_of_chance() -> None:
    single = replace(PLAIN, removals=(_removal(1, 0.2, n_chance=8),), n_single_changes=8, n_single=209)
    assert "changes the prediction for 8 of 209" in _text(single)
    assert "more than most" not in _text(single)
    assert "fragile" in _text(replace(single, n_single_changes=150))


def test_the_same_photo_is_pointed_out() -> None:
    same = replace(PLAIN, towards=(replace(TOWARDS[0], is_same=True),))
    assert "Training photo 4 is this very photo" in _text(same)
    assert "Training row 4 is this very row" in " ".join(in_words(same, "row"))


# Figures


@pytest.fixture
def photos(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.integers(0, 255, (9, 8, 6, 3), dtype=np.uint8), np.arange(9) % 2, ("non-cat", "cat"))


def test_the_figure_shows_both_sides_and_frames_who_decides(photos: Dataset) -> None:
    decided = GroupRemoval(
        (4,), Retrained("non-cat", 0.2, -1.39, True), (Retrained("cat", 0.8, 1.39, False),) * 3
    )
    alone = (replace(TOWARDS[0], alone=Retrained("cat", 0.8, 1.4, False), is_same=True), TOWARDS[1])
    figure = influence_figure(replace(PLAIN, towards=alone, removals=(decided,)), photos, photos)
    np.testing.assert_array_equal(shown(figure)[0], photos.X[0])
    np.testing.assert_array_equal(shown(figure)[1], photos.X[4])
    lines = words(figure)
    at = lines.index("4: cat")
    assert lines[at + 1] == "+0.50, the same photo"
    assert lines[at + 2] == "without: 80 %"
    assert lines[lines.index("2: non-cat") + 1] == "−0.30"
    assert sum(frames(axes, ORANGE) for axes in figure.axes) == 1
    line = next(line for line in figure.axes[-1].lines if line.get_label() == "the most influential")
    np.testing.assert_allclose(line.get_ydata(), [90, 20])
    assert "Without the most influential one: “non-cat”" in page_text(figure)
    assert "changed in 0 of 3 tries" in page_text(figure)
    assert figure_png(figure).startswith(b"\x89PNG")


def test_a_figure_without_trainings_has_no_chart(photos: Dataset) -> None:
    figure = influence_figure(PLAIN, photos, photos)
    assert not any(axes.axison for axes in figure.axes)
    assert figure.get_figheight() < 8


@pytest.mark.parametrize(
    "decisive", [_removal(1, 0.2, n_chance=8), _removal(3, 0.2, n_chance=8), _removal(20, 0.8)]
)
def test_no_text_leaves_the_figure(photos: Dataset, decisive: GroupRemoval) -> None:
    long = "a class with a very long name indeed"
    wide = tuple(replace(TOWARDS[0], row=i, label=long) for i in range(8))
    removals = (replace(decisive, outcome=replace(decisive.outcome, label=long)),)
    figure = influence_figure(
        replace(PLAIN, predicted=long, actual=long, towards=wide, removals=removals), photos, photos
    )
    assert_readable(figure)


def test_a_table_has_no_figure() -> None:
    table = Dataset(np.zeros((5, 3)), np.zeros(5, int), ("non-cat", "cat"))
    with pytest.raises(ShapeError, match="expected images"):
        influence_figure(PLAIN, table, table)


def test_a_summary_counts_the_mistakes_that_can_be_traced() -> None:
    firm = replace(PLAIN, removals=(_removal(2, 0.8, n_chance=10),))
    turned = replace(PLAIN, removals=(_removal(2, 0.3, n_chance=10),))
    right = replace(turned, actual="cat")
    assert in_short([right], "photo", 10) == ""
    assert "Of 2 mistakes looked into, none can be traced" in in_short([firm, firm, right], "photo", 10)
    words = in_short([firm, turned, turned, right], "photo", 10)
    assert "Of 3 mistakes looked into, 2 can be traced to few training photos" in words
    assert "up to 10" in words


def test_label_smoothing_explains_samples_of_a_class_that_count_against_it() -> None:
    same = (InfluentialSample(2, "cat", -0.3, -1.0, -0.3),)
    for one in (replace(PLAIN, against=same), replace(PLAIN, towards=(), against=same)):
        smoothed = " ".join(in_words(one, target=0.95))
        assert "label smoothing" in smoothed
        assert "its target of 0.95" in smoothed
        assert "label smoothing" not in _text(one)
    assert "label smoothing" not in " ".join(in_words(PLAIN, target=0.95))  # what counts against it is no cat


def test_a_fall_without_what_spoke_against_it_is_explained() -> None:
    """ "cat" fell from 96 to 30 % without the photos against it, and no word was said of it."""
    fallen = replace(PLAIN, probability=0.96, without_against=_removal(1, 0.3))
    assert "estimated along the training as it was, to first order" in _text(fallen)
    shaky = replace(fallen, removals=(_removal(1, 0.7, n_changed=2, n_chance=8),))
    assert "It should have risen; but without one photo drawn at random “cat” gets 20 % to 80 %" in _text(
        shaky
    )
    wrong = replace(fallen, removals=(_removal(1, 0.7, n_changed=0, n_chance=8),))
    assert "for these photos the estimate, of the first order, has the wrong sign" in _text(wrong)
    for p in (0.99, 0.95):
        assert "should have risen" not in _text(replace(fallen, without_against=_removal(1, p)))
