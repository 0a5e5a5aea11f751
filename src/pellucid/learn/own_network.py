"""The end of the course: the learner's own functions train the published network.

``python -m pellucid.learn.own_network`` reads a job from standard input, trains, and writes the costs as JSON.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.learn.coach import file_of, read_source
from pellucid.learn.exercise import BUILTIN, exercise
from pellucid.learn.process import environment
from pellucid.textbook import steps

FUNCTIONS = BUILTIN[: BUILTIN.index("predict") + 1]
DIMS = [20, 7, 5, 1]  # behind the inputs
LEARNING_RATE = 0.0075


def own_functions(folder: Path) -> dict[str, Callable[..., Any]]:
    """Return the learner's functions by name, each calling the learner's others in the place of the given ones.

    Raises
    ------
    DataError
        If one is missing.
    """
    names: dict[str, dict[str, Any]] = {}
    for name in FUNCTIONS:
        path = file_of(folder, exercise(name))
        if path is None:
            raise DataError(
                f"learn train: {folder} has no file of {name}. Try pellucid learn start {folder}."
            )
        names[name] = {"__name__": name}
        exec(compile(read_source(path), str(path), "exec"), names[name])
    found = {name: made[name] for name, made in names.items()}
    for made in names.values():
        made.update({name: function for name, function in found.items() if name in made})
    return found


def train_own(folder: str | Path, data: str, n_iterations: int) -> list[tuple[int, float, float]]:
    """Return iteration, the learner's cost and the textbook's, of each cost that is kept.

    Parameters
    ----------
    folder : str or Path
        The learner's.
    data : str
        A data set of photos in two classes.
    n_iterations : int

    Raises
    ------
    DataError
        If a function is missing, or stops with an error.
    """
    job = {"folder": str(Path(folder).resolve()), "data": data, "n_iterations": n_iterations}
    done = subprocess.run(
        [sys.executable, "-m", "pellucid.learn.own_network"],
        input=json.dumps(job),
        capture_output=True,
        env=environment(),
        text=True,
        check=False,
    )
    if done.returncode or not done.stdout:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise DataError(f"learn train: your functions stopped: {said[:200]}. Check them first: learn check.")
    return [(iteration, mine, ours) for iteration, mine, ours in json.loads(done.stdout)]


def main() -> None:
    """Train both networks, the learner's and the textbook's, and write their costs."""
    from pellucid.data.source import load_data

    job = json.loads(sys.stdin.read())
    with redirect_stdout(sys.stderr):  # what the learner's code prints
        split = load_data(job["data"])
        mine = own_functions(Path(job["folder"]))
        file = {"train_set_x": split.train.X, "train_set_y": np.asarray(split.train.y)}
        X, Y = mine["load_and_flatten"](file)
        X, Y = mine["scale"](np.array(X)), np.asarray(Y)
        dims = [X.shape[0], *DIMS]
        n = job["n_iterations"]
        _, costs = mine["L_layer_model"](
            X, Y, dims, learning_rate=LEARNING_RATE, num_iterations=n, print_cost=False
        )
        ours = published(job["data"], n) or steps.L_layer_model(X, Y, dims, LEARNING_RATE, n)[1]
    iterations = [i for i in range(n) if i % 100 == 0 or i == n - 1]
    rows = zip(iterations, map(float, costs), map(float, ours), strict=False)
    json.dump([*rows], sys.stdout)


def published(data: str, n_iterations: int) -> list[float]:
    """Return the published costs, where that training is asked for; else none."""
    from pellucid.textbook.published import N_ITERATIONS, PUBLISHED_COSTS

    return list(PUBLISHED_COSTS) if data == "catvnoncat" and n_iterations == N_ITERATIONS else []


if __name__ == "__main__":
    main()
