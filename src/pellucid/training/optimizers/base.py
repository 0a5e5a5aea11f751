"""Optimizers: how a gradient moves the parameters, on flat arrays and in place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import OptionError, PellucidError, ShapeError
from pellucid.training.validate import check_array, check_keys, check_number, check_real
from pellucid.types import Array

# Worked on at a time: parameters, gradient and both moments of a block stay in an L2 cache of 512 kB or more, and
# one call takes long enough that its fixed cost does not count.
BLOCK_BYTES = 262144
FLUSH_EVERY = 64  # steps: an average that shrinks by 0.9 each does not fall through 1e8 in so many
ALL = slice(None)


class Optimizer:
    """What every optimizer is: a rule, and the arrays that it remembers from step to step.

    To write one, derive from it, name its arrays in ``slot_names`` and move the parameters in ``_update``.

    Parameters
    ----------
    learning_rate : float
        eta, above 0.
    weight_decay : float, optional
        lambda, 0 or more. The gradient of lambda/2 ||W||^2 is added to the loss's (L2 decay), except where the
        optimizer says that it decouples the two.
    decay_biases : bool, optional
        True decays every parameter; False those that the model's mask names: weights, not biases.
    clip_value : float, optional
        Each entry of the gradient is cut to -clip_value ... clip_value first.
    clip_norm : float, optional
        The whole gradient is shrunk to this length first, where it is longer (Pascanu et al., 2013, section 3.2).

    Attributes
    ----------
    learning_rate : float
        May be changed between steps: schedules do.
    n_steps : int
        Steps taken since ``start``.
    is_linear : bool
        Whether every update is a linear function of the gradients so far: then the first layer's weights never
        leave the span of the training rows, and the dual form is exact.
    is_full_batch : bool
        Whether it evaluates the loss itself, as often as it likes: see :class:`~pellucid.LBFGS`.
    is_divisible : bool
        Whether what ``_begin`` changes are numbers alone: then other processes, told those, can each do a
        ``step_part``.
    grad_norm : callable or None
        Takes the gradient and returns its length, for ``clip_norm``; set where the flat array is not the true
        gradient, as in the dual form. None: its Euclidean norm.
    """

    is_linear = False
    is_full_batch = False
    is_divisible = False
    slot_names: tuple[str, ...] = ()  # arrays like theta, all zero at the start
    number_names: tuple[str, ...] = ("n_steps", "learning_rate")  # what else changes from step to step

    def __init__(
        self,
        learning_rate: float,
        *,
        weight_decay: float = 0.0,
        decay_biases: bool = False,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, above=0)
        self.weight_decay = check_number("weight_decay", weight_decay, at_least=0)
        self.decay_biases = decay_biases
        self.clip_value = None if clip_value is None else check_number("clip_value", clip_value, above=0)
        self.clip_norm = None if clip_norm is None else check_number("clip_norm", clip_norm, above=0)
        if clip_value is not None and clip_norm is not None:
            raise OptionError("clip_value and clip_norm: expected one of them, got both. Leave one out.")
        self.grad_norm: Callable[[Array], float] | None = None
        self.n_steps = 0
        self._slots: tuple[Array, ...] | None = None
        self._shrink = 1.0

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make ready for parameters like ``theta``; ``decay_mask`` is 1 where decay applies, else 0."""
        if decay_mask.shape != theta.shape:
            raise ShapeError(
                f"decay_mask: expected the shape of theta, {theta.shape}, got {decay_mask.shape}."
            )
        self.n_steps = 0
        self._slots = tuple(np.zeros_like(theta) for _ in self.slot_names)
        self._scratch = np.empty_like(theta)
        self._block = block_length(theta)
        self._decayed = _pieces(np.ones_like(theta) if self.decay_biases else decay_mask, self._block)

    def step(self, theta: Array, grad: Array) -> None:
        """Move ``theta`` one step, in place; ``grad`` may be overwritten."""
        self.begin_step(grad)
        self.step_part(theta, grad, ALL)

    def begin_step(self, grad: Array | None = None) -> None:
        """Count a step; ``step_part`` for parts that cover theta, each once and in any order or thread, ends it.

        Parameters
        ----------
        grad : Array, shape (p,), optional
            The whole gradient, complete; only ``clip_norm`` asks for it.
        """
        self.n_steps += 1
        if self.n_steps % FLUSH_EVERY == 0:
            self._flush()
        if self.clip_norm is not None:
            if grad is None:
                raise PellucidError("begin_step: clip_norm needs the whole gradient; pass it as grad.")
            norm = float(np.linalg.norm(grad)) if self.grad_norm is None else self.grad_norm(grad)
            self._shrink = self.clip_norm / (norm + 1e-6)  # 1e-6 as PyTorch has it
        self._begin()

    def step_part(self, theta: Array, grad: Array, part: slice) -> None:
        """Move one part of ``theta``, a slice of step 1; the parts together equal ``step`` bit for bit."""
        assert self._slots is not None, "call start first"
        start, stop, _ = part.indices(theta.size)
        if self.clip_value is not None:
            cut = grad[start:stop]
            np.maximum(cut, -self.clip_value, out=cut)
            np.minimum(cut, self.clip_value, out=cut)
        elif self._shrink < 1:
            grad[start:stop] *= self._shrink
        if self.weight_decay:
            self._decay(theta, grad, start, stop)
        if stop - start == theta.size <= self._block:
            self._update(theta, grad, self._scratch, self._slots)
            return
        for a in range(start, stop, self._block):
            b = min(a + self._block, stop)
            # The part's first stretch each time: it stays in cache, and no other part's thread writes there.
            scratch = self._scratch[start : start + b - a]
            self._update(theta[a:b], grad[a:b], scratch, [slot[a:b] for slot in self._slots])

    def _flush(self) -> None:
        """Set what has faded out of an average to 0.

        The averages of a unit that is never active shrink every step, down to denormal numbers, with which
        processors compute many times slower. They have long ceased to matter: nothing near this is seen by theta.
        """
        for slot in self._slots or ():
            tiny = float(np.finfo(slot.dtype).tiny) * 1e8
            slot[np.abs(slot) < tiny] = 0

    def _begin(self) -> None:
        """Compute the numbers of this step that ``_update`` needs, once for all parts."""

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        """Move a block; ``grad`` and ``scratch`` may be overwritten, ``slots`` come as ``slot_names`` has them."""
        raise NotImplementedError

    def _decay(self, theta: Array, grad: Array, start: int, stop: int) -> None:
        for first, last in self._decayed:  # g <- g + lambda theta
            a, b = max(first, start), min(last, stop)
            if a < b:
                scratch = self._scratch[a:b]
                np.multiply(theta[a:b], self.weight_decay, out=scratch)
                grad[a:b] += scratch

    def numbers(self) -> dict[str, float]:
        """Return every number that it holds: after ``begin_step``, all that a twin needs for its ``step_part``."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int | float)}

    def move_slots(self, copy: Callable[[Array], Array]) -> None:
        """Let what it remembers from step to step lie in copies."""
        self._slots = None if self._slots is None else tuple(copy(slot) for slot in self._slots)

    def config(self) -> dict[str, Any]:
        """Return the options by name, for the record of a run."""
        return {
            "type": type(self).__name__,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "decay_biases": self.decay_biases,
            "clip_value": self.clip_value,
            "clip_norm": self.clip_norm,
        }

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
        for name in self.number_names:
            check_real(f"{where}: {name}", state[name])
        for name in self.number_names:
            setattr(self, name, type(getattr(self, name))(state[name]))
        for name, slot in zip(self.slot_names, self._slots, strict=True):
            slot[...] = state[name]


def block_length(array: Array) -> int:
    """Return how many of its elements are worked on at a time."""
    return BLOCK_BYTES // array.itemsize


def _pieces(decay_mask: Array, length: int) -> list[tuple[int, int]]:
    """Return the runs of parameters that decay, none longer than ``length``, as (start, stop)."""
    is_decayed = np.concatenate([[False], decay_mask != 0, [False]])
    runs = np.flatnonzero(is_decayed[1:] != is_decayed[:-1]).reshape(-1, 2).tolist()
    return [(a, min(a + length, stop)) for start, stop in runs for a in range(start, stop, length)]
