"""Hidden layers as features: what ``transform`` returns, and how its columns are named."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from pellucid.estimators.fitting import Fitting
from pellucid.types import Array


class _Named(TransformerMixin, BaseEstimator):
    """Passes on existing columns, with their names, in the requested container."""

    def __init__(self, columns: Any = None, names: Any = None) -> None:
        self.columns = columns
        self.names = names

    def transform(self, X: Any) -> Any:
        """Return the columns; X only provides the names of the rows."""
        return self.columns

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns."""
        return self.names


class HiddenFeatures(Fitting):
    """Adds ``transform`` to an estimator; not a TransformerMixin, which would name all layers' columns the same."""

    def transform(self, X: Any, layer: int = -1) -> Any:
        """Return a hidden layer's outputs for each sample.

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
        self._check_is_fitted()
        columns = self._hidden_outputs(self._read_X(X), self._hidden_index(layer))
        named = _Named(columns, self.get_feature_names_out(layer=layer))
        if hasattr(self, "_sklearn_output_config"):
            named._sklearn_output_config = self._sklearn_output_config
        return named.transform(X)

    def get_feature_names_out(self, input_features: Any = None, layer: int = -1) -> Array:
        """Return a name for each column of ``transform``: the estimator's, in lower case, and its number."""
        self._check_is_fitted()
        width = self._hidden_widths()[self._hidden_index(layer)]
        return np.array([f"{type(self).__name__.lower()}{i}" for i in range(width)], dtype=object)

    def _hidden_index(self, layer: Any) -> int:
        n_hidden = len(self._hidden_widths())
        if not isinstance(layer, int | np.integer) or not -n_hidden <= layer < n_hidden:
            allowed = f"from {-n_hidden} to {n_hidden - 1}" if n_hidden else "none: there is no hidden layer"
            raise ValueError(f"layer: expected a hidden layer's number, {allowed}, got {layer!r}.")
        return int(layer) % n_hidden
