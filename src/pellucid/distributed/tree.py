"""The steps of a training in a tree of workers: parameters go down, gradients come up and are added on the way."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.distributed.batch_parts import Share, Shares
from pellucid.distributed.channel import SMALL, Channel, Gone, Message
from pellucid.nn.model import Model
from pellucid.training.executor.thread_shards import set_reduce
from pellucid.types import Array


class Order(NamedTuple):
    """Who is who in a tree.

    Attributes
    ----------
    generation : int
        Trees are numbered; a message of an older one is not heard.
    rank, n : int
        This worker's number, and how many there are.
    places : list of (host, port)
        Where each listens.
    owners : list of int
        The worker that holds each shard.
    """

    generation: int
    rank: int
    n: int
    places: list[Any]
    owners: list[int]

    @property
    def children(self) -> range:
        """The numbers of those below."""
        return range(min(2 * self.rank + 1, self.n), min(2 * self.rank + 3, self.n))


class Steps:
    """The steps of a training as one worker sees them.

    Parameters
    ----------
    model : Model
    order : Order
    shares : Shares
    up : Channel
        To the worker above; of the first one, to the training.
    below : list of Channel
    """

    def __init__(self, model: Model, order: Order, shares: Shares, up: Channel, below: list[Channel]) -> None:
        self.model, self.order, self.shares, self.up, self.below = model, order, shares, up, below
        self.state = [array for leaf in model.leaves() for array in leaf.state.values()]
        self.scratch = np.empty_like(model.grad)

    def run(self) -> None:
        """Take steps as they are asked for."""
        while True:
            message = self.up.receive([self.model.theta, *self.state])
            if message.kind != "step":
                raise Gone(f"expected a step, got {message.kind}")
            for channel in self.below:
                channel.send("step", message.arrays, **message.facts)
            epoch, i = message.facts["epoch"], message.facts["i"]
            share = self.shares.of(epoch, i, self.order.n)
            loss = self._compute(share, message.facts)
            for channel in self.below:
                part = self._from(channel, "sum", [self.scratch])
                self.model.grad += self.scratch
                loss += part.facts["loss"]
            state = self.state if self.order.rank == 0 else []
            self.up.send("sum", [self.model.grad, *state], loss=loss)
            self.shares.prepare_next(epoch, i, self.order.n)

    def _compute(self, share: Share, facts: dict[str, Any]) -> float:
        if share.X is None:
            self.model.grad[...] = 0
            return 0.0
        model = self.model
        if self.shares.task.model.draws_random_numbers:
            model.seed_step(self.shares.task.seed, facts["step"])
        is_whole = len(share.places) == share.m
        for use in model.uses():
            if hasattr(use, "part"):
                use.part = None if is_whole else (share.places, share.m)
        set_reduce(model, None if is_whole else self._sum)
        return model.loss_and_grad_of_encoded(
            share.X, share.Y, weights=share.weights, normalizer=share.normalizer
        )

    def _sum(self, part: Array) -> Array:
        """Return the sum of all workers' parts, for a layer that needs it in the middle of a step."""
        if self.order.n == 2 and part.nbytes <= SMALL:
            return self._swapped(part)
        total: Array = part.copy()
        other = np.empty_like(total)
        for channel in self.below:
            self._expect_none(channel.receive_vector(other))
            total += other
        if self.order.rank:
            self.up.send_vector(total)
            self._expect_none(self.up.receive_vector(total))
        for channel in self.below:
            channel.send_vector(total)
        return total

    def _swapped(self, part: Array) -> Array:
        """Return the sum of two workers' parts, which each sends at once: half the way of a sum by the tree."""
        other, partner = np.empty_like(part), self.up if self.order.rank else self.below[0]
        partner.send_vector(part)
        self._expect_none(partner.receive_vector(other))
        return other + part if self.order.rank else part + other

    def _expect_none(self, message: Message | None) -> None:
        if message is not None:
            self._check(message, "a vector")

    def _from(self, channel: Channel, kind: str, into: Sequence[Array] = ()) -> Message:
        """Return a message of one kind; a fault from below is handed up."""
        message = channel.receive(into)
        self._check(message, kind)
        return message

    def _check(self, message: Message, kind: str) -> None:
        if message.kind == "fault":
            self.up.send("fault", **message.facts)
        if message.kind != kind:
            raise Gone(f"expected {kind}, got {message.kind}")
