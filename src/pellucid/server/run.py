"""The process of a server: from a socket to the signal that ends it."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from pellucid.server.app import create_app
from pellucid.server.logs import log
from pellucid.server.protocol import protocol_class
from pellucid.server.service import Service
from pellucid.training.callbacks.interrupt import ends_of_a_process

KEEP_ALIVE_SECONDS = 5  # that a connection stays open without a request


class Server(uvicorn.Server):
    """uvicorn's server, which ends without another signal: the process decides how it exits."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM, SIGHUP and Ctrl-C once what is in flight is answered; at a second Ctrl-C at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, *ends_of_a_process())
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def make_server(service: Service) -> Server:
    """Return a server of a service, not yet running."""
    options = service.options
    return Server(
        uvicorn.Config(
            create_app(service),
            http=protocol_class(options),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=[("x-content-type-options", "nosniff")],
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(options.answer_seconds) + 1,
        )
    )


def serve(service: Service, listening: socket.socket, *, started: Callable[[str], None]) -> None:
    """Answer requests until the process is told to end, then what is in flight.

    Parameters
    ----------
    service : Service
        It is closed at the end.
    listening : socket
        Bound: see :func:`pellucid.server.access.listen`.
    started : callable
        Called with the address once it can be asked.
    """
    server = make_server(service)
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    listening.listen(server.config.backlog)  # from here on who connects waits, and is not refused
    log("started", url=url, models={name: each.sha256 for name, each in service.models.items()})
    started(url)
    try:
        server.run(sockets=[listening])
    finally:
        service.close()
        log("stopped", requests=server.server_state.total_requests)
