"""What a script does on the command line, and how it says what it found; it gets a copy of this."""

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.types import Array


def named(P: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Return the most probable class and the probability of each."""
    best = int(P.argmax())
    every = {name: float(p) for name, p in zip(classes, P, strict=True)}
    return {"label": classes[best], "probability": float(P[best]), "classes": every}


def answered(P: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Return the labels that are answered yes, and the probability of each."""
    every = {name: float(p) for name, p in zip(classes, P, strict=True)}
    return {"labels": [name for name, p in every.items() if p > 0.5], "classes": every}


def scored(Z: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Return the class with the highest score, and the score of each: the network gives no probabilities."""
    Z = np.array([-Z[0], Z[0]]) if len(Z) == 1 else Z
    return {"label": classes[int(Z.argmax())], "scores": dict(zip(classes, Z.tolist(), strict=True))}


def valued(Y: Array) -> dict[str, Any]:
    """Return the number that is predicted, or a list of them."""
    return {"value": Y.tolist() if len(Y) > 1 else float(Y[0])}


def in_words(found: Mapping[str, Any]) -> str:
    """Return a prediction as a line shows it: "cat (98.3 %)"."""
    if "value" in found:
        return str(found["value"])
    if "outputs" in found:
        return "; ".join(f"{name}: {in_words(each)}" for name, each in found["outputs"].items())
    if "scores" in found:
        return str(found["label"])
    sure = [
        f"{name} ({100 * found['classes'][name]:.1f} %)" for name in found.get("labels", [found.get("label")])
    ]
    return ", ".join(sure) or f"none of {', '.join(found['classes'])}"


def read_arrays(source: Any, shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """Return samples: arrays as given, those of a .npy file, or of several inputs, by name, of a .npz file."""
    where, found = "samples", source
    try:
        if isinstance(source, str | os.PathLike):
            where, found = str(source), np.load(source, allow_pickle=False)
        if len(shapes) == 1 and not isinstance(found, Mapping):
            return checked(np.asarray(found), next(iter(shapes.values())))
        return {name: checked(np.asarray(found[name]), shape) for name, shape in shapes.items()}
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        wanted = "an array of samples" if len(shapes) == 1 else f"arrays named {', '.join(shapes)}"
        raise DataError(f"{where}: expected {wanted}: {reason}.") from None


def checked(X: Array, shape: tuple[int, ...]) -> Array:
    """Return samples, or raise ValueError where they are not numbers of that shape."""
    if X.shape[1:] != shape or X.dtype.kind not in "buif":
        raise ValueError(
            f"the shape should be (m, {', '.join(map(str, shape))}), and is {X.shape} of {X.dtype}"
        )
    return X


def main(predict: Callable[[Any], Any], usage: str, first: int = 0) -> None:
    """Read the command line, predict for each file, and print a line for each sample; end with 2 for a bad file.

    ``first`` is the number of a file's first row: 1 of a table.
    """
    files = [word for word in sys.argv[1:] if word != "--json"]
    wrong = [word for word in files if word.startswith("-") and not os.path.exists(word)]
    if wrong and wrong[0] in ("-h", "--help"):
        print(usage.strip())
        return
    if not files or wrong:
        line = next(line.strip() for line in usage.splitlines() if line.strip().startswith("python "))
        what = f"there is no option {shown(wrong[0])}. " if wrong else ""
        print(f"{what}Usage: {line}", file=sys.stderr)
        sys.exit(2)
    predictions, faults = [], []
    for path in files:
        try:
            found = predict(path)
        except DataError as error:
            faults.append({"file": path, "error": str(error)})
            continue
        if isinstance(found, list):
            predictions += [{"file": path, "row": i, **each} for i, each in enumerate(found, first)]
        else:
            predictions.append({"file": path, **found})
    gc.freeze()  # the process ends now, and would look through all that is loaded three times more
    if "--json" in sys.argv:
        import json

        print(json.dumps({"predictions": predictions, "faults": faults}, indent=2))
    else:
        for each in predictions:
            row = f", row {each['row']}" if "row" in each else ""
            print(f"{shown(each['file'])}{row}: {shown(in_words(each))}")
        for fault in faults:
            print(shown(fault["error"]), file=sys.stderr)
    if faults:
        sys.exit(2)


def shown(text: str) -> str:
    """Return a name from outside as safe to print: without what would steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
