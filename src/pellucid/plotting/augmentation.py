"""What augmentation does to a photo: a row for each transform, from one end of its range to the other."""

from dataclasses import fields

import numpy as np

from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.mixing import Blend
from pellucid.data.augmentation.transform import TRANSFORMS, Transform
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.types import Figure
from pellucid.text import by
from pellucid.types import Array

N_COLUMNS = 6
NAMES = 1.5  # inches on the left, for the names


def contact_sheet(photo: Array, augment: Augment | None = None, *, seed: int = 1) -> Figure:
    """Draw what each transform does to one photo, at several strengths.

    Parameters
    ----------
    photo : Array, shape (h, w) or (h, w, c)
        uint8, or floats from 0 to 1; c is 1 or 3.
    augment : Augment, optional
        Whose transforms are shown; two more rows then show all of them at work, drawn at random as in a
        training. Default: every transform there is, with its usual options.
    seed : int, optional
        Of what is drawn at random.

    Returns
    -------
    matplotlib.figure.Figure
        The photo itself and its mirror images, then a row for each transform with its name and options; Mixup
        and CutMix take the photo upside down as the other one.

    Examples
    --------
    >>> from pellucid.data.augmentation import Rotation
    >>> figure = contact_sheet(np.zeros((8, 8, 3), np.uint8), Augment([Rotation(30)]))
    >>> [text.get_text() for text in figure.axes[2].texts][2:6]
    ['−30°', '−18°', '−6°', '+6°']
    """
    image = photo[..., None] if photo.ndim == 2 else photo
    image = np.asarray(image / 255 if image.dtype == np.uint8 else image, np.float64)
    rng, flips, rows = np.random.default_rng(seed), [], []
    for one in (cls() for _, cls in TRANSFORMS.items()) if augment is None else augment.transforms:
        name, pictures = one._registered_as.replace("_", " ").capitalize(), _strengths(one, image, rng)
        if len(pictures) == 1:
            flips.append((pictures[0][0], name))
        else:
            rows.append((name, _options(one), pictures))
    rows.insert(0, ("The photo", by(photo.shape), [(image, "as it is"), *flips[: N_COLUMNS - 1]]))
    if augment is not None:
        draws = _draws(augment, image, 2 * N_COLUMNS, rng)
        rows.append(("All together", f"drawn at random,\nseed {seed}", draws[:N_COLUMNS]))
        rows.append(("", "", draws[N_COLUMNS:]))
    page = Page("What each transform does to one photo")
    for name, options, pictures in rows:
        tiles = [Tile(drawn, [caption] if caption else []) for drawn, caption in pictures]
        page.row(tiles, n_columns=N_COLUMNS, names=NAMES, name=name, note=options)
    return page.figure()


Pictures = list[tuple[Array, str]]  # each with its caption


def _strengths(transform: Transform, image: Array, rng: np.random.Generator) -> Pictures:
    values = transform.spread(N_COLUMNS, image.shape)
    n = len(values)
    X = np.repeat(image[None], n, axis=0)
    if isinstance(transform, Blend):  # its values name the partner by its row, the last one: add that
        X, values = np.concatenate([X, image[None, ::-1]]), np.vstack([values, np.zeros_like(values[0])])
    images = transform.apply(X, values, rng)
    return [(images[i], transform.label(values[i])) for i in range(n)]


def _draws(augment: Augment, image: Array, n: int, rng: np.random.Generator) -> Pictures:
    X = np.repeat(image[None], n, axis=0)
    X[1::2] = image[::-1] if any(isinstance(t, Blend) for t in augment.transforms) else image
    images, _ = augment.apply(X, np.zeros((n, 1)), rng)
    return [(drawn, "") for drawn in images]


def _options(transform: Transform) -> str:
    """Return the options in words, a line each; edge and fill last, and only where they are not the usual."""
    lines = []
    for field in sorted(fields(transform), key=lambda field: field.name in ("edge", "fill")):
        value = getattr(transform, field.name)
        if field.name in ("edge", "fill") and value == field.default:
            continue
        numbers = value if isinstance(value, tuple) else (value,)
        text = " to ".join(f"{v:.3g}" if isinstance(v, float) else f"{v}" for v in numbers)
        lines.append(f"{field.name} {text}")
    return "\n".join(lines)
