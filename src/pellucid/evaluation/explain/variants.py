"""A photo as one might as well have taken it: cropped, flipped, darker, brighter."""

import numpy as np

from pellucid.data.readers.images import image_to_input, resize_image
from pellucid.types import Array, Shape

CENTRED = (0.9, 0.8, 0.6)  # the middle of the photo that is kept, as a fraction of each side
CORNER = 0.8
BRIGHTNESS = (0.6, 0.8, 1.25, 1.6)


def photo_variants(original: Array, shape: Shape) -> tuple[list[str], Array]:
    """Return changed versions of a photo, as a network sees them.

    Parameters
    ----------
    original : Array, shape (H, W, 3), dtype uint8; or (H, W, c) of the network's own c
        Flipped and cropped at its own size, then brought to the network's.
    shape : tuple of int
        The network's input shape: (h, w, c) or (h, w).

    Returns
    -------
    names : list of str
    seen : Array, shape (n, *shape), dtype of the original

    Notes
    -----
    Mirrored and upside down; the middle square, where the photo is not square itself; the middle 90, 80 and 60 %
    of each side; the four corners with 80 % of each side; brightness times 0.6, 0.8, 1.25 and 1.6 (what would be
    brighter than white is white). Of photos much larger than the network's input the sides are first averaged
    down to at least four times its size.

    Examples
    --------
    >>> names, seen = photo_variants(np.zeros((30, 40, 3), np.uint8), (8, 8, 3))
    >>> len(names), seen.shape, names[2]
    (14, (14, 8, 8, 3), 'middle square')
    """
    from PIL import Image

    image = original
    factor = min(image.shape[0] // (4 * shape[0]), image.shape[1] // (4 * shape[1]))
    if factor >= 2 and image.dtype == np.uint8 and image.shape[2] == 3:
        image = np.asarray(Image.fromarray(image).reduce(factor))
    changed = {"mirrored": image[:, ::-1], "upside down": image[::-1]}
    h, w = image.shape[:2]
    if h != w:
        changed["middle square"] = _middle(image, min(h, w), min(h, w))
    for fraction in CENTRED:
        down, across = max(1, round(fraction * h)), max(1, round(fraction * w))
        changed[f"middle {100 * fraction:.0f} %"] = _middle(image, down, across)
    down, across = max(1, round(CORNER * h)), max(1, round(CORNER * w))
    for vertical, rows in (("top", np.s_[:down]), ("bottom", np.s_[h - down :])):
        for horizontal, columns in (("left", np.s_[:across]), ("right", np.s_[w - across :])):
            changed[f"{vertical} {horizontal} part"] = image[rows, columns]
    white = 255 if image.dtype == np.uint8 else 1
    for times in BRIGHTNESS:
        brighter = np.minimum(image * times, white)
        changed[f"brightness × {times:g}"] = (np.rint(brighter) if white == 255 else brighter).astype(
            image.dtype
        )
    return list(changed), np.stack([_seen(one, shape) for one in changed.values()])


def _middle(image: Array, down: int, across: int) -> Array:
    top, left = (image.shape[0] - down) // 2, (image.shape[1] - across) // 2
    return image[top : top + down, left : left + across]


def _seen(image: Array, shape: Shape) -> Array:
    """Return an image in the network's input shape."""
    if image.dtype != np.uint8:  # prepared floats: Pillow resizes bytes
        as_bytes = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        return (_seen(as_bytes, shape) / 255).astype(image.dtype)
    image = np.ascontiguousarray(image)
    if image.shape[2] == 3:
        return image_to_input(image, shape)
    return resize_image(image, shape[0], shape[1]).reshape(shape)
