"""What `import pellucid` gives, and what it costs."""

import pkgutil
import subprocess
import sys

import pytest

import pellucid
from pellucid.nn.layer import LAYERS


def test_all_is_sorted_importable_and_documented() -> None:
    assert pellucid.__all__ == sorted(pellucid.__all__)
    for name in pellucid.__all__:
        assert (getattr(pellucid, name).__doc__ or "").strip(), name
    assert not {module.name for module in pkgutil.iter_modules(pellucid.__path__)} & set(pellucid.__all__)
    assert pellucid.textbook.steps.__name__ == "pellucid.textbook.steps"  # rooms are attributes
    for family, name in (
        ("losses", "Huber"), ("optimizers", "Adam"), ("schedules", "Cosine"), ("callbacks", "Checkpoint"),
    ):  # fmt: skip
        assert getattr(getattr(pellucid, family), name).__name__ == name
    with pytest.raises(AttributeError, match="no_such_name"):
        pellucid.no_such_name  # noqa: B018
    assert set(dir(pellucid)) == {"__version__", *pellucid.__all__}  # what Tab shows: no room, no helper


def test_every_registered_layer_is_reachable_and_every_listed_one_registered() -> None:
    for name, cls in LAYERS.items():
        assert getattr(pellucid, name) is cls
    public = {name: getattr(pellucid, name) for name in pellucid.__all__}
    listed = {
        name for name, one in public.items() if isinstance(one, type) and issubclass(one, pellucid.Layer)
    }
    assert listed - {"Layer", "Model"} <= set(LAYERS)

    @pellucid.register
    class OnlyHere(pellucid.Layer):
        def forward(self, X, *, training=False):  # type: ignore[no-untyped-def]
            return X

        def backward(self, dY):  # type: ignore[no-untyped-def]
            return dY

    assert pellucid.OnlyHere is OnlyHere


def test_import_loads_numpy_and_little_more() -> None:
    code = (
        "import sys; import numpy; before = set(sys.modules); import pellucid;"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(out) <= {"pellucid", "lazy_loader"}


def test_training_needs_numpy_and_modules_that_every_python_has() -> None:
    """Builds of Python without a database, sockets or processes exist: in a browser, on small machines."""
    code = (
        "import sys; import numpy; before = set(sys.modules); import pellucid as pl, pellucid.training;"
        "pl.train(pl.preset('two-layer'), (numpy.eye(8), numpy.arange(8) % 2), n_epochs=1); print(pl.Conv2D);"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(out.splitlines()[-1].split())
    theirs = {
        name for name in loaded - set(sys.stdlib_module_names) if "cython" not in name
    }  # of numpy.random
    assert theirs <= {"numpy", "pellucid", "lazy_loader", "threadpoolctl"}
    assert not loaded & {"sqlite3", "ssl", "socket", "multiprocessing", "http", "dbm", "tkinter", "curses"}


@pytest.mark.slow
def test_importing_every_submodule_hides_no_public_name() -> None:
    code = (
        "import importlib, pkgutil, types, pellucid as pl\n"
        "for m in pkgutil.walk_packages(pl.__path__, 'pellucid.'):\n"
        "    try:\n"
        "        importlib.import_module(m.name)\n"
        "    except ModuleNotFoundError as error:  # an extra that is not installed\n"
        "        assert not error.name.startswith('pellucid'), error\n"
        "families = {'losses', 'optimizers', 'schedules', 'callbacks'}\n"
        "bad = [n for n in pl.__all__ if isinstance(getattr(pl, n), types.ModuleType) and n not in families]\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
