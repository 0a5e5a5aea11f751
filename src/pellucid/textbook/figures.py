"""The tutorial's photos: loaded, counted, shown, and those that the network misclassifies.

Columns are examples here too: labels are ``(1, m)``, flattened photos ``(n_x, m)``. Every figure is returned,
and none opens a window: a notebook shows the last one of a cell, a script calls ``figure.savefig("name.png")``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.plotting.data import sample_grid
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.photo import new_photo
from pellucid.plotting.style import BLUE, INK, ORANGE, look
from pellucid.text import percent
from pellucid.types import Array, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Classes = Sequence[str] | Sequence[bytes] | Array  # a name for each label; the published ones are bytes
CLASSES = (b"non-cat", b"cat")


def load_data(data_dir: str | Path | None = None) -> tuple[Array, Array, Array, Array, Array]:
    """Return the training photos and labels, the test photos and labels, and the class names.

    Parameters
    ----------
    data_dir : str or Path, optional
        A folder with ``train_catvnoncat.h5`` and ``test_catvnoncat.h5``, or "drawn-cats" for the pictures that
        pellucid draws itself, without any network. By default the folder in the environment variable
        PELLUCID_DATA_DIR, or else the published photos, downloaded once (3 MB).

    Returns
    -------
    train_x_orig : Array, shape (209, 64, 64, 3), dtype uint8
    train_y : Array, shape (1, 209)
        0 or 1, the position of the photo's class in ``classes``.
    test_x_orig : Array, shape (50, 64, 64, 3), dtype uint8
    test_y : Array, shape (1, 50)
    classes : Array, shape (2,), of bytes
        ``non-cat`` and ``cat``, in this order.

    Raises
    ------
    DataError
        If the files are missing, damaged, or (DownloadError) cannot be fetched.

    Examples
    --------
    >>> train_x_orig, train_y, test_x_orig, test_y, classes = load_data("drawn-cats")
    >>> train_x_orig.shape[1:], bool(train_y.shape == (1, len(train_x_orig))), classes.tolist()
    ((64, 64, 3), True, [b'non-cat', b'cat'])
    """
    from pellucid.data import source as sources

    source = "catvnoncat" if data_dir is None else str(data_dir)
    split = sources.load_data(source if source in sources.BUILTIN else Path(source) / "train_catvnoncat.h5")
    train, test = split.train, split.test
    names = np.array([name.encode() for name in split.classes])
    return train.X, train.y.reshape(1, -1), test.X, test.y.reshape(1, -1), names


def load_photo(path: str | Path, num_px: int = 64) -> tuple[Array, Array]:
    """Return your own photo, and the column that the network takes.

    Grey, transparent, palette, CMYK, 16-bit and rotated photos all become RGB, as a viewer shows them.

    Parameters
    ----------
    path : str or Path
    num_px : int, optional
        Height and width in pixels to which the photo is stretched, by Pillow's default filter.

    Returns
    -------
    photo : Array, shape (h, w, 3), dtype uint8
    x : Array, shape (num_px * num_px * 3, 1)
        Numbers from 0 to 1: row by row, pixel by pixel, red, green, blue.

    Raises
    ------
    DataError
        If the file is missing, damaged, or not an image.

    Examples
    --------
    >>> from PIL import Image
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (8, 6), (255, 0, 51)).save(f"{folder}/red.png")
    ...     photo, x = load_photo(f"{folder}/red.png", num_px=1)
    >>> photo.shape, x.tolist()
    ((6, 8, 3), [[1.0], [0.0], [0.2]])
    """
    from pellucid.data.readers.images import read_image, resize_image

    photo = read_image(path)
    return photo, resize_image(photo, num_px, num_px).reshape(-1, 1) / 255


def plot_bar(y: Array, loc: str = "left", relative: bool = False, *, classes: Classes = CLASSES) -> Figure:
    """Draw how many photos each class has, as bars on matplotlib's current axes.

    Call it twice, for the training labels with ``loc="left"`` and for the test labels with ``loc="right"``, and the
    bars are side by side.

    Parameters
    ----------
    y : Array, shape (1, m)
    loc : {"left", "right"}, optional
        The side of the bars, and the name in the legend: the training dataset, or the test dataset.
    relative : bool, optional
        Percent of the dataset instead of counts.
    classes : sequence of str or bytes, optional

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> plt.close("all")  # it draws into the figure that is open
    >>> figure = plot_bar(np.array([[0, 0, 1]]))
    >>> figure.axes[0].get_legend().get_texts()[0].get_text()
    'Training dataset: (3 images)'
    """
    import matplotlib.pyplot as plt

    sides = {"left": (-0.2, BLUE, "Training"), "right": (0.2, ORANGE, "Test")}
    if loc not in sides:
        raise OptionError(
            f'plot_bar: expected loc "left" (train) or "right" (test), got {loc!r}. Try "left".'
        )
    offset, color, part = sides[loc]
    names, labels = _names(classes), _labels("plot_bar", y, len(classes))
    counts, label = np.bincount(labels, minlength=len(names)), f"{part} dataset: ({len(labels)} images)"
    heights: Array = 100 * counts / max(len(labels), 1) if relative else counts
    numbers = [percent(height / 100) if relative else f"{height}" for height in heights]
    with look():
        axes = plt.gca()
        bars = axes.bar(np.arange(len(names)) + offset, heights, width=0.38, color=color, label=label)
        axes.bar_label(bars, numbers)
        axes.set_xticks(range(len(names)), names)
        axes.set(xlabel="Class", ylabel="Percent of the dataset" if relative else "Number of images")
        axes.margins(y=0.1)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return plt.gcf()


def visualize_images_and_labels(
    num_visualized_images: int = 25,
    dataset_flag: int = 1,
    *,
    images: Array | None = None,
    labels: Array | None = None,
    seed: int = 101,
) -> Figure:
    """Draw photos picked at random, in rows of five, each titled with its label: ``y =0``.

    Parameters
    ----------
    num_visualized_images : int, optional
        At least 1.
    dataset_flag : {1, 2}, optional
        1 for the training photos, 2 for the test photos.
    images, labels : Array, shapes (m, h, w, 3) and (1, m), optional
        The photos to pick from; by default those of :func:`load_data`.
    seed : int, optional
        The same seed picks the same photos, from a separate stream.

    Examples
    --------
    >>> photos, labels = np.zeros((3, 4, 4, 3), np.uint8), np.array([[0, 0, 0]])
    >>> figure = visualize_images_and_labels(2, images=photos, labels=labels)
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['y =0', 'y =0']
    """
    where = "visualize_images_and_labels"
    if dataset_flag not in (1, 2):
        raise OptionError(
            f"{where}: expected dataset_flag 1 (train) or 2 (test), got {dataset_flag!r}. Try 1."
        )
    if num_visualized_images < 1:
        raise OptionError(f"{where}: expected at least one image, got {num_visualized_images}. Try 25.")
    if (images is None) != (labels is None):
        raise OptionError(f"{where}: expected images and labels together, got one. Try both, or neither.")
    if images is None or labels is None:
        train_x, train_y, test_x, test_y, _ = load_data()
        images, labels = (train_x, train_y) if dataset_flag == 1 else (test_x, test_y)
    y = _labels(where, labels)
    if len(y) != len(images):
        raise ShapeError(
            f"{where}: expected labels of shape (1, {len(images)}), got {labels.shape}. Same dataset?"
        )
    title = f"{'Training' if dataset_flag == 1 else 'Test'} dataset"
    figure = sample_grid(Dataset(images, y), title, n_images=num_visualized_images, seed=seed)
    for text in (text for axes in figure.axes for text in axes.texts):
        text.set_text(text.get_text().replace("y = ", "y ="))  # as published
    return figure


def print_mislabeled_images(
    classes: Classes, X: Array, y: Array, p: Array, *, image_shape: Shape | None = None
) -> Figure:
    """Draw every misclassified photo, with its predicted and its true class.

    Parameters
    ----------
    classes : sequence of str or bytes
    X : Array, shape (n_x, m)
        Flattened photos, uint8 or floats from 0 to 1.
    y, p : Array, shape (1, m)
        True and predicted labels.
    image_shape : tuple of int, optional
        (height, width, channels) of a photo; by default a square of red, green and blue.

    Examples
    --------
    >>> X, y, p = np.zeros((12, 3)), np.array([[0, 1, 1]]), np.array([[1.0, 1.0, 0.0]])
    >>> figure = print_mislabeled_images([b"non-cat", b"cat"], X, y, p)
    >>> [text.get_text() for text in figure.axes[1].texts][:2]
    ['Prediction: cat ', ' Class: non-cat']
    """
    where = "print_mislabeled_images"
    names, shape = _names(classes), _image_shape(where, X, image_shape)
    actual, predicted = _labels(where, y, len(names)), _labels(where, p, len(names))
    if not X.shape[1] == len(actual) == len(predicted):
        shapes = f"{X.shape}, {y.shape} and {p.shape}"
        raise ShapeError(f"{where}: expected X (n_x, m), y (1, m) and p (1, m), got {shapes}. Same dataset?")
    wrong = np.flatnonzero(actual != predicted)
    page = Page(f"{len(wrong)} of {len(actual)} images mislabeled" if len(wrong) else "No mislabeled images.")
    tiles = []
    for i in wrong:
        lines = (f"Prediction: {names[predicted[i]]} ", f" Class: {names[actual[i]]}")  # as published
        tiles.append(Tile(X[:, i].reshape(shape), above=[Line(text, INK) for text in lines]))
    page.grid(tiles, 5, size=8.5)
    return page.figure()


def plot_photo(photo: Array, x: Array, probability: float, classes: Classes = CLASSES) -> Figure:
    """Draw your own photo next to the network's input, under the prediction.

    Parameters
    ----------
    photo, x : Array
        As :func:`load_photo` returns them.
    probability : float
        That it shows ``classes[1]``: the AL of :func:`~pellucid.textbook.steps.L_model_forward`.

    Examples
    --------
    >>> plot_photo(np.zeros((4, 6, 3), np.uint8), np.zeros((12, 1)), 0.75).axes[0].texts[0].get_text()
    'y = 1.0, your L-layer model predicts a "cat" picture.'
    """
    seen = x[:, 0].reshape(_image_shape("plot_photo", x, None))
    y = int(probability > 0.5)
    sure = float(probability if y else 1 - probability)
    return new_photo(photo, seen, label=_names(classes)[y], probability=sure, y=y)


def _names(classes: Classes) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in classes]


def _labels(where: str, y: Array, k: int | None = None) -> Array:
    """Return labels of shape (1, m) or (m,) as m whole numbers, at least 0 and below k."""
    if y.ndim > 2 or (y.ndim == 2 and y.shape[0] != 1):
        raise ShapeError(f"{where}: expected labels of shape (1, m), got {y.shape}. Try y.reshape(1, -1).")
    flat = np.ravel(y)
    labels = flat.astype(int)
    if (labels != flat).any() or (labels < 0).any() or (k is not None and (labels >= k).any()):
        known = "from 0 up" if k is None else f"from 0 to {k - 1}"
        raise DataError(
            f"{where}: expected labels {known}, got {np.unique(flat)[:5]}. Try other class names?"
        )
    return labels


def _image_shape(where: str, X: Array, given: Shape | None) -> Shape:
    n_x = X.shape[0]
    side = int(np.sqrt(n_x / 3))
    shape = (side, side, 3) if given is None else tuple(given)
    if X.ndim != 2 or np.prod(shape) != n_x:
        hint = "Try image_shape=(height, width, channels)." if given is None else "Their product must be n_x."
        raise ShapeError(
            f"{where}: expected X of shape (n_x, m) holding images {shape}, got {X.shape}. {hint}"
        )
    return shape
