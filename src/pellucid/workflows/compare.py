"""Compare two models, or look at one: what the command ``compare`` does."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.coerce import as_split
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError
from pellucid.evaluation.comparison.folds import CrossValidation, cross_validate
from pellucid.evaluation.comparison.paired import PairedComparison, compare_on_test
from pellucid.evaluation.comparison.seeds import SeedComparison, compare_seeds
from pellucid.evaluation.comparison.splitting import folds_of
from pellucid.evaluation.scores.other_data import on_new_table
from pellucid.nn.model import Model
from pellucid.nn.presets import PRETRAINED, check_has_body
from pellucid.progress import Progress, shown_progress
from pellucid.registry import flags_of, options_of, validate_call
from pellucid.runs.candidates import Candidate, find_candidate
from pellucid.runs.train_many import n_jobs_that_fit
from pellucid.training.options import TrainingOptions
from pellucid.workflows.results import results_folder

Source = str | Path | Model
Comparison = PairedComparison | CrossValidation | SeedComparison


@validate_call("n_seeds", "n_jobs", "seed", "overwrite", others=partial(options_of, TrainingOptions))
def compare(
    a: Source,
    b: Source | None = None,
    *,
    data: Split | DataSource | str | Path,
    cv: Any = None,
    n_seeds: int | None = None,
    n_jobs: int | None = None,
    seed: int = 1,
    body: str | Path | None = None,
    pixels: str | None = None,
    unfreeze: int | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
    **training: Any,
) -> Comparison:
    """Return whether B is better than A, or whether the difference may be chance.

    Parameters
    ----------
    a, b : str, Path or Model
        A preset or a ``.toml`` file, which is trained for the comparison; or a trained model, its file or run
        folder. ``b`` may be left out with ``cv`` or ``n_seeds``.
    data : Split, DataSource or str
    cv : int or splitter, optional
        Train again for every fold: a number of folds, or a splitter of scikit-learn, such as
        ``RepeatedStratifiedKFold(n_splits=5, n_repeats=3)``, which the command writes ``5x3``.
    n_seeds : int, optional
        Train from this many random seeds.
    n_jobs : int, optional
        Trainings side by side, with ``cv`` or ``n_seeds``; default: as many as there are cores for.
    seed : int, optional
        Of the training; the first one, where there are several.
    body, pixels, unfreeze : optional
        Of the preset "pretrained", where it is trained: as for :func:`pellucid.pretrained`, and how many of its
        last blocks are trained on.
    out : str or Path, optional
        A folder for numbers and figures; default: nothing is written.
    overwrite : bool, optional
        Write into a folder that is not empty.
    progress : callable or bool, optional
        Called with a stage, how much of it is done, of how much, and the last result; default: a bar; False:
        silent.
    **training
        Fields of :class:`pellucid.training.options.TrainingOptions` for both; default: each one's own recipe.

    Returns
    -------
    PairedComparison, CrossValidation or SeedComparison
        By default, with ``cv``, or with ``n_seeds``.

    Raises
    ------
    OptionError, DataError, ShapeError
        If options contradict one another, or a model does not fit the data.

    Examples
    --------
    >>> found = compare("logistic", "mlp", data="drawn-cats", n_epochs=20)
    >>> found.name, round(found.a.confusion.baseline, 2)
    ('comparison', 0.5)
    """
    _check(b, cv, n_seeds, n_jobs)
    folds = None if cv is None else folds_of(cv)
    source = as_split(data, "compare: data")
    named = source if isinstance(source, DataSource) else source.name
    of_body = {"body": body, "pixels": pixels, "unfreeze": unfreeze}
    if given := [name for name, value in of_body.items() if value is not None and PRETRAINED not in (a, b)]:
        check_has_body(str(a), f"--{given[0]}")
    candidates = [
        find_candidate(
            letter, one, data=named, seed=seed, **training, **(of_body if one == PRETRAINED else {})
        )
        for letter, one in zip("AB", (a, b), strict=True)
        if one is not None
    ]
    _check_given(candidates, training)
    if isinstance(source, DataSource):  # at the size of a pretrained body where none takes another
        read = [source if one.config is None else one.config.source for one in candidates]
        source = read[0] if all(one == read[0] for one in read) else source
    split = source.load() if isinstance(source, DataSource) else source
    jobs = n_jobs or n_jobs_that_fit(candidates)
    with results_folder(out, overwrite=overwrite) as results, shown_progress(progress) as show:
        found: Comparison
        if n_seeds is not None:
            found = compare_seeds(split, candidates, n_seeds, first_seed=seed, n_jobs=jobs, progress=show)
        elif folds is not None:
            found = cross_validate(
                split, candidates, **folds._asdict(), seed=seed, n_jobs=jobs, progress=show
            )
        else:
            path = source.path if isinstance(source, DataSource) and source.kind == "table" else None
            tests, notes = _test_parts(split, candidates, path)
            found = compare_on_test(split, *candidates, tests=tests, notes=notes, progress=show)
        return results.write(found, found.name, found.figures)


def _check(b: Source | None, cv: str | None, n_seeds: int | None, n_jobs: int | None) -> None:
    if cv is not None and n_seeds is not None:
        raise OptionError(
            "--cv and --seeds: choose one. --cv asks about other samples, --seeds about other random starts."
        )
    if n_jobs is not None and n_jobs < 1:
        raise OptionError(f"--jobs: expected 1 or more, got {n_jobs}.")
    if cv is None and n_seeds is None:
        if b is None:
            raise OptionError(
                "compare: expected a second model, B. One alone can be looked at with --cv or --seeds."
            )
        if n_jobs is not None:
            raise OptionError("--jobs: it is for --cv and --seeds, which train side by side. Leave it out.")


def _check_given(candidates: Sequence[Candidate], training: dict[str, Any]) -> None:
    """Raise OptionError if options of a training are given and nothing is trained."""
    flags = {name: flag for flag, name in flags_of(TrainingOptions).items()}
    given = [name for name, value in training.items() if value is not None]
    if given and all(candidate.is_trained for candidate in candidates):
        raise OptionError(
            f"--{flags.get(given[0], given[0]).replace('_', '-')}: it is an option of a training, and "
            f"{' and '.join(candidate.title for candidate in candidates)} are trained already. Leave it out."
        )


def _test_parts(
    split: Split, candidates: Sequence[Candidate], path: str | Path | None
) -> tuple[Mapping[str, Dataset] | None, tuple[str, ...]]:
    """Return all rows of a table that is new to both, as each takes them, and a note; None: the test part."""
    schemas = {
        c.letter: c.model._schema for c in candidates if c.model is not None and c.model._schema is not None
    }
    if split.schema is None or all(schema == split.schema for schema in schemas.values()):
        return None, ()
    if len(schemas) < len(candidates) or path is None:
        raise DataError(
            f"{split.name}: a model was trained on a table with other columns or categories. Compare it with "
            "another trained model, or train both on this table by naming presets or .toml files."
        )
    parts = {}
    for candidate in candidates:
        rows = schemas[candidate.letter].encode(path)
        if rows.y is None:
            raise DataError(
                f"{candidate.title}: {path} lacks the column that the model predicts. Name a table with it."
            )
        assert candidate.model is not None
        parts[candidate.letter] = Dataset(rows.X, rows.y, candidate.model.classes)
    y = [part.y for part in parts.values()]
    if y[0].shape != y[1].shape or not np.array_equal(y[0], y[1]):
        raise DataError(
            f"{split.name}: the two models predict different columns. Compare models of the same one."
        )
    return parts, (on_new_table(len(y[0])),)
