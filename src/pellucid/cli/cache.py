"""The command ``pellucid cache``."""

from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import Flag
from pellucid.cli.terminal import echo, print_json
from pellucid.text import plural, scaled


@command("cache", order=150, short_help="What is kept of photos that a pretrained network looked at.")
def cache(
    clear: Annotated[bool, Flag(help="Remove it.")] = False, as_json: o.Json = False, quiet: o.Quiet = False
) -> None:
    """What is kept of photos that a pretrained network looked at, so that it need not look again."""
    from pellucid.nn.pretrained.feature_cache import clear_cache, size_of_cache

    found = size_of_cache()
    if clear:
        clear_cache()
    if as_json:
        print_json(
            {
                "path": None if found is None else str(found.path),
                "n_photos": 0 if found is None or clear else found.n_photos,
                "n_bytes": 0 if found is None or clear else found.n_bytes,
            }
        )
    elif found is None:
        echo("The cache is empty.")
    elif not (quiet and clear):
        size = f"{plural(found.n_photos, 'photo')}, {scaled(found.n_bytes, 'B')}"
        echo(
            f"Removed {found.path} ({size})."
            if clear
            else f"{found.path}: {size}. To clear it: pellucid cache --clear"
        )
