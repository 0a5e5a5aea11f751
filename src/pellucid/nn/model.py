"""Models: layers in a structure, the loss that they are trained on, and what prediction needs."""

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import dispatch
from pellucid.blas_threads import one_blas_thread
from pellucid.data.gaps import input_array
from pellucid.data.input_spec import as_seen
from pellucid.data.novelty import NoveltyTest
from pellucid.data.preprocess import Preprocessing
from pellucid.data.stored.base import StoredArray
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError, unknown_name
from pellucid.nn.container import Container
from pellucid.nn.layer import LAYERS, Layer
from pellucid.nn.replica import prediction_replicas, replica
from pellucid.nn.warming import WORTH, Warming
from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.ops.losses.targets import default_loss
from pellucid.registry import explain_call
from pellucid.text import join_some, kind_of
from pellucid.threads import Workers, allowed_threads, cut, helped
from pellucid.types import Array, map_arrays, n_rows, take_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pellucid.nn.summary import Summary

PREDICT_ROWS = 256  # samples predicted at a time, so that a large set needs no large buffers
PREDICT_NUMBERS = 2**24  # in them, at most
LAYER_NUMBERS = 2**27  # in what all layers make of them, at most: 512 MB of float32
SPLIT_ONE = 2e8  # of one sample, from which its layers pay to be split
SPLIT_OPERATIONS = 2e9  # of a prediction on compiled kernels, from which it pays to split it over threads


@dataclass(eq=False, repr=False)
class Model(Container):
    """Layers in a structure, and what training and prediction need around them.

    Subclasses define which layers, and how data flows through them.

    Attributes
    ----------
    theta, grad : Array, shape (p,)
        All trained parameters and all gradients; each layer's arrays are views into them, but for frozen ones.
    preprocessing : Preprocessing or None
        Applied first to the input of ``predict*``; ``train`` sets it where it is unset.
    inputs_seen : InputsSeen or None
        Dtype and range of the samples that it was trained on: inputs that are clearly in another range are
        converted or refused. None lets all pass.
    classes : tuple of str
        The name of each class.

    Within the package, also:

    _loss : Loss
        What ``loss_and_grad`` computes.
    _schema : TableSchema or None
        How rows of a table become inputs, if it was trained on a table.
    _recipe : str or None
        The preset that it was made from, whose recipe supplies the defaults of ``train``.
    _n_body : int
        How many layers it begins with that were trained elsewhere, and are as they were.
    _novelty : NoveltyTest or None
        What its body and its pixels say of photos unlike those it was trained on.
    _summary_of_training : dict
        What ``train`` did: kept in the model's file.
    _loss_hook : callable or None
        Given a batch's loss and the sum of its weights, returns what ``loss_and_grad`` returns instead: a
        penalty may be added here. Not in the model's file.
    _last_outputs : Array or None
        The outputs of the last ``_measure``, for callbacks that compute a metric.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.preprocessing: Preprocessing | None = None
        self.inputs_seen: Any = None  # an InputsSeen, or a dictionary of them by input
        self.classes: tuple[str, ...] = ()
        self._schema: Any = None
        self._summary_of_training: dict[str, Any] = {}
        self._recipe: str | None = None
        self._n_body = 0
        self._body_part: Model | None = None
        self._novelty: NoveltyTest | None = None
        self._keeps_features = True  # of photos, in memory
        self._has_chosen_loss = False
        self._loss: Loss = LOSSES.make("binary_cross_entropy")
        self._warming = Warming()
        self._loss_hook: Callable[[float, float], float] | None = None
        self._last_outputs: Any = None

    @explain_call
    def set_loss(self, loss: Any, **options: Any) -> None:
        """Choose the loss that ``loss_and_grad`` computes and that turns outputs into predictions.

        A loss is a name of :data:`pellucid.ops.losses.base.LOSSES` with options, ``{"type": name, **options}``, or
        a Loss. One that is not registered is named ``"custom"``; its model cannot be loaded from a file.
        """
        self._loss = LOSSES.make(loss, **options) if isinstance(loss, str) else LOSSES.resolve(loss)
        self._has_chosen_loss = True

    @property
    def loss(self) -> str:
        """The name of the loss that ``loss_and_grad`` computes."""
        return self._loss._registered_as or "custom"

    @property
    def loss_config(self) -> dict[str, Any]:
        """The loss as files store it and ``set_loss`` takes it: ``{"type": name, **options}``."""
        return {"type": self.loss, **self._loss._changed_options()}

    def _copy_loss(self, other: "Model") -> None:
        """Use the loss of another model."""
        self._loss, self._has_chosen_loss = other._loss, other._has_chosen_loss

    def _choose_loss(self, y: Any) -> None:
        """Choose the loss that suits the outputs and these labels or targets."""
        self.set_loss(default_loss(self.output_shape[-1], y))

    def _encode(self, y: Any) -> Any:
        """Return labels or targets, checked, as what the loss compares outputs with."""
        if len(self.output_shape) != 1:
            raise ShapeError(
                f"{self.loss}: expected a model whose output is (m, n_out), got (m, "
                f"{', '.join(map(str, self.output_shape))}). End it with Flatten() and Dense(n_out)."
            )
        return self._loss.encode(y, self.output_shape[0], self.dtype)

    def loss_and_grad(
        self, X: Array, y: Array, *, weights: Array | None = None, normalizer: float | None = None
    ) -> float:
        """Return the loss of prepared inputs and fill ``grad``.

        Parameters
        ----------
        X : Array, shape (m, *input_shape), the model's dtype
            Prepared: see :class:`pellucid.data.preprocess.Preprocessing`.
        y : Array, shape (m,) or (m, n_out)
            Labels or targets.
        weights : Array, shape (m,), optional
            How much each sample counts.
        normalizer : float, optional
            What the sum over samples is divided by; default: the sum of the weights. A part of a batch takes
            the whole batch's.

        Returns
        -------
        float
            The mean loss over the samples.

        Examples
        --------
        >>> from pellucid.nn.dense import Dense
        >>> from pellucid.nn.sequential import Sequential
        >>> model = Sequential([Dense(1, initializer="zeros")])
        >>> model.initialize((2,), dtype="float64")
        >>> round(model.loss_and_grad(np.array([[1.0, 2.0]]), np.array([1])), 4)
        0.6931
        >>> model.grad
        array([-0.5, -1. , -0.5])
        """
        check_trained("loss_and_grad", self)
        with self._run_lock:
            return self._loss_and_grad_of_encoded(X, self._encode(y), weights=weights, normalizer=normalizer)

    def _loss_and_grad_of_encoded(
        self, X: Any, Y: Any, *, weights: Array | None = None, normalizer: float | None = None
    ) -> float:
        """Do what ``loss_and_grad`` does for what ``_encode`` returned, or a mixture of it."""
        Z = self.forward(X, training=True)
        loss, cache = self._loss.forward(Z, Y, weights=weights, normalizer=normalizer)
        self.backward(self._loss.backward(cache))
        if self._loss_hook is not None:
            total = normalizer if normalizer is not None else n_rows(X) if weights is None else weights.sum()
            loss = self._loss_hook(loss, float(total))
        return loss

    def _raw_outputs(self, X: Any, prepare: Callable[[Array], Array] | None = None) -> Any:
        """Return the raw outputs, (m, *output_shape), a new array; a piece at a time.

        Parameters
        ----------
        X : Array, shape (m, *input_shape)
            Prepared, or such that ``prepare`` makes prepared samples of some of them.
        prepare : callable, optional
        """
        with self._run_lock:
            return self._raw_outputs_alone(X, prepare or (lambda array: array))

    def _raw_outputs_alone(self, X: Any, prepare: Callable[[Array], Array]) -> Any:
        """Do what ``_raw_outputs`` does, in the one thread that runs the model."""
        m = n_rows(X)
        if not m:  # as of a sample of zeros, then without it: no layer or kernel need know of empty batches
            one = map_arrays(lambda array: np.zeros((1, *array.shape[1:]), array.dtype), X)
            return map_arrays(lambda Z: Z[:0].copy(), self.forward(map_arrays(prepare, one)))
        until_kernels = int(WORTH / max(1, self._sizes[0]))  # they may be ready then
        most = max(self._rows_a_piece(X), until_kernels)
        if m <= most or isinstance(X, StoredArray):
            return self._at_once(X, prepare)
        return joined([self._at_once(take_rows(X, rows), prepare) for rows in cut(m, -(-m // most))])

    def _at_once(self, X: Any, prepare: Callable[[Array], Array]) -> Any:
        """Return the outputs, computed by what suits the process by now: see :mod:`pellucid.nn.warming`."""

        def predict() -> Any:
            with dispatch.Settled():
                n_threads = self._n_threads(n_rows(X))
                if n_threads > 1 and n_rows(X) == 1:
                    with one_blas_thread(), helped(n_threads, dispatch.waits()):
                        return map_arrays(np.ndarray.copy, self.forward(map_arrays(prepare, X)))
                if n_threads == 1 and n_rows(X) <= self._rows_a_piece(X):
                    own = X if type(X) is np.ndarray else take_rows(X, slice(None))
                    return map_arrays(np.ndarray.copy, self.forward(map_arrays(prepare, own)))
                return self._in_many_pieces(X, prepare, prediction_replicas(self, n_threads))

        def rehearsal() -> Callable[[], Any]:
            twin, few = replica(self), map_arrays(np.copy, take_rows(X, slice(0, 2)))

            def rehearse() -> None:
                one, two = (map_arrays(prepare, take_rows(few, slice(0, n))) for n in (1, 2))
                with helped(self._n_threads(1), dispatch.waits()):
                    twin.forward(one)
                for own in (one, two):
                    twin.forward(own)

            return rehearse

        return self._warming.run(float(n_rows(X)) * self._sizes[0], rehearsal, predict)

    def _in_many_pieces(self, X: Any, prepare: Callable[[Array], Array], models: Sequence["Model"]) -> Any:
        parts, step = cut(n_rows(X), len(models)), self._rows_a_piece(X, len(models))
        results: list[list[Any]] = [[] for _ in models]

        def predict(i: int) -> None:
            for start in range(parts[i].start, parts[i].stop, step):
                rows = slice(start, min(start + step, parts[i].stop))
                Z = models[i].forward(map_arrays(prepare, take_rows(X, rows)))
                results[i].append(map_arrays(np.copy, Z))

        if len(models) == 1:
            predict(0)
        else:
            with one_blas_thread(), Workers(len(models)) as workers:
                workers.run(predict)
        return joined([Z for found in results for Z in found])

    def _rows_a_piece(self, X: Any, n_models: int = 1) -> int:
        """Return how many samples go through at a time: fewer where one, or what layers make of it, is large.

        Models that run side by side share what layers may take.

        Examples
        --------
        >>> from pellucid.nn.presets import preset
        >>> model = preset("logistic")
        >>> model.initialize((64, 64, 3))
        >>> model._rows_a_piece(np.zeros((2, 64, 64, 3))), model._rows_a_piece(np.zeros((1, 2048, 2048, 3)))
        (256, 1)
        """
        arrays = X.values() if isinstance(X, dict) else [X]
        n = max(int(math.prod(array.shape[1:])) for array in arrays)
        n_made = self._sizes[1] * n_models
        return max(1, min(PREDICT_ROWS, PREDICT_NUMBERS // max(1, n), LAYER_NUMBERS // max(1, n_made)))

    @cached_property
    def _sizes(self) -> tuple[int, int]:
        """Operations of one sample's forward pass, and numbers that layers make of it; kept until layers change."""
        return self._n_operations, sum(math.prod(leaf.output_shape) for leaf in self._leaves())

    def _n_threads(self, m: int) -> int:
        """Return on how many threads to predict: one, but for compiled kernels with much to do."""
        least = SPLIT_OPERATIONS if m > 1 else SPLIT_ONE
        is_long = dispatch.current() == "numba" and m * self._sizes[0] >= least
        return min(allowed_threads(), max(m, 2)) if is_long else 1

    def _measure(self, X: Any, Y: Any, Z: Any = None, *, weights: Array | None = None) -> dict[str, float]:
        """Return the loss on prepared inputs and encoded targets and, for a classifier, the accuracy.

        ``Z`` are the raw outputs, where they are known.
        """
        Z = self._last_outputs = self._raw_outputs(X) if Z is None else Z
        metrics = {"loss": self._loss.forward(Z, Y, weights=weights)[0]}
        if self._loss.kind == "classification":
            predicted = Z[:, 0] > 0 if Z.shape[1] == 1 else Z.argmax(axis=1)
            true = Y if Y.ndim == 1 else Y[:, 0] > 0.5 if Y.shape[1] == 1 else Y.argmax(axis=1)
            metrics["accuracy"] = float((predicted == true).mean())
        return metrics

    @explain_call
    def decision_function(self, X: Any) -> Any:
        """Return the raw outputs (logits, scores) for raw inputs: (m,) for a model with one, else (m, n_out).

        Parameters
        ----------
        X : Array, shape (m, *input_shape)
            As in the data; ``preprocessing`` is applied.
        """
        Z = self._outputs_and_features(X)[0]
        return map_arrays(lambda Z: Z[:, 0] if Z.shape[1:] == (1,) else Z, Z)

    def _outputs_and_features(self, X: Any) -> tuple[Any, Array | None]:
        """Return the raw outputs for raw inputs and, where there is a pretrained body, what it makes of them."""
        X = as_seen(self._samples(X, "predict"), self.inputs_seen, self.preprocessing, "predict")
        rule = self.preprocessing or Preprocessing()
        if not self._n_body:
            return self._raw_outputs(X, lambda array: rule.apply(array, self.dtype)), None
        of_body = importlib.import_module("pellucid.nn.pretrained.features")
        features: Array = of_body.body_features(self, X, rule)
        return of_body.outputs_of_features(self, features), features

    def _samples(self, X: Any, where: str) -> Any:
        """Return samples as arrays of the model's shape; an error for another shape, a path or a data set."""
        check_trained(where, self)
        X = self._arrays(X, where)
        shape = map_arrays(lambda array: array.shape[1:], X)
        if shape != self.input_shape:
            is_one = isinstance(X, np.ndarray) and X.shape == self.input_shape
            hint = " For one sample: X[None]." if is_one else ""
            raise ShapeError(
                f"{where}: expected samples of shape {self.input_shape}, as the model was trained on, got {shape}."
                f"{hint}"
            )
        return X

    def _arrays(self, X: Any, where: str) -> Any:
        if (type(X) is np.ndarray and X.dtype.kind in "biuf") or isinstance(X, StoredArray):
            return X
        if not isinstance(X, np.ndarray | dict | list | tuple) and not hasattr(X, "__array__"):
            shape: Any = self.input_shape
            by_rows = (
                f"(m, {', '.join(map(str, shape))})" if isinstance(shape, tuple) else f"one each of {shape}"
            )
            from pellucid.data.dataset import Dataset, Split

            part = "data.X" if isinstance(X, Dataset) else "data.test.X" if isinstance(X, Split) else ""
            raise DataError(
                f"{where}: expected an array of samples, {by_rows}, got {kind_of(X)}. Try "
                f"{part or 'explain_photo(model, path) for one photo'}."
            )
        arrays = map_arrays(lambda values: input_array(values, f"{where}: X"), X)
        for array in arrays.values() if isinstance(arrays, dict) else [arrays]:
            if array.dtype.kind not in "biuf":
                raise DataError(f"{where}: expected an array of numbers, got one of {array.dtype}.")
        return arrays

    @explain_call
    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class for raw inputs, shape (m, k); two classes have two columns.

        Rows sum to 1, except for multi_label, where each column is a separate yes-or-no question.
        """
        self._check_probabilities()
        return probabilities(self._loss, self.decision_function(X))

    def _check_probabilities(self) -> None:
        if not (self._loss.gives_probabilities or self._loss.kind == "joint"):
            raise OptionError(
                f"predict_proba: a model trained on {self.loss} gives no probabilities. Use predict or "
                "decision_function, or train on a cross-entropy."
            )

    @explain_call
    def predict(self, X: Any) -> Any:
        """Return a prediction for each raw input.

        Classification: the likeliest class, integers (m,); a tie goes to the first. Multi-label: 0 or 1 for each
        output, integers (m, k). Regression: numbers, (m,) for one output, else (m, n_out).
        """
        return read(self._loss, self.decision_function(X))

    def __call__(self, X: Any) -> Any:
        """Return the raw outputs for prepared inputs, of any dtype, (m, *output_shape): a new array."""
        return self._raw_outputs(
            self._samples(X, "model(X)"), lambda array: array.astype(self.dtype, copy=False)
        )

    def save(self, path: str | Path) -> None:
        """Write the model to a ``.safetensors`` file: see :func:`pellucid.formats.safetensors.save`."""
        from pellucid.formats.safetensors import save

        save(self, path)

    def summary(self) -> "Summary":
        """Return the model as a table: layers, shapes, parameters, operations and bytes."""
        from pellucid.nn.summary import summarize

        return summarize(self)

    def plot(self, *, ax: Any = None) -> "Axes":
        """Draw the network, each layer with its shape and parameters, and return the matplotlib axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: new axes.

        Raises
        ------
        PellucidError
            If the shapes are not known yet.
        """
        from pellucid.nn.blocks import drawn_rows
        from pellucid.plotting.axes import axes_of
        from pellucid.plotting.network import network_diagram

        summary = self.summary()
        rows = drawn_rows(self, summary.layers)
        return axes_of(lambda: network_diagram(rows, input_shape=summary.input_shape), ax)

    def _repr_html_(self) -> str:
        """Return the summary as HTML for a notebook; before the shapes are known, the layers."""
        if self.output_shape:
            return self.summary()._repr_html_()
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"


def model_from_config(config: Mapping[str, Any], *, dtype: str | None = None) -> Model:
    """Return the model that ``config`` describes, not yet initialized; the inverse of ``Model.config``.

    Raises
    ------
    OptionError
        If its type or an option is not known, a value is out of range, or it describes a single layer.
    """
    model = LAYERS.from_config(config)
    if not isinstance(model, Model):
        raise OptionError(
            f"expected a structure such as Sequential at the top, got the layer {config['type']}."
        )
    if dtype is not None:
        model._set_dtype(dtype)
    return model


def copy_arrays(own: Sequence[Layer], theirs: Sequence[Layer]) -> None:
    """Write the arrays of layers into others of the same structure."""
    pairs = zip(
        *([leaf for layer in layers for leaf in layer._leaves()] for layers in (own, theirs)), strict=True
    )
    for to, leaf in pairs:
        for key, array in (*leaf.params.items(), *leaf.state.items()):
            (to.params if key in to.params else to.state)[key][...] = array


def check_trained(where: str, model: Model) -> None:
    """Raise PellucidError unless a model has parameters."""
    if not model._is_initialized:
        raise PellucidError(
            f"{where}: the model is not trained yet. Train it by pl.train(model, (X, y), n_epochs=50), or load one."
        )


def check_classes(model: Model, classes: Sequence[str]) -> None:
    """Raise DataError unless there are no names of classes, or one for each that the model's outputs tell apart."""
    if not classes or model._loss.kind not in ("classification", "multi_label"):
        return
    n_classes = len(numbers_of(model._loss, model.output_shape[-1]))
    if len(set(classes)) != n_classes:
        raise DataError(
            f"expected a name for each of the {n_classes} classes that the model's outputs tell apart, got "
            f"{len(set(classes))}: {join_some(classes, most=3)}. Give the last layer an output for each class."
        )


def numbers_of(loss: Loss, n_out: int) -> tuple[str, ...]:
    """Return the numbers of the classes that outputs tell apart, as names: one output of a classifier has two."""
    return tuple(map(str, range(2 if n_out == 1 and loss.kind == "classification" else n_out)))


def number_of_class(model: Model, name: str, classes: Sequence[str] = (), where: str = "positive") -> int:
    """Return the number of one of a classifier's two classes; an OptionError where it is none.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> number_of_class(model, "dog", ("cat", "dog")), number_of_class(model, "0")
    (1, 0)
    """
    numbers = numbers_of(model._loss, model.output_shape[-1])
    names = next((known for known in (model.classes, classes) if len(known) == len(numbers)), numbers)
    if model._loss.kind != "classification" or len(names) != 2:
        raise OptionError(f"{where}: sensitivity is of one of two classes. Leave it out.")
    if name not in names:
        raise OptionError(f"{where}: {unknown_name('class', name, names)}")
    return tuple(names).index(name)


def joined(outputs: Sequence[Any]) -> Any:
    """Return the outputs of all pieces as one, by name where there are several."""
    if isinstance(outputs[0], dict):
        return {name: np.concatenate([output[name] for output in outputs]) for name in outputs[0]}
    return np.concatenate(outputs)


def probabilities(loss: Any, Z: Any) -> Any:
    """Return the probabilities for raw outputs; of several, those that have any, by name."""
    if isinstance(Z, dict):
        chosen = {name: one for name, one in loss.losses.items() if one.gives_probabilities}
        return {name: probabilities(one, Z[name]) for name, one in chosen.items()}
    return loss.probabilities(Z[:, None] if Z.ndim == 1 else Z)


def read(loss: Any, Z: Any) -> Any:
    """Return the predictions for raw outputs, of several by name: see ``Model.predict``."""
    if isinstance(Z, dict):
        return {name: read(loss.losses[name], one) for name, one in Z.items()}
    if loss.kind == "regression":
        return loss.mean(Z)
    is_yes = (Z > 0).astype(np.int64)
    if loss.kind == "multi_label":
        return is_yes.reshape(len(Z), math.prod(Z.shape[1:]))  # also of no samples
    return is_yes if Z.ndim == 1 else Z.argmax(axis=1)
