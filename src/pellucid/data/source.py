"""Data sources: a built-in set by name, a file or a folder, and the options of its reader."""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pellucid.data.built_in import TOYS, load_drawn_cats, load_toy
from pellucid.data.dataset import Split
from pellucid.data.download import REMOTES, fetch
from pellucid.data.readers.folder import read_folder
from pellucid.data.readers.h5 import read_h5
from pellucid.data.readers.images import LONGEST_SIDE
from pellucid.data.readers.listing import TABLES
from pellucid.data.readers.numpy_files import read_npy, read_npz
from pellucid.data.readers.picture_modes import FITS, SQUEEZE, UNKNOWN, White, or_else
from pellucid.data.readers.reading import check_file
from pellucid.data.readers.table import split_table
from pellucid.data.readers.table_files import frame_table, is_frame, read_file
from pellucid.data.readers.table_text import USUAL, Decimal, TextTable
from pellucid.data.readers.zarr_store import is_zarr, read_zarr
from pellucid.data.validate import RawPart, RawSplit, to_split
from pellucid.errors import DataError, OptionError, unknown_name
from pellucid.progress import ProgressBar
from pellucid.registry import Configurable, checked_names, option, options_of, plain, validate_call
from pellucid.text import shown

BUILTIN: Mapping[str, str] = {
    "drawn-cats": "small pictures drawn by a program, cat or not; needs no network",
    "catvnoncat": "the published photos, 209 + 50 of 64 x 64 pixels, cat or not; downloaded once, 3 MB",
    "digits": "scikit-learn's handwritten digits, 1,797 of 8 x 8 pixels, ten classes; needs no network",
    **TOYS,
}
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".heic")  # named instead of data
FRAME = "the frame"  # instead of a name
_APPLIES = {  # the options of each kind of reader
    "folder": {"skip_bad", "image_size", "fit", "on_disk"},
    "table": {"target", "group", "drop", "kinds", "decimal", "missing"},
    "arrays": {"x_key", "y_key", "on_disk"},
    "built-in": set[str](),
}
_READERS: dict[str, Callable[..., RawSplit]] = {
    ".h5": read_h5,
    ".hdf5": read_h5,
    ".npz": read_npz,
    ".npy": read_npy,
}


@dataclass(frozen=True)
class DataSource(Configurable):
    """Data by name, with the options of its reader: stored in a run to find its data again.

    Raises
    ------
    OptionError
        If an option is of the wrong type or out of range.

    Examples
    --------
    >>> source = DataSource("photos", image_size=(8, 8))
    >>> source.to_dict()
    {'name': 'photos', 'image_size': [8, 8]}
    >>> DataSource.from_dict(source.to_dict()) == source
    True
    >>> DataSource("drawn-cats").load().test.counts
    array([25, 25])
    """

    _registered_as: ClassVar[str] = "data"

    name: str = option(
        help="A built-in name, a folder of images, a .csv, .parquet, .h5, .npz or .npy file, or a .zarr folder."
    )
    x_key: str | None = option(None, help="Name of the array of inputs in an .h5 or .npz file.")
    y_key: str | None = option(None, help="Name of the array of labels in an .h5 or .npz file.")
    target: str | None = option(None, help="The column of a table to predict; several: a,b,c.")
    group: str | None = option(
        None, help="The column of a table that names the rows to keep in one part, such as the patient."
    )
    drop: tuple[str, ...] = option(
        (), help="Columns of a table to leave out: a,b,c; in double quotes where one has a comma."
    )
    kinds: dict[str, str] = option(
        {}, help="Kinds of a table's columns where a guess is wrong: zip=category,day=dmy,level=numeric."
    )
    decimal: Decimal = option(
        ".",
        help="Decimal sign of a table's numbers, and after it the one between thousands: '.,' for 1,234.5.",
    )
    missing: str = option(USUAL, help="Words that mean no value in a table: a,b,c; '' for empty cells alone.")
    skip_bad: bool = option(False, help="Skip images that cannot be read.")
    image_size: tuple[int, int] | None = option(
        None,
        at_least=1,
        at_most=LONGEST_SIDE,
        help="HEIGHTxWIDTH that a folder's images are resized to; 64 is 64x64.",
    )
    fit: str = option(
        SQUEEZE,
        choices=lambda: FITS,
        help="How a folder's images get that shape: squeezed, their middle, or all of them with black bars.",
    )
    on_disk: bool = option(
        False, help="Leave the inputs in their file and read them in slices: for data larger than memory."
    )
    mirror: str | None = option(None, help="Download from this address instead of the public home.")
    test_fraction: float = option(
        0.2,
        above=0,
        below=1,
        help="Fraction of samples held out as the test part, where the source has none.",
    )
    seed: int = option(1, at_least=0, below=2**32, group="Training", help="Random seed.")

    def __post_init__(self) -> None:
        if isinstance(self.name, os.PathLike):
            object.__setattr__(self, "name", os.fspath(self.name))
        super().__post_init__()

    @property
    def path(self) -> Path:
        """The file or folder of that name, where it is not a built-in set."""
        return Path(self.name).expanduser()

    @property
    def kind(self) -> str:
        """The kind of reader for the name: "built-in", "folder", "table" or "arrays"."""
        if self.name in BUILTIN:
            return "built-in"
        if self.name == FRAME:
            return "table"
        if os.path.isdir(self.path):
            return "arrays" if is_zarr(self.path) else "folder"
        return "table" if self.path.suffix.lower() in TABLES else "arrays"

    @property
    def applicable(self) -> set[str]:
        """The reader options that have an effect on this kind of source."""
        return {"mirror"} if self.name in REMOTES else _APPLIES[self.kind]

    def check_applies(self) -> None:
        """Raise OptionError if an option is given that would have no effect on this kind of source."""
        what = {"folder": " (a folder)", "table": " (a table)", "arrays": " (a file)"}.get(self.kind, "")
        others = {"mirror"}.union(*_APPLIES.values()) - self.applicable
        for name in self.to_dict():
            if name in others:
                raise OptionError(f"{self.name}{what}: {name} does not apply here. Leave it out.")

    def load(self, white: White = UNKNOWN) -> Split:
        """Read the data, check them, and return a training and a test part; see :func:`load_data`.

        Floating-point and 32-bit grey pictures are read by the value of white, where it is known: a model's.
        """
        if self.name.startswith(("http:/", "https:/", "ftp:/", "s3:/")):
            raise DataError(f"{self.name}: addresses are not read. Download the file, and name it here.")
        self.check_applies()
        if self.name == "drawn-cats":
            return load_drawn_cats()
        if self.name in TOYS:
            return load_toy(self.name, self.seed)
        if self.kind == "table":
            return self.split(read_file(self.path, self.decimal, self.missing))
        return to_split(self._read(white), name=self.name, seed=self.seed, test_fraction=self.test_fraction)

    def split(self, table: TextTable, *, has_row_names: bool = False) -> Split:
        """Return a table's training and test part; see :func:`pellucid.data.readers.table.split_table`."""
        names = ("target", "group", "drop", "kinds", "name", "seed", "test_fraction")
        options = {name: getattr(self, name) for name in names}
        return split_table(table, has_row_names=has_row_names, **options)

    def resolved(self) -> "DataSource":
        """Return the same source with an absolute path, if it is a file or folder: valid anywhere."""
        if self.kind == "built-in" or not self.path.exists():
            return self
        return replace(self, name=str(self.path.resolve()))

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the options that are not the default, JSON-serializable."""
        changed = self._changed_options()
        return {name: value for name, value in plain(self._option_values()).items() if name in changed}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> "DataSource":
        """Return the source that `to_dict` describes.

        Raises
        ------
        OptionError
            If an option is missing, unknown, or of the wrong type.
        """
        return cls(**checked_names(cls, options))

    def _read(self, white: White) -> RawSplit:
        if self.name == "digits":
            return _digits()
        if self.name in REMOTES:
            folder = fetch(self.name, mirror=self.mirror)
            return read_h5(folder / "train_catvnoncat.h5")._replace(notes=())  # reads the other file too
        if self.kind == "folder":
            with ProgressBar() as progress:
                return read_folder(
                    self.path,
                    image_size=self.image_size,
                    skip_bad=self.skip_bad,
                    on_disk=self.on_disk,
                    progress=progress,
                    white=or_else(White(fit=self.fit), white),
                )
        return self._read_arrays()

    def _read_arrays(self) -> RawSplit:
        path, ending = self.path, self.path.suffix.lower()
        if not ending and len(path.parts) == 1 and not os.path.exists(path):
            here = difflib.get_close_matches(self.name, [each.name for each in Path.cwd().iterdir()], n=1)
            beside = f" Did you mean {shown(here[0])}, which is here?" if here else ""
            raise DataError(
                f"{unknown_name('data set', self.name, BUILTIN)}{beside} Or name a folder, or an .h5, .npz, .npy "
                "or .csv file."
            )
        read = read_zarr if os.path.isdir(path) else _READERS.get(ending)
        if read is not None:
            return read(path, (self.x_key, self.y_key), on_disk=self.on_disk)
        check_file(path, "a data set")
        if ending in PICTURES:
            raise DataError(
                f"{self.name}: one photo is no data set. Put photos into a folder with a sub-folder a class, or "
                f"predict this one: pellucid predict MODEL {self.name}"
            )
        raise DataError(
            f"{self.name}: expected a folder of images, an .h5, .hdf5, .npz, .npy, .csv or .tsv file, or a "
            f"built-in name ({', '.join(BUILTIN)}), got the ending {ending!r}. Convert it with "
            "numpy.savez(path, X=X, y=y)."
        )


def data_options() -> list[str]:
    """Return the names of the options by which data are read: those of :class:`DataSource` but its name."""
    return [name for name in options_of(DataSource) if name != "name"]


@validate_call(others=data_options)
def load_data(source: Any, **options: Any) -> Split:
    """Load data, check them, and return a training and a test part.

    Parameters
    ----------
    source : str, Path or data frame
        A built-in name ("drawn-cats", "catvnoncat", "digits", and for points in the plane "moons", "circles",
        "spirals"); an .h5 or .hdf5 file; an .npz file with ``X, y`` or ``X_train, y_train, X_test, y_test``; an
        .npy file of inputs with the labels beside it (``X.npy`` and ``y.npy``), memory-mapped; a .csv,
        .tsv or .parquet file; a folder with one sub-folder of images a class; or a zarr store with arrays as in an
        .npz file. A data frame of pandas or polars, or a table of Arrow, is read as a .csv file is.
    x_key, y_key : str, optional
        For .h5 and .npz files: the names of the arrays that hold inputs and labels, where they do not follow the
        pattern.
    target : str, optional
        For tables, which need it: the column to predict, or several of 0 and 1 ("a,b,c"); see
        :func:`pellucid.data.readers.table.split_table`.
    group : str, optional
        For tables: the column that names the rows to keep in one part, such as the patient they are of. It is no
        input. In a folder, the sub-folders of a class are its groups: ``pets/cat/mittens``.
    drop : sequence of str, optional
        For tables: columns to leave out.
    kinds : mapping, optional
        For tables: the kind of columns where a guess is wrong: "numeric", "boolean", "category", "date", or "dmy"
        and "mdy" for dates whose day or month stands first.
    decimal : {".", ",", ".,", ",."}, optional
        For tables: the decimal sign of their numbers, and after it the one between thousands. Needed where a column
        leaves a doubt: 1,234 can be 1234 or 1.234.
    missing : str, optional
        For tables: the words that mean that a cell has no value, in any case; default
        "?,NA,N/A,#N/A,<NA>,NaN,null,None". "" where only an empty cell has none: then a class may be called None.
    skip_bad : bool, optional
        For folders: leave out images that cannot be read instead of raising.
    image_size : (int, int), optional
        For folders: (height, width) in pixels to which the images are resized.
    fit : {"squeeze", "crop", "pad"}, optional
        For folders: how images of another shape get that of ``image_size``: squeezed, their middle cut out, or the
        whole of them with black bars. A model keeps it, and reads photos alike. Default: "squeeze".
    on_disk : bool, optional
        For arrays and folders: leave the inputs where they are, for data larger than memory. They are then a
        :class:`~pellucid.data.stored.base.StoredArray`, of which training, evaluation and prediction read rows when
        they need them; .npz files must not be compressed.
    mirror : str, optional
        For downloads: the address of a folder to download from instead.
    test_fraction : float, optional
        The size of the held-out part where the source has only one part: between 0 and 1, default 0.2.
    seed : int, optional
        Random seed of that part, or of the points that "moons" and the like draw; default 1.

    Returns
    -------
    Split
        Images stay uint8; labels are int64 indices into the class names; ``notes`` say what was done. A table's
        inputs are float64, its targets may be numbers (float64), and its ``schema`` reads other tables likewise.

    Raises
    ------
    DataError
        If the source does not exist, cannot be read, or holds data that cannot be used.
    DownloadError
        If published data cannot be fetched.
    OptionError
        If an option is unknown, out of range, or does not apply to the source.

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
    if is_frame(source):
        asked = DataSource.from_dict({"name": FRAME, **options})
        asked.check_applies()
        return asked.split(frame_table(source, decimal=asked.decimal, missing=asked.missing))
    return DataSource.from_dict({"name": source, **options}).load()


def _digits() -> RawSplit:
    """Return scikit-learn's digits as grey photos: uint8 (1797, 8, 8, 1), their 0..16 spread over 0..255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    X = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    return RawSplit(RawPart(X, digits.target, "digits"), None, tuple("0123456789"), noun="digit")
