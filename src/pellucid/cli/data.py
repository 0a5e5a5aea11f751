"""``pellucid data``: list, info, check, fetch, augment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pellucid.cli import options as o
from pellucid.cli.command import command, group
from pellucid.cli.flags import SOURCE, TRAINING, Flag, Needs, options
from pellucid.cli.terminal import echo, print_blocks, print_json, print_names, print_table, say
from pellucid.progress import ProgressBar
from pellucid.text import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pellucid.data.dataset import Split
    from pellucid.data.source import DataSource

group("data", order=130, short_help="Look at data sets, and fetch the published one.")


@command("data list", order=130.1, short_help="The built-in data sets.")
def data_list(as_json: o.Json = False, quiet: o.Quiet = False) -> None:
    """The built-in data sets."""
    from pellucid.data.source import BUILTIN

    print_names(BUILTIN, as_json=as_json, quiet=quiet)


@command("data info", order=130.2, short_help="Shapes, classes and counts of a data set.")
@options(source=SOURCE)
def data_info(source: "DataSource", as_json: o.Json = False, quiet: o.Quiet = False) -> None:
    """Shapes, classes and counts of a data set."""
    split = source.load()
    if as_json:
        print_json(info_of(split))
        return
    train, test = split.train, split.test
    classes = f"{len(split.classes)} classes" if split.classes else "a regression"
    echo(f"{split.name}: {classes}, samples of shape {train.X.shape[1:]}, {train.X.dtype}")
    rows = [
        (name, *(f"{part.counts[i]} ({percent(part.counts[i] / len(part))})" for part in (train, test)))
        for i, name in enumerate(split.classes)
    ]
    print_table(("class", "train", "test"), [*rows, ("all", len(train), len(test))])
    for note in () if quiet else split.notes:
        echo(f"Note: {note}")


def info_of(split: "Split") -> dict[str, Any]:
    """Return shapes, classes and counts as JSON can hold them."""
    return {
        "name": split.name,
        "classes": list(split.classes),
        "notes": list(split.notes),
        **{
            part: {
                "shape": list(data.X.shape),
                "dtype": str(data.X.dtype),
                "counts": dict(zip(split.classes, data.counts.tolist(), strict=True)),
            }
            for part, data in (("train", split.train), ("test", split.test))
        },
    }


@command(
    "data check",
    order=130.3,
    short_help="Copies, leaks, conflicting labels, unreadable files.",
)
@options(source=SOURCE.but(without=("skip_bad",)))
def data_check(
    source: "DataSource",
    out: Annotated[Path | None, o.out("Draw every finding: a .png file, or a folder for it.")] = None,
    strict: Annotated[bool, Flag(help="Exit with 1 if anything was found.")] = False,
    labels: Annotated[bool, Flag(help="Train on folds, and list labels that are contradicted.")] = False,
    model: Annotated[o.ModelName, Needs(["labels"])] = "auto",
    cv: Annotated[int, Flag(at_least=2, help="Number of folds of --labels."), Needs(["labels"])] = 5,
    cluster: Annotated[o.Cluster, Needs(["labels"])] = None,
    n_workers: Annotated[o.Workers, Needs(["labels"])] = None,
    overwrite: Annotated[o.OverwriteFile, Needs(["out"])] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """What is wrong with a data set: copies, leaks, conflicts, unreadable files, labels, the score to beat."""
    from pellucid.workflows.data_check import DataCheck, check_named

    with o.on_cluster(cluster, n_workers), ProgressBar() as progress:

        def print_first(check: DataCheck) -> None:
            progress.close()
            report = check.report
            print_blocks([report.headline] if quiet else report.blocks())
            if quiet:
                echo(*check.sheets)
            elif check.sheets:
                echo(f"Every finding as a picture: {', '.join(map(str, check.sheets))}")
            elif out is not None:
                echo("No contact sheet was written: the samples are no pictures.")
            elif report.findings:
                echo("All findings one by one: --json. As pictures: -o FILE.png.")

        def say_apart(line: str) -> None:
            progress.close()  # the bar, which the next training brings back
            say(line)

        says = {
            "say": o.say_nothing if quiet or as_json else say_apart,
            "on_report": o.say_nothing if as_json else print_first,
        }
        check = o.call(check_named, locals(), has_labels=labels, **says)
    if as_json:
        print_json(check.to_dict())
    elif check.errors is not None:
        print_blocks([check.errors.headline] if quiet else check.errors.blocks())
        echo(*([f"Contradicted labels: {', '.join(map(str, check.files))}"] if check.files else []))
    return 1 if strict and not check.is_clean else 0


@command("data fetch", order=130.4, short_help="Download a published data set and verify it.")
def data_fetch(
    name: Annotated[str, Flag(is_argument=True, help="The published data set.")] = "catvnoncat",
    mirror: o.Mirror = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Download a published data set, verify it, and print the folder that holds it."""
    from pellucid.data.download import fetch

    folder = fetch(name, mirror=mirror, progress=not (quiet or as_json))
    if as_json:
        print_json({"name": name, "folder": str(folder)})
    else:
        echo(folder)


@command("data augment", order=130.5, short_help="A contact sheet of what each augmentation does to a photo.")
@options(training=TRAINING.but(only=("augment", "seed")))
def data_augment(
    training: "Mapping[str, Any]",
    photo: o.Image,
    out: Annotated[Path, o.out("The picture to write.")] = Path("augmented.png"),
    overwrite: o.OverwriteFile = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """A contact sheet of what each augmentation does to a photo."""
    from pellucid.data.augmentation.augment import Augment, augment_preset
    from pellucid.data.readers.images import read_sample
    from pellucid.files import check_free, check_png
    from pellucid.plotting.augmentation import contact_sheet
    from pellucid.plotting.saving import save_figure

    check_free(out, overwrite=overwrite)
    check_png(out)
    name = training.get("augment")
    if name == "none":
        chosen: Augment | None = Augment([])
    else:
        chosen = None if name is None else augment_preset(name)
    sheet = contact_sheet(read_sample(photo, (64, 64, 3)), chosen, seed=training.get("seed", 1))
    save_figure(sheet, out)
    if as_json:
        print_json({"augment": name, "figure": str(out)})
    else:
        echo(out)
