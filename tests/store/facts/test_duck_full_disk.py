"""A store in DuckDB whose disk is full while DuckDB tidies its file: it goes on when there is room."""

import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from store.facts.duck import DuckHistory
from store.faults import StoreFull, StoreUnreachable
from tests.support.store_world import hour, minute, stamp, table, world


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def one(number: int) -> tuple[str, str, str, datetime, float]:
    return ("offered", "110105", "", minute(number), 5.0)


def test_a_disk_that_was_full_loses_nothing_and_stops_nothing(tmp_path: Path) -> None:
    with closing(DuckHistory(tmp_path / "facts.duckdb", world())) as history:
        history.write(stamp(batch="a"), table([one(0)]))
        with no_room():
            with pytest.raises(StoreUnreachable), history._file.cursor() as cursor:
                cursor.execute("CHECKPOINT")
            with pytest.raises(StoreFull):
                history.write(stamp(batch="b"), table([one(1)]))
        history.write(stamp(batch="b"), table([one(1)]))
        assert list(history.observations(hour())["start"]) == [minute(0), minute(1)]
