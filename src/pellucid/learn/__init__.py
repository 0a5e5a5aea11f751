"""Exercises in the tutorial's order, and a coach that says what is wrong in a learner's function, and where.

Names are imported when they are first used; they are listed once, in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
