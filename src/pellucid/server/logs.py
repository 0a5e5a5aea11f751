"""The log: one JSON object a line, on standard error."""

import json
import logging
import sys
import time
import traceback
from typing import Any

LOGGER = logging.getLogger("pellucid.server")


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
