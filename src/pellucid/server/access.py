"""Who may ask a server: this computer alone, or whoever knows the token."""

import hmac
import ipaddress
import os
import socket

from pellucid.errors import OptionError
from pellucid.text import first_line, shown

VARIABLE = "PELLUCID_TOKEN"
SHORTEST = 16  # characters: a shorter token can be guessed
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


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


def is_authorized(header: bytes, token: str) -> bool:
    """Return whether an ``Authorization`` header holds the token; the time does not tell how much is right.

    Examples
    --------
    >>> is_authorized(b"Bearer 0123456789abcdef", "0123456789abcdef"), is_authorized(b"", "0123456789abcdef")
    (True, False)
    """
    scheme, _, given = header.partition(b" ")
    return hmac.compare_digest(given.strip(), token.encode()) and scheme.lower() == b"bearer"


def is_local(host: bytes) -> bool:
    """Return whether a ``Host`` header names this computer, which that of a foreign page in a browser does not.

    Examples
    --------
    >>> is_local(b"localhost:8000"), is_local(b"[::1]:8000"), is_local(b"cats.example:8000")
    (True, True, False)
    """
    name = host.decode("latin-1").lower()
    return name.removesuffix(":" + name.rpartition(":")[2]) in LOCAL_NAMES or name in LOCAL_NAMES


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
