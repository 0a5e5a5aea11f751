"""What the package hands on, and what importing it costs."""

import inspect
import subprocess
import sys

import pytest

from pellucid import textbook
from pellucid.textbook import drawings, figures, steps


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for module in (steps, figures, drawings)
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    }
    assert textbook.__all__ == sorted(textbook.__all__)
    assert set(textbook.__all__) == public
    assert set(textbook.__all__) <= set(dir(textbook))
    assert all(callable(getattr(textbook, name)) for name in textbook.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'L_layer_modle'"):
        textbook.L_layer_modle  # noqa: B018 - reading it is the test


def test_importing_the_steps_loads_numpy_and_no_more() -> None:
    code = "import sys, pellucid.textbook as t; t.predict; print(*sys.modules)"
    loaded = {*subprocess.check_output([sys.executable, "-c", code], text=True).split()}
    assert "numpy" in loaded
    assert not {"matplotlib", "h5py", "PIL", "pooch", "sklearn", "requests"} & loaded
