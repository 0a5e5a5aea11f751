"""The edge of ``pellucid data``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command, group
from pellucid.cli.flags import SOURCE, options
from pellucid.cli.terminal import print_json, print_table
from pellucid.progress import ProgressBar

if TYPE_CHECKING:
    from pellucid.data.source import DataSource

group("data", order=130, short_help="Look at data sets, and fetch the published one.")


@command("data list", order=130.1, short_help="The built-in data sets.")
def data_list(as_json: o.Json = False) -> None:
    """The built-in data sets."""
    from pellucid.data.source import BUILTIN

    if as_json:
        print_json(dict(BUILTIN))
    else:
        print_table(("name", "what it is"), list(BUILTIN.items()))


@command("data info", order=130.2, short_help="Shapes, classes and counts of a data set.")
@options(source=SOURCE)
def data_info(source: "DataSource", as_json: o.Json = False) -> None:
    """Shapes, classes and counts of a data set."""
    split = source.load()
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
        print_json(info)
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
    print_table(("class", "train", "test"), [*rows, ("all", len(split.train), len(split.test))])
    for note in split.notes:
        print(f"Note: {note}")


@command(
    "data check",
    order=130.3,
    short_help="Copies, leaks, conflicting labels, unreadable files.",
)
@options(source=SOURCE.but(without=("skip_bad",)))
def data_check(
    source: "DataSource",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Draw every finding: a .png file, or a folder for it."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was found.")] = False,
    as_json: o.Json = False,
) -> None:
    """What is wrong with a data set: copies, leaks, conflicts, unreadable files, the score to beat."""
    from pellucid.checks.check import check_data
    from pellucid.cli.check import print_report, sheet_path, write_sheets

    first = None if out is None else sheet_path(out)
    with ProgressBar() as progress:
        report = check_data(source, progress=progress)
        sheets = [] if first is None else write_sheets(report, first, progress)
    if as_json:
        print_json({**report.to_dict(), "sheets": [str(path) for path in sheets]})
    else:
        print_report(report, sheets, asked_for_sheet=out is not None)
    if strict and report.findings:
        raise typer.Exit(1)


@command("data fetch", order=130.4, short_help="Download a published data set and verify it.")
def data_fetch(
    name: Annotated[str, typer.Argument(help="The published data set.")] = "catvnoncat",
    mirror: o.Mirror = None,
) -> None:
    """Download a published data set, verify it, and print the folder that holds it."""
    from pellucid.data.download import fetch

    print(fetch(name, mirror=mirror))


@command("data augment", order=130.5, short_help="A contact sheet of what each augmentation does to a photo.")
def data_augment(
    photo: Annotated[Path, typer.Argument(help="An image of any size and kind.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The picture to write.")] = Path("augmented.png"),
    augment: Annotated[
        str | None, typer.Option(help="Only what this one does: photo, photo-cutmix, photo-strong.")
    ] = None,
    seed: o.Seed = 1,
) -> None:
    """A contact sheet of what each augmentation does to a photo."""
    from pellucid.data.augmentation.augment import augment_preset
    from pellucid.data.readers.images import read_image, resize_image
    from pellucid.plotting.contact_sheet import contact_sheet
    from pellucid.plotting.saving import save_figure

    chosen = None if augment is None else augment_preset(augment)
    save_figure(contact_sheet(resize_image(read_image(photo), 64, 64), chosen, seed=seed), out)
    print(out)
