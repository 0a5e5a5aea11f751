"""The edge of ``pellucid predict``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import print_json


@command("predict", order=40, short_help="What a model predicts for images or a table's rows.")
def predict(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.")],
    images: Annotated[list[Path], typer.Argument(help="Images of any size and kind; or one .csv file.")],
    as_json: o.Json = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
) -> None:
    """What a saved model says of images, or of the rows of a table."""
    from pellucid.workflows.predict import predict_images

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
            print(f"{prediction.image}: {prediction.in_words()}")


def _predict_table(model: Path, table: Path, *, as_json: bool, as_lines: bool) -> None:
    from pellucid.formats.safetensors import load
    from pellucid.workflows.predict import predict_rows

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
