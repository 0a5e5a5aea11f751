"""Text helpers."""

from pellucid.text import chance_in_words


def test_chance_in_words_grows_with_p() -> None:
    words = [chance_in_words(p).partition(":")[0] for p in (0.0001, 0.03, 0.1, 0.6)]
    assert len(set(words)) == 4
    assert chance_in_words(0.0499).endswith("p = 0.050")
    assert chance_in_words(1.0) == "that is well within chance: p = 1.00"
