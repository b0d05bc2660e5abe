"""What only PostgreSQL does: servers that die and come back, partitions, locks, and its binary format."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg
import pytest

from config.settings import ROOT
from store.facts.postgres import PostgresHistory
from store.facts.postgres.binary import pack, unpack
from store.faults import StoreUnreachable
from store.state import open_state
from tests.support.real_postgres import end_postgres, schema_of, start_postgres
from tests.support.steady_writer import shown, step
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import START, hour, minute, stamp, table, world


@pytest.fixture(scope="module")
def own() -> Iterator[Any]:
    """A server that may be killed, with the settings that it comes with: also those that keep what is committed."""
    server = start_postgres()
    yield server
    end_postgres(server)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return schema_of(tmp_path)


@pytest.fixture
def history(url: str) -> Iterator[PostgresHistory]:
    with closing(PostgresHistory(url, world())) as opened:
        yield opened


@pytest.fixture
def owner(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def kill(server: Any) -> None:
    """The whole server at one instant, as a machine that loses its power, but for the disk's own memory."""
    postmaster = psutil.Process(server.get_pid())
    for process in (postmaster, *postmaster.children(recursive=True)):
        process.kill()
    postmaster.wait()


def offered(value: float, number: int = 0) -> Any:
    return table([("offered", "110105", "", minute(number), value)])


# Servers and writers that die


def write_on(history: PostgresHistory, done: list[int]) -> None:
    """Steps without end; those that were acknowledged are in `done`."""
    while True:
        step(history, len(done) + 1)
        done.append(len(done) + 1)


def test_a_server_killed_in_the_middle_of_a_write_loses_nothing_and_is_found_again(own: Any, tmp_path: Path) -> None:
    done: list[int] = []
    with closing(PostgresHistory(schema_of(tmp_path, own.get_uri()), world())) as history:
        for seconds in (0.2, 0.5):
            killer = threading.Timer(seconds, kill, (own,))
            killer.start()
            with pytest.raises(StoreUnreachable, match="PostgreSQL"):
                write_on(history, done)
            killer.join()
            with pytest.raises(StoreUnreachable):
                history.observations(hour())
            own.ensure_postgres_running()
        step(history, len(done) + 1)
        reference = ReferenceHistory(world())
        for number in range(1, len(done) + 2):
            step(reference, number)
        assert shown(history) == reference.shown()


def child() -> None:
    """Write steps until killed, telling each that is done."""
    with closing(PostgresHistory(sys.argv[1], world())) as history:
        for number in range(1, 1_000_000):
            step(history, number)
            print(number, flush=True)


def test_a_writer_killed_at_any_instant_leaves_what_was_committed_and_no_lock(url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = "from tests.store.facts.test_history_postgres import child; child()"
    writer = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True, env=environment)
    assert writer.stdout is not None
    with writer, writer.stdout as told:
        done = int(told.readline())
        threading.Timer(0.2, writer.send_signal, [signal.SIGKILL]).start()
        for line in told:
            done = int(line)
    reference = ReferenceHistory(world())
    with closing(PostgresHistory(url, world())) as history:
        for number in range(1, done + 2):
            step(reference, number)
        step(history, done + 1)
        assert shown(history) == reference.shown()


def test_no_server_is_told_in_the_stores_own_words(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="PostgreSQL") as refusal:
        PostgresHistory(f"postgresql://watch:secret-word@/facts?host={tmp_path}", world())
    assert "secret-word" not in str(refusal.value)


def test_facts_and_state_live_in_one_schema(history: PostgresHistory, url: str) -> None:
    with closing(open_state(url.replace("postgresql://", "postgresql+psycopg://"), world().rules)) as state:
        state.progress.keep_cursor("hotline", "main", {"byte": 7}, START)
        assert history.write(stamp(1), offered(5)).inserted == 1
        assert state.progress.cursor("hotline", "main") == {"byte": 7}


# Locks


def test_reads_do_not_wait_for_a_writer_and_a_writer_of_the_same_channel_does(
    history: PostgresHistory, owner: psycopg.Connection
) -> None:
    history.write(stamp(1), offered(5))
    owner.execute("BEGIN")
    owner.execute("SELECT pg_advisory_xact_lock(('observation'::regclass::oid::int8 << 16) + code) FROM name "
                  "WHERE kind = 'channel' AND label = 'hotline'")  # fmt: skip
    owner.execute("UPDATE observation SET value = 7")
    waiting = threading.Thread(target=lambda: history.write(stamp(2), offered(6)))
    waiting.start()
    assert shown(history) == {("hotline", "offered", "110105", "", START): 5}
    assert history.write(stamp(1, "chat"), offered(1)).inserted == 1
    assert waiting.is_alive()
    owner.execute("ROLLBACK")
    waiting.join()
    assert history.observations(hour(), ["hotline"])["value"].tolist() == [6]


def parts(owner: psycopg.Connection) -> set[str]:
    asked = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    return {name for (name,) in owner.execute(asked) if name[-1].isdigit()}


def test_days_are_made_and_dropped_beside_a_reader(history: PostgresHistory, owner: psycopg.Connection) -> None:
    history.write(stamp(1), offered(5))
    with psycopg.connect(history._sessions._address) as reader:
        assert reader.execute("SELECT count(*) FROM observation").fetchall() == [(1,)]
        later = START + timedelta(days=1)
        history.write(stamp(2, at=later), table([("offered", "110105", "", later, 2)]))
        forgetting = threading.Thread(target=history.forget, args=(later,))
        forgetting.start()
        while not owner.execute("SELECT FROM pg_inherits WHERE inhdetachpending").fetchall():
            assert forgetting.is_alive(), "a day was dropped under a reader"
        assert len(history.observations(hour(later))) == 1
    forgetting.join()
    assert parts(owner) == {f"{name}_20261122" for name in ("observation", "superseded", "contribution")}


def test_a_drop_that_was_cut_short_is_finished(history: PostgresHistory, owner: psycopg.Connection) -> None:
    for days in range(3):
        at = START + timedelta(days=days)
        history.write(stamp(days + 1, at=at), table([("offered", "110105", "", at, 2)]))
    owner.execute("ALTER TABLE observation DETACH PARTITION observation_20261121 CONCURRENTLY")
    owner.execute("DROP TABLE superseded_20261122")
    assert history.forget(START + timedelta(days=2)) == 1
    assert parts(owner) == {f"{name}_20261123" for name in ("observation", "superseded", "contribution")}
    assert len(history.observations(hour(START + timedelta(days=2)))) == 1


def test_a_few_rows_of_many_days_are_looked_up(history: PostgresHistory) -> None:
    moments = [START + timedelta(days=days, minutes=5) for days in range(4)]
    for revision in (1, 2):
        rows = table([("offered", "110105", "", at, revision) for at in moments])
        written = history.write(stamp(revision), rows)
    assert (written.changed, written.inserted) == (4, 0)


def test_a_whole_interval_that_comes_again_is_read_whole(
    history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.facts.postgres.upsert.DENSE", 2)
    regions = ("110105", "110106", "120104", "C-1")
    for value in (1, 2):
        rows = table([("offered", region, "", START, value) for region in regions])
        written = history.write(stamp(value), rows)
    assert (written.changed, written.unchanged) == (4, 0)
    assert history.write(stamp(3), rows).unchanged == 4
    assert (
        history.write(stamp(2), table([("offered", region, "", START, 9) for region in regions])).superseded_older == 4
    )


def test_late_rows_beside_a_whole_interval_are_merged_with_it(
    history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.facts.postgres.upsert.DENSE", 2)
    places = [("110105", START), ("110106", START), ("120104", START), ("110105", minute(1))]
    for value in (1, 2):
        rows = table([("offered", region, "", start, value) for region, start in places])
        written = history.write(stamp(value), rows)
    assert (written.changed, written.inserted) == (4, 0)
    again = history.write(stamp(2), rows)
    assert (again.unchanged, again.changed, again.touched) == (4, 0, None)
    assert set(history.observations(hour())["value"]) == {2.0}


# The format


def test_columns_come_back_as_they_went() -> None:
    columns = {"a": "int2", "b": "int8", "c": "float8", "d": "bool", "e": "int4"}
    values: dict[str, Any] = {"a": [1, -2], "b": [2**62, 0], "c": [0.1, -1e300], "d": [True, False], "e": 7}
    found = unpack(columns, pack(columns, values, 2))
    assert {name: column.tolist() for name, column in found.items()} == {**values, "e": [7, 7]}
    assert all(column.dtype.isnative for column in found.values())


def test_a_code_that_has_outgrown_its_column_is_refused_and_not_cut_short() -> None:
    with pytest.raises(OverflowError, match="region 32768"):
        pack({"region": "int2"}, {"region": np.array([1, 2**15], dtype=np.uint16)}, 2)
    with pytest.raises(ValueError, match="not whole rows"):
        unpack({"region": "int2"}, pack({"region": "int4"}, {"region": [1]}, 1))
