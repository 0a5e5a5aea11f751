"""Predictions, scores and many trainings side by side on a Dask cluster.

Needs the extra ``dask``: ``pip install 'pellucid[dask]'``. Names are imported when they are first used; they are
listed once, in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
