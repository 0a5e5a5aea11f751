"""What a worker does in a training: it holds shards, computes its part of every step, and adds up what others did.

The workers of a training are a binary tree: worker r hands parameters on to workers 2r + 1 and 2r + 2, and adds
their gradients to its own in this order. The first one is the training's partner.
"""

import contextlib
import socket
import threading
from functools import partial
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.blas_threads import one_blas_thread
from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.views import Converted
from pellucid.distributed.batch_parts import Shares, Task
from pellucid.distributed.channel import Channel, Gone, accept, connect, listen
from pellucid.distributed.tree import Order, Steps
from pellucid.errors import PellucidError
from pellucid.nn.model import Model
from pellucid.text import first_line
from pellucid.training.features import features_of, trained_part
from pellucid.types import Array, map_arrays

MEET_SECONDS = 20.0  # that those of a tree wait for each other
CLIENT = -1  # in the place of a worker's number

_NODES: dict[tuple[str, str], "Node"] = {}  # by training and worker: several workers may share a process


class Node:
    """A worker's part of one training; opened by :func:`open_node`, which Dask runs there.

    Parameters
    ----------
    token : str
        Known to the partners of this training alone.
    task : Task
    address : str
        The worker's, as Dask has it.
    host : str
        The interface to listen on: the worker's own.
    contexts : tuple
        TLS contexts for listening and connecting; None without TLS.
    """

    def __init__(self, token: str, task: Task, address: str, host: str, contexts: tuple[Any, Any]) -> None:
        self.token, self.task, self.address = token, task, address
        self._listening, self._connecting = contexts
        self.model: Model = trained_part(task.model, 1)
        self.shards: dict[int, Any] = {}
        self.server = listen(host)
        self.place = self.server.getsockname()[:2]
        self._arrived = threading.Condition()
        self._tree: dict[tuple[int, int], Channel] = {}  # who has come, by generation and number
        self._open: list[Channel] = []  # of the present tree
        self._shares: Shares | None = None
        self._round: threading.Thread | None = None
        self._control: Channel | None = None  # of the training: when it is gone, so is this node
        self._peers: dict[int, Channel] = {}
        self._start(self._listen)

    def give(self, number: int, X: Any) -> None:
        """Hold a shard, in memory or in its file, prepared where every batch need not be."""
        rule, model = self.task.model.preprocessing, self.task.model
        is_stored = isinstance(X, StoredArray)
        for convert in self.task.converters:
            X = Converted(X, convert, model.dtype) if is_stored else convert(X, None)
        if self.model is not model:
            X = features_of(model, X, rule)
        elif self.task.rule is None and rule is not None:
            X = (
                rule.lazily(X, model.dtype)
                if is_stored
                else map_arrays(partial(rule.apply, dtype=model.dtype), X)
            )
        self.shards[number] = X

    def close(self) -> None:
        """Leave the training."""
        _NODES.pop((self.token, self.address), None)
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self._break_up()
        self.shards.clear()

    def _start(self, target: Any, *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name="pellucid-node")
        thread.start()
        return thread

    def _listen(self) -> None:
        while True:
            try:
                channel = accept(self.server, self._listening)
            except ConnectionError:
                continue
            except OSError:
                return  # closed
            self._start(self._greet, channel)

    def _greet(self, channel: Channel) -> None:
        """Take up a connection, by what its first message says."""
        with contextlib.suppress(Gone):
            hello = channel.receive()
            if hello.facts.get("token") != self.token:
                channel.close()
            elif hello.kind == "tree":
                with self._arrived:
                    self._tree[hello.facts["generation"], hello.facts["rank"]] = channel
                    self._arrived.notify_all()
            else:
                if hello.kind == "control":
                    self._control = channel
                self._serve(channel)

    def _serve(self, channel: Channel) -> None:
        """Answer one partner's questions until it leaves."""
        try:
            while True:
                message = channel.receive()
                if message.kind == "ping":
                    channel.send("pong")
                elif message.kind == "rows":
                    shares = self._shares
                    try:
                        held = {} if shares is None else shares.held(message.arrays[0])
                    except KeyError:  # arranged anew meanwhile
                        held = {}
                    except PellucidError as error:  # of a file that was changed, say
                        channel.send("fault", text=first_line(error))
                        continue
                    named = held if isinstance(held, dict) else {"": held}
                    channel.send("rows", list(named.values()), names=list(named))
                elif message.kind == "arrange":
                    self._arrange(Order(**message.facts))
                    channel.send("arranged")
                elif message.kind == "close":
                    self.close()
                    return
        except Gone:
            if channel is self._control:
                self.close()
        finally:
            channel.close()

    def _arrange(self, order: Order) -> None:
        """Take a place in a new tree; the one before is over."""
        self._break_up()
        if self._round is not None:
            self._round.join()
        for number in list(self.shards):
            if order.owners[number] != order.rank:
                del self.shards[number]
        self._shares = Shares(self.task, order.rank, order.owners, self.shards, self._fetcher(order))
        self._round = self._start(self._take_part, order, self._shares)

    def _break_up(self) -> None:
        for channel in [*self._open, *self._peers.values()]:
            channel.close()
        self._open, self._peers = [], {}

    def _fetcher(self, order: Order) -> Any:
        def fetch(owner: int, rows: Array) -> Any:
            peer = self._peers.get(owner)
            if peer is None:
                peer = connect(order.places[owner], self._connecting, "peer", token=self.token)
                self._peers[owner] = peer
            peer.send("rows", [rows])
            message = peer.receive()
            if message.kind == "fault":
                raise PellucidError(message.facts["text"])
            if not message.arrays:
                raise Gone("it does not hold the samples")
            named = dict(zip(message.facts["names"], message.arrays, strict=True))
            return named.get("", named)

        return fetch

    def _meet(self, generation: int, rank: int) -> Channel:
        """Return the channel of one who comes."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: (generation, rank) in self._tree, MEET_SECONDS)
            if not came:
                raise Gone("a partner did not come")
            return self._tree.pop((generation, rank))

    def _take_part(self, order: Order, shares: Shares) -> None:
        """Compute steps until the tree breaks."""
        opened: list[Channel] = []
        try:
            if order.rank:
                parent = order.places[(order.rank - 1) // 2]
                hello = {"token": self.token, "generation": order.generation, "rank": order.rank}
                up = connect(parent, self._connecting, "tree", **hello)
            else:
                up = self._meet(order.generation, CLIENT)
            opened.append(up)
            self._open = opened
            below = [self._meet(order.generation, child) for child in order.children]
            opened += below
            with (
                one_blas_thread(),
                dispatch.use(self.task.kernels),
                np.errstate(over="ignore", invalid="ignore"),
            ):
                Steps(self.model, order, shares, up, below).run()
        except Gone:
            pass
        except Exception as error:
            name = "" if isinstance(error, PellucidError) else f"{type(error).__name__}: "
            text = name + first_line(error)
            with contextlib.suppress(Gone, IndexError):
                opened[0].send("fault", text=text, rank=order.rank)
        finally:
            for channel in opened:
                channel.close()


def open_node(token: str, task: Task) -> tuple[str, str, int]:
    """Take part in a training, on the worker that this task runs on; return its address, host and port."""
    from distributed.comm.addressing import get_address_host

    from distributed import get_worker

    worker = get_worker()
    is_inproc = worker.address.startswith("inproc")
    host = "127.0.0.1" if is_inproc else get_address_host(worker.address)
    contexts = None, None
    if worker.address.startswith("tls"):
        security = worker.security
        contexts = (
            security.get_listen_args("worker")["ssl_context"],
            security.get_connection_args("worker")["ssl_context"],
        )
    node = Node(token, task, worker.address, host, contexts)
    _NODES[token, worker.address] = node
    return (worker.address, *node.place)


def give_shard(token: str, number: int, pair: tuple[Any, Array]) -> None:
    """Have the worker that this task runs on hold a shard."""
    from distributed import get_worker

    _NODES[token, get_worker().address].give(number, pair[0])
