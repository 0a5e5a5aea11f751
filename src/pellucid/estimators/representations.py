"""Hidden representations: what a layer makes of samples, as a transformer gives it."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from pellucid.types import Array


class _Named(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Hands on columns that are already there, with their names, in whatever container was asked for."""

    def __init__(self, columns: Any = None, names: Any = None) -> None:
        self.columns = columns
        self.names = names

    def transform(self, X: Any) -> Any:
        """Return the columns; X only says how the rows are called."""
        return self.columns

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns."""
        return self.names


class Representations:
    """Gives an estimator ``transform``; no TransformerMixin itself, which would name all layers' columns alike."""

    def transform(self, X: Any, layer: int = -1) -> Any:
        """Return what a hidden layer makes of each sample.

        Parameters
        ----------
        X : as for ``predict``
        layer : int, optional
            Which hidden layer, counted from 0, or from the end if negative; default: the last.

        Returns
        -------
        array or frame, shape (m, width of the layer)
            After its activation; see ``set_output`` for frames.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        self._check_is_fitted()  # type: ignore[attr-defined]
        index = self._hidden_index(layer)
        columns = self._hidden_outputs(self._read_X(X, reset=False), index)  # type: ignore[attr-defined]
        named = _Named(columns, self.get_feature_names_out(layer=layer))
        if hasattr(self, "_sklearn_output_config"):
            named._sklearn_output_config = self._sklearn_output_config
        return named.transform(X)

    def get_feature_names_out(self, input_features: Any = None, layer: int = -1) -> Array:
        """Return a name for each column of ``transform``: the estimator's, in small letters, and its number."""
        self._check_is_fitted()  # type: ignore[attr-defined]
        prefix = type(self).__name__.lower()
        width = self._hidden_width(self._hidden_index(layer))
        return np.array([f"{prefix}{i}" for i in range(width)], dtype=object)

    def _hidden_index(self, layer: Any) -> int:
        n_hidden = self._n_hidden()
        if not isinstance(layer, int | np.integer) or not -n_hidden <= layer < n_hidden:
            allowed = f"from {-n_hidden} to {n_hidden - 1}" if n_hidden else "none: there is no hidden layer"
            raise ValueError(f"layer: expected a hidden layer's number, {allowed}, got {layer!r}.")
        return int(layer) % n_hidden

    def _n_hidden(self) -> int:
        raise NotImplementedError

    def _hidden_width(self, index: int) -> int:
        raise NotImplementedError

    def _hidden_outputs(self, X: Any, index: int) -> Array:
        raise NotImplementedError
