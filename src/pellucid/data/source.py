"""One function that loads any data: a built-in set by name, a file, or a folder of photos."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.download import REMOTES, fetch
from pellucid.data.readers.folder import read_folder
from pellucid.data.readers.h5 import read_h5
from pellucid.data.readers.npz import read_npz
from pellucid.data.readers.reading import check_file
from pellucid.data.readers.table import load_table
from pellucid.data.validate import Part, RawSplit, to_split
from pellucid.errors import DataError, OptionError, unknown_name

BUILTIN: Mapping[str, str] = MappingProxyType(
    {
        "drawn-cats": "small pictures drawn by the program, cat or not; needs no network",
        "catvnoncat": "the published photos, 209 + 50 of 64 x 64 pixels, cat or not; downloaded once, 3 MB",
        "digits": "scikit-learn's handwritten digits, 1,797 of 8 x 8 pixels, ten classes; needs no network",
    }
)


def builtin_names() -> tuple[str, ...]:
    """Return the names of the built-in data sets.

    Examples
    --------
    >>> builtin_names()
    ('drawn-cats', 'catvnoncat', 'digits')
    """
    return tuple(BUILTIN)


def load_data(
    source: str | Path,
    *,
    x_key: str | None = None,
    y_key: str | None = None,
    target: str | None = None,
    seed: int = 1,
    test_fraction: float = 0.2,
    skip_bad: bool = False,
    image_size: tuple[int, int] | None = None,
    mirror: str | None = None,
) -> Split:
    """Load data, check them, and return a training and a test part.

    Parameters
    ----------
    source : str or Path
        A built-in name (see `builtin_names`); an .h5 or .hdf5 file; an .npz file with ``X, y`` or
        ``X_train, y_train, X_test, y_test``; a .csv or .tsv file; or a folder with one sub-folder of images a
        class.
    x_key, y_key : str, optional
        For .h5 and .npz files: the names of the arrays that hold inputs and labels, where they do not follow the
        pattern.
    target : str, optional
        For tables, which need it: the column to predict, or several of 0 and 1 ("a,b,c"); see
        :func:`pellucid.data.readers.table.load_table`.
    seed : int, optional
        Draws the held-out part where the source has only one part.
    test_fraction : float, optional
        The size of that part, between 0 and 1.
    skip_bad : bool, optional
        For folders: leave out images that cannot be read instead of raising.
    image_size : (int, int), optional
        For folders: (height, width) in pixels to which the images are resized.
    mirror : str, optional
        For downloads: the address of a folder to download from instead.

    Returns
    -------
    Split
        Images stay uint8; labels are int64 indices into the class names; ``notes`` say what was done. A table's
        inputs are float64, its targets may be quantities (float64), and its ``schema`` reads other tables alike.

    Raises
    ------
    DataError
        If the source does not exist, cannot be read, or holds data that cannot be used.
    DownloadError
        If published data cannot be fetched.
    OptionError
        If an option is out of range or does not go with the source.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/toy.npz", X=np.eye(10), y=["no", "yes"] * 5)
    ...     data = load_data(f"{folder}/toy.npz")
    >>> data.train.X.shape, data.test.X.shape, data.classes
    ((8, 10), (2, 10), ('no', 'yes'))
    >>> data.notes
    ('held out 20 % (2 of 10 samples), stratified, seed 1',)
    """
    name = os.fspath(source)
    given = {
        "x_key": x_key,
        "y_key": y_key,
        "target": target,
        "skip_bad": skip_bad,
        "image_size": image_size,
        "mirror": mirror,
    }
    if name in BUILTIN:
        _check_options(name, given, {"mirror"} if name in REMOTES else set())
        return _load_builtin(name, mirror, seed, test_fraction)
    path = Path(name).expanduser()
    if os.path.isdir(path):
        _check_options(f"{name} (a folder)", given, {"skip_bad", "image_size"})
        raw = read_folder(path, image_size=image_size, skip_bad=skip_bad)
    elif path.suffix.lower() in (".csv", ".tsv"):
        _check_options(f"{name} (a table)", given, {"target"})
        return load_table(path, target=target, name=name, seed=seed, test_fraction=test_fraction)
    else:
        _check_options(f"{name} (a file)", given, {"x_key", "y_key"})
        raw = _read_file(name, path, x_key, y_key)
    return to_split(raw, name=name, seed=seed, test_fraction=test_fraction)


def _load_builtin(name: str, mirror: str | None, seed: int, test_fraction: float) -> Split:
    if name == "drawn-cats":
        from pellucid.data.drawn import load_drawn_cats

        split: Split = load_drawn_cats()
        return split
    if name == "digits":
        return to_split(_digits(), name=name, seed=seed, test_fraction=test_fraction)
    folder = fetch(name, mirror=mirror)
    raw = read_h5(folder / "train_catvnoncat.h5")  # brings its sibling with it
    return to_split(raw._replace(notes=()), name=name, seed=0, test_fraction=0.5)  # both parts given: no draw


def _digits() -> RawSplit:
    """Return scikit-learn's digits as grey photos: uint8 (1797, 8, 8, 1), their 0..16 spread over 0..255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    X = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    return RawSplit(Part(X, digits.target, "digits"), None, tuple("0123456789"))


def _read_file(name: str, path: Path, x_key: str | None, y_key: str | None) -> RawSplit:
    ending = path.suffix.lower()
    if not os.path.exists(path) and not ending and len(path.parts) == 1:
        raise DataError(
            f"{unknown_name('data set', name, BUILTIN)} Or name a folder, or an .h5, .npz or .csv file."
        )
    if ending in (".h5", ".hdf5"):
        return read_h5(path, x_key=x_key, y_key=y_key)
    if ending == ".npz":
        return read_npz(path, x_key=x_key, y_key=y_key)
    check_file(path, "a data set")
    raise DataError(
        f"{name}: expected a folder of images, an .h5, .hdf5, .npz, .csv or .tsv file, or a built-in "
        f"name ({', '.join(BUILTIN)}), got the ending {ending!r}. Convert it with numpy.savez(path, X=X, y=y)."
    )


def _check_options(what: str, given: Mapping[str, object], allowed: set[str]) -> None:
    """Raise if an option is given that would have no effect."""
    for option, value in given.items():
        if option not in allowed and value not in (None, False):
            raise OptionError(f"{what}: {option} does not apply here. Leave it out.")
