"""Rows are kept in stretches sorted by measure, so that a day of one measure is a few row groups and not all of them.

They arrive by minute and channel, each with every measure: as they come, a question about one metric's day reads
everything of that day. Sorted, it reads a tenth, and a row takes a third less room on disk.

1. Writes append, and count what they appended.
2. When a stretch of time has come together whose late rows are mostly in, its rows are taken out, sorted and appended.
3. What comes later for it, and what was under way when the program ended, stays where it was appended.
"""

import duckdb

STRETCH_ROWS = 1_000_000
"""Eight row groups: enough that one holds five measures of forty, few enough to be sorted in a third of a second."""
LATE_S = 180
"""What is younger is not sorted yet: most of what is late, and most corrections, come within it."""

_TAKE = """
CREATE OR REPLACE TEMP TABLE stretch AS FROM observation WHERE start >= $low AND start < $high
ORDER BY measure, start, channel, region, dimension"""


class Stretches:
    """How far the rows are sorted, in seconds since 1970, and how many were appended since."""

    def __init__(self, until: int) -> None:
        self._until = self._newest = until
        self._appended = 0

    def note(self, rows: int, newest: int) -> None:
        """Count what was appended, up to a start that is not in the future."""
        self._appended += rows
        self._newest = max(self._newest, newest)

    def due(self) -> tuple[int, int] | None:
        """The stretch [low, high) that is to be sorted now; it is not told again."""
        high = self._newest - LATE_S
        if self._appended < STRETCH_ROWS or high <= self._until:
            return None
        low, self._until, self._appended = self._until, high, 0
        return low, high


def sort(cursor: duckdb.DuckDBPyConnection, low: int, high: int) -> None:
    """Sort the rows whose starts lie in [low, high), in a transaction of its own."""
    stretch = {"low": low, "high": high}
    cursor.execute("BEGIN")
    cursor.execute(_TAKE, stretch)
    cursor.execute("DELETE FROM observation WHERE start >= $low AND start < $high", stretch)
    cursor.execute("INSERT INTO observation FROM stretch")
    cursor.execute("DROP TABLE stretch")
    cursor.execute("COMMIT")
