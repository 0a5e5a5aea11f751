"""The page at ``/``: the OpenAPI document to read, without scripts and without anything from elsewhere."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
}


def page(document: Mapping[str, Any], *, has_form: bool) -> str:
    """Return the page of an OpenAPI document.

    Parameters
    ----------
    document : mapping
    has_form : bool
        Whether it has a form to send an image by; a browser's form cannot send a token.
    """
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    text: str = _template().render(
        info=document["info"],
        operations=operations,
        schemas=document["components"]["schemas"],
        has_form=has_form,
    )
    return text


@cache
def _template() -> Any:
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("pellucid.server").joinpath("page.html").read_text("utf-8"))
