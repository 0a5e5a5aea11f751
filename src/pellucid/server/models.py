"""The models of a server: loaded once, under names."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.input_spec import InputsSeen, as_seen
from pellucid.data.readers.images import check_takes_images
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.formats.safetensors import FORMAT_VERSION, load, model_file
from pellucid.nn.model import Model
from pellucid.nn.pretrained.notice import notice_of
from pellucid.prediction.predicted import Prediction, predict_samples
from pellucid.text import shown
from pellucid.types import Array, Shape

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, eq=False)
class Served:
    """A model that is served.

    Attributes
    ----------
    name : str
    model : Model
        It lets inputs of all ranges pass: ``prepare`` has looked at those of each request by themselves.
    sha256 : str
        Of its file.
    seen : InputsSeen or None
        What the samples of its training looked like.
    """

    name: str
    model: Model
    sha256: str
    seen: InputsSeen | None

    @property
    def shape(self) -> Shape:
        """The shape of one sample."""
        return tuple(self.model.input_shape)

    @property
    def takes(self) -> str:
        """What a sample is: "images", "rows" of a table with named columns, or "arrays"."""
        if self.model._schema is not None:
            return "rows"
        try:
            check_takes_images(self.shape)
        except ShapeError:
            return "arrays"
        return "images"

    def prepare(self, X: Array) -> Array:
        """Return samples of one request as the model takes them, checked.

        Raises
        ------
        ShapeError
            If they are of another shape.
        DataError
            If they are no finite numbers, or clearly in another range than those of the training.
        """
        if X.shape[1:] != self.shape:
            hint = " For one sample, put it into a list." if X.shape == self.shape else ""
            wanted = ", ".join(["m", *map(str, self.shape)])
            raise ShapeError(
                f"{self.name}: expected samples of shape ({wanted}), got {shown(X.shape)}.{hint}"
            )
        if X.dtype.kind == "f" and not np.isfinite(X).all():
            raise DataError(f"{self.name}: expected finite numbers, got NaN or infinity.")
        X = as_seen(X, self.seen, self.model.preprocessing, self.name)
        if self.seen is not None and self.seen.is_bytes and X.dtype.kind in "ui":
            return X.astype(np.uint8, copy=False)
        return X

    def predict(self, X: Array, samples: Sequence[str | int]) -> list[Prediction]:
        """Return what the model predicts for prepared samples.

        Raises
        ------
        DataError
            If it predicts NaN or infinity: inputs may be finite, and still too large to compute with.
        """
        with np.errstate(all="ignore"):
            return predict_samples(self.model, X, samples)

    def describe(self) -> dict[str, Any]:
        """Return what ``GET /model`` says of it."""
        model, summary, schema = self.model, self.model.summary(), self.model._schema
        return {
            "name": self.name,
            "takes": self.takes,
            "input_shape": list(self.shape),
            "columns": None if schema is None else [column.name for column in schema.columns],
            "predicts": model._loss.kind,
            "classes": list(model.classes),
            "loss": model.loss,
            "n_params": summary.n_params,
            "architecture": summary.to_dict(),
            "format": {"name": "safetensors", "version": FORMAT_VERSION},
            "sha256": self.sha256,
            "notice": "\n".join(notice_of(model)) or None,
        }


def load_models(given: Sequence[str]) -> dict[str, Served]:
    """Return models by name, in the order given.

    Parameters
    ----------
    given : sequence of str
        Model files or run folders, each alone or as ``NAME=FILE``. Without a name it is that of the file, or of
        the run folder.

    Raises
    ------
    OptionError
        If two have one name, or a model cannot be served.
    FormatError
        If a file is not a model's.
    """
    served: dict[str, Served] = {}
    for each in given:
        name, path = _named(each)
        if name in served:
            raise OptionError(f"serve: two models are called {name!r}. Name them: {name}-2={path}")
        served[name] = _load(name, path)
    return served


def _named(given: str) -> tuple[str, Path]:
    """Return the name and the path of a model as the command takes it."""
    before, sign, after = given.partition("=")
    is_named = bool(sign) and NAME.fullmatch(before) is not None and not Path(given).exists()
    path = model_file(Path(after if is_named else given))
    if is_named:
        return before, path
    stem = path.resolve().parent.name if path.stem == "model" else path.stem
    return re.sub(r"[^A-Za-z0-9_.-]", "-", stem).lstrip(".-")[:64] or "model", path


def _load(name: str, path: Path) -> Served:
    model = load(path)
    model._keeps_features = False  # of what clients send
    if not isinstance(model.input_shape, tuple) or model._loss.kind == "joint":
        raise OptionError(f"serve: {path} has several inputs or outputs. Serve models that have one of each.")
    if model._loss.kind != "regression" and not model._loss.gives_probabilities:
        raise OptionError(
            f"serve: {path} was trained on {model.loss}, which gives no probabilities. Train it on a cross-entropy."
        )
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    seen, model.inputs_seen = model.inputs_seen, None
    return Served(name, model, sha256, seen)
