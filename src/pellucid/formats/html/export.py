"""Write a model as one HTML page, once it has been run in a browser beside the model."""

from importlib.resources import files
from pathlib import Path

from pellucid.errors import OptionError
from pellucid.files import write_atomically
from pellucid.formats.half_precision import for_a_file, n_bytes
from pellucid.formats.html.inline import inline_bytes, inline_json, join_modules
from pellucid.formats.html.network import network_modules, page_of, table_of_layers
from pellucid.formats.html.trial import difference
from pellucid.formats.outputs import TABLE, kind_of_samples, outputs_of
from pellucid.formats.steps import steps_of
from pellucid.formats.templates import template
from pellucid.nn.by_name import ModelLike
from pellucid.nn.model import Model
from pellucid.nn.pretrained.notice import notice_of
from pellucid.registry import validate_call
from pellucid.text import join_some, one_line, plural
from pellucid.types import Array
from pellucid.version import __version__

MOST_BYTES = 64 * 2**20  # of weights: a page that is larger does not open
PARTS = ("page.css", "photo.js", "table.js", "page.js")


@validate_call("model", "path", "title", "dtype", "samples", "overwrite")
def export_html(
    model: ModelLike,
    path: str | Path,
    *,
    title: str = "",
    dtype: str | None = None,
    samples: Array | None = None,
    overwrite: bool = False,
) -> float | None:
    """Write a model as one HTML page that predicts in the browser, and return how far its outputs are off.

    The page takes a photo that is dropped, pasted or chosen, or the fields of a table's row, and shows the verdict
    with the probabilities of the classes. The network runs in JavaScript, from the same weights, without any
    connection: the file is all there is.

    Parameters
    ----------
    model : Model, str or Path
        Trained; or a model file or run folder.
    path : str or Path
        Usually ending in ``.html``.
    title : str, optional
        Default: the classes.
    dtype : {"float32", "float16"}, optional
        Of the weights in the file; all is computed in float32. Default: float16 where layers
        were trained elsewhere (the preset ``pretrained``), else float32.
    samples : Array, optional
        More photos to compare, uint8, as the model takes them.
    overwrite : bool, optional
        Replace a file that is there.

    Returns
    -------
    float or None
        The largest difference from the model on random samples, and on those given: of probabilities, else relative
        to the largest output. What rounded weights make of it is in it. None if no Chromium or Chrome was
        found that runs, so that the page itself was not run.

    Raises
    ------
    OptionError
        If the network has a layer of your own, or several inputs or outputs, or does not take photos or a table.
    PellucidError
        If the model is not trained, or the page gives something else than the model; it is then not written.

    Notes
    -----
    Photos are resized by Pillow's own algorithm, so that the network sees the same bytes. What may differ is the
    decoding: browsers decode a large JPEG in full, where pellucid has it decoded at a part of its size, and round
    transparency over white in their own way.

    Examples
    --------
    >>> import tempfile
    >>> import pellucid as pl
    >>> model = pl.preset("logistic")
    >>> model.initialize((4, 4, 3))
    >>> page = html_page(model)
    >>> "<title>Class 0 or 1?</title>" in page, page.count("http:")
    (True, 0)
    """
    to, where = Path(path), "export_html"
    exact, model, dtype = for_a_file(model, to, dtype, where, overwrite=overwrite, is_page=True)
    page = html_page(model, title=title, dtype=dtype)
    found = difference(model, page, samples, exact)
    write_atomically(to, page)
    return found


def html_page(model: Model, *, title: str = "", dtype: str = "float32") -> str:
    """Return a model as the text of a page; see :func:`export_html`."""
    from markupsafe import Markup

    if n_bytes(model, dtype) > MOST_BYTES:
        raise OptionError(
            f"export: the model has {model.n_params:,} parameters, too many for a page. Try --to script or onnx."
        )
    page, is_table = page_of(model, dtype), kind_of_samples(model) == TABLE
    what = "a row of a table" if is_table else "a photo"
    folder = files("pellucid.formats.html") / "templates"
    parts = {name: Markup((folder / name).read_text(encoding="utf-8")) for name in PARTS}
    return template("pellucid.formats.html", "page.html.jinja", autoescape=True).render(
        title=one_line(title or _title(model)),
        about=f"A neural network with {plural(model.n_params, 'parameter')} looks at {what}.",
        is_table=is_table,
        rows=table_of_layers(steps_of(model)),
        network=Markup(inline_json(page.network)),
        weights=Markup(inline_bytes(page.weights)),
        modules=Markup(join_modules(network_modules(page.activations), "network.js")),
        parts=parts,
        version=__version__,
        notice=notice_of(model),
    )


def _title(model: Model) -> str:
    output = outputs_of(model)[""]
    target = join_some(model._schema.target) if model._schema is not None else ""
    if output.kind == "values":
        return target or "Predicted value"
    if target:  # "yes or no?" says nothing without it
        target += ": "
    names = [f"Class {name}" if name == "0" and not target else name for name in output.classes]
    if len(names) > 4:
        return f"{target}which of {len(names)} classes?" if target else f"Which of {len(names)} classes?"
    return target + (f"{', '.join(names[:-1])} or {names[-1]}?" if len(names) > 1 else names[0])
