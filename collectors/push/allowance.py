"""How many pushes a channel may send: so many a minute, and so many under way at once."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from access.rate_limit import RateLimit
from collectors.push.body import Refused

AT_ONCE = 4
"""Pushes of one channel under way: each may hold a whole body in memory."""


class Allowance:
    """Refuses (429) what comes too often or beside too many others; evenly refilled."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._under_way = per_minute, 0
        self._rate = RateLimit(per_minute, per_minute / 60, clock)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One push that may come now; raises Refused with the seconds to wait."""
        if self._under_way >= AT_ONCE:
            raise _wait(1, f"{AT_ONCE} pushes of a channel may be under way at once")
        if self._rate.reserve() is None:
            raise _wait(math.ceil(self._rate.wait_s()), f"{self._per_minute} pushes a minute are taken")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


def _wait(seconds: int, why: str) -> Refused:
    return Refused(429, "rate_limited", why, {"Retry-After": str(max(1, seconds))})
