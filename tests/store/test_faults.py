"""Expected failures of every store are one family; what does not belong to it stays a loud bug."""

import inspect
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from store import faults
from store.facts.duck import DuckHistory
from store.facts.postgres.sessions import Sessions
from store.faults import StoreFault, StoreFull, StoreUnreachable, passes
from store.payloads import Payloads
from store.state import open_state
from tests.support.real_postgres import schema_of
from tests.support.store_world import world

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
NO_ROOM = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"


def test_every_fault_says_whether_it_passes_by_itself() -> None:
    family = [found for _, found in inspect.getmembers(faults, inspect.isclass) if issubclass(found, StoreFault)]
    assert len(family) > 10
    assert all(fault.__doc__ for fault in family)
    assert {fault.__name__ for fault in family if not fault.permanent} == {
        "StoreUnreachable",
        "StoreFull",
        "LeaseTaken",
    }


@pytest.mark.parametrize("error", [faults.BadTable("no start"), OSError("no space left"), ValueError("a bug")])
def test_what_is_permanent_or_no_fault_at_all_does_not_pass(error: Exception) -> None:
    assert not passes(error)
    assert passes(StoreUnreachable("nobody answers"))


def test_state_on_a_server_that_became_a_standby_is_unreachable(tmp_path: Path) -> None:
    with closing(open_state(schema_of(tmp_path), world().rules)) as state:
        with state.engine.connect() as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = on")
            connection.commit()
        with pytest.raises(StoreUnreachable, match="WATCHFLOOR_STATE_URL does not answer"):
            state.progress.keep_cursor("desk", "counts", {"at": 1}, NOW)


def facts_without_room(url: str) -> None:
    with closing(Sessions(url)) as sessions, sessions.session() as session:
        session.connection.execute(NO_ROOM.encode())


def state_without_room(url: str) -> None:
    with closing(open_state(url, world().rules)) as state, state.engine.begin() as connection:
        connection.exec_driver_sql(NO_ROOM)


@pytest.mark.parametrize(("opened", "kept"), [(facts_without_room, "FACTS"), (state_without_room, "STATE")])
def test_a_postgres_whose_disk_is_full_has_no_room(opened: Callable[[str], None], kept: str, tmp_path: Path) -> None:
    with pytest.raises(StoreFull, match=f"WATCHFLOOR_{kept}_URL has no room"):
        opened(schema_of(tmp_path))


def test_a_wrong_statement_to_state_stays_a_bug(tmp_path: Path) -> None:
    with (
        closing(open_state(f"sqlite:///{tmp_path}/state.sqlite", world().rules)) as state,
        state.engine.connect() as connection,
        pytest.raises(OperationalError, match="no such table"),
    ):
        connection.exec_driver_sql("SELECT * FROM nowhere")


def test_a_file_that_cannot_be_opened_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "facts.duckdb").mkdir()
    with pytest.raises(StoreUnreachable, match=r"DuckDB cannot open .*facts\.duckdb"):
        DuckHistory(tmp_path / "facts.duckdb", world())


def test_payloads_whose_folder_cannot_be_written_are_unreachable(tmp_path: Path) -> None:
    (tmp_path / "payloads").write_text("a file is in the way")
    with pytest.raises(StoreUnreachable, match=f"payloads cannot be kept in {tmp_path}/payloads"):
        Payloads(tmp_path / "payloads").keep(b"x", "0" * 64, NOW)
