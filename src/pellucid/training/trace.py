"""One training step with every number in it: what each layer takes, computes, passes back, and how it changes."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset
from pellucid.dispatch.ops import batch_moments
from pellucid.errors import OptionError
from pellucid.nn.activation import Dropout
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.container import carve
from pellucid.nn.hooks import hook_use, same_hooks
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, probabilities
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.ops.activations import Activation
from pellucid.ops.batch_norm import BatchNormCache
from pellucid.registry import validate_call
from pellucid.training.job import Job
from pellucid.training.nonfinite import unchanged
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.options import TrainingOptions
from pellucid.training.samples import read_samples
from pellucid.training.trace_records import LayerTrace, Trace
from pellucid.types import Array, map_arrays


@validate_call("optimizer", "learning_rate", "seed", "dtype", "update")
def trace(
    model: ModelLike,
    data: Any,
    *,
    optimizer: str | Mapping[str, Any] | Optimizer = "sgd",
    learning_rate: float | None = None,
    loss: Any = None,
    seed: int = 1,
    dtype: str | None = None,
    update: bool = False,
) -> Trace:
    """Take one training step and return every number of it.

    The step is the one that ``train(model, (X, y), n_epochs=1, batch_size=0)`` takes, bit for bit in its direct
    form on NumPy.

    Parameters
    ----------
    model : Model, str or Path
        Any structure. One that is not initialized yet gets the parameters that ``train`` would give it, from
        ``seed``.
    data : Dataset, (X, y), Split, str or Path
        The batch, as loaded: the model's preprocessing is applied. Of a Split, or of data by name, the training
        part.
    optimizer : str, dict or Optimizer, optional
        What moves the parameters; it starts without a memory of earlier steps.
    learning_rate : float, optional
        Of an optimizer given by name. Default: its own.
    loss : str, dict or Loss, optional
        Default: the model's own, else what suits outputs and targets.
    seed : int, optional
        Of the initialization, and of what Dropout drops.
    dtype : {"float32", "float64"}, optional
        Of a model that is not initialized yet.
    update : bool, optional
        True leaves the model with the new parameters; by default a copy takes the step, and the model stays as it
        was.

    Returns
    -------
    Trace

    Raises
    ------
    DataError, OptionError, ShapeError
        If data, an option or a shape does not fit.

    Examples
    --------
    >>> import pellucid as pl
    >>> model = pl.Sequential([pl.Dense(2, "tanh"), pl.Dense(1)])
    >>> model.initialize((2,), dtype="float64")
    >>> step = pl.trace(model, ([[0.0, 1.0], [1.0, 1.0]], [0, 1]), learning_rate=0.5)
    >>> step["dense_1"].Z.shape, step["dense_2"].dW.shape
    ((2, 2), (2, 1))
    >>> np.allclose(step["dense_2"].update_W, -0.5 * step["dense_2"].dW)
    True
    >>> print(step.table("dense_2"))
    One step of SGD(learning_rate=0.5) on 2 samples: loss ...; the model is as it was
    ...
    dense_2  X         (2, 2)  [[...]]
    ...
    """
    return step_on(model, as_dataset(data, "trace"), optimizer, learning_rate, loss, seed, dtype, update)


def step_on(
    model: ModelLike,
    data: Dataset,
    optimizer: Any = "sgd",
    learning_rate: float | None = None,
    loss: Any = None,
    seed: int = 1,
    dtype: str | None = None,
    update: bool = False,
    where: str = "trace",
) -> Trace:
    """Do what ``trace`` does for a Dataset; ``where`` names the caller in messages."""
    model = as_model(model, where, data)
    data = read_samples(model, data, where, loss=loss)
    chosen = _optimizer(optimizer, learning_rate, where)
    if update:
        with model._run_lock.training():
            return _step_on(model, data, chosen, loss, seed, dtype, update=True)
    traced = copy.deepcopy(model)
    with same_hooks(model, traced):
        return _step_on(traced, data, chosen, loss, seed, dtype, update=False)


def _step_on(
    traced: Model, data: Dataset, chosen: Optimizer, loss: Any, seed: int, dtype: str | None, *, update: bool
) -> Trace:
    options = TrainingOptions(
        n_epochs=1,
        optimizer=chosen,
        loss=loss,
        seed=seed,
        dtype=dtype,
        form="direct",
        n_threads=1,
        kernels="numpy",
    )
    job = Job(traced, data, options, allow_nonfinite=True)
    X, rule = job.X, job.rule  # of frozen layers, and what grows, samples are prepared when their turn comes
    if rule is not None:
        X = map_arrays(lambda array: rule.apply(array, traced.dtype), X)
    found = take_step(traced, X, job.Y, job.weights, chosen, seed=seed, data=job.data)
    found.is_update = update
    return found


def take_step(
    model: Model,
    X: Any,
    Y: Any,
    weights: Array | None,
    optimizer: Optimizer,
    *,
    seed: int,
    step: int = 0,
    memory: Mapping[str, Any] | None = None,
    data: Dataset | None = None,
) -> Trace:
    """Take a step on a prepared batch with every layer watched; the model is left with the new parameters.

    Parameters
    ----------
    model : Model
    X, Y : Array, or dict of Array
        Prepared, and encoded.
    weights : Array or None
    optimizer : Optimizer
        Not started yet.
    seed, step : int, optional
        Of what Dropout drops.
    memory : mapping, optional
        The ``state()`` of the optimizer before the step. Default: none.
    data : Dataset, optional
        The samples as loaded.
    """
    with dispatch.use("numpy"), np.errstate(all="ignore"):
        differs = any(isinstance(use, Dropout | BatchNorm) and not use._is_frozen for use in model._leaves())
        in_prediction = _copied(model.forward(X)) if differs else None
        model._seed_step(seed, step)
        found = _step(model, X, Y, weights, optimizer, memory)
        found.in_prediction = in_prediction
        if model._loss_hook is None:
            with unchanged(model):
                model._seed_step(seed, step)
                Z = model.forward(X, training=True)
                found.loss_after = model._loss.forward(Z, Y, weights=weights)[0]
    found.data = data
    return found


def trace_prediction(model: Model, X: Any, data: Dataset | None = None) -> Trace:
    """Return every number of a prediction: as a trace, with a forward pass alone.

    Dropout drops nothing, and batch norm takes its running statistics.

    Parameters
    ----------
    model : Model
        Initialized.
    X : Array, or dict of Array
        Prepared.
    data : Dataset, optional
        The samples as loaded.

    Examples
    --------
    >>> import pellucid as pl
    >>> model = pl.Sequential([pl.Dense(2, "tanh"), pl.Dense(1)])
    >>> model.initialize((2,), dtype="float64")
    >>> list(trace_prediction(model, np.ones((1, 2)))["dense_1"].arrays)
    ['X', 'W', 'b', 'Z', 'A']
    """
    layers: dict[str, LayerTrace] = {}
    with model._run_lock, dispatch.use("numpy"), np.errstate(all="ignore"), _watched(model, layers):
        Z = _copied(model.forward(X))
    return Trace(
        layers, model, None, None, X=_copied(X), Y=None, Z=Z, dZ=None, P=_probabilities(model, Z), data=data
    )


def _optimizer(given: Any, learning_rate: float | None, where: str) -> Optimizer:
    """Return the optimizer that was asked for; OptionError if it takes no single steps."""
    if learning_rate is not None:
        if isinstance(given, Optimizer):
            raise OptionError(
                f"{where}: learning_rate is the optimizer's own; give it to {type(given).__name__}."
            )
        given = {**({"type": given} if isinstance(given, str) else given), "learning_rate": learning_rate}
    optimizer = OPTIMIZERS.resolve(given)
    if optimizer.is_full_batch:
        raise OptionError(
            f"{where}: expected an optimizer that takes single steps, got {type(optimizer).__name__}. Try 'sgd'."
        )
    return copy.deepcopy(optimizer)


def _step(
    model: Model,
    X: Any,
    Y: Any,
    weights: Array | None,
    optimizer: Optimizer,
    memory: Mapping[str, Any] | None,
) -> Trace:
    """Take a step with every layer watched."""
    layers: dict[str, LayerTrace] = {}
    ends: dict[str, Any] = {}

    def outputs(plain: Callable[..., Any], inputs: Any, training: bool) -> Any:
        Z = plain(inputs, training=training)
        ends["Z"] = _copied(Z)
        return Z

    def start_of_backward(plain: Callable[..., Any], dZ: Any) -> Any:
        ends["dZ"] = _copied(dZ)
        return plain(dZ)

    X, Y = _copied(X), _copied(Y)
    with (
        hook_use(model, forward=outputs, backward=start_of_backward),
        _watched(model, layers),
    ):
        loss = model._loss_and_grad_of_encoded(X, Y, weights=weights)
    names = {id(leaf): name for name, leaf in model._named_leaves().items()}
    own = {names[id(leaf)]: leaf for leaf in model._leaves() if leaf.params and not leaf._is_frozen}
    for name, leaf in own.items():  # of a layer in several places, all uses together
        arrays = layers[name].arrays
        for key, gradient in leaf.grads.items():
            if leaf._further_uses:
                own_share = arrays.get(f"d{key}")  # None where no output depends on the first use
                arrays[f"own_d{key}"] = np.zeros_like(gradient) if own_share is None else own_share
            arrays[f"d{key}"] = gradient.copy()
    before = {name: {key: array.copy() for key, array in leaf.params.items()} for name, leaf in own.items()}
    optimizer.start_for(model)
    if memory is not None:
        optimizer.load_state(memory)
    if optimizer.n_steps:
        shapes = [leaf.params[key].shape for leaf, key in model._keys()]
        for slot, flat in zip(optimizer.slot_names, optimizer.slots, strict=True):
            for (leaf, key), array in zip(model._keys(), carve(flat, shapes), strict=True):
                layers[names[id(leaf)]].memory[f"{slot}_{key}"] = array.copy()
    optimizer.step(model.theta, model.grad)
    for name, leaf in own.items():
        moved = {f"update_{key}": array - before[name][key] for key, array in leaf.params.items()}
        layers[name].arrays.update(moved)
    P = _probabilities(model, ends["Z"])
    return Trace(
        layers,
        model,
        optimizer,
        loss,
        X=X,
        Y=Y,
        P=P,
        weights=None if weights is None else weights.copy(),
        **ends,
    )


def _probabilities(model: Model, Z: Any) -> Any:
    """Return the probabilities that outputs stand for, of several by name; None where there are none."""
    if isinstance(Z, dict):
        return probabilities(model._loss, Z) or None if model._loss.kind == "joint" else None
    return probabilities(model._loss, Z) if model._loss.gives_probabilities and Z.ndim == 2 else None


def names_of_uses(model: Model) -> dict[int, str]:
    """Return the name of each use of a layer, by its ``id``: that of the layer's node, "dense_1 (use 2)"."""
    named = {id(leaf): name for name, leaf in model._named_leaves().items()}
    found = {}
    for use in model._uses():
        first = use._first_use or use
        found[id(use)] = use.name.replace(first.name, named[id(first)], 1)
    return found


@contextmanager
def _watched(model: Model, layers: dict[str, LayerTrace]) -> Iterator[None]:
    """Record in ``layers`` what each use of a layer takes, computes and passes back, within the block."""
    names = names_of_uses(model)
    with ExitStack() as stack:
        for use in model._uses():
            name = names[id(use)]
            layers[name] = LayerTrace(name, type(use).__name__)
            stack.enter_context(_recorded(use, layers[name]))
        yield


@contextmanager
def _recorded(use: Layer, record: LayerTrace) -> Iterator[None]:
    """Record what one use of a layer takes, computes and passes back, within the block."""
    arrays = record.arrays
    op: Activation | None = getattr(use, "activation_op", None)
    is_affine = "W" in use.params and op is None

    def forward(plain: Callable[..., Any], X: Any, training: bool) -> Any:
        arrays["X"] = _copied(X)
        if use._first_use is None:
            arrays.update({key: array.copy() for key, array in use.params.items()})
        arrays.update({key: array.copy() for key, array in use.state.items()})
        A = plain(X, training=training)
        arrays.update(_statistics(use, arrays["X"]))
        if is_affine:
            arrays["Z"] = _copied(A)
        arrays["A"] = _copied(A)
        return A

    def backward(plain: Callable[..., Any], dA: Any) -> Any:
        arrays["dA"] = _copied(dA)  # first: the layer may overwrite it
        if is_affine:
            arrays["dZ"] = _copied(dA)
        dX = plain(dA)
        if not use._is_frozen:
            arrays.update({f"d{key}": gradient.copy() for key, gradient in use.grads.items()})
        if dX is not None:
            arrays["dX"] = _copied(dX)
        return dX

    with hook_use(use, forward=forward, backward=backward), _activation_recorded(use, op, arrays):
        yield


def _statistics(use: Any, X: Array) -> dict[str, Array]:
    """Return what a layer has just drawn, or computed of its input: a mask, or means and variances."""
    if isinstance(use, Dropout) and use._cache is not None:
        return {"mask": use._cache.mask.copy()}
    if isinstance(use, BatchNorm) and isinstance(use._cache, BatchNormCache):
        moments = batch_moments(X)
        return {"mean": moments.mean, "var": moments.var}
    if isinstance(use, LayerNorm):
        return {"mean": X.mean(axis=-1, dtype=np.float64), "var": X.var(axis=-1, dtype=np.float64)}
    return {}


@contextmanager
def _activation_recorded(use: Any, op: Activation | None, arrays: dict[str, Any]) -> Iterator[None]:
    """Record Z, what a layer's activation function takes, and dZ, what it passes back."""
    if op is None:
        yield
        return

    def forward(Z: Array, **options: Any) -> tuple[Array, Any]:
        arrays["Z"] = Z.copy()
        return op.forward(Z, **options)

    def backward(dA: Array, cache: Any, **options: Any) -> Array:
        dZ = op.backward(dA, cache, **options)
        arrays["dZ"] = dZ.copy()
        return dZ

    use.activation_op = op._replace(forward=forward, backward=backward)
    try:
        yield
    finally:
        use.activation_op = op


def _copied(value: Any) -> Any:
    return map_arrays(np.array, value)
