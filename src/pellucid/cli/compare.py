"""The edge of ``pellucid compare``."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import print_json
from pellucid.errors import OptionError

if TYPE_CHECKING:
    from pellucid.cli.compare_modes import OnTest, OverFolds, OverStarts
    from pellucid.evaluation.comparison.candidates import Candidate

SOURCE = "A preset, a .toml file, a model file or a run folder."


@command("compare", order=80, short_help="Is B better than A, or was it luck?")
def compare(
    a: Annotated[str, typer.Argument(help=SOURCE)],
    b: Annotated[str | None, typer.Argument(help="The same; may be left out with --cv or --seeds.")] = None,
    data: Annotated[str, typer.Option(help="A built-in name, a folder of images, a file.")] = "",
    cv: Annotated[
        str | None, typer.Option(help="FOLDSxREPEATS, such as 5x3: train anew for every fold.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Train from so many starts: the seed lottery.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="With --cv or --seeds: trainings side by side; default: a core each.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A folder for figures and numbers.")] = None,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    learning_rate: o.LearningRate = None,
    optimizer: o.OptimizerName = None,
    weight_decay: o.WeightDecay = None,
    schedule: o.ScheduleName = None,
    augment: o.AugmentName = None,
    loss: o.LossName = None,
    label_smoothing: o.LabelSmoothing = None,
    class_weight: o.ClassWeight = None,
    validation: o.ValidationShare = None,
    patience: o.Patience = None,
    seed: o.Seed = 1,
    dtype: o.Dtype = None,
    form: Annotated[
        str | None, typer.Option("--form", help="auto, direct or dual: how the first layer is trained.")
    ] = None,
    threads: o.Threads = None,
    x_key: o.XKey = None,
    y_key: o.YKey = None,
    target: o.Target = None,
    skip_bad: o.SkipBad = False,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
) -> None:
    """Is B better than A, or was it luck? On the same samples, over folds (--cv), or over starts (--seeds).

    Options of a training apply to both, where they are trained here; each has its own recipe otherwise.
    """
    if not data:
        raise OptionError("--data: expected the data to compare on, such as --data drawn-cats, got nothing.")
    from pellucid.files import atomic_folder

    mode: Any = _mode(b, cv, seeds, workers)
    training = {
        "n_epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "augment": augment,
        "loss": loss,
        "label_smoothing": label_smoothing,
        "class_weight": class_weight,
        "validation": validation,
        "patience": patience,
        "dtype": dtype,
        "form": form,
        "n_threads": threads,
    }
    candidates = _candidates([a] if b is None else [a, b], training, data=data, target=target, seed=seed)
    split = o.load(
        data,
        x_key=x_key,
        y_key=y_key,
        target=target,
        skip_bad=skip_bad,
        image_size=image_size,
        mirror=mirror,
        seed=seed,
    )
    with nullcontext() if out is None else atomic_folder(out, force=force) as folder:
        result = mode.run(split, candidates, data=data, seed=seed, workers=workers, quiet=quiet or as_json)
        if folder is not None:
            _write(folder, result, mode)
    if as_json:
        print_json(result.to_dict())
    else:
        mode.say(result)
        if out is not None:
            print(f"\nFigures and numbers: {out}")
    if not getattr(result, "is_complete", True):
        raise typer.Exit(130)


def _mode(
    b: str | None, cv: str | None, seeds: int | None, workers: int | None
) -> "OnTest | OverFolds | OverStarts":
    from pellucid.cli.compare_modes import OnTest, OverFolds, OverStarts

    if cv is not None and seeds is not None:
        raise OptionError(
            "--cv and --seeds: choose one. --cv asks about other samples, --seeds about other starts."
        )
    if workers is not None and workers < 1:
        raise OptionError(f"--workers: expected 1 or more, got {workers}.")
    if cv is not None:
        return OverFolds(cv)
    if seeds is not None:
        return OverStarts(seeds)
    if b is None:
        raise OptionError(
            "compare: expected a second model, B. One alone can be looked at with --cv or --seeds."
        )
    if workers is not None:
        raise OptionError("--workers: it is for --cv and --seeds, which train side by side. Leave it out.")
    return OnTest()


def _candidates(
    sources: Sequence[str], training: Mapping[str, Any], *, data: str, target: str | None, seed: int
) -> "list[Candidate]":
    from pellucid.data.source import DataSource
    from pellucid.evaluation.comparison.candidates import find_candidate

    options = {**training, "data": DataSource(data, target=target), "seed": seed}
    candidates = [
        find_candidate(letter, source, **options) for letter, source in zip("AB", sources, strict=False)
    ]
    given = [name for name, value in training.items() if value is not None]
    if given and all(candidate.is_trained for candidate in candidates):
        raise OptionError(
            f"--{given[0].removeprefix('n_').replace('_', '-')}: it is for a training, and "
            f"{' and '.join(candidate.title for candidate in candidates)} are trained already. Leave it out."
        )
    return candidates


def _write(folder: Path, result: Any, mode: Any) -> None:
    from pellucid.plotting.saving import save_figure

    (folder / f"{mode.name}.json").write_text(json.dumps(result.to_dict(), indent=2) + "\n")
    for name, figure in mode.figures(result).items():
        save_figure(figure, folder / f"{name}.png")
