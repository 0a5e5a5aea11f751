"""Whether steps are taken on threads or on one alone, decided by how long they take."""

import math
import time

ALONE_FIRST, ALONE_EVERY = 3, 256  # steps that are taken on one thread, to measure them
REST = 30.0  # times as long as a slow step threads rest


class Pace:
    """Decides, step by step, whether threads are faster than one alone.

    They wait for each other without sleeping, several times a step: where another program has one of the cores, a
    step can take twenty times as long. So a few steps are taken alone, to know how long that takes, and when a step
    on threads takes longer, they rest for a while.

    Examples
    --------
    >>> pace = Pace()
    >>> for seconds in [0.2, 0.2, 0.2, 0.1, 0.1]:
    ...     pace.record(seconds)
    >>> pace.is_on_threads
    True
    >>> for seconds in [1.0, 1.0]:
    ...     pace.record(seconds)
    >>> pace.is_on_threads
    False
    """

    def __init__(self) -> None:
        self.is_on_threads = False
        self._seconds_alone = math.inf
        self._n_steps = self._n_slow = 0
        self._rests_until = 0.0

    def record(self, seconds: float, n_steps: int = 1) -> None:
        """Take note of how long a step took, or one of several, and decide on the next."""
        is_time_to_measure = (self._n_steps + n_steps) // ALONE_EVERY > self._n_steps // ALONE_EVERY
        self._n_steps += n_steps
        if not self.is_on_threads:
            is_first = self._n_steps <= ALONE_FIRST
            self._seconds_alone = min(self._seconds_alone, seconds) if is_first else seconds
        elif seconds < self._seconds_alone:
            self._n_slow = 0
        else:
            self._n_slow += 1
            if self._n_slow > 1:  # once is an accident
                self._rests_until = time.perf_counter() + REST * seconds
        is_to_be_measured = self._n_steps < ALONE_FIRST or is_time_to_measure
        self.is_on_threads = not is_to_be_measured and time.perf_counter() >= self._rests_until
