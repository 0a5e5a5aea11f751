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
    from pellucid.formats.safetensors import load
    from pellucid.prediction.read_samples import collect, samples_of
    from pellucid.workflows.predict import READING, put_out, write_predictions

    if writing.get("resume") and writing.get("overwrite"):
        raise OptionError("--resume and --overwrite: go on with the file, or replace it. Leave one out.")
    if out is not None and (as_json or as_lines):
        raise OptionError("--out: the predictions go into the file. Leave --json and --jsonl out.")
    if is_nul and "-" not in images:
        raise OptionError("--null: is for names on standard input. Add - for them.")
    tell = partial(echo, err=True)
    with ProgressBar() as bar:
        network, progress = load(model), partial(bar, READING)
        stdin, separator = sys.stdin.buffer if "-" in images else None, b"\0" if is_nul else b"\n"
        samples = samples_of(network, images, stdin=stdin, separator=separator, progress=progress)
        if as_json:
            found = collect(samples)
            Answer(found).show(as_json=True, quiet=False)
            n_bad = len(found.faults)
        elif out is None:
            put = partial(_print_lines, as_json=as_lines, is_brief=quiet)
            n_bad = put_out(samples.batches(lambda sample: False), put, tell)
        else:
            file, n_bad = write_predictions(model, network, samples, out, tell, progress=progress, **writing)
            if not quiet:
                before = f", {file.n_before} were there" if file.n_before else ""
                unread = f", {n_bad} cannot be read" if n_bad else ""
                echo(f"{out}: {plural(file.n_written, 'prediction')} written{before}{unread}")
    if not (quiet or as_lines or as_json):
        for note in samples.notes:
            tell(f"Note: {note}")
    return int(bool(n_bad) and not skip_bad)


def _print_lines(predictions: "Sequence[Prediction]", *, as_json: bool, is_brief: bool) -> None:
    for each in predictions:
        name = f"row {each.sample}" if isinstance(each.sample, int) else each.sample
        echo(json.dumps(each.to_dict()) if as_json else f"{name}: {each.in_words(is_brief=is_brief)}")
    sys.stdout.flush()
