"""The workers of one training as its client sees them: who holds which shards, and what is done without one."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pellucid.distributed.assignment import Member, assign, by_name, matched
from pellucid.distributed.batch_parts import Task
from pellucid.distributed.channel import Channel, Gone, answers, connect
from pellucid.distributed.cutting import large_arguments
from pellucid.distributed.node import CLIENT, give_shard, open_node
from pellucid.distributed.waiting import WORKERS_SECONDS, ClusterError
from pellucid.errors import PellucidError, TrainingError
from pellucid.progress import ProgressBar
from pellucid.text import first_line, plural
from pellucid.types import Array

ANSWER_SECONDS = 10.0  # that a worker is given to answer a ping, before it counts as lost
ARRANGE_SECONDS = 60.0  # that one is given to take its place in a new tree
MOST_TRIES = 3  # of a step that fails though no worker is lost
PING_EVERY = 2.0  # seconds that a step lasts
LOOK_EVERY = 2.0  # seconds between looks for new workers, between epochs
SCHEDULER_SECONDS = 10.0
LOAD_SECONDS = 0.5  # between looks at workers that load shards


class WorkerPool:
    """Computes steps on the workers of a cluster, and goes on without those that are lost.

    A worker that is killed is noticed at once, one that is frozen after ``ANSWER_SECONDS`` to ``ANSWER_SECONDS +
    PING_EVERY``. Its shards are then loaded by the others and the step is computed again, from the same parameters.
    Workers that come later take shards when the next epoch begins.

    Parameters
    ----------
    client : distributed.Client
    task : Task
    shards : sequence
        Each has a ``future`` of (X, y), ``n_rows`` and a ``name``.
    """

    def __init__(self, client: Any, task: Task, shards: Sequence[Any]) -> None:
        self.client, self.task, self.shards = client, task, shards
        self.token = uuid.uuid4().hex
        self.members: list[Member] = []
        self.generation, self.n_lost = 0, 0
        self._root: Channel | None = None
        self._looked = time.monotonic()
        self._lost: set[str] = set()
        security = client.security.get_connection_args("client") if client.security else {}
        is_tls = str(client.scheduler.address).startswith("tls")
        self._context = security.get("ssl_context") if is_tls else None

    def start(self) -> None:
        """Open the training on every worker there is, and give each its shards.

        Raises
        ------
        ClusterError
            If there is none, or none can be reached from here.
        """
        self._take_in(self._addresses())
        self._settle()

    def step(
        self, theta: Array, state: Sequence[Array], grad: Array, *, epoch: int, i: int, step: int
    ) -> float:
        """Return the loss of a batch, and fill ``grad`` and ``state``.

        Raises
        ------
        ClusterError
            If no worker is left, or they do not reach one another.
        TrainingError
            If one fails for another reason than its death.
        """
        if i == 0 and epoch and time.monotonic() - self._looked > LOOK_EVERY:
            self.welcome()
        before = [array.copy() for array in state]
        for _ in range(MOST_TRIES):
            n_lost = -1
            while n_lost != self.n_lost:  # as long as it is since one is lost
                n_lost = self.n_lost
                try:
                    return self._try_step(theta, before, grad, state, epoch=epoch, i=i, step=step)
                except Gone:
                    self.recover()
        raise ClusterError("all workers answer, but some do not reach one another, each at a port of its own")

    def _try_step(
        self, theta: Array, before: Sequence[Array], grad: Array, state: Sequence[Array], **which: int
    ) -> float:
        if self._root is None:
            raise Gone
        self._root.send("step", [theta, *before], **which)
        pinged = time.monotonic()

        def waiting() -> None:
            nonlocal pinged
            if time.monotonic() - pinged > PING_EVERY:
                self._ping()
                pinged = time.monotonic()

        message = self._root.receive([grad, *state], waiting=waiting)
        if message.kind == "fault":
            where = self.members[message.facts["rank"]].address
            raise TrainingError(f"train: worker {where}: {message.facts['text']}")
        return float(message.facts["loss"])

    def _ping(self) -> None:
        """Raise Gone unless all members answer."""
        asked = [member for member in self.members if not member.is_silent]
        with ThreadPoolExecutor(max(1, len(asked))) as pool:
            found = list(pool.map(lambda member: answers(member.control, ANSWER_SECONDS), asked))
        for member, answer in zip(asked, found, strict=True):
            member.is_silent = not answer
        if any(member.is_silent for member in self.members):
            raise Gone("a worker does not answer")

    def recover(self) -> None:
        """Go on without the members that are dead or frozen."""
        self._hang_up()
        self._drop_silent()
        self._settle()

    def _drop_silent(self) -> None:
        with contextlib.suppress(Gone):
            self._ping()
        for member in [member for member in self.members if member.is_silent]:
            self._leave(member)

    def welcome(self) -> None:
        """Take in workers that have come since."""
        self._looked = time.monotonic()
        known = {member.address for member in self.members} | self._lost
        new = [address for address in self._addresses() if address not in known]
        if new:
            self._hang_up()
            self._take_in(new)
            self._settle()

    def close(self) -> None:
        """Let the workers go."""
        self._hang_up()
        for member in self.members:
            with contextlib.suppress(Gone):
                member.control.send("close")
            member.control.close()
        self.members = []

    def _hang_up(self) -> None:
        if self._root is not None:
            self._root.close()
            self._root = None

    def _leave(self, member: Member) -> None:
        member.control.close()
        self.members.remove(member)
        self._lost.add(member.address)
        self.n_lost += 1
        # Dask waits for it much longer, and others wait for data that they ask it for.
        self._ask(
            self.client.scheduler.unregister, address=member.address, stimulus_id=f"pellucid-{self.token}"
        )

    def _ask(self, function: Any, **arguments: Any) -> Any:
        """Return the scheduler's answer.

        Raises
        ------
        ClusterError
            If there is none.
        """
        try:
            return self.client.sync(function, callback_timeout=SCHEDULER_SECONDS, **arguments)
        except (OSError, TimeoutError, AttributeError, RuntimeError) as error:
            raise ClusterError(f"the scheduler of the cluster is lost ({first_line(error)})") from None

    def _addresses(self) -> list[str]:
        """Return the addresses of the scheduler's workers, in the order of their names."""
        workers = self._ask(self.client.scheduler.identity, n_workers=-1)["workers"]
        return sorted(workers, key=lambda address: by_name(workers[address]["name"]))

    def _take_in(self, addresses: Sequence[str]) -> None:
        """Open the training on workers; those that cannot be reached are left out."""
        futures = {
            address: self._submit(open_node, self.token, self.task, at=address) for address in addresses
        }
        why = ""
        for address, future in futures.items():
            try:
                _, host, port = future.result(timeout=WORKERS_SECONDS)
                control = connect((host, port), self._context, "control", token=self.token)
            except PellucidError:
                raise
            except Gone as error:
                self._lost.add(address)
                why = f"this machine cannot connect to worker {address} ({error}), which a training needs"
            except Exception as error:  # it died meanwhile, or has other work
                self._lost.add(address)
                why = f"worker {address} did not take part ({type(error).__name__}: {first_line(error)})"
            else:
                self.members.append(Member(address, (host, port), control))
        if why and not self.members:
            raise ClusterError(why)

    def _submit(self, function: Any, *arguments: Any, at: str) -> Any:
        with large_arguments():
            return self.client.submit(
                function, *arguments, workers=[at], allow_other_workers=False, pure=False, retries=0
            )

    def _settle(self) -> None:
        """Divide the shards among the members and build the tree, with those that are left where some are lost."""
        until = time.monotonic() + WORKERS_SECONDS
        while True:
            while not self.members:
                new = [address for address in self._addresses() if address not in self._lost]
                if new:
                    self._take_in(new)
                elif time.monotonic() > until:
                    raise ClusterError("no worker is left")
                else:
                    time.sleep(LOAD_SECONDS)
            try:
                owners = self._load()
                self._build_tree(owners)
                return
            except Gone:
                self._drop_silent()

    def _load(self) -> list[int]:
        """Have every member hold its shards; return the number of each shard's owner."""
        owners = assign([shard.n_rows for shard in self.shards], len(self.members))
        self.members = matched(self.members, owners, self._where())
        todo = {}
        for number, owner in enumerate(owners):
            member = self.members[owner]
            if number not in member.held:
                future = self.shards[number].future
                todo[number] = self._submit(give_shard, self.token, number, future, at=member.address)
        n = len(todo)
        with ProgressBar() as bar:
            while todo:
                bar("loading shards", n - len(todo), n)
                done = [number for number, future in todo.items() if future.done()]
                for number in done:
                    self._loaded(number, todo.pop(number))
                    self.members[owners[number]].held.add(number)
                if not done:
                    time.sleep(0.005)
                    self._check_loading()
        for rank, member in enumerate(self.members):
            member.held &= {number for number, owner in enumerate(owners) if owner == rank}
        return owners

    def _loaded(self, number: int, future: Any) -> None:
        from distributed.scheduler import KilledWorker

        name = self.shards[number].name
        try:
            future.result()
        except PellucidError:
            raise
        except (KilledWorker, KeyError, asyncio.CancelledError, OSError) as error:
            raise Gone(f"{name}: {error}") from None
        except Exception as error:
            if type(error).__name__ in ("FutureCancelledError", "NoValidWorkerError"):
                raise Gone(f"{name}: {first_line(error)}") from None
            raise ClusterError(f"{name}: {type(error).__name__}: {first_line(error)}") from None

    _checked = 0.0

    def _check_loading(self) -> None:
        if time.monotonic() - self._checked > LOAD_SECONDS:
            self._ping()
            self._checked = time.monotonic()

    def _where(self) -> list[set[str]]:
        """Return the workers that have each shard in their memory now."""
        futures = [shard.future for shard in self.shards]
        with contextlib.suppress(Exception):  # a help for the choice alone
            found = self.client.who_has(futures)
            return [set(found.get(future.key, ())) for future in futures]
        return [set() for _ in futures]

    def _build_tree(self, owners: Sequence[int]) -> None:
        self.generation += 1
        n = len(self.members)
        order: dict[str, Any] = {
            "generation": self.generation,
            "n": n,
            "places": [member.place for member in self.members],
            "owners": list(owners),
        }
        until = time.monotonic() + ARRANGE_SECONDS

        def waiting() -> None:
            if time.monotonic() > until:
                raise Gone("no answer")

        for rank, member in enumerate(self.members):
            member.control.send("arrange", rank=rank, **order)
        for member in self.members:
            member.control.receive(waiting=waiting)
        hello = {"token": self.token, "generation": self.generation, "rank": CLIENT}
        self._root = connect(self.members[0].place, self._context, "tree", **hello)

    def in_words(self) -> str:
        """Return who works."""
        lost = f" ({self.n_lost} lost)" if self.n_lost else ""
        return f"{plural(len(self.members), 'worker')} of a Dask cluster{lost}, {plural(len(self.shards), 'shard')}"
