"""The command: argv -> use case -> text. What a use case does is in its own module; here is only the edge."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.errors import PellucidError

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
data_app = typer.Typer(help="Look at data sets, and fetch the published one.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Data = Annotated[str, typer.Argument(help="A built-in name, an .h5 or .npz file, or a folder of images.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print less.")]
Mirror = Annotated[str | None, typer.Option(help="Download from this address instead of the public home.")]
XKey = Annotated[str | None, typer.Option(help="Name of the array of inputs in an .h5 or .npz file.")]
YKey = Annotated[str | None, typer.Option(help="Name of the array of labels in an .h5 or .npz file.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")]
ImageSize = Annotated[str | None, typer.Option(help="HEIGHTxWIDTH that a folder's images are resized to.")]


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
    data: Data = "drawn-cats",
    model: Annotated[str, typer.Option(help="A preset: logistic, two-layer or mlp.")] = "mlp",
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/DATA-MODEL-N.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training data.")] = 2500,
    batch_size: Annotated[int | None, typer.Option(help="Default: the full batch.")] = None,
    learning_rate: Annotated[float, typer.Option(help="How far a step goes.")] = 0.0075,
    optimizer: Annotated[str, typer.Option(help="How a gradient moves the weights.")] = "sgd",
    loss: Annotated[str | None, typer.Option(help="What is made small.")] = None,
    seed: Annotated[int, typer.Option(help="Of every random number.")] = 1,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64; default: the model's.")] = None,
    path: Annotated[str, typer.Option(help="auto, direct or dual: how the first layer is trained.")] = "auto",
    photo: Annotated[Path | None, typer.Option(help="A new photo to predict at the end.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    x_key: XKey = None,
    y_key: YKey = None,
    skip_bad: SkipBad = False,
    image_size: ImageSize = None,
    mirror: Mirror = None,
    quiet: Quiet = False,
) -> None:
    """The whole pipeline: look, train, evaluate, show the mistakes, report."""
    from pellucid.app.config import training_config
    from pellucid.app.pipeline import run as run_pipeline
    from pellucid.app.run_folder import next_folder
    from pellucid.training.callbacks import Progress

    config = training_config(
        data=data,
        model=model,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        loss=loss,
        seed=seed,
        dtype=dtype,
        path=path,
    )
    split = _load(data, x_key, y_key, skip_bad, image_size, mirror, seed)
    target = out or next_folder(Path("runs"), f"{Path(data).stem}-{model}")
    outcome = run_pipeline(
        split,
        config,
        target,
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
def reproduce(
    data_dir: Annotated[Path | None, typer.Option(help="A folder that holds the published photos.")] = None,
    tolerance: Annotated[float, typer.Option(help="The largest relative difference that is none.")] = 1e-8,
    as_json: Json = False,
    mirror: Mirror = None,
) -> None:
    """The published numbers beside ours; exit 1 if they differ."""
    from pellucid.app import reproduction
    from pellucid.training.callbacks import Progress

    result = reproduction.reproduce(
        data_dir, tolerance=tolerance, mirror=mirror, callbacks=lambda path: [Progress(path)]
    )
    if as_json:
        _print_json(result.to_dict())
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
        _print_table(("", "published", "dual form", "direct form"), rows + [(*row, "") for row in accuracies])
        print(f"\nLargest relative difference: {result.largest_difference:.1e} (allowed: {tolerance:g})")
        print(f"Dual form: {result.dual_seconds:.3f} s. Direct form: {result.direct_seconds:.2f} s.")
        print(f"BLAS: {result.blas}, {result.threads} threads.")
        print("The numbers match." if result.matches else "The numbers DIFFER.")
    if not result.matches:
        raise typer.Exit(1)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    images: Annotated[list[Path], typer.Argument(help="Images of any size and kind.")],
    as_json: Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
) -> None:
    """What a saved model says of images."""
    from pellucid.app.prediction import predict_images

    predictions = predict_images(model, images)
    if as_json:
        _print_json({"predictions": [prediction.to_dict() for prediction in predictions]})
    elif as_lines:
        for prediction in predictions:
            print(json.dumps(prediction.to_dict()))
    else:
        for prediction in predictions:
            print(f"{prediction.image}: {prediction.label} ({100 * prediction.probability:.1f} %)")


@app.command()
def bench(
    data: Data = "catvnoncat",
    steps: Annotated[int, typer.Option(min=1, help="Steps of gradient descent.")] = 2500,
    as_json: Json = False,
    mirror: Mirror = None,
) -> None:
    """The tutorial's training against the textbook loop and every other library that is installed."""
    from pellucid.app import benchmark

    split = _load(data, mirror=mirror)
    result = benchmark.bench(
        split, n_steps=steps, tell=lambda name: print(f"running {name} ...", file=sys.stderr)
    )
    if as_json:
        _print_json(result.to_dict())
        return
    print(
        f"{result.machine}; Python {result.python}, NumPy {result.numpy}, {result.blas}, {result.threads} threads"
    )
    print(f"{result.n_steps} full-batch steps on {result.data}; each in a process of its own\n")
    header = ("", "version", "seconds", "ratio", "final cost", "largest weight difference")
    _print_table(
        header,
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
        print(f"\nNot installed: {', '.join(result.absent)}. pip install 'pellucid[bench]' brings them.")


@data_app.command("list")
def data_list(as_json: Json = False) -> None:
    """The built-in data sets."""
    from pellucid.data.sources import BUILTIN

    if as_json:
        _print_json(dict(BUILTIN))
    else:
        _print_table(("name", "what it is"), list(BUILTIN.items()))


@data_app.command("info")
def data_info(
    data: Data,
    as_json: Json = False,
    x_key: XKey = None,
    y_key: YKey = None,
    skip_bad: SkipBad = False,
    image_size: ImageSize = None,
    mirror: Mirror = None,
) -> None:
    """Shapes, classes and counts of a data set."""
    split = _load(data, x_key, y_key, skip_bad, image_size, mirror)
    parts = {"train": split.train, "test": split.test}
    info = {
        "name": split.name,
        "classes": list(split.classes),
        "notes": list(split.notes),
        **{
            part: {
                "shape": list(values.X.shape),
                "dtype": str(values.X.dtype),
                "counts": dict(zip(split.classes, values.counts.tolist(), strict=True)),
            }
            for part, values in parts.items()
        },
    }
    if as_json:
        _print_json(info)
        return
    print(
        f"{split.name}: {len(split.classes)} classes, samples {split.train.X.shape[1:]}, {split.train.X.dtype}"
    )
    rows = [
        (
            name,
            *(
                f"{count} ({100 * count / len(part):.0f} %)"
                for part in parts.values()
                for count in [part.counts[i]]
            ),
        )
        for i, name in enumerate(split.classes)
    ]
    _print_table(("class", "train", "test"), [*rows, ("all", len(split.train), len(split.test))])
    for note in split.notes:
        print(f"Note: {note}")


@data_app.command("fetch")
def data_fetch(name: str = "catvnoncat", mirror: Mirror = None) -> None:
    """Download a published data set and verify it."""
    from pellucid.data.download import fetch

    print(fetch(name, mirror=mirror))


def _load(
    data: str,
    x_key: str | None = None,
    y_key: str | None = None,
    skip_bad: bool = False,
    image_size: str | None = None,
    mirror: str | None = None,
    seed: int = 1,
) -> "Split":
    from pellucid.data.sources import load_data

    return load_data(
        data,
        x_key=x_key,
        y_key=y_key,
        skip_bad=skip_bad,
        image_size=_size(image_size),
        mirror=mirror,
        seed=seed,
    )


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise typer.BadParameter(f"--image-size: expected HEIGHTxWIDTH such as 64x64, got {text!r}.")
    return int(height), int(width)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def _print_table(header: tuple[str, ...], rows: list[Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(header):
        table.add_column(name, justify="left" if i == 0 or isinstance(rows[0][i], str) else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console()
    if not console.is_terminal:  # a file or a pipe has no width to fit
        console = Console(width=200)
    console.print(table)


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
