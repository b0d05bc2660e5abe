"""How many pushes a channel may send: so many a minute, and so many under way at once."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collectors.push.body import Refused

AT_ONCE = 4
"""Pushes of one channel under way: each may hold a whole body in memory."""


class Allowance:
    """Refuses (429) what comes too often or beside too many others; evenly refilled."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._left, self._at, self._under_way = float(per_minute), clock(), 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One push that may come now; raises Refused with the seconds to wait."""
        if self._under_way >= AT_ONCE:
            raise _wait(1, f"{AT_ONCE} pushes of a channel may be under way at once")
        self._take()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def _take(self) -> None:
        now = self._clock()
        self._left = min(self._per_minute, self._left + (now - self._at) * self._per_minute / 60)
        self._at = now
        if self._left < 1:
            seconds = math.ceil((1 - self._left) * 60 / self._per_minute)
            raise _wait(seconds, f"{self._per_minute} pushes a minute are taken")
        self._left -= 1


def _wait(seconds: int, why: str) -> Refused:
    return Refused(429, "rate_limited", why, {"Retry-After": str(max(1, seconds))})
