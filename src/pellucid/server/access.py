"""Who may ask a server: this computer alone, or whoever knows the token."""

import hmac
import ipaddress
import os
import socket
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pellucid.errors import OptionError
from pellucid.text import first_line, shown

VARIABLE = "PELLUCID_TOKEN"
SHORTEST = 16  # characters: a shorter token can be guessed


def token_of_environment() -> str:
    """Return the token of the environment; "" where there is none.

    Raises
    ------
    OptionError
        If it is too short, or has characters that a header cannot hold.
    """
    token = os.environ.get(VARIABLE, "").strip()
    if token and (len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token):
        raise OptionError(
            f"{VARIABLE}: expected at least {SHORTEST} letters and digits, got {len(token)} characters. "
            'Make one by: python -c "import secrets; print(secrets.token_urlsafe())"'
        )
    return token


def check_token(token: str) -> Any:
    """Return a dependency that refuses requests without the token; the time does not tell how much is right."""

    async def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise HTTPException(
                401,
                'expected the header "Authorization: Bearer TOKEN" with this server\'s token.',
                {"www-authenticate": "Bearer"},
            )

    return Depends(check)


async def check_local(request: Request) -> None:
    """Refuse a request that a foreign page makes by way of a browser on this computer.

    The name that it has for the host, or its ``Origin``, tells.
    """

    async def refuse(_: Any) -> None:
        raise HTTPException(
            403, "this server answers to localhost alone. Give it a token to be asked by other names."
        )

    await _LOCAL(request.scope, request.receive, refuse)
    own = f"http://{request.headers['host'].lower()}"
    if any(origin.lower() != own for origin in request.headers.getlist("origin")):
        raise HTTPException(
            403,
            "a page of another origin asks by way of a browser. Ask from this server's page or a program.",
        )


async def _accept(*_: Any) -> None:
    """Take the place of an application behind Starlette's check, whose answer would be plain text."""


_BEARER = HTTPBearer(scheme_name="token", auto_error=False)
_LOCAL = TrustedHostMiddleware(_accept, ["localhost", "127.0.0.1", "[::1]"], www_redirect=False)


def listen(host: str, port: int, token: str) -> socket.socket:
    """Return a socket bound to an address.

    Raises
    ------
    OptionError
        If others can reach it and there is no token, or it cannot be had.

    Examples
    --------
    >>> listen("0.0.0.0", 0, token="")
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: serve: others can reach 0.0.0.0, and there is no token. Set PELLUCID_TOKEN to a
    secret that clients send as "Authorization: Bearer ...", or leave --host out.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise OptionError(
            f"serve: there is no address {shown(host)} ({first_line(error)}). Try 127.0.0.1."
        ) from None
    if not token and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise OptionError(
            f"serve: others can reach {host}, and there is no token. Set {VARIABLE} to a secret that clients send "
            'as "Authorization: Bearer ...", or leave --host out.'
        )
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows it would share the port with another program
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise OptionError(
            f"serve: cannot listen on {host}, port {port} ({first_line(error)}). Try another --port."
        ) from None
    return bound
