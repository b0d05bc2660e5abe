"""How often somebody may call: a burst at once, then evenly so many a second.

What we may ask of a source and what a sender may push to us are the same idea from two sides. Wrong passwords are not:
they are counted to pause a name altogether, and a right one forgives them (`dashboards/access/sign_in_attempts.py`).
"""

import threading
import time
from collections.abc import Callable


class RateLimit:
    """Calls of one caller, shared by everything that calls for it; safe from any thread."""

    def __init__(self, burst: float, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`burst`: calls that may come together after a silence, at least one; `per_s`: calls a second after that."""
        self._burst, self._per_s, self._clock = max(1.0, burst), per_s, clock
        self._calls, self._at = self._burst, clock()
        self._lock = threading.Lock()

    def reserve(self, patience_s: float = 0.0) -> float | None:
        """Take one call and give the seconds to wait for it; None, and nothing taken, beyond the patience."""
        with self._lock:
            wait = self._wait_s()
            if wait > patience_s:
                return None
            self._calls -= 1
            return wait

    def wait_s(self) -> float:
        """Seconds until a call may come."""
        with self._lock:
            return self._wait_s()

    def _wait_s(self) -> float:
        now = self._clock()
        self._calls = min(self._burst, self._calls + (now - self._at) * self._per_s)
        self._at = now
        return max(0.0, (1 - self._calls) / self._per_s)
