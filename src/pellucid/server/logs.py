"""The log: one JSON object a line, on standard error."""

import json
import logging
import sys
import time
import traceback
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = logging.getLogger("pellucid.server")
PROBES = ("/healthz", "/readyz")  # which load balancers ask all the time
NOTES = "pellucid.notes"  # in a request's scope: what the log is to say of it
LONGEST_PATH = 200  # characters in the log


def log(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write a line: what happened, and what is to be known of it."""
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, event, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """A record as one JSON object; in ASCII, so that nothing in it moves a terminal's cursor.

    Examples
    --------
    >>> record = {"msg": "started", "levelname": "INFO", "created": 0.25, "fields": {"port": 80}}
    >>> record = logging.makeLogRecord(record)
    >>> JsonLines().format(record)
    '{"time": "1970-01-01T00:00:00.250Z", "level": "info", "event": "started", "port": 80}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{seconds}.{int(record.created % 1 * 1000):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(line)


def start_logging(*, is_quiet: bool) -> None:
    """Send this server's log, and warnings of all libraries, to standard error; quiet: warnings alone.

    It is for a process that does nothing else: the handlers of the root logger are replaced.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOGGER.setLevel(logging.WARNING if is_quiet else logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each damaged form


class LogRequests:
    """A line of the log for each request, of the probes those alone that fail.

    Parameters
    ----------
    app : callable
        ASGI.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        started, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        scope[NOTES] = notes = dict[str, Any]()
        # HEAD is answered as GET is; the server's protocol leaves the body out.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self.app(asked, receive, noting)
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
