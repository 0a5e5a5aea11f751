"""Whose work a model contains: what its files carry along."""

from typing import Any


def notice_of(model: Any) -> tuple[str, ...]:
    """Return the source and the licence of a model's pretrained layers, and the licence's notice by its lines.

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
    named = {key: str(about.get(key, "")) for key in ("name", "learned_from", "source", "licence", "notice")}
    first = (
        f"Its layers but the last {'are' if model._n_body else 'began as'} {named['name']}, trained on "
        f"{named['learned_from']}. Source: {named['source']}. Licence: {named['licence']}."
    )
    return first, *named["notice"].strip().splitlines()
