"""Templates of the files that are written, in the folder ``templates`` of a package."""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(package: str, name: str, *, autoescape: bool, **filters: Any) -> "Template":
    """Return a template of a package, kept for the next; filters are there as functions too."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    environment.globals |= filters
    return environment.get_template(name)
