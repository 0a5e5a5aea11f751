"""What was run on what: the runs of a folder in a table, or two of them side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError, OptionError
from pellucid.runs.config import RunConfig
from pellucid.runs.run import CONFIG, HISTORY, METRICS, holds_run, read_config, read_metrics
from pellucid.runs.spelling import data_parts
from pellucid.shares import share
from pellucid.text import by, in_seconds, plural
from pellucid.text_blocks import Block, Result

SCORES = ("accuracy", "exact_match", "r_squared")  # of a test part, the first that it has


@dataclass(frozen=True)
class RunRow:
    """A run folder, as its files tell it; no model and no data are read.

    Attributes
    ----------
    folder : Path
    config : RunConfig
    metrics : dict
        What metrics.json holds; empty where the training has not ended.
    """

    folder: Path
    config: RunConfig
    metrics: dict[str, Any]

    @classmethod
    def of(cls, folder: Path) -> "RunRow":
        """Read a run folder; FormatError where it is none."""
        metrics = folder / METRICS
        return cls(folder, read_config(folder / CONFIG), read_metrics(metrics) if metrics.is_file() else {})

    @property
    def date(self) -> datetime:
        """When it ended, or began."""
        path = self.folder / METRICS
        return datetime.fromtimestamp((path if path.is_file() else self.folder / CONFIG).stat().st_mtime)

    @property
    def n_epochs(self) -> int:
        """How many were made; how many are asked for, where it has not ended."""
        path = self.folder / HISTORY
        return len(path.read_bytes().splitlines()) if path.is_file() else self.config.options.n_epochs

    @property
    def score(self) -> tuple[str, float | None]:
        """The name and the value of its main test score."""
        test = self.metrics.get("test", {})
        return next(((name, test[name]) for name in SCORES if test.get(name) is not None), ("", None))

    @property
    def score_in_words(self) -> str:
        """The score with its digits; that a run has none yet."""
        name, value = self.score
        if value is None:
            return "not ended" if not self.metrics else "–"
        n = self.metrics.get("data", {}).get("n_test", 0)
        return f"R² {value:.3f}" if name == "r_squared" else share(value, n)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON can hold it."""
        name, value = self.score
        return {
            "run": str(self.folder),
            "date": self.date.isoformat(" ", "seconds"),
            "data": self.config.source.name,
            "model": self.config.model_name,
            "epochs": self.n_epochs,
            "metric": name,
            "score": value,
            "is_complete": self.metrics.get("is_complete", False),
            "seconds": self.metrics.get("seconds"),
        }


@dataclass(frozen=True, repr=False)
class RunList(Result):
    """The runs of a folder, the newest first."""

    folder: Path
    runs: tuple[RunRow, ...]

    columns = ("run", "date", "data", "model", "epochs", "test score", "time")
    in_json = "headline runs"

    @property
    def headline(self) -> str:
        """How many there are."""
        if not self.runs:
            return f"No runs in {self.folder}. `pellucid run` and `pellucid train` make them."
        return f"{plural(len(self.runs), 'run')} in {self.folder}."

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each run."""
        return [run.to_dict() for run in self.runs]

    def blocks(self) -> list[Block]:
        """Return the headline and the table."""
        table = [
            (
                str(run.folder),
                f"{run.date:%Y-%m-%d %H:%M}",
                Path(run.config.source.name).name,
                run.config.model_name,
                run.n_epochs,
                run.score_in_words,
                in_seconds(run.metrics["seconds"]) if run.metrics else "",
            )
            for run in self.runs
        ]
        return [self.headline, (self.columns, table)] if table else [self.headline]


@dataclass(frozen=True, repr=False)
class RunPair(Result):
    """Two runs side by side: what they score, and the settings in which they differ."""

    a: RunRow
    b: RunRow

    in_json = "headline a b rows=to_rows"

    @property
    def columns(self) -> tuple[str, str, str]:
        """The heading: the two folders."""
        return "", str(self.a.folder), str(self.b.folder)

    @property
    def headline(self) -> str:
        """Both scores."""
        return f"{self.a.folder}: {self.a.score_in_words}; {self.b.folder}: {self.b.score_in_words}."

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for the test score, and for each setting that differs."""
        tables = [
            {
                "data": run.config.source.name,
                "model": run.config.model_name,
                **{name: value for name, value in run.config.source.to_dict().items() if name != "name"},
                **run.config.options.to_table(),
                "epochs": run.n_epochs,
            }
            for run in (self.a, self.b)
        ]
        names = dict.fromkeys(name for table in tables for name in table)
        rows = [{"name": name, "a": tables[0].get(name), "b": tables[1].get(name)} for name in names]
        scores = {"name": "test score", "a": self.a.score[1], "b": self.b.score[1]}
        return [scores, *(row for row in rows if row["a"] != row["b"])]

    def cells(self, row: dict[str, Any]) -> tuple[str, str, str]:
        """Return a row as it is printed."""
        if row["name"] == "test score":
            return row["name"], self.a.score_in_words, self.b.score_in_words
        return row["name"].replace("_", " "), *(_shown(row["name"], row[part]) for part in "ab")

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether the scores can be compared, and the command that does."""
        a, b = (run.metrics.get("data", {}).get("test_sha256") for run in (self.a, self.b))
        if a != b:
            return ("Their test parts differ: the scores are not of the same samples.",)
        data = self.b.config.source
        where = " ".join(data_parts(data))
        command = f"pellucid compare {self.a.folder} {self.b.folder} --data {where}"
        return (f"Whether the difference is more than chance: {command}",)


def _shown(name: str, value: Any) -> str:
    """Return a setting as it is printed.

    Examples
    --------
    >>> _shown("batch_size", 0), _shown("image_size", [224, 224]), _shown("optimizer", {"folds": 5})
    ('full', '224 × 224', 'folds 5')
    """
    if name == "batch_size" and value == 0:
        return "full"
    if name == "image_size" and isinstance(value, list | tuple):
        return by(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return "" if value is None else str(value)


def runs(folders: Sequence[str | Path] = ()) -> RunList | RunPair:
    """Return the runs of a folder, or two runs side by side.

    Parameters
    ----------
    folders : sequence of str or Path, optional
        None: the folder "runs". One: a folder of runs. Two: runs.

    Raises
    ------
    OptionError
        If there are more.
    FormatError
        If one of two is no run folder, or a file in it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> runs([tempfile.mkdtemp()]).runs
    ()
    """
    paths = [Path(folder) for folder in folders] or [Path("runs")]
    if len(paths) > 2:
        raise OptionError(f"runs: expected a folder of runs, or two runs, got {len(paths)} folders.")
    if len(paths) == 2:
        for path in paths:
            if not holds_run(path):
                raise FormatError(f"{path}: not a run folder. Those of a folder: pellucid runs FOLDER")
        return RunPair(*map(RunRow.of, paths))
    found = [RunRow.of(path.parent) for path in paths[0].glob(f"*/{CONFIG}") if holds_run(path.parent)]
    return RunList(paths[0], tuple(sorted(found, key=lambda run: run.date, reverse=True)))
