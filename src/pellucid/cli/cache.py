"""The command ``pellucid cache``."""

from pellucid.cli.command import command
from pellucid.cli.flags import flag
from pellucid.cli.terminal import Answer, Line
from pellucid.text import plural, scaled


@command("cache", order=150, short_help="What is kept of photos that a pretrained network looked at.")
def cache(*, clear: bool = flag(False, help="Remove it.")) -> Answer:
    """What is kept of photos that a pretrained network looked at, so that it need not look again."""
    from pellucid.nn.pretrained.feature_cache import clear_cache, size_of_cache

    found = size_of_cache()
    if found is None:
        empty = [Line("The cache is empty.")]
        return Answer({"path": None, "n_photos": 0, "n_bytes": 0}, empty, empty)
    size = f"{plural(found.n_photos, 'photo')}, {scaled(found.n_bytes, 'B')}"
    told = Line(f"{found.path}: {size}. To clear it: pellucid cache --clear")
    if clear:
        clear_cache()
        told, found = Line(f"Removed {found.path} ({size})."), found._replace(n_photos=0, n_bytes=0)
    return Answer(found, [told], [] if clear else [told])
