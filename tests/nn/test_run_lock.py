"""One model may be used from any number of threads: right numbers, or a clear error where a training has it."""

import copy
import importlib.util
import pickle
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import PellucidError
from pellucid.nn.hooks import input_gradient
from pellucid.nn.model import Model
from pellucid.training.trace import trace_prediction

N_THREADS, N_TURNS = 4, 4
SLOW = (
    "robustness",
    "export_script",
    "replay",
    "find_fault",
    "saliency",
    "explain_photo",
    "column_importance",
)
WAYS = ("plain", "numpy", *(("numba",) if importlib.util.find_spec("numba") else ()))


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Let threads take turns every few bytecodes, where races show."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@cache
def table() -> tuple[Model, Any]:
    """A network for the rows of a table, and the table."""
    X = np.random.default_rng(1).standard_normal((160, 3))
    lines = [
        f"{a:.3f},{b:.3f},{c:.3f},{'red' if c > 0 else 'blue'},{'no' if a + b > 0 else 'yes'}"
        for a, b, c in X
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "table.csv")
        file.write_text("\n".join(["a,b,c,colour,y", *lines]))
        data = pl.load_data(file, target="y")
    model = pl.preset("mlp-small")
    pl.train(model, data, n_epochs=2, batch_size=16, kernels="numpy")
    return model, data.train


@cache
def photos() -> tuple[Model, pl.Dataset]:
    """A network for small photos with what layers keep between their passes, and photos."""
    rng = np.random.default_rng(2)
    data = pl.Dataset(
        rng.integers(0, 256, (80, 12, 12, 3), dtype=np.uint8), np.arange(80) % 3, ("a", "b", "c")
    )
    shortcut = pl.Residual(pl.Sequential(pl.Conv2D(8, activation="relu"), pl.Conv2D(8)))
    model = pl.Sequential(
        pl.Conv2D(8, use_bias=False), pl.BatchNorm(), pl.Activation("relu"), pl.MaxPool2D(), shortcut,
        pl.Conv2D(6, 1, activation="tanh"), pl.Dropout(0.2), pl.Flatten(), pl.Dense(16, "relu"), pl.Dense(3),
    )  # fmt: skip
    pl.train(model, data, n_epochs=2, batch_size=16, optimizer="adam", kernels="numpy")
    return model, data


def part(data: pl.Dataset, i: int) -> pl.Dataset:
    """Return samples of a thread's own; each thread has another number of them."""
    return data.take(slice(17 * i, 17 * i + 8 + 3 * i))


def prepared(model: Model, data: pl.Dataset) -> np.ndarray:
    assert model.preprocessing is not None
    return model.preprocessing.apply(data.X, model.dtype)


def recorded(model: Model, data: pl.Dataset) -> Any:
    with pl.record(model.layers[-1]) as watch, pl.record(model) as whole:
        Z = model.decision_function(data.X)
    return Z, watch.input, watch.output, whole.output


def hooked(model: Model, data: pl.Dataset) -> Any:
    factor = len(data.X)
    with pl.hook(model.layers[-2], forward=lambda plain, A, training: factor * plain(A, training=training)):
        return model.predict_proba(data.X)


def explained(model: Model, data: pl.Dataset) -> Any:
    found = pl.explain_photo(model, data.X[3], methods=["gradient", "grad_cam"])
    return [*found.photo.classes.values(), *(one.values for one in found.maps.values())]


def explained_row(model: Model, data: pl.Dataset) -> Any:
    row = {"a": float(data.X[0, 0]), "b": float(data.X[0, 1]), "c": 0.5, "colour": "red"}
    return numbers(pl.explain_row(model, row).to_rows())


def exported(model: Model, data: pl.Dataset) -> Any:
    """What an export says of the outputs that it compared with the model's."""
    with tempfile.TemporaryDirectory() as folder:
        return [pl.export_script(model, Path(folder, "script.py"))]


def saved(model: Model, data: pl.Dataset) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        pl.save(model, Path(folder, "model.safetensors"))
        return pl.load(Path(folder, "model.safetensors")).decision_function(data.X)


def numbers(rows: Any) -> list[float]:
    """Return the numbers of the rows of a finding, in order."""
    return [value for row in rows for value in row.values() if isinstance(value, float)]


OF_BOTH: dict[str, Callable[[Model, pl.Dataset], Any]] = {
    "predict": lambda model, data: model.predict(data.X),
    "predict_proba": lambda model, data: model.predict_proba(data.X),
    "decision_function": lambda model, data: model.decision_function(data.X),
    "a prediction for one": lambda model, data: model.decision_function(data.X[3:4]),
    "model(X)": lambda model, data: model(prepared(model, data)),
    "evaluate": lambda model, data: numbers(pl.evaluate(model, data, n_resamples=20).to_rows()),
    "pl.predict": lambda model, data: numbers(pl.predict(model, data.X).to_rows()),
    "trace of a step": lambda model, data: [one.array for one in pl.trace(model, data).rows()],
    "trace of a prediction": lambda model, data: [
        one.array for one in trace_prediction(model, prepared(model, data)).rows()
    ],
    "input_gradient": lambda model, data: input_gradient(
        model, prepared(model, data), np.ones(model.output_shape, np.float32)
    ),
    "record": recorded,
    "hook": hooked,
    "a copy": lambda model, data: copy.deepcopy(model).decision_function(data.X),
    "a pickle": lambda model, data: pickle.loads(pickle.dumps(model)).decision_function(data.X),
    "save": saved,
    "find_fault": lambda model, data: [row.is_ok for row in pl.find_fault(model, data).gradients.rows],
    "replay": lambda model, data: len(pl.replay(model, data.X[:2], label=model.classes[0]).html),
}
OF_TABLES: dict[str, Callable[[Model, pl.Dataset], Any]] = {
    "column_importance": lambda model, data: numbers(
        pl.column_importance(model, data, n_repeats=2).to_rows()
    ),
    "explain_row": explained_row,
    "export_script": exported,
}
OF_PHOTOS: dict[str, Callable[[Model, pl.Dataset], Any]] = {
    "saliency": lambda model, data: [one.values for one in pl.saliency(model, data.X[3], n_draws=1).values()],
    "explain_photo": explained,
    "robustness": lambda model, data: numbers(pl.robustness(model, data, perturbations=["noise"]).to_rows()),
}
CASES = [
    *((made, name, call) for made in (table, photos) for name, call in OF_BOTH.items()),
    *((table, name, call) for name, call in OF_TABLES.items()),
    *((photos, name, call) for name, call in OF_PHOTOS.items()),
]


def in_threads(function: Callable[[int], Any], n: int = N_THREADS) -> list[Any]:
    """Return what a function gives in each of several threads that begin together."""
    barrier = threading.Barrier(n)

    def work(i: int) -> Any:
        with np.errstate(all="ignore"):
            barrier.wait()
            return function(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(work, range(n)))


def assert_same(found: Any, wanted: Any) -> None:
    if isinstance(wanted, list | tuple):
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    elif wanted is not None and np.asarray(wanted).dtype.kind in "biuf":
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def check(way: str, made: Any, call: Any, n_turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare what threads get with what one gets alone; kernels are the environment's choice, no call's."""
    model, data = made()
    monkeypatch.setenv(dispatch.VARIABLE, way)
    parts = [part(data, i) for i in range(N_THREADS)]
    with np.errstate(all="ignore"):
        alone = [call(model, each) for each in parts]
    filters = list(warnings.filters)
    found = in_threads(lambda i: [call(model, parts[i]) for _ in range(n_turns)])
    assert list(warnings.filters) == filters
    for own, wanted in zip(found, alone, strict=True):
        for each in own:
            assert_same(each, wanted)


def name_of(value: Any) -> str:
    return str(getattr(value, "__name__", value))


@every("way", WAYS)
@every("made, name, call", [case for case in CASES if case[1] not in SLOW], ids=name_of)
def test_each_thread_gets_what_it_would_get_alone(
    way: str, made: Any, name: str, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(way, made, call, 3, monkeypatch)


@pytest.mark.slow
@every("way", WAYS)
@every("made, name, call", CASES, ids=name_of)
def test_each_thread_gets_what_it_would_get_alone_at_length(
    way: str, made: Any, name: str, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(way, made, call, 2 if name in SLOW else 20, monkeypatch)


def test_nothing_chosen_several_threads_one_model() -> None:
    """As a user has it: a thread pool, no kernels chosen, and a thousand rows at a time."""
    model, data = table()
    X = np.random.default_rng(3).standard_normal((200, *data.X.shape[1:]))
    alone = [model.predict_proba(X[i:]) for i in range(100)]
    with ThreadPoolExecutor(N_THREADS) as pool:
        for _ in range(3):
            found = list(pool.map(lambda i: model.predict_proba(X[i:]), range(100)))
            for own, wanted in zip(found, alone, strict=True):
                np.testing.assert_array_equal(own, wanted)


class Training:
    """A training in a thread of its own, which waits in its second step until it is let go on."""

    def __init__(self, model: Model, data: pl.Dataset, **options: Any) -> None:
        self.is_in, self.goes_on = threading.Event(), threading.Event()
        self.thread = ThreadPoolExecutor(1)
        how = {"n_epochs": 3, "callbacks": [self.wait], **options}
        self.result = self.thread.submit(lambda: pl.train(model, data, **how))

    def wait(self, event: Any) -> None:
        if not self.is_in.is_set():
            event.run.model.predict(event.run.data.X[:2])  # its own thread may
            self.is_in.set()
            assert self.goes_on.wait(30)

    def __enter__(self) -> "Training":
        assert self.is_in.wait(30)
        return self

    def __exit__(self, *error: object) -> None:
        self.goes_on.set()
        self.result.result(30)
        self.thread.shutdown()


BESIDE_A_TRAINING: dict[str, Callable[[Model, pl.Dataset], Any]] = {
    **{name: call for name, call in OF_BOTH.items() if name != "trace of a step"},
    "a second training": lambda model, data: pl.train(model, data, n_epochs=1),
    "a step": lambda model, data: pl.trace(model, data, update=True),
    "a trace": lambda model, data: pl.trace(model, data),
    "initialize": lambda model, data: model.initialize(data.X.shape[1:]),
}


@every("form", ["dual", "direct"])
@every("name", BESIDE_A_TRAINING)
def test_a_training_has_its_model_alone(form: str, name: str) -> None:
    _, data = photos()
    model = pl.preset("mlp", 3)
    pl.train(model, data, n_epochs=1)
    with Training(model, data, form=form, optimizer="sgd"):
        theta = model.theta.copy()
        with pytest.raises(PellucidError, match="trained in another thread") as error:
            BESIDE_A_TRAINING[name](model, part(data, 0))
        assert len(str(error.value).splitlines()) == 1
        assert (model.theta == theta).all()
    model.predict(data.X)


def test_layers_of_a_model_in_training_are_not_run_by_another() -> None:
    """A structure inside it, and what predicts by its body, are in use, too."""
    inner = pl.Sequential(pl.Dense(4, "tanh"), pl.Dense(3))
    model, data = pl.Sequential(pl.Flatten(), inner), photos()[1]
    with Training(model, data), pytest.raises(PellucidError, match="trained in another thread"):
        input_gradient(inner, np.zeros((1, 432), np.float32), np.ones(3))


def test_a_training_does_not_begin_while_the_model_is_run() -> None:
    model, data = copy.deepcopy(table()[0]), table()[1]
    with (
        model._run_lock,
        ThreadPoolExecutor(1) as pool,
        pytest.raises(PellucidError, match="in use by another thread"),
    ):
        pool.submit(pl.train, model, data, n_epochs=1).result()
    pl.train(model, data, n_epochs=1)


def test_a_failed_training_lets_the_model_go() -> None:
    model, data = copy.deepcopy(table()[0]), table()[1]

    def fail(event: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        pl.train(model, data, n_epochs=1, callbacks=[fail])
    in_threads(lambda i: model.predict(data.X))
