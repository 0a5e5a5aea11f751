"""Whose work a model contains: what its files carry along."""

from importlib.resources import files
from typing import Any


def notice_of(model: Any) -> tuple[str, ...]:
    """Return the source and the licence of a model's pretrained layers, then its notice and its text, by lines.

    Parameters
    ----------
    model : Model

    Returns
    -------
    tuple of str
        Empty where nothing in the model was trained elsewhere.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> notice_of(preset("mlp"))
    ()
    """
    about = model._summary_of_training.get("body")
    if not about:
        return ()
    keys = ("name", "learned_from", "source", "licence", "notice", "licence_text")
    named = {key: str(about.get(key, "")) for key in keys}
    first = (
        f"Its layers but the last {'are' if model._n_body else 'began as'} {named['name']}, trained on "
        f"{named['learned_from']}. Source: {named['source']}. Licence: {named['licence']}."
    )
    texts = [named[key].strip("\n") for key in ("notice", "licence_text") if named[key]]
    return first, *"\n\n".join(texts).splitlines()


def licence_text(licence: str) -> str:
    """Return the whole text of a licence.

    Examples
    --------
    >>> licence_text("Apache-2.0").split()[:2]
    ['Apache', 'License']
    """
    return (files("pellucid.nn.pretrained") / f"{licence}.txt").read_text(encoding="utf-8")
