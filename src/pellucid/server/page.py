"""The page at ``/``: the models and the OpenAPI document to read, without scripts or anything from elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.formats.templates import template
from pellucid.server.models import Served
from pellucid.server.schemas import REASONS
from pellucid.text import by, join_some

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin",  # with "no-referrer" the page's own form would be of the origin "null"
}
MOST_NAMES = 20  # of classes or columns


def page(document: Mapping[str, Any], models: Sequence[Served], *, has_form: bool) -> str:
    """Return the page of an OpenAPI document.

    Parameters
    ----------
    document : mapping
    models : sequence of Served
    has_form : bool
        Whether it may have a form to send an image by; a browser's form cannot send a token.
    """
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return template("pellucid.server", "page.html.jinja", autoescape=True).render(
        info=document["info"],
        models=[(each.name, takes(each), predicts(each)) for each in models],
        operations=operations,
        refusals=REASONS,
        schemas=document["components"]["schemas"],
        has_form=has_form and len(models) == 1 and models[0].takes == "images",
    )


def takes(served: Served) -> str:
    """Return what a model takes, in words."""
    if served.takes == "rows":
        return f"rows with {join_some([column.name for column in served.model._schema.columns], MOST_NAMES)}"
    return f"{served.takes}, {by(served.shape)}"


def predicts(served: Served) -> str:
    """Return what a model predicts, in words."""
    kind = {"regression": "numbers", "multi_label": "which hold of"}.get(served.model._loss.kind, "one of")
    schema = served.model._schema
    names = served.model.classes or (() if schema is None else schema.target)
    return f"{kind} {join_some(names, MOST_NAMES)}" if names else kind
