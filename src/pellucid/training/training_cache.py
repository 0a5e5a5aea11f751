"""What several trainings on the same samples have in common: the first of them makes it, the others use it."""

import threading
from collections.abc import Callable
from typing import Any

from pellucid.types import Array


class TrainingCache:
    """Keeps what was made of arrays, for trainings one after another or side by side in threads.

    Examples
    --------
    >>> import numpy as np
    >>> shared, X = TrainingCache(), np.ones(2)
    >>> shared.of(X, "twice", lambda: 2 * X) is shared.of(X, "twice", lambda: 2 * X)
    True
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._made: dict[tuple[int, str], tuple[Array, Any]] = {}  # with its array, whose id is thus its own

    def __reduce__(self) -> Any:
        return TrainingCache, ()  # another process makes its own

    def of(self, array: Array, name: str, make: Callable[[], Any]) -> Any:
        """Return what was made of an array under a name; the first who asks makes it, the others wait."""
        with self._lock:
            if (id(array), name) not in self._made:
                self._made[id(array), name] = array, make()
            return self._made[id(array), name][1]
