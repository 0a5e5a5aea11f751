"""Frozen layers: kept as they are, not trained, and run as in prediction."""

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.container import Container
from pellucid.registry import explain_call, validate_call


@validate_call("model", "until")
def freeze(model: Container, until: str) -> None:
    """Freeze the layers of a model from the first to a named one: a training then leaves them as they are.

    A frozen layer runs as in prediction, in training too: batch norm goes by its running statistics, and dropout
    drops nothing. Its parameters are no part of ``theta``, so that no optimizer keeps anything for them.

    Parameters
    ----------
    model : Model
        Initialized. Layers that were frozen before are trained again, unless they are among these.
    until : str
        The last layer to freeze: a name such as "conv2d_3", as ``model.summary()`` lists them.

    Raises
    ------
    OptionError
        If the model has no such layer, or nothing would be frozen, or nothing left to train.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((64, 64, 3))
    >>> freeze(model, "dense_2")
    >>> model.n_params, model._n_frozen, model.theta.size
    (245973, 245927, 46)
    """
    leaves = model._leaves()
    names = [leaf.name for leaf in leaves]
    if not model._is_initialized:
        raise OptionError(
            "freeze: the model has no parameters yet. Train it first, or load one that is trained."
        )
    if until not in names:
        raise OptionError(f"freeze: {unknown_name('layer', until, names)}")
    n = names.index(until) + 1
    if not any(leaf.params for leaf in leaves[:n]):
        first = next(leaf.name for leaf in leaves if leaf.params)
        raise OptionError(
            f"freeze: no layer up to {until} has parameters, so that nothing would be frozen. The first is {first}."
        )
    trained = [leaf.name for leaf in leaves if leaf.params]
    if not any(leaf.params for leaf in leaves[n:]):
        example = f" up to {trained[-2]} at most" if len(trained) > 1 else " nothing"
        raise OptionError(f"freeze: no layer after {until} is left to train. Freeze{example}.")
    mark_frozen(model, names[:n])


@explain_call
def unfreeze(model: Container) -> None:
    """Let every layer of a model be trained again.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("two-layer")
    >>> model.initialize((4,))
    >>> freeze(model, "dense_1")
    >>> unfreeze(model)
    >>> model._n_frozen
    0
    """
    mark_frozen(model, [])


def mark_frozen(model: Container, names: list[str]) -> None:
    """Freeze the layers of these names, no others, and lay the parameters of the rest out again."""
    for leaf in model._leaves():
        for use in (leaf, *leaf._further_uses):
            use._is_frozen = leaf.name in names
    model._bind()
    model._mark_input_gradient(model._needs_input_gradient)


def frozen_names(model: Container) -> list[str]:
    """Return the names of the frozen layers, in order."""
    return [leaf.name for leaf in model._leaves() if leaf._is_frozen]


def frozen_hash(model: Container) -> str:
    """Return a hash of the frozen layers' names and arrays: what a training builds on."""
    import hashlib

    total = hashlib.sha256()
    for leaf in model._leaves():
        if leaf._is_frozen:
            total.update(leaf.name.encode())
            for array in (*leaf.params.values(), *leaf.state.values()):
                total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
