"""Neural networks from scratch on NumPy: clear all the way through.

>>> import pellucid as pl
>>> cats = pl.load_data("drawn-cats")
>>> model = pl.preset("mlp")
>>> history = pl.train(model, cats.train, n_epochs=100)
>>> print(f"{history.losses[0]:.2f} {history.losses[-1]:.2f}")
0.7... 0.6...

Names are imported when they are first used, so that ``import pellucid`` loads NumPy and little more; they are
listed once, in ``__init__.pyi``. ``pl.losses``, ``pl.optimizers``, ``pl.schedules`` and ``pl.callbacks`` hold
the classes of those names; layers are here, also those registered by files that the list does not name.
"""

import importlib
import pkgutil
from typing import Any

import lazy_loader
import numpy as _numpy  # noqa: F401 - the one library that everything here needs

from pellucid.version import __version__ as __version__

_FAMILIES = {
    "losses": "pellucid.ops.losses",
    "optimizers": "pellucid.training.optimizers",
    "schedules": "pellucid.training.schedules",
    "callbacks": "pellucid.training.callbacks",
}
_listed, _list, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__ and name not in _FAMILIES:
        value = _listed(name)
    elif name in _FAMILIES:
        value = importlib.import_module(_FAMILIES[name])
    elif name in _rooms():
        return importlib.import_module(f"pellucid.{name}")
    else:
        value = _registered_layer(name)
    globals()[name] = value  # found at once the next time
    return value


def _rooms() -> set[str]:
    """Return the names of the modules and folders of the package."""
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}


def _registered_layer(name: str) -> Any:
    """Return a layer that was registered under that name; else an AttributeError that names what is meant."""
    from pellucid.errors import UnknownAttributeError

    if name[:1].isupper():
        from pellucid.nn.layer import LAYERS

        if name in LAYERS:
            return LAYERS[name]
    raise UnknownAttributeError("pellucid", name, importlib.import_module(__name__), kind="name")


def __dir__() -> list[str]:
    return ["__version__", *__all__]
