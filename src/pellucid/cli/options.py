"""The options and arguments that several commands share, each declared once, and what all of them print with.

Those of a training and of data come from dataclasses: see :mod:`pellucid.cli.flags`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.errors import OptionError

if TYPE_CHECKING:
    from pellucid.data.dataset import Split
    from pellucid.data.source import DataSource

Data = Annotated[str, typer.Argument(help="A built-in name, a folder of images, an .h5, .npz or .csv file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print less.")]
Mirror = Annotated[str | None, typer.Option(help="Download from this address instead of the public home.")]
XKey = Annotated[str | None, typer.Option(help="Name of the array of inputs in an .h5 or .npz file.")]
YKey = Annotated[str | None, typer.Option(help="Name of the array of labels in an .h5 or .npz file.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")]
ImageSize = Annotated[str | None, typer.Option(help="HEIGHTxWIDTH that a folder's images are resized to.")]
Target = Annotated[str | None, typer.Option(help="The column of a .csv file to predict; several: a,b,c.")]
ModelName = Annotated[
    str, typer.Option("--model", help="A preset (see `pellucid model list`) or a .toml file.")
]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")]
RunFolder = Annotated[
    Path | None, typer.Option("-o", "--out", help="The run folder; default: runs/DATA-MODEL-N.")
]
OutFolder = Annotated[Path | None, typer.Option("-o", "--out", help="A folder for figures and numbers.")]
OutFile = Annotated[
    Path | None, typer.Option("-o", "--out", help="The picture to write; default: learning-rate.png.")
]
DataNow = Annotated[
    str | None,
    typer.Option("--data", help="Where the data are now; default: where they were at the training."),
]
Trained = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, or a run folder.")]

Epochs = Annotated[int | None, typer.Option(help="Passes over the training data.")]
BatchSize = Annotated[int | None, typer.Option(help="Samples a step; 0: all of them.")]
LearningRate = Annotated[float | None, typer.Option(help="How far a step goes.")]
OptimizerName = Annotated[
    str | None, typer.Option("--optimizer", help="sgd, adam, adamw, rmsprop, adagrad, lbfgs")
]
WeightDecay = Annotated[float | None, typer.Option(help="How strongly weights are drawn to 0.")]
ScheduleName = Annotated[str | None, typer.Option("--schedule", help="How the learning rate changes.")]
AugmentName = Annotated[
    str | None, typer.Option("--augment", help="photo, photo-cutmix, photo-strong: change every photo; none.")
]
LossName = Annotated[
    str | None, typer.Option("--loss", help="What is made small; default: what suits the data.")
]
LabelSmoothing = Annotated[
    float | None, typer.Option(help="Pull the targets towards even ones by this share.")
]
ClassWeight = Annotated[str | None, typer.Option(help="balanced: rare classes count more.")]
ValidationShare = Annotated[float | None, typer.Option("--validation", help="Share held out and watched.")]
Patience = Annotated[int | None, typer.Option(help="Stop after so many epochs without improvement.")]
PreciseBn = Annotated[
    bool | None,
    typer.Option(
        "--precise-bn/--no-precise-bn",
        help="Recompute batch-norm statistics over the whole training set at the end.",
    ),
]
WeightEma = Annotated[
    float | None,
    typer.Option(help="Decay of an exponential moving average of the weights, such as 0.99."),
]
Seed = Annotated[int, typer.Option(help="Random seed.")]
Dtype = Annotated[str | None, typer.Option(help="float32 or float64; default: the model's.")]
Form = Annotated[str, typer.Option("--form", help="auto, direct or dual: how the first layer is trained.")]
Threads = Annotated[int | None, typer.Option(help="Split every batch over so many cores.")]


def load(data: str, *, image_size: str | None = None, **reading: Any) -> "Split":
    """Return the data that was named."""
    from pellucid.data.source import DataSource

    return DataSource(data, image_size=parse_size(image_size), **reading).load()


def parse_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise OptionError(f"--image-size: expected HEIGHTxWIDTH such as 64x64, got {text!r}.")
    return int(height), int(width)


def run_folder(source: "DataSource", model: str) -> Path:
    """Return the folder of a run that was given none: runs/DATA-MODEL-N, the first that is not there yet."""
    from pellucid.files import next_folder

    return next_folder(Path("runs"), f"{Path(source.name).stem}-{Path(model).stem}")


def say_nothing(line: str) -> None:
    """Print nothing: what a quiet command says its lines with."""
