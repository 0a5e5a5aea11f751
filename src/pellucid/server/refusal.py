"""Requests that are refused: a status of HTTP and one sentence or two."""

import json
from typing import Any

from pellucid.errors import PellucidError


class Refused(PellucidError):
    """A request that is not answered with a prediction.

    Parameters
    ----------
    status : int
        Of HTTP: 400 to 499, or 503.
    message : str
    headers : dict of str to str, optional
        Of the response.
    """

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def as_json(value: Any) -> bytes:
    """Return JSON in ASCII, without NaN, which JSON does not have."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def problem(status: int, message: str) -> bytes:
    """Return the body of a refusal.

    Examples
    --------
    >>> problem(404, "there is no such path")
    b'{"error":"there is no such path","status":404}'
    """
    return as_json({"error": message, "status": status})
