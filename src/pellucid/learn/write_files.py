"""The folder that a learner fills: a file for each exercise."""

from collections.abc import Sequence
from pathlib import Path

from pellucid.errors import OutputError
from pellucid.files import write_atomically
from pellucid.learn.exercise import all_exercises
from pellucid.learn.notebooks import notebook as as_notebook


def start(folder: str | Path, exercises: Sequence[str] = (), *, notebook: bool = False) -> list[Path]:
    """Write a file for each exercise, to fill in; files that are there already are kept as they are.

    Parameters
    ----------
    folder : str or Path
        The folder; it is made.
    exercises : sequence of str, optional
        Names, or files of one's own exercises; default: all built-in ones.
    notebook : bool, optional
        Write notebooks instead of Python files.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> [path.name for path in start(tempfile.mkdtemp(), ["sigmoid", "relu"])]
    ['05_sigmoid.py', '06_relu.py']
    """
    folder = Path(folder)
    if folder.is_file():
        raise OutputError(f"learn start: {folder} is a file. Name a folder.")
    ending = ".ipynb" if notebook else ".py"
    files = {
        (folder / one.file_name).with_suffix(ending): as_notebook(one) if notebook else one.start
        for one in all_exercises(exercises)
    }
    new = [path for path in files if not path.exists()]
    for path in new:
        write_atomically(path, files[path])
    return new
