"""Two recorders who find the same thing at once, on SQLite and on a real PostgreSQL: one finding is opened."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event

from metrics.findings import CheckState, Finding
from store.state import open_state
from tests.support.real_postgres import schema_of
from tests.support.store_world import world

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
RULES = world().rules


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/home/state.sqlite"
        return
    yield schema_of(tmp_path).replace("postgresql://", "postgresql+psycopg://")


def test_two_who_find_the_same_at_once_open_one_finding(url: str) -> None:
    """The first is held up between its look at what is open and its insert, for as long as the second may need."""
    found = [Finding(rule=next(iter(RULES.rules)), channel="desk", state=CheckState.FAIL)]
    first_looked, second_done = Event(), Event()
    with closing(open_state(url, RULES)) as first, closing(open_state(url, RULES)) as second:

        def hold_up(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("INSERT INTO finding "):
                first_looked.set()
                second_done.wait(1)

        event.listen(first.findings._engine, "before_cursor_execute", hold_up)

        def record_second() -> None:
            first_looked.wait()
            second.findings.record(found, NOW)
            second_done.set()

        with ThreadPoolExecutor(2) as pool:
            recorded = pool.submit(first.findings.record, found, NOW)
            pool.submit(record_second).result()
            recorded.result()
        assert len(first.findings.open()) == 1
