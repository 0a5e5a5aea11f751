"""Ten trainings of the textbook's network, each with one classic fault in it: which one is it?

A fault is a text of :mod:`pellucid.textbook.steps` with another in its place, or another way to call it. What there
is to look at: the costs next to those of the right network, every gradient next to a measured one, and the replay
of the first step, which computes each number from others and compares.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.text_blocks import Result
from pellucid.textbook import steps
from pellucid.training.trace import trace
from pellucid.training.trace_records import Trace
from pellucid.types import Array

DIMS, LEARNING_RATE = [6, 5, 3, 1], 0.5
SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 400)  # iterations whose costs are shown
STEP = 1e-5  # of the measured slopes


class Bug(NamedTuple):
    """A fault of the library.

    Attributes
    ----------
    name : str
    old, new : str
        What stands in ``steps.py``, and what stands there instead; "" where the call is at fault.
    why : str
        What the fault does, and by which sign it is known.
    learning_rate : float
    shuffles : bool
        The labels of the training are shuffled.
    """

    name: str
    old: str
    new: str
    why: str
    learning_rate: float = LEARNING_RATE
    shuffles: bool = False


BUGS = (
    Bug("mask left out", "return np.where(cache > 0, dA, 0)", "return dA",
        "The slope passes through units that were off: gradients are wrong but in the last layer."),
    Bug("learning rate too large", "", "",
        "Every gradient is right; the cost jumps and stays high: steps leap over the valley.", learning_rate=40.0),
    Bug("1/m missing in dW", "return dZ @ A_prev.T / dZ.shape[1], ", "return dZ @ A_prev.T, ",
        "Each dW is m times the measured slope, each db is right: no learning rate suits both."),
    Bug("weights all zero", "rng.randn(n, n_prev) / np.sqrt(n_prev)", "np.zeros((n, n_prev))",
        "Every gradient is right, and at the start those of the weights are 0: only the last bias moves."),
    Bug("update with the wrong sign", "p - learning_rate * grads", "p + learning_rate * grads",
        "Every gradient is right, and the cost climbs from the first step on."),
    Bug("labels shuffled", "", "",
        "Every gradient is right; the cost falls slowly and unevenly: labels of other examples.", shuffles=True),
    Bug("biases not updated", "{name: p - learning_rate * grads[f\"d{name}\"] for name",
        "{name: p - learning_rate * grads[f\"d{name}\"] * (name[0] == 'W') for name",
        "Every gradient is right; the cost falls more slowly, and the biases are 0 at the end."),
    Bug("sum over the wrong examples", "dZ.mean(axis=1, keepdims=True)", "dZ[:, :1]",
        "Each db is that of the first example alone; each dW is right."),
    Bug("transpose of W forgotten on the way back", "return W.T @ dZ, ", "return np.resize(W, W.T.shape) @ dZ, ",
        "The shape is right by force: gradients two layers below the last are wrong."),
    Bug("slope of the last layer", "dZ = sigmoid(caches[-1][1])[0] - Y",
        "dZ = (sigmoid(caches[-1][1])[0] - Y) * sigmoid(caches[-1][1])[0] * (1 - sigmoid(caches[-1][1])[0])",
        "The sigmoid's slope is in it twice: all gradients are too small, by different factors."),
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class BugTraining(Result):
    """One training with a fault: its costs and gradients, next to the right ones.

    Attributes
    ----------
    number : int
    iterations : tuple of int
    costs, right_costs : tuple of float
    gradients : dict
        By name, the relative error against the measured slopes.
    """

    columns = "iteration", "cost", "right network"
    in_json = "number iterations costs right_costs gradients"

    number: int
    iterations: tuple[int, ...]
    costs: tuple[float, ...]
    right_costs: tuple[float, ...]
    gradients: dict[str, float]

    @property
    def headline(self) -> str:
        """Which training it is."""
        return f"Training {self.number} of {len(BUGS)}: one fault is in it. Which?"

    @property
    def notes(self) -> tuple[str, ...]:
        """The gradients, compared with measured slopes."""
        told = [
            f"{name} {'right' if error < 1e-5 else f'off by {error:.0%}'}"
            for name, error in self.gradients.items()
        ]
        return (
            f"Gradients against measured slopes: {', '.join(told)}.",
            f"It is one of: {'; '.join(names())}.",
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each cost."""
        rows = zip(self.iterations, self.costs, self.right_costs, strict=True)
        return [
            {"iteration": i, "cost": f"{mine:.4g}", "right network": f"{right:.4g}"}
            for i, mine, right in rows
        ]


def names() -> list[str]:
    """Return the names of the faults, in the order of the alphabet."""
    return sorted(bug.name for bug in BUGS)


def answer(number: int, said: str) -> tuple[bool, str]:
    """Return whether an answer is right, and what to say.

    Examples
    --------
    >>> answer(5, "update with the wrong sign")[0], answer(5, "weights all zero")
    (True, (False, 'Training 5 has another fault. weights all zero would show so: Every gradient is right, ...'))
    """
    known = {bug.name: bug for bug in BUGS}
    if said not in known:
        raise OptionError(f"learn bugs: {unknown_name('fault', said, known)}")
    if _bug(number).name == said:
        return True, f"Yes: {said}. {known[said].why}"
    return False, f"Training {number} has another fault. {said} would show so: {known[said].why}"


def _bug(number: int) -> Bug:
    if not 1 <= number <= len(BUGS):
        raise OptionError(f"learn bugs: expected a number from 1 to {len(BUGS)}, got {number}.")
    return BUGS[number - 1]


def train_bug(number: int) -> BugTraining:
    """Return a training with a fault.

    Raises
    ------
    OptionError
        If there is no such number.
    """
    bug = _bug(number)
    with np.errstate(all="ignore"):
        costs, gradients = _trained(bug)
        right, _ = _trained(None)
    return BugTraining(number, SHOWN, tuple(costs), tuple(right), gradients)


def trace_bug(number: int) -> Trace:
    """Return the first step of a training with a fault, every number of it as the faulty program has it.

    ``trace_bug(3).save("step.html")`` writes its replay (docs/replay.md). The page computes each number from
    others, too: where that is not what it shows, the program is at fault.

    Raises
    ------
    OptionError
        If there is no such number.

    Examples
    --------
    >>> step = trace_bug(5)  # uphill
    >>> np.allclose(step["dense_3"].update_W, 0.5 * step["dense_3"].dW)
    True
    """
    bug = _bug(number)
    module, (X, Y) = _faulty(bug), _data(shuffles=bug.shuffles)
    before = module.initialize_parameters_deep(DIMS)
    model = Sequential([Dense(n, "relu") for n in DIMS[1:-1]] + [Dense(1)])
    model.initialize((DIMS[0],), dtype="float64")
    layers = dict(enumerate(model.layers, start=1))
    for i, layer in layers.items():
        layer.params["W"][...], layer.params["b"][...] = before[f"W{i}"].T, before[f"b{i}"].ravel()
    found = trace(model, (X.T, Y.ravel()), learning_rate=bug.learning_rate)
    slopes: list[Array] = []  # dZ of each layer, the last one first
    plain = vars(module)["_weight_slopes"]

    def noted(dZ: Array, A_prev: Array) -> Any:
        slopes.append(dZ.T / dZ.shape[1])  # the page has the mean over the examples in them
        return plain(dZ, A_prev)

    vars(module)["_weight_slopes"] = noted
    AL, caches = module.L_model_forward(X, before)
    grads = module.L_model_backward(AL, Y, caches)
    after = module.update_parameters(before, grads, bug.learning_rate)
    found.dZ = slopes[0]
    for i, dZ in zip(layers, reversed(slopes), strict=True):
        arrays = found[f"dense_{i}"].arrays
        dA = grads[f"dA{i}"].T / len(dZ) if i < len(layers) else dZ
        arrays |= {"dA": dA, "dZ": dZ, "dW": grads[f"dW{i}"].T, "db": grads[f"db{i}"].ravel()}
        arrays |= {f"update_{name}": (after[f"{name}{i}"] - before[f"{name}{i}"]).T for name in "Wb"}
        arrays["update_b"] = arrays["update_b"].ravel()
        if i > 1:
            arrays["dX"] = grads[f"dA{i - 1}"].T / len(dZ)
    AL, caches = steps.L_model_forward(X, after)
    found.loss_after = steps.compute_cost(AL, Y, caches[-1][1])
    found.changed = (
        f"Training {number} has a fault. Its numbers are stored as the faulty program has them; a click computes "
        "one from others and compares. A label should be 1 where input 0 times input 1, plus input 2, is above 0."
    )
    return found


@cache
def _data(*, shuffles: bool) -> tuple[Array, Array]:
    rng = np.random.default_rng(68)  # so that the first example turns on more than one unit of each layer
    X = rng.standard_normal((DIMS[0], 60))
    Y = (X[:1] * X[1:2] + X[2:3] > 0) * 1
    return X, np.random.default_rng(5).permutation(Y, axis=1) if shuffles else Y


def _trained(bug: Bug | None) -> tuple[list[float], dict[str, float]]:
    """Return the costs of a training, and the error of each gradient."""
    module = steps if bug is None else _faulty(bug)
    X, Y = _data(shuffles=bug is not None and bug.shuffles)
    rate = LEARNING_RATE if bug is None else bug.learning_rate
    parameters, costs = module.initialize_parameters_deep(DIMS), []
    gradients = dict(_errors(module, X, Y, module.initialize_parameters_deep(DIMS)))
    for i in range(SHOWN[-1] + 1):
        AL, caches = module.L_model_forward(X, parameters)
        if i in SHOWN:
            costs.append(float(module.compute_cost(AL, Y, caches[-1][1])))
        parameters = module.update_parameters(parameters, module.L_model_backward(AL, Y, caches), rate)
    return costs, gradients


def _faulty(bug: Bug) -> ModuleType:
    """Return the textbook's page with a fault."""
    source = inspect.getsource(steps)
    if bug.old and source.count(bug.old) != 1:
        raise OptionError(f"learn bugs: {bug.name}: the text that it replaces is not there once.")
    module = ModuleType("steps_with_a_fault")
    source = source.replace(bug.old, bug.new) if bug.old else source
    exec(compile(source, "<steps with a fault>", "exec"), vars(module))
    return module


def _errors(module: Any, X: Array, Y: Array, parameters: dict[str, Array]) -> Iterator[tuple[str, float]]:
    """Yield each parameter's name with the relative error of its gradient, measured off the start."""
    rng = np.random.default_rng(6)
    moved = {name: p + 0.1 * rng.standard_normal(p.shape) for name, p in parameters.items()}
    AL, caches = module.L_model_forward(X, moved)
    grads = module.L_model_backward(AL, Y, caches)
    for name, p in moved.items():
        measured = np.zeros(p.shape)
        for at in np.ndindex(p.shape):
            ends: list[float] = []
            for sign in (1, -1):
                other = p.copy()
                other[at] += sign * STEP
                AL, caches = steps.L_model_forward(X, moved | {name: other})
                ends.append(steps.compute_cost(AL, Y, caches[-1][1]))
            measured[at] = (ends[0] - ends[1]) / (2 * STEP)
        size = float(np.linalg.norm(measured)) or 1.0
        yield f"d{name}", float(np.linalg.norm(grads[f"d{name}"] - measured)) / size
