"""The file of a store in DuckDB: lent by the cursor, and opened again when it broke in memory.

A disk that is full when DuckDB tidies its file leaves the file whole and DuckDB unable to go on with it, until every
cursor is closed and the file is opened anew. So whoever meets that is told that the store is away, and the next one
who comes finds it open again, if there is room.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import duckdb

from store.facts.duck.schema import open_file
from store.faults import StoreFull, StoreUnreachable

_BROKEN = (duckdb.FatalException, duckdb.ConnectionException)
_NO_ROOM = (duckdb.IOException, duckdb.TransactionException)


class File:
    """One DuckDB file of this process; raises StoreInUse when another process holds it."""

    def __init__(self, path: Path) -> None:
        self._path, self._root, self._opening = path, open_file(path), Lock()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of one's own; raises StoreFull, StoreUnreachable."""
        root = self._root
        try:
            with root.cursor() as cursor:
                yield cursor
        except _BROKEN as error:
            self._open_again(root)
            raise StoreUnreachable(f"DuckDB had to open {self._path} again: {error}") from error
        except _NO_ROOM as error:
            raise StoreFull(f"DuckDB cannot write {self._path}: {error}") from error

    def close(self) -> None:
        """Write everything out and let the file go."""
        self._root.close()

    def _open_again(self, broken: duckdb.DuckDBPyConnection) -> None:
        """Open it once for all who met the same; while that fails the next one who comes tries again."""
        with self._opening:
            if self._root is broken:
                broken.close()
                self._root = open_file(self._path)
