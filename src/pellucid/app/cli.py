"""The command: argv -> use case -> text. What a use case does is in its own module; here is only the edge."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.app import options as o
from pellucid.app.data_cli import data_app
from pellucid.app.model_cli import model_app
from pellucid.app.options import print_json, print_table
from pellucid.app.rate_cli import find_rate
from pellucid.errors import OptionError, PellucidError, unknown_name

if TYPE_CHECKING:
    from pellucid.types import Split

app = typer.Typer(
    name="pellucid",
    help="Neural networks from scratch on NumPy: train, look through, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.add_typer(model_app, name="model")
app.command("find-rate")(find_rate)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with every error.")] = False,
) -> None:
    if version:
        from pellucid import __version__

        print(f"pellucid {__version__}")
        raise typer.Exit


@app.command()
def run(
    data: o.Data = "drawn-cats",
    model: o.ModelName = "mlp",
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/DATA-MODEL-N.")] = None,
    photo: Annotated[Path | None, typer.Option(help="A new photo to predict at the end.")] = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    learning_rate: o.LearningRate = None,
    optimizer: o.OptimizerName = None,
    weight_decay: o.WeightDecay = None,
    schedule: o.ScheduleName = None,
    augment: o.AugmentName = None,
    loss: o.LossName = None,
    class_weight: o.ClassWeight = None,
    validation: o.ValidationShare = None,
    patience: o.Patience = None,
    average: o.Average = None,
    seed: o.Seed = 1,
    dtype: o.Dtype = None,
    path: o.Path_ = "auto",
    threads: o.Threads = None,
    x_key: o.XKey = None,
    y_key: o.YKey = None,
    target: o.Target = None,
    skip_bad: o.SkipBad = False,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
) -> None:
    """The whole pipeline: look, train, evaluate, show the mistakes, report."""
    from pellucid.app.pipeline import run as run_pipeline
    from pellucid.app.run_folder import next_folder
    from pellucid.app.training import plan
    from pellucid.training.callbacks import Progress

    config, architecture = plan(
        model,
        data=data,
        target=target,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        weight_decay=weight_decay,
        schedule=schedule,
        augment=augment,
        loss=loss,
        class_weight=class_weight,
        validation=validation,
        patience=patience,
        average=average,
        seed=seed,
        dtype=dtype,
        path=path,
        threads=threads,
    )
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
    outcome = run_pipeline(
        split,
        config,
        out or next_folder(Path("runs"), o.folder_name(data, model)),
        architecture=architecture,
        force=force,
        photo=photo,
        callbacks=() if quiet else (Progress(),),
        say=(lambda line: None) if quiet else print,
    )
    if quiet:
        print(outcome.report)
    if outcome.was_interrupted:
        raise typer.Exit(130)


@app.command()
def train(
    data: o.Data,
    model: o.ModelName = "mlp",
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/DATA-MODEL-N.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")
    ] = False,
    checkpoint_steps: Annotated[
        int | None, typer.Option(help="Write a checkpoint every so many steps.")
    ] = None,
    checkpoint_minutes: Annotated[
        float | None, typer.Option(help="Or every so many minutes; default 5.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write event files into the folder.")
    ] = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    learning_rate: o.LearningRate = None,
    optimizer: o.OptimizerName = None,
    weight_decay: o.WeightDecay = None,
    schedule: o.ScheduleName = None,
    augment: o.AugmentName = None,
    loss: o.LossName = None,
    class_weight: o.ClassWeight = None,
    validation: o.ValidationShare = None,
    patience: o.Patience = None,
    average: o.Average = None,
    seed: o.Seed = 1,
    dtype: o.Dtype = None,
    path: o.Path_ = "auto",
    threads: o.Threads = None,
    x_key: o.XKey = None,
    y_key: o.YKey = None,
    target: o.Target = None,
    skip_bad: o.SkipBad = False,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
) -> None:
    """Train a model: checkpoints, model, history and metrics, without the pictures of `run`."""
    from pellucid.app.run_folder import next_folder
    from pellucid.app.train_command import train_into
    from pellucid.app.training import plan
    from pellucid.training.callbacks import Progress

    config, architecture = plan(
        model,
        data=data,
        target=target,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        weight_decay=weight_decay,
        schedule=schedule,
        augment=augment,
        loss=loss,
        class_weight=class_weight,
        validation=validation,
        patience=patience,
        average=average,
        seed=seed,
        dtype=dtype,
        path=path,
        threads=threads,
    )
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
    outcome = train_into(
        split,
        config,
        out or next_folder(Path("runs"), o.folder_name(data, model)),
        architecture=architecture,
        resume=resume,
        checkpoint_steps=checkpoint_steps,
        checkpoint_minutes=checkpoint_minutes,
        tensorboard=tensorboard,
        force=force,
        callbacks=() if quiet else (Progress(),),
        say=(lambda line: None) if quiet else print,
    )
    print(outcome.folder)
    if outcome.was_interrupted:
        raise typer.Exit(130)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    data: o.Data,
    as_json: o.Json = False,
    x_key: o.XKey = None,
    y_key: o.YKey = None,
    target: o.Target = None,
    skip_bad: o.SkipBad = False,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
) -> None:
    """What a saved model scores on the test part of a data set."""
    from pellucid.app.evaluation import evaluate_on

    result = evaluate_on(
        model,
        data,
        load=lambda: o.load(
            data,
            x_key=x_key,
            y_key=y_key,
            target=target,
            skip_bad=skip_bad,
            image_size=image_size,
            mirror=mirror,
        ),
    )
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        if not isinstance(value, list):
            print(f"{name.replace('_', ' ')}: {value}")


@app.command()
def reproduce(
    data_dir: Annotated[Path | None, typer.Option(help="A folder that holds the published photos.")] = None,
    tolerance: Annotated[float, typer.Option(help="The largest relative difference that is none.")] = 1e-8,
    as_json: o.Json = False,
    mirror: o.Mirror = None,
) -> None:
    """The published numbers beside ours; exit 1 if they differ."""
    from pellucid.app import reproduction
    from pellucid.training.callbacks import Progress

    result = reproduction.reproduce(
        data_dir, tolerance=tolerance, mirror=mirror, callbacks=lambda path: [Progress(path)]
    )
    if as_json:
        print_json(result.to_dict())
    else:
        published = reproduction.published_costs()
        rows = [
            (f"cost at {i}", published[i], ours, result.direct_costs[i]) for i, ours in result.costs.items()
        ]
        accuracies = (
            ("training accuracy", reproduction.PUBLISHED_TRAIN_ACCURACY, result.train_accuracy),
            ("test accuracy", reproduction.PUBLISHED_TEST_ACCURACY, result.test_accuracy),
            (
                f"new photo {reproduction.NEW_PHOTO}",
                reproduction.PUBLISHED_VERDICT,
                result.new_photo or "not there",
            ),
        )
        print_table(("", "published", "dual form", "direct form"), rows + [(*row, "") for row in accuracies])
        print(f"\nLargest relative difference: {result.largest_difference:.1e} (allowed: {tolerance:g})")
        print(f"Dual form: {result.dual_seconds:.3f} s. Direct form: {result.direct_seconds:.2f} s.")
        print(f"BLAS: {result.blas}, {result.threads} threads.")
        print("The numbers match." if result.matches else "The numbers DIFFER.")
    if not result.matches:
        raise typer.Exit(1)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    images: Annotated[list[Path], typer.Argument(help="Images of any size and kind; or one .csv file.")],
    as_json: o.Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
) -> None:
    """What a saved model says of images, or of the rows of a table."""
    from pellucid.app.prediction import predict_images

    if len(images) == 1 and images[0].suffix.lower() in (".csv", ".tsv"):
        _predict_table(model, images[0], as_json=as_json, as_lines=as_lines)
        return
    predictions = predict_images(model, images)
    if as_json:
        print_json({"predictions": [prediction.to_dict() for prediction in predictions]})
    elif as_lines:
        for prediction in predictions:
            print(json.dumps(prediction.to_dict()))
    else:
        for prediction in predictions:
            print(f"{prediction.image}: {prediction.label} ({100 * prediction.probability:.1f} %)")


def _predict_table(model: Path, table: Path, *, as_json: bool, as_lines: bool) -> None:
    from pellucid.app.prediction import predict_rows
    from pellucid.formats.safetensors import load

    rows, notes = predict_rows(load(model), table)
    if as_json:
        print_json({"predictions": rows, "notes": list(notes)})
    elif as_lines:
        for row in rows:
            print(json.dumps(row))
    else:
        for row in rows:
            verdict = row.get("label", row.get("value", row.get("labels")))
            sure = f" ({100 * row['probability']:.1f} %)" if "probability" in row else ""
            print(f"row {row['row']}: {verdict}{sure}")
        for note in notes:
            print(f"Note: {note}", file=sys.stderr)


@app.command()
def bench(
    what: Annotated[str, typer.Argument(help="speed, or accuracy.")] = "speed",
    data: Annotated[str, typer.Option(help="The data set; default: the published photos.")] = "catvnoncat",
    model: Annotated[str, typer.Option(help="For accuracy: a preset or a .toml file.")] = "cnn",
    repeats: Annotated[int, typer.Option(min=1, help="For accuracy: repeats of the five folds.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="For speed: steps of gradient descent.")] = 2500,
    as_json: o.Json = False,
    mirror: o.Mirror = None,
) -> None:
    """The tutorial's training against other libraries; or the accuracy of a model by cross-validation."""
    if what not in ("speed", "accuracy"):
        raise OptionError(unknown_name("benchmark", what, ("speed", "accuracy")))
    split = o.load(data, mirror=mirror)
    if what == "speed":
        _bench_speed(split, steps, as_json=as_json)
    else:
        _bench_accuracy(split, model, repeats, as_json=as_json)


def _bench_speed(split: "Split", steps: int, *, as_json: bool) -> None:
    from pellucid.app import benchmark

    result = benchmark.bench(
        split, n_steps=steps, tell=lambda name: print(f"running {name} ...", file=sys.stderr)
    )
    if as_json:
        print_json(result.to_dict())
        return
    print(
        f"{result.machine}; Python {result.python}, NumPy {result.numpy}, {result.blas}, {result.threads} threads"
    )
    print(f"{result.n_steps} full-batch steps on {result.data}; each in a process of its own\n")
    print_table(
        ("", "version", "seconds", "ratio", "final cost", "largest weight difference"),
        [
            (
                r.name,
                r.version,
                f"{r.seconds:.3f}",
                f"{r.ratio:.1f}",
                r.final_cost,
                f"{r.weight_difference:.1e}",
            )
            for r in result.rows
        ],
    )
    if result.absent:
        print(f"Not installed: {', '.join(result.absent)}. pip install 'pellucid[bench]' brings them.")


def _bench_accuracy(split: "Split", model: str, repeats: int, *, as_json: bool) -> None:
    from pellucid.app.accuracy import Fold, measure_accuracy

    def tell(fold: Fold) -> None:
        print(
            f"repeat {fold.repeat + 1} fold {fold.fold + 1}: balanced accuracy {fold.balanced_accuracy:.4f}, "
            f"accuracy {fold.accuracy:.4f}, trained in {fold.seconds:.1f} s",
            file=sys.stderr if as_json else sys.stdout,
            flush=True,
        )

    result = measure_accuracy(split, model, n_repeats=repeats, tell=tell)
    if as_json:
        print_json(result.to_dict())
    else:
        print(f"{result.model} on {result.n_samples} samples of {split.name}, {len(result.folds)} trainings")
        print(f"mean balanced accuracy {result.balanced_accuracy:.4f}, mean accuracy {result.accuracy:.4f}")


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 (a check fails), 2 (bad use or input), 130 (Ctrl-C)."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = app(args=arguments, standalone_mode=False, prog_name="pellucid")
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if "--debug" in arguments:
            raise
        return _explain(error)


def _explain(error: Exception) -> int:
    """Print an expected error in at most three lines; raise an unexpected one."""
    if isinstance(error, PellucidError):
        message = str(error)
    elif hasattr(error, "format_message"):  # typer's usage errors
        message = f"{error.format_message().rstrip('.')}. See pellucid --help."
    else:
        raise error
    lines = message.splitlines()
    print("pellucid: " + "\n".join(lines[:3]), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
