"""What a server listens on, and its limits."""

from dataclasses import dataclass
from typing import ClassVar

from pellucid.registry import Configurable, option

MEGABYTE = 2**20
BODIES_HELD = 8  # times the largest body: what all requests together may hold


@dataclass(frozen=True)
class ServerOptions(Configurable):
    """The address of a server, and its limits.

    Examples
    --------
    >>> ServerOptions(port=0).max_images
    64
    >>> ServerOptions(max_images=0)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: serve: expected max_images to be a whole number of at least 1, got 0.
    """

    _registered_as: ClassVar[str] = "serve"

    host: str = option(
        "127.0.0.1", help="Address to listen on; one that others can reach needs a token in PELLUCID_TOKEN."
    )
    port: int = option(8000, at_least=0, at_most=65535, help="Port; 0: any that is free.")
    max_batch: int = option(64, at_least=1, at_most=4096, help="Most samples predicted together.")
    batch_wait: float = option(
        2.0, at_least=0, at_most=1000, help="Milliseconds a batch waits for requests that are being decoded."
    )
    max_body: float = option(16.0, above=0, at_most=1024, help="Largest request, in megabytes.")
    max_images: int = option(64, at_least=1, help="Most images in a request.")
    max_rows: int = option(1000, at_least=1, help="Most rows of numbers, or of a table, in a request.")
    max_pixels: float = option(25.0, above=0, at_most=89, help="Largest image, in millions of pixels.")
    max_requests: int = option(256, at_least=1, help="Most requests at the same time.")
    read_seconds: float = option(20.0, above=0, help="Seconds that a client may take to send a request.")
    answer_seconds: float = option(30.0, above=0, help="Seconds that a prediction may take.")

    @property
    def body_bytes(self) -> int:
        """Bytes of the largest body."""
        return int(self.max_body * MEGABYTE)
