"""What ``pellucid predict`` does once its flags are read; where there are none, ``main`` calls it at once."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli.terminal import echo, print_json
from pellucid.progress import ProgressBar
from pellucid.text import plural

if TYPE_CHECKING:
    from pellucid.distributed.prediction import EncodedBatch
    from pellucid.nn.model import Model
    from pellucid.prediction.output import Output, Target
    from pellucid.prediction.records import Prediction
    from pellucid.prediction.samples import Batch, Samples

MOST_HELD = 256  # faults that are kept back until something can be read


def predict(
    model: Path,
    images: Sequence[str],
    out: Path | None = None,
    *,
    is_resumed: bool = False,
    is_forced: bool = False,
    skips_bad: bool = False,
    is_nul: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    as_json: bool = False,
    as_lines: bool = False,
    is_quiet: bool = False,
) -> int:
    """Print or write what a model predicts, and return the exit code: 1 if an image cannot be read."""
    from pellucid.formats.safetensors import load, model_file
    from pellucid.prediction.samples import collect, samples_of

    _check_flags(
        images,
        out,
        is_resumed=is_resumed,
        is_forced=is_forced,
        is_nul=is_nul,
        is_printed=as_json or as_lines,
        has_cluster=workers is not None or cluster is not None,
    )
    with ProgressBar() as bar:
        network = load(model)
        samples = samples_of(
            network,
            images,
            stdin=sys.stdin.buffer if "-" in images else None,
            separator=b"\0" if is_nul else b"\n",
            progress=partial(bar, "reading images"),
        )
        if as_json:
            found = collect(samples)
            print_json(found.to_dict())
            n_bad = len(found.faults)
        elif out is None:
            put = partial(_print_lines, as_json=as_lines, is_brief=is_quiet)
            n_bad = _run(samples.batches(lambda sample: False), put)
        else:
            from pellucid.prediction.output import Target, model_mark

            target = Target(network, model_mark(model_file(model)), samples.of, is_resumed, is_forced)
            with _batches(network, samples, workers, cluster, bar) as batches:
                n_bad = _write(target, batches, out, is_quiet=is_quiet)
    if not (is_quiet or as_lines or as_json):
        for note in samples.notes:
            echo(f"Note: {note}", err=True)
    return int(bool(n_bad) and not skips_bad)


def _check_flags(
    images: Sequence[str],
    out: Path | None,
    *,
    is_resumed: bool,
    is_forced: bool,
    is_nul: bool,
    is_printed: bool,
    has_cluster: bool,
) -> None:
    from pellucid.errors import OptionError

    if out is None and (is_resumed or is_forced):
        raise OptionError(f"{'--resume' if is_resumed else '--force'}: expected a file. Name it with --out.")
    if is_resumed and is_forced:
        raise OptionError("--resume and --force: go on with the file, or replace it. Leave one out.")
    if out is not None and is_printed:
        raise OptionError("--out: the predictions go into the file. Leave --json and --jsonl out.")
    if has_cluster and out is None:
        raise OptionError("--workers and --cluster: expected a file. Name it with --out.")
    if is_nul and "-" not in images:
        raise OptionError("--null: is for names on standard input. Add - for them.")


def _print_lines(predictions: "Sequence[Prediction]", *, as_json: bool, is_brief: bool) -> None:
    for each in predictions:
        name = f"row {each.sample}" if isinstance(each.sample, int) else each.sample
        echo(json.dumps(each.to_dict()) if as_json else f"{name}: {each.in_words(is_brief=is_brief)}")
    sys.stdout.flush()


@contextmanager
def _batches(
    network: "Model", samples: "Samples", workers: int | None, cluster: str | None, bar: ProgressBar
) -> "Iterator[Callable[[Output], Iterable[Batch | EncodedBatch]]]":
    """Yield what an output gets: predicted here, or by the workers of a cluster."""
    if workers is None and cluster is None:
        yield lambda output: samples.batches(output.is_done)
        return
    from pellucid.distributed.cluster import open_cluster
    from pellucid.distributed.prediction import cluster_batches

    with open_cluster(cluster, workers) as client:
        yield lambda output: cluster_batches(client, network, samples, output, partial(bar, "reading images"))


def _write(
    target: "Target",
    batches: "Callable[[Output], Iterable[Batch | EncodedBatch]]",
    out: Path,
    *,
    is_quiet: bool,
) -> int:
    """Write the predictions to a file and say so; return how many samples are bad."""
    from pellucid.prediction.output import open_output

    with open_output(out, target) as file:
        try:
            n_bad = _run(batches(file), file.write, file.n_before)
        except KeyboardInterrupt:
            echo(f"{out} has {file.n_before + file.n_written} predictions; --resume goes on.", err=True)
            raise
        if not is_quiet:
            before = f", {file.n_before} were there" if file.n_before else ""
            unread = f", {n_bad} cannot be read" if n_bad else ""
            echo(f"{out}: {plural(file.n_written, 'prediction')} written{before}{unread}")
    return n_bad


def _run(batches: "Iterable[Batch | EncodedBatch]", put: Callable[[Any], None], n_before: int = 0) -> int:
    """Put out predictions as they come, and tell what cannot be read; return how many samples that is.

    Raises
    ------
    DataError
        If there is nothing else: not one sample can be read.
    """
    from pellucid.prediction.samples import none_read

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
