"""The command ``pellucid predict``."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, options
from pellucid.cli.terminal import echo, print_json
from pellucid.progress import ProgressBar

if TYPE_CHECKING:
    from pellucid.nn.model import Model
    from pellucid.workflows.predict import Batch, Prediction, Samples

MOST_HELD = 256  # faults that are kept back until something can be read


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
@options(kernels=KERNELS)
def predict(
    model: o.Trained,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Images of any size and kind, folders, patterns such as 'photos/*.jpg', or - for names on "
            "standard input, one a line, or for an image there; or one .csv file.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Write the predictions to this .csv or .jsonl file as they come.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with that file: leave out what it has already.")
    ] = False,
    force: o.ForceFile = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Images that cannot be read are listed, but are no failure.")
    ] = False,
    is_nul: Annotated[
        bool,
        typer.Option("-0", "--null", help="Names on standard input end with a NUL byte, as of find -print0."),
    ] = False,
    as_json: o.Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """What a saved model predicts for images, or for the rows of a table; exit 1 if an image cannot be read."""
    from pellucid.formats.safetensors import load, model_file
    from pellucid.workflows.predict import collect, samples_of

    _check_flags(
        images, out, is_resumed=resume, is_forced=force, is_nul=is_nul, is_printed=as_json or as_lines
    )
    with ProgressBar() as bar:
        network = load(model)
        samples = samples_of(
            network,
            images,
            stdin=sys.stdin.buffer,
            separator=b"\0" if is_nul else b"\n",
            progress=partial(bar, "reading images"),
        )
        if as_json:
            found = collect(samples)
            print_json(found.to_dict())
            n_bad = len(found.faults)
        elif out is None:
            put = partial(_print_lines, as_json=as_lines, is_brief=quiet)
            n_bad = _run(samples.batches(lambda sample: False), put)
        else:
            source = model_file(model)
            n_bad = _write(source, network, samples, out, is_resumed=resume, is_forced=force, is_quiet=quiet)
    if not (quiet or as_lines or as_json):
        for note in samples.notes:
            echo(f"Note: {note}", err=True)
    if n_bad and not skip_bad:
        raise typer.Exit(1)


def _check_flags(
    images: list[str], out: Path | None, *, is_resumed: bool, is_forced: bool, is_nul: bool, is_printed: bool
) -> None:
    from pellucid.errors import OptionError

    if out is None and (is_resumed or is_forced):
        raise OptionError(f"{'--resume' if is_resumed else '--force'}: expected a file. Name it with --out.")
    if is_resumed and is_forced:
        raise OptionError("--resume and --force: go on with the file, or replace it. Leave one out.")
    if out is not None and is_printed:
        raise OptionError("--out: the predictions go into the file. Leave --json and --jsonl out.")
    if is_nul and "-" not in images:
        raise OptionError("--null: is for names on standard input. Add - for them.")


def _print_lines(predictions: "Sequence[Prediction]", *, as_json: bool, is_brief: bool) -> None:
    for each in predictions:
        name = f"row {each.sample}" if isinstance(each.sample, int) else each.sample
        echo(json.dumps(each.to_dict()) if as_json else f"{name}: {each.in_words(is_brief=is_brief)}")
    sys.stdout.flush()


def _write(
    model: Path,
    network: "Model",
    samples: "Samples",
    out: Path,
    *,
    is_resumed: bool,
    is_forced: bool,
    is_quiet: bool,
) -> int:
    """Write the predictions to a file and say so; return how many samples are bad."""
    from pellucid.workflows.prediction_file import PredictionFile, model_mark

    mark = model_mark(model)
    with PredictionFile(out, network, mark, samples.of, resume=is_resumed, force=is_forced) as file:
        try:
            n_bad = _run(samples.batches(file.is_done), file.write, file.n_before)
        except KeyboardInterrupt:
            echo(f"{out} has {file.n_before + file.n_written} predictions; --resume goes on.", err=True)
            raise
        if not is_quiet:
            before = f", {file.n_before} were there" if file.n_before else ""
            unread = f", {n_bad} cannot be read" if n_bad else ""
            echo(f"{out}: {file.n_written} predictions written{before}{unread}")
    return n_bad


def _run(batches: "Iterable[Batch]", put: "Callable[[Sequence[Prediction]], None]", n_before: int = 0) -> int:
    """Put out predictions as they come, and tell what cannot be read; return how many samples that is.

    Raises
    ------
    DataError
        If there is nothing else: not one sample can be read.
    """
    from pellucid.workflows.predict import none_read

    n_found, n_bad, first = n_before, 0, None
    held: list[str] = []  # where there is nothing else, one line says all
    for batch in batches:
        if batch.predictions:
            put(batch.predictions)
        n_found += len(batch.predictions)
        n_bad += len(batch.faults)
        first = first or next(iter(batch.faults.values()), None)
        held += map(str, batch.faults.values())
        if n_found or len(held) > MOST_HELD:
            echo(*held, err=True)
            held = []
    if first is not None and not n_found:
        raise none_read(first, n_bad)
    return n_bad
