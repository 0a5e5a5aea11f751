"""The end of the course: the learner's own functions train the published network.

``python -m pellucid.learn.own_network`` reads a job from standard input, trains within the sandbox's limits, and
writes a line of JSON for each news: how far it is, the costs, or what stopped.
"""

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np

from pellucid.errors import DataError, PellucidError
from pellucid.learn.coach import file_of, read_source
from pellucid.learn.examine import said
from pellucid.learn.exercise import BUILTIN, exercise
from pellucid.learn.limits import again, time_limit
from pellucid.learn.process import GRACE, send, started
from pellucid.learn.sandbox import MEMORY, Sandbox
from pellucid.progress import Progress, shown_progress
from pellucid.textbook import steps
from pellucid.types import Array

FUNCTIONS = BUILTIN[: BUILTIN.index("predict") + 1]
COUNTED = "L_model_forward", "L_model_backward", "update_parameters"  # once an iteration each
DIMS = [20, 7, 5, 1]  # behind the inputs
LEARNING_RATE = 0.0075
SILENCE = 300.0  # seconds without one of those, until a loop is taken for one without end
DAY = 86_400.0  # of the processor
COPIES = 50  # of the photos as floats that there is room for


def files_of(folder: Path) -> dict[str, Path]:
    """Return the learner's files by the names of the functions that are needed.

    Raises
    ------
    DataError
        If one is missing.
    """
    found = {name: file_of(folder, exercise(name)) for name in FUNCTIONS}
    for name, path in found.items():
        if path is None:
            raise DataError(
                f"learn train: {folder} has no file of {name}. Try pellucid learn start {folder}."
            )
    return {name: path for name, path in found.items() if path is not None}


def train_own(
    folder: str | Path, data: str, n_iterations: int, *, progress: Progress = False
) -> list[tuple[int, float, float]]:
    """Return iteration, the learner's cost and the textbook's, of each cost that is kept.

    Parameters
    ----------
    folder : str or Path
        The learner's.
    data : str
        A data set of photos in two classes.
    n_iterations : int
    progress : callable or bool, optional
        A bar with None.

    Raises
    ------
    DataError
        If a function is missing, stops with an error, or does not end: with the exercise and the line.
    """
    files = {name: str(path) for name, path in files_of(Path(folder).resolve()).items()}
    job = {"files": files, "data": data, "n_iterations": n_iterations}
    with started("pellucid.learn.own_network") as process, shown_progress(progress) as show:
        assert process.stdout is not None
        assert process.stderr is not None
        send(process, job)
        news: dict[str, Any] = {}
        while True:
            stop = Timer(SILENCE + GRACE, process.kill)  # where the alarm in the process cannot
            stop.start()
            line = process.stdout.readline()
            stop.cancel()
            if not line:
                break
            news = json.loads(line)
            if "done" in news:
                show(news["stage"], news["done"], n_iterations)
        if "costs" in news:
            return [(iteration, mine, ours) for iteration, mine, ours in news["costs"]]
        errors = process.stderr.read().strip().splitlines()
    last = errors[-1][:200] if errors else "their process ended."
    raise DataError(f"learn train: {news.get('stopped', f'your functions stopped: {last}')}")


class OwnTraining:
    """The learner's functions at work.

    Parameters
    ----------
    files : dict of str to Path
    tell : callable
        Of keywords: what there is to say.
    """

    def __init__(self, files: dict[str, Path], tell: Callable[..., None]) -> None:
        self.files, self.tell, self.step = files, tell, ""
        self.stage, self.counts, self.told_at = "your functions", dict.fromkeys(COUNTED, 0), 0.0

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the learner's functions by name, each calling the learner's others, not the given ones."""
        names: dict[str, dict[str, Any]] = {}
        for name, path in self.files.items():
            self.step = name
            made = names[name] = {"__name__": name}
            exec(compile(read_source(path), str(path), "exec"), made)
            if not callable(made.get(name)):
                raise NameError(f"there is no function {name!r} in {path.name}")
        found: dict[str, Callable[..., Any]] = {name: made[name] for name, made in names.items()}
        found |= {name: self.counted(found[name]) for name in COUNTED}
        for made in names.values():
            made.update({name: function for name, function in found.items() if name in made})
        return found

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that says how often it has been called, and asks for more time."""

        @functools.wraps(function)
        def called(*arguments: Any, **options: Any) -> Any:
            again(SILENCE)
            self.counts[function.__name__] += 1
            if time.monotonic() - self.told_at > 0.5:
                self.told_at = time.monotonic()
                self.tell(stage=self.stage, done=max(self.counts.values()) - 1)
            return function(*arguments, **options)

        return called

    def costs(self, images: Array, labels: Array, n_iterations: int) -> list[float]:
        """Return the costs of the learner's training."""
        mine = self.functions()
        self.step = "load_and_flatten"
        X, Y = mine[self.step]({"train_set_x": images, "train_set_y": labels})
        self.step = "scale"
        X, Y = mine[self.step](np.array(X)), np.asarray(Y)
        dims = [X.shape[0], *DIMS]
        self.step = "L_layer_model"
        _, costs = mine[self.step](
            X, Y, dims, learning_rate=LEARNING_RATE, num_iterations=n_iterations, print_cost=False
        )
        return [float(np.squeeze(cost)) for cost in costs]

    def stopped(self, error: BaseException) -> str:
        """Return what stopped, in which exercise, and on which line."""
        names = {str(path): name for name, path in self.files.items()}
        name, line, at = self.step, 0, error.__traceback__
        while at is not None:  # the innermost line of the learner's
            if (file := at.tb_frame.f_code.co_filename) in names:
                name, line = names[file], at.tb_lineno
            at = at.tb_next
        line = (error.lineno or 0) if isinstance(error, SyntaxError) else line
        path, words = self.files[name], said(error, 0, SILENCE)
        if not line:
            return f"{name} does not give what is taken next: {words} Check it first: learn check."
        text = read_source(path).splitlines()[line - 1].strip()
        return f"{name} stopped: {words} It is line {line} of {path.name}: {text}"


def main() -> None:
    """Train both networks, the learner's and the textbook's, and tell how it goes."""
    from pellucid.data.source import load_data

    job = json.loads(sys.stdin.read())
    answers = os.fdopen(os.dup(1), "w")

    def tell(**news: Any) -> None:
        answers.write(json.dumps(news) + "\n")
        answers.flush()

    try:
        train = load_data(job["data"]).train
    except PellucidError as error:
        tell(stopped=str(error))
        return
    images, labels, n = np.array(train.X), np.array(train.y), job["n_iterations"]
    training = OwnTraining({name: Path(path) for name, path in job["files"].items()}, tell)
    sys.path.extend({str(path.parent) for path in training.files.values()})
    sandbox = Sandbox()
    sandbox.close(DAY, memory=max(MEMORY, COPIES * 8 * images.size))
    try:
        with time_limit(SILENCE):
            mine = training.costs(images, labels, n)
    except BaseException as error:
        tell(stopped=training.stopped(error))
        return
    if replaced := sandbox.replaced():
        tell(stopped=f"your code replaces {replaced[0]} by something of its own. Leave NumPy as it is.")
        return
    tell(stage="the textbook's", done=0)
    X, Y = images.reshape(len(images), -1).T / 255, labels.reshape(1, -1)
    ours = published(job["data"], n) or steps.L_layer_model(X, Y, [len(X), *DIMS], LEARNING_RATE, n)[1]
    iterations = [i for i in range(n) if i % 100 == 0 or i == n - 1]
    tell(costs=[*zip(iterations, mine, map(float, ours), strict=False)])


def published(data: str, n_iterations: int) -> list[float]:
    """Return the published costs, where that training is asked for; else none."""
    from pellucid.textbook.published import N_ITERATIONS, PUBLISHED_COSTS

    return list(PUBLISHED_COSTS) if data == "catvnoncat" and n_iterations == N_ITERATIONS else []


if __name__ == "__main__":
    main()
