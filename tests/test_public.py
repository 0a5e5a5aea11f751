"""What `import pellucid` gives, and what it costs."""

import pkgutil
import subprocess
import sys

import pytest

import pellucid


def test_all_is_sorted_complete_and_importable() -> None:
    assert sorted(pellucid.__all__) == sorted(pellucid._HOMES)
    for name in pellucid.__all__:
        assert getattr(pellucid, name) is not None


def test_import_loads_numpy_and_no_more() -> None:
    code = (
        "import sys; import numpy; before = set(sys.modules); import pellucid;"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(out) == {"pellucid"}


def test_importing_every_submodule_hides_no_public_name() -> None:
    code = (
        "import importlib, pkgutil, types, pellucid as pl\n"
        "for m in pkgutil.walk_packages(pl.__path__, 'pellucid.'):\n"
        "    importlib.import_module(m.name)\n"
        "bad = [n for n in pl.__all__ if isinstance(getattr(pl, n), types.ModuleType)]\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_top_level_module_bears_the_name_of_a_public_function() -> None:
    assert not {module.name for module in pkgutil.iter_modules(pellucid.__path__)} & set(pellucid.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        pellucid.no_such_name  # noqa: B018


def test_every_public_thing_has_a_docstring() -> None:
    for name in pellucid.__all__:
        assert (getattr(pellucid, name).__doc__ or "").strip(), name
