"""What every optimizer is: a rule that moves flat parameters in place, and the arrays it keeps between steps."""

import math
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from inspect import signature
from operator import itemgetter
from typing import Any, ClassVar

import numpy as np

from pellucid.dispatch import current
from pellucid.errors import OptionError, PellucidError, ShapeError
from pellucid.registry import Configurable, Registry, option, options_of
from pellucid.training.saved_state import check_array, check_keys, saved_numbers
from pellucid.types import Array

# Worked on at a time: parameters, gradient and both moments of a block stay in an L2 cache of 512 kB or more, and
# one call takes long enough that its fixed cost does not count.
BLOCK_BYTES = 262144
# Averages of a unit that is never active shrink every step, down to denormal numbers, with which a processor is
# many times slower. Numbers this small no longer change theta: they are set to 0 every 64 steps, in which an
# average that is multiplied by 0.9 each step does not fall by 1e8.
FLUSH_EVERY = 64
ALL = slice(None)

OPTIMIZERS: "Registry[Optimizer]" = Registry("optimizer", "pellucid.training.optimizers")


@dataclass
class Optimizer(Configurable):
    """A rule for the next parameters, and the arrays that it keeps between steps.

    To write one, derive from it, name its arrays in ``slot_names`` and the function that moves parameters as its
    ``rule``: see docs/extending.md.

    Attributes
    ----------
    learning_rate : float
        May be changed between steps, as schedules do.
    n_steps : int
        Steps taken since ``start``.
    slot_names : tuple of str
        Arrays like theta that it keeps, all zero at the start.
    number_names : tuple of str
        The numbers that change from step to step.
    is_linear : bool
        Whether every update is a linear function of the gradients so far: then the first layer's weights never
        leave the span of the training rows, and the dual form is exact.
    is_full_batch : bool
        Whether it evaluates the loss itself, as often as it needs: see :class:`~pellucid.optimizers.LBFGS`.
    rule : callable
        ``rule(theta, grad, *slots, **options)`` moves some of theta in place, and may overwrite grad. Its keywords
        are attributes of the optimizer. Of a rule with a compiled twin, which clips and decays as well, what
        ``dispatch.twins`` returns.
    is_divisible : bool
        Whether ``step_part`` needs no more than its own part of the gradient.
    decouples_decay : bool
        Whether weight decay multiplies the weights by 1 - eta lambda, and is no part of the gradient.
    ntk_rates : Array or None, shape (p,)
        What the learning rate of each parameter is multiplied by; set by ``start_for`` under ``ntk``.
    grad_norm : callable or None
        Takes the gradient and returns its length, for ``clip_norm``; set where the flat array is not the true
        gradient. None: its Euclidean norm.
    """

    _registry = OPTIMIZERS
    is_full_batch: ClassVar[bool] = False
    is_divisible: ClassVar[bool] = False
    decouples_decay: ClassVar[bool] = False
    rule: ClassVar[Any] = None
    slot_names: tuple[str, ...] = field(default=(), init=False, repr=False)
    number_names: tuple[str, ...] = field(default=("n_steps", "learning_rate"), init=False, repr=False)

    learning_rate: float = option(0.01, above=0, help="Step size, eta.")
    _: KW_ONLY
    weight_decay: float = option(
        0.0,
        at_least=0,
        help="lambda: adds lambda/2 ||W||^2 to the loss (L2), or as the class says.",
    )
    decay_biases: bool = option(
        False, help="Decay every parameter, not only the weights that the model's mask names."
    )
    clip_value: float | None = option(
        None, above=0, help="Clip each entry of the gradient to -clip_value ... clip_value."
    )
    clip_norm: float | None = option(
        None,
        above=0,
        help="Scale the whole gradient down to this norm where it is longer (Pascanu et al., 2013, section 3.2).",
    )
    ntk: bool = option(
        False,
        help="Neural tangent parametrization: the learning rate of a layer's weights is divided by the square root "
        "of its inputs, that of biases by 10.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.clip_value is not None and self.clip_norm is not None:
            raise OptionError("clip_value and clip_norm: expected one of them, got both. Leave one out.")
        self.grad_norm: Callable[[Array], float] | None = None
        self.ntk_rates: Array | None = None
        self.n_steps = 0
        self._slots: tuple[Array, ...] | None = None
        self._shrink = 1.0

    @property
    def is_linear(self) -> bool:
        """Whether every update is a linear function of the gradients so far."""
        return False

    def start_for(self, model: Any) -> None:
        """Make ready for the parameters of a model."""
        self.ntk_rates = model._flat_ntk_rates() if self.ntk else None
        self.start(model.theta, model._flat_decay_mask())

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make ready for parameters like ``theta``; ``decay_mask`` is 1 where decay applies, else 0."""
        if decay_mask.shape != theta.shape:
            raise ShapeError(
                f"decay_mask: expected the shape of theta, {theta.shape}, got {decay_mask.shape}."
            )
        self.n_steps = 0
        self._slots = tuple(np.zeros_like(theta) for _ in self.slot_names)
        self._block = BLOCK_BYTES // theta.itemsize  # elements that are worked on at a time
        mask = np.ones_like(theta) if self.decay_biases else decay_mask
        self._runs, self._factors = runs_of(mask, self.ntk_rates)
        self._rates = None if self.ntk_rates is None else self.ntk_rates.astype(theta.dtype)
        self._decayed = [(first, last) for first, last, decays in self._runs.tolist() if decays]

    def step(self, theta: Array, grad: Array) -> None:
        """Move ``theta`` one step, in place; ``grad`` may be overwritten."""
        self.begin_step(grad)
        self.step_part(theta, grad, ALL)

    def begin_step(self, grad: Array | None = None) -> None:
        """Count a step; ``step_part`` for parts that cover theta, each once and in any order or thread, ends it.

        Parameters
        ----------
        grad : Array, shape (p,), optional
            The whole gradient, complete; only ``clip_norm`` needs it.
        """
        self.n_steps += 1
        if self.clip_norm is not None:
            if grad is None:
                raise PellucidError("begin_step: clip_norm needs the whole gradient; pass it as grad.")
            norm = float(np.linalg.norm(grad)) if self.grad_norm is None else self.grad_norm(grad)
            self._shrink = self.clip_norm / (norm + 1e-6)  # 1e-6 as PyTorch has it

    def step_part(self, theta: Array, grad: Array, part: slice) -> None:
        """Move one part of ``theta``, a slice of step 1; the parts together equal ``step`` bit for bit."""
        assert self._slots is not None, "call start first"
        start, stop, _ = part.indices(theta.size)
        rule = type(self).rule
        options = {name: getattr(self, name) for name in _keywords_of(rule)}
        if current() == "numba" and hasattr(rule, "compiled"):
            before = self._regularized(start, stop)
            if rule.compiled(theta, grad, *self._slots, **options, regularized=before) is not NotImplemented:
                return
        limit, n = self.clip_value, self._block
        rate: Any = self.learning_rate
        for a in range(start, stop, n):
            block = slice(a, min(a + n, stop))
            own, g, *slots = map(itemgetter(block), (theta, grad, *self._slots))
            if self._rates is not None:
                options["learning_rate"] = rate = self.learning_rate * self._rates[block]
            if self.n_steps % FLUSH_EVERY == 0:
                for slot in slots:
                    slot[np.abs(slot) < float(np.finfo(slot.dtype).tiny) * 1e8] = 0
            if limit is not None:
                np.clip(g, -limit, limit, out=g)
            elif self._shrink < 1:
                g *= self._shrink
            for first, last in self._decayed if self.weight_decay else ():
                run = slice(max(first - a, 0), max(min(last - a, n), 0))
                if self.decouples_decay:
                    own[run] *= 1 - (rate if self._rates is None else rate[run]) * self.weight_decay
                else:
                    g[run] += self.weight_decay * own[run]
            rule(own, g, *slots, **options)

    def _regularized(self, start: int, stop: int) -> tuple[Any, ...]:
        """Return what is done before the rule, as :class:`pellucid.kernels.optimizers.Regularized` has it."""
        shrink, limit, decay = min(self._shrink, 1.0), self.clip_value or math.inf, self.weight_decay
        decays = (0.0, 1 - self.learning_rate * decay) if self.decouples_decay else (decay, 1.0)
        return self._runs, self._factors, start, stop, shrink, limit, *decays

    @property
    def slots(self) -> tuple[Array, ...]:
        """The arrays that it keeps between steps, in the order of ``slot_names``."""
        assert self._slots is not None, "call start first"
        return self._slots

    def state(self) -> dict[str, Array | float | int]:
        """Return, as copies, all that another optimizer of the same options needs to go on bit for bit."""
        slots = zip(self.slot_names, self._slots or (), strict=self._slots is not None)
        numbers: dict[str, Array | float | int] = {name: getattr(self, name) for name in self.number_names}
        return {**numbers, **{name: slot.copy() for name, slot in slots}}

    def load_state(self, state: Mapping[str, Array | float | int]) -> None:
        """Go on from a ``state()``; call it after ``start``.

        Raises
        ------
        FormatError
            If it is the state of another optimizer, or of parameters of another number or dtype. Nothing has been
            changed then.
        """
        where = f"{type(self).__name__}.load_state"
        if self._slots is None:
            raise PellucidError(f"{where}: call start first, so that there are arrays to fill.")
        check_keys(where, state, (*self.number_names, *self.slot_names))
        for name, slot in zip(self.slot_names, self._slots, strict=True):
            check_array(f"{where}: {name}", state[name], slot)
        numbers = saved_numbers(where, state, self.number_names, self)
        checked = options_of(type(self)).keys() - {"learning_rate"}  # which a schedule may take to 0
        for name in numbers.keys() & checked:
            self._checked(name, numbers[name])
        for name, number in numbers.items():
            self._keep(name, number)
        for name, slot in zip(self.slot_names, self._slots, strict=True):
            slot[...] = state[name]


@cache
def _keywords_of(rule: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a rule's options, which are keywords."""
    parameters = signature(rule).parameters.values()
    return tuple(each.name for each in parameters if each.kind is each.KEYWORD_ONLY)


def runs_of(decay_mask: Array, rates: Array | None = None) -> tuple[Array, Array]:
    """Return runs that cover all parameters, as rows of start, stop and 1 where they decay, and each run's rate."""
    decays = decay_mask != 0
    rates = np.ones(decays.shape) if rates is None else rates
    differs = (decays[1:] != decays[:-1]) | (rates[1:] != rates[:-1])
    bounds = np.flatnonzero(np.concatenate([[True], differs, [True]]))
    runs = np.stack([bounds[:-1], bounds[1:], decays[bounds[:-1]]], axis=1).astype(np.int64)
    return runs, rates[bounds[:-1]].astype(np.float64)
