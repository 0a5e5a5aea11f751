"""Sockets: clients that connect and send no request, or one without end, are let go."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pellucid.server.options import ServerOptions

_BASE: Any = AutoHTTPProtocol
MOST_HEADER_BYTES = 2**16
SPARE_CONNECTIONS = 4  # times the requests at the same time: clients keep some open


def protocol_class(options: ServerOptions) -> Any:
    """Return uvicorn's protocol with limits on what comes before a request's body, which the application sees.

    uvicorn itself waits for the header of a request for ever. httptools, which is written in C, reads it where it
    is installed, else h11.
    """
    most = SPARE_CONNECTIONS * options.max_requests

    class Limited(_BASE):  # which class it is depends on what is installed
        """A connection whose requests have to begin in time."""

        _timer: asyncio.TimerHandle | None = None
        _n_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                self._refuse(429, "too many connections at the same time. Try again.")
            else:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.transport.is_closing():
                return
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop_waiting()
                return
            self._n_bytes += len(data)
            if self._n_bytes > MOST_HEADER_BYTES and self.cycle is None:
                self._refuse(431, f"the header is larger than {MOST_HEADER_BYTES:,} bytes.")
            elif self._timer is None:
                self._wait()

        def send_400_response(self, msg: str) -> None:
            self._refuse(400, "this is no request of HTTP.")

        def _wait(self) -> None:
            self._timer = self.loop.call_later(options.read_seconds, self._give_up)

        def _stop_waiting(self) -> None:
            self._n_bytes = 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _give_up(self) -> None:
            self._timer = None
            if self.cycle is not None:  # it has had answers, and sends no other request
                self.transport.close()
            else:
                self._refuse(408, f"no request within {options.read_seconds:g} s.")

        def _refuse(self, status: int, message: str) -> None:
            if self.transport.is_closing():
                return
            body = json.dumps({"error": message, "status": status}, separators=(",", ":")).encode()
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode() + body)
            self.transport.close()

    return Limited
