"""Messages between the processes of a training: numbers and names as JSON, arrays as their bytes, over TCP or TLS.

Nothing that is received is run: no pickle. Where Dask speaks TLS, so do these sockets, with Dask's certificates.
"""

import contextlib
import json
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.types import Array

CONNECT_SECONDS = 10.0
SMALL = 1 << 16  # bytes of a message that are sent in one piece
MOST_JSON = 1 << 24
SPIN_SECONDS = 3e-4  # that a vector is waited for without sleeping: waking up takes longer than its way
_HEAD = struct.Struct("!I")  # the size of a message's JSON
_VECTOR = _HEAD.pack(0)  # in front of an array without one


class Gone(Exception):
    """The other side of a channel has closed it, or does not answer."""


class Message(NamedTuple):
    """What is sent: a kind, JSON-serializable facts, and arrays."""

    kind: str
    facts: dict[str, Any]
    arrays: list[Array]


class Channel:
    """One connection.

    Parameters
    ----------
    sock : socket.socket or ssl.SSLSocket
        Connected.
    """

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, kind: str, arrays: Sequence[Array] = (), **facts: Any) -> None:
        """Send a message.

        Raises
        ------
        Gone
            If the other side is not there any more.
        """
        arrays = [np.ascontiguousarray(array) for array in arrays]
        shapes = [(array.dtype.str, array.shape) for array in arrays]
        text = json.dumps([kind, facts, shapes]).encode()
        head = _HEAD.pack(len(text)) + text
        try:
            if sum(array.nbytes for array in arrays) <= SMALL:
                self.sock.sendall(b"".join([head, *(array.tobytes() for array in arrays)]))
                return
            self.sock.sendall(head)
            for array in arrays:
                if array.size:
                    self.sock.sendall(array.data.cast("B"))
        except OSError as error:
            raise Gone(str(error)) from None

    def receive(self, into: Sequence[Array] = (), waiting: Callable[[], None] | None = None) -> Message:
        """Return the next message.

        Parameters
        ----------
        into : sequence of Array, optional
            Contiguous: the message's first arrays are written there, where dtype and size are theirs.
        waiting : callable, optional
            Called each second without news; may raise to give up.

        Raises
        ------
        Gone
            If the other side closes the channel.
        """
        (size,) = _HEAD.unpack(self._read(bytearray(_HEAD.size), waiting))
        return self._receive(size, into, waiting)

    def _receive(self, size: int, into: Sequence[Array], waiting: Callable[[], None] | None) -> Message:
        """Return a message whose JSON has a size."""
        if not 0 < size <= MOST_JSON:
            raise Gone("not a message")
        try:
            kind, facts, shapes = json.loads(self._read(bytearray(size), waiting))
            arrays = [np.empty(tuple(shape), _numeric(dtype)) for dtype, shape in shapes]
        except (ValueError, TypeError) as error:
            raise Gone(f"not a message ({error})") from None
        for i, array in enumerate(arrays):
            if i < len(into) and into[i].dtype == array.dtype and into[i].shape == array.shape:
                arrays[i] = into[i]
            if array.size:
                self._read(arrays[i].data.cast("B"), waiting)
        return Message(kind, facts, arrays)

    def send_vector(self, vector: Array) -> None:
        """Send an array whose size the other side knows, by the shortest way."""
        try:
            self.sock.sendall(_VECTOR + vector.tobytes())
        except OSError as error:
            raise Gone(str(error)) from None

    def receive_vector(self, out: Array) -> Message | None:
        """Read what ``send_vector`` sent into an array; return the message that came in its place, if one did."""
        self._spin()
        (size,) = _HEAD.unpack(self._read(bytearray(_HEAD.size), None))
        if size:
            return self._receive(size, (), None)
        self._read(out.data.cast("B"), None)
        return None

    def _spin(self) -> None:
        """Wait a moment for news without sleeping; TLS may have them already, where nobody can look."""
        if isinstance(self.sock, ssl.SSLSocket) or not hasattr(select, "poll"):  # Windows has none
            return
        news, until = select.poll(), time.perf_counter() + SPIN_SECONDS
        news.register(self.sock, select.POLLIN)
        while time.perf_counter() < until and not news.poll(0):
            pass

    def close(self) -> None:
        """Close the connection, so that who waits at either side is told."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _read(self, buffer: Any, waiting: Callable[[], None] | None) -> Any:
        view = memoryview(buffer)
        try:
            self.sock.settimeout(None if waiting is None else 1.0)
            while view:
                try:
                    n = self.sock.recv_into(view)
                except TimeoutError:
                    assert waiting is not None
                    waiting()
                    continue
                if not n:
                    raise Gone("the connection was closed")
                view = view[n:]
        except OSError as error:
            raise Gone(str(error)) from None
        return buffer


def connect(place: Sequence[Any], context: ssl.SSLContext | None, kind: str, **facts: Any) -> Channel:
    """Return a channel to a host and port, with a first message that says what it is for.

    Raises
    ------
    Gone
        If nobody listens there.
    """
    host, port = place
    try:
        sock: Any = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        if context is not None:
            sock = context.wrap_socket(sock, server_hostname=host)
    except OSError as error:
        raise Gone(f"{host}:{port}: {error}") from None
    channel = Channel(sock)
    channel.send(kind, **facts)
    return channel


def listen(host: str) -> socket.socket:
    """Return a socket that listens on a free port of an interface."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family, backlog=64)


def accept(server: socket.socket, context: ssl.SSLContext | None) -> Channel:
    """Return the channel of the next who connects; OSError if there is none, or the server is closed."""
    sock, _ = server.accept()
    sock.settimeout(CONNECT_SECONDS)
    if context is not None:
        try:
            sock = context.wrap_socket(sock, server_side=True)
        except OSError as error:
            sock.close()
            raise ConnectionError(str(error)) from None
    return Channel(sock)


def answers(channel: Channel, seconds: float) -> bool:
    """Return whether the other side answers a ping in time."""
    until = time.monotonic() + seconds

    def waiting() -> None:
        if time.monotonic() > until:
            raise Gone("no answer")

    try:
        channel.send("ping")
        return channel.receive(waiting=waiting).kind == "pong"
    except Gone:
        return False


def _numeric(name: str) -> "np.dtype[Any]":
    dtype = np.dtype(name)
    if dtype.kind not in "biuf":
        raise ValueError(f"arrays of {dtype}")
    return dtype
