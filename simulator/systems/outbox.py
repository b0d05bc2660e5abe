"""What a system has to tell, in order, each thing when it is due."""

import heapq
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """A queue of things that become due; equal times keep their order."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, T]] = []
        self._order = count()

    def put(self, due: int, thing: T) -> None:
        """Keep a thing until `due`, seconds since 1970."""
        heapq.heappush(self._waiting, (due, next(self._order), thing))

    def take(self, now: int) -> list[T]:
        """Everything that is due, earliest first."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return due

    def __len__(self) -> int:
        return len(self._waiting)
