"""`pl.compare`: trained models, presets, and the rows that every comparison shows alike."""

import pytest

import pellucid as pl
from pellucid.errors import OptionError


def test_a_model_in_memory_and_a_preset() -> None:
    cats, model = pl.load_data("drawn-cats"), pl.preset("logistic")
    with pytest.raises(OptionError, match="train the model first"):
        pl.compare(model, "logistic", data=cats)
    with pytest.raises(OptionError, match="expected a second model"):
        pl.compare("logistic", data=cats)
    pl.train(model, cats.train, n_epochs=20)
    shown: list[tuple[str, int, int, str]] = []
    found = pl.compare(model, "logistic", data=cats, n_epochs=20, progress=lambda *what: shown.append(what))
    assert found.a.confusion.accuracy == pl.evaluate(model, cats.test)["accuracy"].value
    assert shown[-1][:3] == ("training B (logistic)", 20, 20)


def test_terminal_notebook_frame_and_json_show_the_same_rows() -> None:
    options = {"data": "drawn-cats", "n_epochs": 2}
    for found, n_rows in (
        (pl.compare("logistic", "mlp", **options), 2),
        (pl.compare("logistic", cv=2, n_jobs=1, **options), 2),
        (pl.compare("logistic", n_seeds=2, n_jobs=1, **options), 1),
    ):
        rows = found.to_rows()
        assert len(rows) == len(found.to_frame()) == len(found.to_dict()["rows"]) == n_rows
        assert all(len(found.cells(row)) == len(found.columns) for row in rows)
        assert str(found).startswith(found.headline)
        assert found._repr_html_().count("<tr>") == n_rows + 1
        assert found.plot().axes
        assert repr(found).startswith(f"{type(found).__name__}({found.headline[:20]}")
