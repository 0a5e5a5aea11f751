"""What ``pellucid predict`` does once its flags are read; where there are none, ``main`` calls it at once."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli.terminal import Answer, echo
from pellucid.progress import ProgressBar
from pellucid.text import plural

if TYPE_CHECKING:
    from pellucid.prediction.predicted import Prediction


def predict(
    model: Path,
    images: Sequence[str],
    out: Path | None = None,
    *,
    skip_bad: bool = False,
    is_nul: bool = False,
    as_json: bool = False,
    as_lines: bool = False,
    quiet: bool = False,
    **writing: Any,
) -> int:
    """Print what a model predicts, or write it as ``writing`` says; return 1 if an image cannot be read."""
    from pellucid.errors import OptionError
    from pellucid.workflows.predict import Predicting

    for is_wrong, message in (
        (
            writing.get("resume") and writing.get("overwrite"),
            "--resume and --overwrite: go on with the file, or replace it. Leave one out.",
        ),
        (
            out is not None and (as_json or as_lines),
            "--out: the predictions go into the file. Leave --json and --jsonl out.",
        ),
        (is_nul and "-" not in images, "--null: is for names on standard input. Add - for them."),
    ):
        if is_wrong:
            raise OptionError(message)
    tell = partial(echo, err=True)
    with ProgressBar() as bar:
        stdin = sys.stdin.buffer if "-" in images else None
        predicting = Predicting(model, images, stdin=stdin, is_nul=is_nul, progress=bar)
        if as_json:
            from pellucid.prediction.read_samples import collect

            found = collect(predicting.samples)
            Answer(found).show(as_json=True, quiet=False)
            n_bad = len(found.faults)
        elif out is None:
            n_bad = predicting.each(partial(_print_lines, as_json=as_lines, is_brief=quiet), tell)
        else:
            written = predicting.into(out, tell, **writing)
            n_bad = written.n_bad
            if not quiet:
                before = f", {written.n_before} were there" if written.n_before else ""
                unread = f", {n_bad} cannot be read" if n_bad else ""
                echo(f"{out}: {plural(written.n_written, 'prediction')} written{before}{unread}")
    if not (quiet or as_lines or as_json):
        for note in predicting.samples.notes:
            tell(f"Note: {note}")
    return int(bool(n_bad) and not skip_bad)


def _print_lines(predictions: "Sequence[Prediction]", *, as_json: bool, is_brief: bool) -> None:
    for each in predictions:
        name = f"row {each.sample}" if isinstance(each.sample, int) else each.sample
        echo(json.dumps(each.to_dict()) if as_json else f"{name}: {each.in_words(is_brief=is_brief)}")
    sys.stdout.flush()
