"""Rows are kept in stretches sorted by measure, so that a day of one measure is a few row groups and not all of them.

They arrive by minute and channel, each with every measure: as they come, a question about one metric's day reads
everything of that day. Sorted, it reads a tenth, and a row takes a third less room on disk.

1. Writes append, and count what they appended.
2. When a stretch of time has come together whose late rows are mostly in, it waits to be sorted.
3. Whoever has time between writes (`History.tidy`) copies its rows in order behind all others and deletes them where
   they were. Where nobody has, the writes do it themselves.
4. What comes later for it, and what was under way when the program ended, stays where it was appended.
"""

# ruff: noqa: S608 - statements are put together from constants, never from text that came in.

from collections import deque

import duckdb

STRETCH_ROWS = 1_000_000
"""Eight row groups: enough that one holds five measures of forty, few enough to be sorted in a third of a second."""
LATE_S = 180
"""What is younger is not sorted yet: most of what is late, and most corrections, come within it."""
MOST_WAITING = 2
"""With more stretches than these nobody seems to tidy."""

_WITHIN = "start >= $low AND start < $high"
_LAST = f"SELECT max(rowid) FROM observation WHERE {_WITHIN}"
_COPY = f"""
INSERT INTO observation FROM observation WHERE {_WITHIN}
ORDER BY measure, start, channel, region, dimension"""
_DELETE = f"DELETE FROM observation WHERE {_WITHIN} AND rowid <= $last"

Stretch = tuple[int, int]
"""From the first start to before the last, in seconds since 1970."""


class Stretches:
    """How far the rows are sorted or wait for it, in seconds since 1970, and how many were appended since."""

    def __init__(self, until: int) -> None:
        self._until = self._newest = until
        self._appended = 0
        self._waiting: deque[Stretch] = deque()

    def note(self, rows: int, newest: int) -> None:
        """Count what was appended, up to a start that is not in the future."""
        self._appended += rows
        self._newest = max(self._newest, newest)
        high = self._newest - LATE_S
        if self._appended >= STRETCH_ROWS and high > self._until:
            self._waiting.append((self._until, high))
            self._until, self._appended = high, 0

    def due(self, leave: int = 0) -> Stretch | None:
        """The stretch that is to be sorted now, unless no more than `leave` wait; it is given only once."""
        return self._waiting.popleft() if len(self._waiting) > leave else None


def sort(cursor: duckdb.DuckDBPyConnection, low: int, high: int) -> None:
    """Sort the rows whose starts lie in [low, high), in a transaction of its own."""
    stretch = {"low": low, "high": high}
    cursor.execute("BEGIN")
    [(last,)] = cursor.execute(_LAST, stretch).fetchall()
    cursor.execute(_COPY, stretch)
    cursor.execute(_DELETE, {**stretch, "last": last})
    cursor.execute("COMMIT")
