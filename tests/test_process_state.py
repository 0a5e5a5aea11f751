"""What a process has once: no use of pellucid in several threads changes its warning filters or fails to parse."""

import gc
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.neural_network import MLPClassifier as SklearnClassifier

import pellucid as pl
from pellucid.data.readers.table import split_table
from pellucid.data.readers.table_text import table_of
from pellucid.estimators import ImageClassifier, MLPClassifier, MLPRegressor
from pellucid.learn.coach import source_of
from pellucid.learn.exercise import BUILTIN, exercise
from pellucid.plotting.lines import width_of
from pellucid.process_state import one_at_a_time, parse, warnings_ignored
from tests.every import every

N_THREADS = 4


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Let threads take turns every few bytecodes, where races show."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(function: Callable[[], Any], n_turns: int) -> None:
    """Call a function in several threads that begin together."""
    barrier = Barrier(N_THREADS)

    def work(_: int) -> None:
        with np.errstate(all="ignore"):
            barrier.wait()
            for _ in range(n_turns):
                function()

    with ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(work, range(N_THREADS)))


@cache
def folder() -> Path:
    """A folder of photos by class, and a table."""
    root, rng = Path(tempfile.mkdtemp()), np.random.default_rng(1)
    for name, n in (("dark", 0), ("light", 120)):
        (root / "photos" / name).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(n, n + 120, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "photos" / name / f"{i}.png")
    rows = [f"{i % 9},{i * 7 % 5},{'no' if i % 9 > 4 else 'yes'}" for i in range(90)]
    (root / "table.csv").write_text("\n".join(["kg,noise,light", *rows]))
    return root


@cache
def photos() -> tuple[pl.Model, pl.Split]:
    data = pl.load_data(folder() / "photos", image_size=(12, 12), test_fraction=0.25)
    return pl.train("logistic", data, n_epochs=2).model, data


@cache
def table() -> tuple[pl.Model, pl.Split]:
    data = pl.load_data(folder() / "table.csv", target="light")
    return pl.train("linear", data, n_epochs=2).model, data


@cache
def sklearn_fitted() -> Any:
    return quick(SklearnClassifier)


def quick(kind: Any) -> Any:
    """Return a new estimator that is fitted to the table."""
    return kind(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=2000, random_state=1).fit(*rows())


def rows() -> Any:
    return table()[1].train.X, table()[1].train.y


def exported(export: Callable[..., Any], model: pl.Model, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        export(model, Path(folder, name))


def script_read() -> None:
    """What a script does with a photo's file."""
    with tempfile.TemporaryDirectory() as there:
        path = Path(there, "script.py")
        pl.export_script(photos()[0], path)
        names: dict[str, Any] = {"__name__": "script", "__file__": str(path)}
        exec(compile(path.read_text(), str(path), "exec"), names)
        for _ in range(8):
            names["predict"](str(folder() / "photos" / "dark" / "1.png"))


def drawn() -> None:
    evaluation = pl.evaluate(photos()[0], photos()[1].test, n_resamples=20)
    evaluation._repr_html_()
    width_of.cache_clear()
    width_of("\N{HANGUL SYLLABLE GA} of a name", 8)


CALLS: dict[str, Callable[[], Any]] = {
    "load_data, photos": lambda: pl.load_data(folder() / "photos", image_size=(12, 12)),
    "load_data, table": lambda: pl.load_data(folder() / "table.csv", target="light"),
    "check_data": lambda: pl.check_data(folder() / "photos"),
    "train": lambda: pl.train("logistic", photos()[1], n_epochs=2),
    "predict": lambda: pl.predict(photos()[0], [folder() / "photos" / "dark" / "1.png"]),
    "evaluate": lambda: pl.evaluate(table()[0], table()[1], n_resamples=20),
    "evaluate, drawn": drawn,
    "column_importance": lambda: pl.column_importance(*table(), n_repeats=2),
    "explain_row": lambda: pl.explain_row(table()[0], {"kg": 3, "noise": 2}),
    "explain_photo": lambda: pl.explain_photo(photos()[0], folder() / "photos" / "dark" / "1.png")._repr_html_(),
    "robustness": lambda: pl.robustness(*photos(), perturbations=["noise"]),
    "saliency": lambda: pl.saliency(photos()[0], photos()[1].test.X[0], n_draws=1),
    "find_fault": lambda: pl.find_fault(photos()[0], photos()[1].train),
    "find_learning_rate": lambda: pl.find_learning_rate("logistic", photos()[1]),
    "find_label_errors": lambda: pl.find_label_errors("linear", table()[1], cv=2, n_jobs=1),
    "compare": lambda: pl.compare("linear", "logistic", data=table()[1], cv=2, n_jobs=1, n_epochs=2),
    "replay": lambda: pl.replay(photos()[0], photos()[1].test.X[:1], label="dark"),
    "trace": lambda: pl.trace(*photos()),
    "import_sklearn": lambda: pl.import_sklearn(sklearn_fitted()),
    "export_script": script_read,
    "export_html": lambda: exported(pl.export_html, table()[0], "page.html"),
    "split_table": lambda: split_table(
        table_of([{"a": i, "b": i % 2} for i in range(20)]), target="b", name="t", seed=1, test_fraction=0.5
    ),
    "estimators of rows": lambda: (quick(MLPClassifier).predict(rows()[0]), quick(MLPRegressor).score(*rows())),
    "a classifier of photos": lambda: ImageClassifier("logistic", n_epochs=2).fit(
        photos()[1].train.X, photos()[1].train.y
    ),
    "solutions": lambda: [replace(exercise(name)).solutions for name in BUILTIN[:4]],
    "source_of": lambda: source_of(exported),
}  # fmt: skip


@pytest.mark.slow
@every("name", CALLS)
def test_warning_filters_are_after_four_threads_what_they_were(name: str) -> None:
    """Those of a user, too, and the list that holds them."""
    CALLS[name]()
    mine = ("always", None, UserWarning, None, 0)
    warnings.simplefilter("always", UserWarning)
    there, before = warnings.filters, list(warnings.filters)
    assert mine in before
    try:
        in_threads(CALLS[name], 3)
        assert warnings.filters is there
        assert list(warnings.filters) == before
    finally:
        warnings.filters.remove(mine)  # type: ignore[attr-defined]


def test_only_what_is_asked_for_is_ignored_and_filters_set_meanwhile_stay() -> None:
    before = list(warnings.filters)
    with warnings_ignored("rust"):
        warnings.warn("rusty", stacklevel=1)
        with pytest.raises(UserWarning, match="worn"):
            warnings.warn("worn", stacklevel=1)
        warnings.filterwarnings("ignore", "worn")
    warnings.warn("worn", stacklevel=1)
    with pytest.raises(UserWarning, match="rusty"):
        warnings.warn("rusty", stacklevel=1)
    assert list(warnings.filters)[1:] == before


def test_blocks_may_overlap_in_any_order() -> None:
    """Also where a filter equal to ours is there, and where somebody restores filters between."""
    warnings.simplefilter("ignore")
    before = list(warnings.filters)
    first, second, third = warnings_ignored(), warnings_ignored("rust"), warnings_ignored()
    first.__enter__()
    second.__enter__()
    with warnings.catch_warnings():
        third.__enter__()
        first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    third.__exit__(None, None, None)
    assert list(warnings.filters) == before


def test_many_threads_ignore_warnings() -> None:
    before = list(warnings.filters)

    def ignore() -> None:
        with warnings_ignored("rust"), warnings_ignored(category=UserWarning):
            warnings.warn("rusty", stacklevel=1)

    in_threads(ignore, 500)
    assert list(warnings.filters) == before


def test_one_thread_at_a_time_runs_what_is_run_alone() -> None:
    inside, most = [], [0]

    def count() -> None:
        inside.append(1)
        most[0] = max(most[0], len(inside))
        inside.pop()

    in_threads(one_at_a_time(count), 200)
    assert most == [1]


def test_sources_are_parsed_in_several_threads() -> None:
    """Where garbage is collected while a tree is made, a callback of any package lets other threads run."""
    source = "def f(x):\n    return [x + 1, {'a': (x, [x])}, (lambda y: y * [x])(2)]\n" * 40

    def turn(phase: str, info: dict[str, int]) -> None:
        for _ in range(20):
            pass

    threshold = gc.get_threshold()
    gc.callbacks.append(turn)
    gc.set_threshold(50)
    try:
        in_threads(lambda: parse(source), 10)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(turn)
