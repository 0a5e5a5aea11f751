"""`pl.compare`: trained models, presets, and what it shows in a notebook."""

import pytest

import pellucid as pl
from pellucid.data.dataset import Split
from pellucid.errors import OptionError


@pytest.fixture(scope="module")
def cats() -> Split:
    return pl.load_data("drawn-cats")


def test_a_model_in_memory_and_a_preset(cats: Split) -> None:
    model = pl.preset("logistic")
    with pytest.raises(OptionError, match="train the model first"):
        pl.compare(model, "logistic", data=cats)
    pl.train(model, cats.train, n_epochs=20)
    shown: list[tuple[str, int, int, str]] = []
    found = pl.compare(model, "logistic", data=cats, n_epochs=20, progress=lambda *what: shown.append(what))
    assert found.a.confusion.accuracy == pl.evaluate(model, cats.test)["accuracy"].value
    assert shown[-1][:3] == ("training B (logistic)", 20, 20)
    assert found.finding in str(found)
    assert found._repr_html_().startswith("<table>")
    assert found.plot().axes


def test_one_model_alone_has_its_table_of_folds(cats: Split) -> None:
    found = pl.compare("logistic", data="drawn-cats", cv="2", n_epochs=2, n_jobs=1)
    assert (found.name, len(found.folds[0])) == ("cross-validation", 2)
    with pytest.raises(OptionError, match="expected a second model"):
        pl.compare("logistic", data=cats)


def test_the_repr_of_a_comparison_is_one_short_line() -> None:
    options = {"data": "drawn-cats", "n_epochs": 2}
    for found, name in (
        (pl.compare("logistic", "mlp", **options), "PairedComparison(drawn-cats: "),
        (pl.compare("logistic", cv="2x1", n_jobs=1, **options), "CrossValidation(drawn-cats: Mean"),
        (pl.compare("logistic", n_seeds=2, n_jobs=1, **options), "SeedComparison(drawn-cats: "),
    ):
        assert repr(found).startswith(name)
        assert len(repr(found)) < 170
        assert "\n" not in repr(found)
