"""The command ``pellucid serve``."""

import sys
from typing import TYPE_CHECKING

from pellucid.cli.command import PRINTED, command
from pellucid.cli.flags import KERNELS, Flags, flag, options
from pellucid.cli.terminal import echo

if TYPE_CHECKING:
    from pellucid.server.options import ServerOptions


@command("serve", order=47, short_help="Answer other programs over HTTP with a model's predictions.")
@options(server=Flags("pellucid.server.options:ServerOptions", "Server"), kernels=KERNELS)
def serve(
    *,
    models: list[str] = flag(
        is_argument=True,
        metavar="MODEL",
        help="Model files or run folders; NAME=MODEL gives one a name of its own.",
    ),
    server: "ServerOptions",
    quiet: bool = PRINTED["quiet"],
) -> None:
    """Answer POST /predict over HTTP: images, arrays and rows of tables, until Ctrl-C.

    GET / shows how to ask. Each request, but for probes that succeed, is a line of JSON on standard error. Clients
    of other computers need a token: see docs/server.md.
    """
    import importlib.util

    from pellucid.errors import MissingExtraError

    if not all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart")):
        raise MissingExtraError("serve takes an extra: pip install 'pellucid[serve]'")
    from pellucid.server.access import listen, token_of_environment
    from pellucid.server.logs import start_logging
    from pellucid.server.models import load_models
    from pellucid.server.service import Service

    token = token_of_environment()
    served = load_models(models)
    listening = listen(server.host, server.port, token)
    start_logging(is_quiet=quiet)

    from pellucid.server.run import serve as run

    run(Service(served, server, token), listening, started=lambda url: _say(url, list(served), quiet))


def _say(url: str, names: list[str], quiet: bool) -> None:
    """Print where the server is; a program that started it reads the first line."""
    echo(url)
    if not quiet:
        echo(f"Serving {', '.join(names)}. Ctrl-C ends it.", err=True)
    sys.stdout.flush()
