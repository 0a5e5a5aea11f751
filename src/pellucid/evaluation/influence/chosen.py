"""Which test samples are to be explained: by number, by file, or the most confident mistakes."""

from collections.abc import Sequence

from pellucid.aliases import nearest
from pellucid.data.dataset import Split
from pellucid.errors import DataError, OptionError, unknown_name
from pellucid.evaluation.influence.explained import METHODS
from pellucid.evaluation.influence.logits import check_classifier
from pellucid.evaluation.scores.galleries import pick
from pellucid.runs.run import Run
from pellucid.text import join_some

N_TESTS = 3  # the most confident mistakes, where nothing else is asked for


def chosen_rows(run: Run, tests: Sequence[int | str] | None, method: str, top: int) -> list[int]:
    """Return the rows that are asked for, after checking every option."""
    if method not in METHODS:
        raise OptionError(unknown_name("method", method, METHODS))
    if top < 1:
        raise OptionError(f"--top: expected 1 or more, got {top}.")
    check_classifier(run.model)
    test = run.split.test
    if not len(test):
        raise DataError(f"{run.split.name}: the test part is empty. Give data with samples in both parts.")
    if tests is None:
        kind = "confident mistakes" if not run.test_predictions.is_correct.all() else "highest losses"
        return [int(i) for i in pick(kind, run.test_predictions, N_TESTS)]
    rows = [_row(run.split, one) if isinstance(one, str) else one for one in tests]
    wrong = [row for row in rows if not 0 <= row < len(test)]
    if wrong or not rows:
        got = ", ".join(map(str, wrong)) or "none"
        raise OptionError(f"--test: expected numbers of test samples, from 0 to {len(test) - 1}, got {got}.")
    return list(dict.fromkeys(rows))


def _row(split: Split, file: str) -> int:
    """Return the number of the test sample that is a file, named by its path or the end of it."""
    if split.test.files is None:
        raise OptionError(f"--test: expected numbers of test samples such as 3,17,20, got {file!r}.")
    files: list[str] = split.test.files.tolist()
    found = [i for i, name in enumerate(files) if f"/{name}".endswith(f"/{file}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise OptionError(
            f"--test: {len(found)} test samples are called {file}: {join_some(files[i] for i in found)}."
        )
    if split.train.files is not None and file in split.train.files:
        raise OptionError(f"--test: {file} is in the training part. Name a sample of the test part.")
    near = nearest(file, files)
    hint = f" Did you mean {near}?" if near else ""
    raise OptionError(f"--test: no test sample is the file {file}.{hint}")
