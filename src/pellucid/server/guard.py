"""Who may ask, and a line of the log for each request: around everything else."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pellucid.server.access import is_authorized, is_local
from pellucid.server.body import Receive
from pellucid.server.logs import LOGGER, log
from pellucid.server.refusal import Refused, problem
from pellucid.server.service import Service

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
PROBES = ("/healthz", "/readyz")  # which load balancers ask without a token
NOTES = "pellucid.notes"  # in the scope: what the log is to say of the request
LONGEST_PATH = 200  # characters in the log


class Guard:
    """An ASGI application that lets requests through to another.

    It refuses those without the token, where there is one, and else those that a foreign page makes by way of a
    browser on this computer, which its name for the host or its ``Origin`` tells. What fails unexpectedly is
    answered as JSON, too, and written to the log.

    Parameters
    ----------
    app : callable
        ASGI.
    service : Service
    """

    def __init__(self, app: App, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        notes: dict[str, Any] = {}
        scope[NOTES] = notes

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            self._check(scope)
            # HEAD is answered as GET is; the server's protocol leaves the body out.
            asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
            await self.app(asked, receive, noting)
        except Refused as refused:
            await answer(noting, refused.status, str(refused), refused.headers)
            notes["error"] = str(refused)
        except Exception:
            LOGGER.exception("a fault of the server")
            if not status:
                await answer(noting, 500, "the server failed; its log says how.", {})
        finally:
            if status >= 400 or scope["path"] not in PROBES:
                log(
                    "request",
                    level=logging.INFO if status < 500 else logging.WARNING,
                    method=scope["method"],
                    path=scope["path"][:LONGEST_PATH],
                    status=status,
                    ms=round(1000 * (time.perf_counter() - started), 2),
                    **notes,
                )

    def _check(self, scope: Message) -> None:
        """Raise Refused unless this client may ask this path."""
        if scope["path"] in PROBES:
            return
        headers = scope["headers"]
        if self.service.token:
            given = [value for name, value in headers if name == b"authorization"]
            if len(given) != 1 or not is_authorized(given[0], self.service.token):
                raise Refused(
                    401,
                    'expected the header "Authorization: Bearer TOKEN" with this server\'s token.',
                    {"www-authenticate": "Bearer"},
                )
            return
        hosts = [value.lower() for name, value in headers if name == b"host"]
        if not all(map(is_local, hosts)):
            raise Refused(
                403, "this server answers to localhost alone. Give it a token to be asked by other names."
            )
        origins = {value.lower() for name, value in headers if name == b"origin"}
        if not origins <= {b"http://" + host for host in hosts}:
            raise Refused(
                403,
                "a page of another origin asks by way of a browser. Ask from this server's page or a program.",
            )


async def answer(send: Send, status: int, message: str, headers: dict[str, str]) -> None:
    """Send a refusal as JSON."""
    body = problem(status, message)
    own = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    raw = [(name.encode(), value.encode()) for name, value in own.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
