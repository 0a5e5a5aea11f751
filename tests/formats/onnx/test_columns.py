"""Tables in ONNX: an input for each column, gaps and new words as pellucid reads them, and the way back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import FormatError

onnx = pytest.importorskip("onnx")

HEADER = "age,coat,born,ok,values,pet"


@pytest.fixture
def table(tmp_path: Path) -> Any:
    rng = np.random.default_rng(0)
    lines = [HEADER]
    for i in range(200):
        coat = rng.choice(["plain", "tabby", "", "odd", "queer"], p=[0.5, 0.4, 0.09, 0.005, 0.005])
        age, ok = "" if i % 9 == 0 else i % 17, ("yes", "no", "")[i % 3]
        lines.append(
            f"{age},{coat},{i % 28 + 1}/{i % 12 + 1}/2020,{ok},{rng.normal():.3f},{'cat' if i % 2 else 'dog'}"
        )
    (tmp_path / "pets.csv").write_text("\n".join(lines))
    return pl.load_data(tmp_path / "pets.csv", target="pet")


@pytest.fixture
def model(table: Any) -> Any:
    model = pl.preset("mlp-small")
    pl.train(model, table, n_epochs=2, progress=False)
    return model


def test_columns_are_inputs(table: Any, model: Any, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    assert pl.export_onnx(model, tmp_path / "pets.onnx") <= 1e-5
    session = runtime.InferenceSession(str(tmp_path / "pets.onnx"), providers=["CPUExecutionProvider"])
    kinds = {each.name: each.type for each in session.get_inputs()}
    assert (kinds["age"], kinds["coat"]) == ("tensor(double)", "tensor(string)")
    assert {"ok", "values (column)", "born month", "born days"} <= set(kinds)
    rows = [
        {"age": "", "coat": "never seen", "born": "1/2/2020", "ok": "", "values": 0.5},
        {"age": 3, "coat": "", "born": "3/2/2020", "ok": "yes", "values": -0.5},
    ]
    feed = {name: np.array([[np.nan], [np.nan]]) for name in kinds}
    feed |= {"age": np.array([[np.nan], [3.0]]), "ok": np.array([[np.nan], [1.0]])}
    feed |= {"coat": np.array([["never seen"], [""]], object), "values (column)": np.array([[0.5], [-0.5]])}
    born = table.schema.encode(rows).X
    names = table.schema.feature_names
    feed |= {name: born[:, [names.index(name)]] for name in kinds if name.startswith("born")}
    found = session.run(None, feed)[0]
    np.testing.assert_allclose(found, model.predict_proba(born), atol=1e-5)


def test_the_way_back(table: Any, model: Any, tmp_path: Path) -> None:
    pl.export_onnx(model, tmp_path / "pets.onnx")
    again = pl.import_onnx(tmp_path / "pets.onnx")
    assert again._schema == table.schema
    np.testing.assert_allclose(
        again.predict_proba(table.test.X), model.predict_proba(table.test.X), atol=1e-6
    )
    proto = onnx.load(tmp_path / "pets.onnx")
    kept = [each for each in proto.metadata_props if each.key != "schema"]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    onnx.save(proto, tmp_path / "other.onnx")
    with pytest.raises(FormatError, match="its metadata do not describe its columns"):
        pl.import_onnx(tmp_path / "other.onnx")


@pytest.mark.parametrize("scaling", ["robust", "none"])
def test_other_scalings(scaling: str, table: Any, tmp_path: Path) -> None:
    from pellucid.data.preprocess import Preprocessing

    model = pl.preset("mlp-small")
    model._schema = table.schema
    model.preprocessing = Preprocessing.robust(table.train.X) if scaling == "robust" else Preprocessing()
    pl.train(model, table, n_epochs=1, progress=False)
    assert pl.export_onnx(model, tmp_path / "pets.onnx") <= 1e-5
    again = pl.import_onnx(tmp_path / "pets.onnx")
    np.testing.assert_allclose(
        again.predict_proba(table.test.X), model.predict_proba(table.test.X), atol=1e-5
    )
