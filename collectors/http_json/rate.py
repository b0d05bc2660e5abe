"""A bucket of calls, so that no minute holds more calls than the source allows."""

import threading
from collections.abc import Callable


class CallBucket:
    """Calls of one source, shared by everything that asks it (the live job and a back-fill at once).

    A tenth of the minute's calls may come in one burst, the other nine tenths drip in over the minute.
    """

    def __init__(self, calls_per_minute: float, clock: Callable[[], float]) -> None:
        self._capacity = max(1.0, calls_per_minute / 10)
        self._rate = calls_per_minute * 0.9 / 60
        self._clock = clock
        self._calls = self._capacity
        self._at = clock()
        self._lock = threading.Lock()

    def reserve(self, patience_s: float) -> float | None:
        """Take one call and give the seconds to wait for it; None, and nothing taken, beyond the patience."""
        with self._lock:
            now = self._clock()
            self._calls = min(self._capacity, self._calls + (now - self._at) * self._rate)
            self._at = now
            wait = max(0.0, (1 - self._calls) / self._rate)
            if wait > patience_s:
                return None
            self._calls -= 1
            return wait
