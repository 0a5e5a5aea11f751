"""``pellucid data``: list, info, check, fetch, augment."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli import options as o
from pellucid.cli.command import command, group
from pellucid.cli.flags import SOURCE, TRAINING, flag, options
from pellucid.cli.terminal import Answer, Line, names_and_words, print_blocks, say
from pellucid.progress import ProgressBar
from pellucid.text import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pellucid.data.source import DataSource

group("data", order=130, short_help="Look at data sets, and fetch the published one.")


@command("data list", order=130.1, short_help="The built-in data sets.")
def data_list() -> Answer:
    """The built-in data sets."""
    from pellucid.data.source import BUILTIN

    return names_and_words(BUILTIN)


@command("data info", order=130.2, short_help="Shapes, classes and counts of a data set.")
@options(source=SOURCE)
def data_info(*, source: "DataSource") -> Answer:
    """Shapes, classes and counts of a data set."""
    split = source.load()
    train, test = split.train, split.test
    classes = f"{len(split.classes)} classes" if split.classes else "a regression"
    rows = [
        (name, *(f"{part.counts[i]} ({percent(part.counts[i] / len(part))})" for part in (train, test)))
        for i, name in enumerate(split.classes)
    ]
    told: list[Any] = [
        Line(f"{split.name}: {classes}, samples of shape {train.X.shape[1:]}, {train.X.dtype}"),
        (("class", "train", "test"), [*rows, ("all", len(train), len(test))]),
    ]
    parts = {
        part: {
            "shape": list(data.X.shape),
            "dtype": str(data.X.dtype),
            "counts": dict(zip(split.classes, data.counts.tolist(), strict=True)),
        }
        for part, data in (("train", train), ("test", test))
    }
    found = {"name": split.name, "classes": list(split.classes), "notes": list(split.notes), **parts}
    return Answer(found, [*told, *(Line(f"Note: {note}") for note in split.notes)], told)


@command(
    "data check",
    order=130.3,
    short_help="Copies, leaks, conflicting labels, unreadable files.",
)
@options(source=SOURCE.but(without=("skip_bad",)))
def data_check(
    *,
    source: "DataSource",
    out: Path | None = o.out("Draw every finding: a .png file, or a folder for it."),
    strict: bool = flag(False, help="Exit with 1 if anything was found."),
    labels: bool = flag(False, help="Train on folds, and list labels that are contradicted."),
    model: str = o.MODEL_NAME.needing("labels"),
    cv: int = flag(5, at_least=2, help="Number of folds of --labels.", needs=("labels",)),
    cluster: str | None = o.CLUSTER.needing("labels"),
    n_workers: int | None = o.WORKERS.needing("labels"),
    overwrite: bool = o.OVERWRITE_FILE.needing("out"),
) -> Answer:
    """What is wrong with a data set: copies, leaks, conflicts, unreadable files, labels, the score to beat."""
    from pellucid.workflows.data_check import DataCheck, check_named

    with o.on_cluster(cluster, n_workers), ProgressBar() as progress:

        def print_first(check: DataCheck) -> None:
            progress.close()
            report, sheets = check.report, [*map(Line, check.sheets)]
            if o.was_given("quiet"):
                print_blocks([report.headline, *sheets])
                return
            told = [Line(f"Every finding as a picture: {', '.join(sheets)}")] if sheets else []
            if not sheets and out is not None:
                told = [Line("No contact sheet was written: the samples are not pictures.")]
            elif not sheets and report.findings:
                pictures = " As pictures: -o FILE.png." if report.has_pictures else ""
                told = [Line(f"All findings one by one: --json.{pictures}")]
            print_blocks([*report.blocks(), *told])

        def say_apart(line: str) -> None:
            progress.close()  # the bar, which the next training brings back
            say(line)

        says = {
            "say": o.say_nothing if o.is_quiet() else say_apart,
            "on_report": o.say_nothing if o.was_given("as_json") else print_first,
        }
        check = o.call(check_named, locals(), has_labels=labels, **says)
    code = 1 if strict and (check.report.findings or check.errors) else 0
    if check.errors is None:
        return Answer(check, (), (), code=code)
    files = [Line(f"Contradicted labels: {', '.join(map(str, check.files))}")] if check.files else []
    return Answer(check, check.errors.blocks(), [check.errors.headline], files, code)


@command("data fetch", order=130.4, short_help="Download a published data set and verify it.")
def data_fetch(
    *,
    name: str = flag("catvnoncat", is_argument=True, help="The published data set."),
    mirror: str | None = o.MIRROR,
) -> Answer:
    """Download a published data set, verify it, and print the folder that holds it."""
    from pellucid.data.download import fetch

    folder = fetch(name, mirror=mirror, progress=not o.is_quiet())
    return Answer({"name": name, "folder": folder}, (), (), [folder])


@command("data augment", order=130.5, short_help="A contact sheet of what each augmentation does to a photo.")
@options(training=TRAINING.but(only=("augment", "seed")))
def data_augment(
    *,
    training: "Mapping[str, Any]",
    photo: Path = o.IMAGE,
    model: Path | None = flag(None, help="The model whose own augmentation is shown, at its photos' size."),
    out: Path = o.out("The picture to write.", Path("augmented.png")),
    overwrite: bool = o.OVERWRITE_FILE,
) -> Answer:
    """A contact sheet of what each augmentation does to a photo."""
    from pellucid.data.augmentation.augment import Augment
    from pellucid.data.input_spec import white_seen
    from pellucid.data.readers.images import read_sample
    from pellucid.data.readers.picture_modes import UNKNOWN
    from pellucid.errors import OptionError
    from pellucid.files import check_free, check_png
    from pellucid.formats.safetensors import load
    from pellucid.plotting.augmentation import contact_sheet
    from pellucid.plotting.saving import save_figure

    check_free(out, overwrite=overwrite)
    check_png(out)
    name = training.get("augment")
    shape: tuple[int, ...] = (64, 64, 3)
    white = UNKNOWN
    if model is not None:
        if name is not None:
            raise OptionError("data augment: --model has its own augmentation. Leave --augment out.")
        trained = load(model)
        options = trained._summary_of_training.get("options")
        if options is None:
            raise OptionError(f"data augment: {model} does not say how it was trained. Give --augment.")
        name, shape = options.get("augment") or "none", trained.input_shape
        white = white_seen(trained.inputs_seen)
    if name == "none":
        chosen: Augment | None = Augment([])
    else:
        chosen = None if name is None else Augment.from_config(name)
    sheet = contact_sheet(read_sample(photo, shape, white), chosen, seed=training.get("seed", 1))
    save_figure(sheet, out)
    return Answer({"augment": name, "figure": out}, (), (), [out])
