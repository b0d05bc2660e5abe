"""The sql kind on a real PostgreSQL 18 that the test starts from its wheel."""

import gc
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from collectors import Collector
from metrics.observations import SourceFault
from tests.support.real_postgres import end_postgres, start_postgres
from tests.support.record_sources import ask, collector, rows

HOUR = ("2026-11-20T10:00:00+08:00", "2026-11-20T11:00:00+08:00")
SCHEMA = """
CREATE TABLE tickets (id bigint PRIMARY KEY, opened timestamptz NOT NULL, wall timestamp NOT NULL, city text,
                      kind text, seconds numeric, caller text);
INSERT INTO tickets
SELECT n, '2026-11-20 10:00+08'::timestamptz + n * interval '30 seconds',
       '2026-11-20 10:00'::timestamp + n * interval '30 seconds',
       CASE n % 3 WHEN 0 THEN '440100' WHEN 1 THEN '440300' ELSE '450100' END,
       CASE n % 2 WHEN 0 THEN 'bill' ELSE '网络' END, n / 4.0, '1380000' || n
FROM generate_series(0, 119) AS n;
CREATE ROLE watch LOGIN PASSWORD 'right-password';
GRANT SELECT ON tickets TO watch;
CREATE TABLE secret (x int);
CREATE FUNCTION write_one() RETURNS int LANGUAGE sql
    AS 'INSERT INTO tickets SELECT 999, now(), now(), NULL RETURNING 1';
GRANT INSERT ON tickets TO watch;
"""
COUNTS = """
SELECT date_trunc('minute', opened) AS start, city, kind, count(*) AS opened, sum(seconds) AS seconds
FROM tickets WHERE opened >= :start AND opened < :end GROUP BY 1, 2, 3
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """PostgreSQL on a socket of its own; only its owner needs no password."""
    started = start_postgres()
    with psycopg.connect(started.get_uri(), autocommit=True) as owner:
        owner.execute(SCHEMA)
    (started.pgdata / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    with psycopg.connect(started.get_uri(), autocommit=True) as owner:
        owner.execute("SELECT pg_reload_conf()")
    yield started
    end_postgres(started)


@pytest.fixture
def owner(server: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def url(server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    written = server.get_uri().replace("postgresql://postgres:@", "postgresql+psycopg://watch:right-password@")
    monkeypatch.setenv("TICKETS_URL", written)
    return str(written)


def source(query: str, rules: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    mapping = {
        "time": {"field": "start"},
        "region": {"field": "city"},
        "dimensions": {"service_type": {"field": "kind"}},
        "measures": {"contacts": {"field": "opened"}, "talk_s": {"field": "seconds"}},
    }
    names = ("contacts", "answered", "talk_s")
    return {
        "id": "tickets",
        "kind": "sql",
        "delivers": [{"measure": name, "dimensions": ["service_type"]} for name in names],
        "options": {"url_env": "TICKETS_URL", "query": query, "map": rules or mapping} | options,
    }


def fault(built: Collector) -> SourceFault:
    with pytest.raises(SourceFault) as caught:
        built.fetch(ask(*HOUR))
    return caught.value


@pytest.mark.usefixtures("url")
def test_counts_are_read_with_their_types() -> None:
    built = collector(source(COUNTS))
    payload = built.fetch(ask("2026-11-20T10:00:00+08:00", "2026-11-20T10:02:00+08:00"))
    assert rows(built.parse(payload).observations) == [
        ["contacts", "440100", "service_type=%E7%BD%91%E7%BB%9C", "2026-11-20T02:01:00+00:00", 1.0],
        ["contacts", "440100", "service_type=bill", "2026-11-20T02:00:00+00:00", 1.0],
        ["contacts", "440300", "service_type=%E7%BD%91%E7%BB%9C", "2026-11-20T02:00:00+00:00", 1.0],
        ["contacts", "450100", "service_type=bill", "2026-11-20T02:01:00+00:00", 1.0],
        ["talk_s", "440100", "service_type=%E7%BD%91%E7%BB%9C", "2026-11-20T02:01:00+00:00", 0.75],
        ["talk_s", "440100", "service_type=bill", "2026-11-20T02:00:00+00:00", 0.0],
        ["talk_s", "440300", "service_type=%E7%BD%91%E7%BB%9C", "2026-11-20T02:00:00+00:00", 0.25],
        ["talk_s", "450100", "service_type=bill", "2026-11-20T02:01:00+00:00", 0.5],
    ]
    assert "right-password" not in repr(payload)
    assert payload.origin == "postgresql:///postgres"


@pytest.mark.usefixtures("url")
def test_a_kept_payload_gives_the_same_from_a_file(tmp_path: Path) -> None:
    built = collector(source(COUNTS))
    payload = built.fetch(ask(*HOUR))
    (tmp_path / "rows.jsonl").write_bytes(payload.data)
    again = built.parse(built.fetch_file(tmp_path / "rows.jsonl", ask(*HOUR)))
    first = built.parse(payload)
    assert rows(again.observations) == rows(first.observations)
    assert len(rows(first.observations)) == 240


@pytest.mark.usefixtures("url")
def test_wall_clock_columns_are_asked_and_read_in_the_channels_zone() -> None:
    query = """
        SELECT date_trunc('minute', wall) AS start, city, kind, 1 AS opened, 0 AS seconds
        FROM tickets WHERE wall >= :start AND wall < :end
    """
    rules = source(query)["options"]["map"] | {"time": {"field": "start", "naive": "channel_zone"}}
    built = collector(source(query, rules, times="local"))
    found = rows(built.parse(built.fetch(ask("2026-11-20T10:00:00+08:00", "2026-11-20T10:01:00+08:00"))).observations)
    assert {row[3] for row in found} == {"2026-11-20T02:00:00+00:00"}
    assert len(found) == 4


CONTACTS = "SELECT id, opened AS start, city, caller, seconds FROM tickets WHERE id > :watermark ORDER BY id"
CONTACT_MAP = {
    "time": {"field": "start"},
    "region": {"field": "city"},
    "contact": {"field": "id", "pseudonymise": False},
    "measures": {"contacts": {"count": True}, "talk_s": {"field": "seconds"}},
}


@pytest.mark.usefixtures("url")
def test_a_watermark_reads_on_where_it_stopped_and_late_rows_within_the_overlap(owner: Any) -> None:
    watermark = {"column": "id", "kind": "number", "initial": -1, "overlap": 10}
    built = collector(source(CONTACTS, CONTACT_MAP, watermark=watermark, max_rows=50, personal=["caller"]))
    cursor: dict[str, Any] = {}
    seen: list[set[str]] = []
    more = True
    while more:
        payload = built.fetch(ask(*HOUR, cursor=cursor))
        assert b"1380000" not in payload.data
        parsed = built.parse(payload)
        cursor, more = dict(parsed.cursor), payload.more
        seen.append({row[0] for row in rows(parsed.contributions)})
    assert set.union(*seen) == {str(n) for n in range(120)}
    assert [len(part) for part in seen] == [50, 50, 40]
    assert cursor == {"watermark": 119, "covered_until": "2026-11-20T03:00:00+00:00", "more": False}
    owner.execute("DELETE FROM tickets WHERE id = 112")
    owner.execute("INSERT INTO tickets SELECT 112, '2026-11-20 10:56+08', now(), '450100', 'late', 1, ''")
    again = built.parse(built.fetch(ask(*HOUR, cursor=cursor)))
    assert "112" in {row[0] for row in rows(again.contributions)}
    assert again.read == 10


@pytest.mark.usefixtures("url")
def test_a_time_is_a_watermark_to_the_microsecond() -> None:
    query = """
        WITH odd AS (SELECT id, opened + interval '123457 microseconds' AS start, city, seconds FROM tickets)
        SELECT * FROM odd WHERE start > :watermark ORDER BY start
    """
    watermark = {"column": "start", "kind": "time", "initial": "2026-11-20T00:00:00+00:00"}
    built = collector(source(query, CONTACT_MAP, watermark=watermark, max_rows=100))
    first = built.fetch(ask(*HOUR))
    cursor = dict(built.parse(first).cursor)
    second = built.fetch(ask(*HOUR, cursor=cursor))
    assert (first.more, len(first.data.splitlines()), len(second.data.splitlines())) == (True, 100, 20)
    assert built.fetch(ask(*HOUR, cursor=dict(built.parse(second).cursor))).data == b""


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("query", "options", "code", "permanent"),
    [
        (COUNTS, {"max_rows": 3}, "too_large", False),
        (CONTACTS.replace("ORDER BY id", "ORDER BY id DESC"), {"max_rows": 3}, "misconfigured", True),
        (CONTACTS.replace("SELECT id,", "SELECT 7 AS id,"), {"max_rows": 3}, "too_large", False),
        (CONTACTS, {"max_rows": 3, "initial": 60, "overlap": 30}, "too_large", False),
    ],
    ids=["no watermark", "no order", "one group", "overlap"],
)
def test_rows_beyond_the_limit_are_never_passed_over(query: str, options: Any, code: str, permanent: bool) -> None:
    limits = {"max_rows": options["max_rows"]}
    if "watermark" in query:
        first, overlap = options.get("initial", -1), options.get("overlap", 0)
        limits["watermark"] = {"column": "id", "kind": "number", "initial": first, "overlap": overlap}
    found = fault(collector(source(query, CONTACT_MAP if "watermark" in query else None, **limits)))
    assert (found.code, found.permanent) == (code, permanent)


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("query", "code", "permanent"),
    [
        ("SELECT write_one()", "query_failed", True),
        ("SELECT 1 FROM tickets FOR SHARE", "query_failed", True),
        ("SELECT * INTO stolen FROM tickets", "query_failed", True),
        ("SELECT set_config('transaction_read_only', 'off', false), write_one()", "query_failed", True),
        ("SELECT * FROM secret", "forbidden", True),
        ("SELECT * FROM no_such_table", "query_failed", True),
        ("SELECT nothing FROM", "query_failed", True),
        ("SELECT 1 / 0", "query_failed", True),
        ("SELECT 1 AS a, 2 AS a", "misconfigured", True),
        ("SELECT pg_sleep(30)", "timeout", False),
    ],
)
def test_the_server_refuses_and_the_fault_says_why(owner: Any, query: str, code: str, permanent: bool) -> None:
    before = owner.execute("SELECT count(*) FROM tickets").fetchone()
    found = fault(collector(source(query, timeout_s=0.5)))
    assert (found.code, found.permanent) == (code, permanent), found
    assert owner.execute("SELECT count(*) FROM tickets").fetchone() == before


def test_an_insert_in_a_cte_is_refused_by_the_options_and_by_the_server(url: str, owner: Any) -> None:
    query = "WITH gone AS (INSERT INTO tickets SELECT 998, now(), now() RETURNING id) SELECT id FROM gone"
    with pytest.raises(ValueError, match="must only read: it says INSERT INTO"):
        collector(source(query))
    from sqlalchemy import make_url

    from collectors.sql.options import Options
    from collectors.sql.reading import read

    unchecked = Options.model_construct(query=query, connect_s=5, timeout_s=5, max_rows=10)  # type: ignore[call-arg] # what reading needs
    with pytest.raises(SourceFault) as caught:
        read(make_url(url), unchecked, {})
    assert (caught.value.code, caught.value.permanent) == ("query_failed", True)
    assert owner.execute("SELECT count(*) FROM tickets WHERE id = 998").fetchone() == (0,)


# psycopg cannot close a server-side cursor whose connection is gone, and says so when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_connection_passes(url: str, owner: Any) -> None:
    ended = threading.Event()

    # The rows are fetched from a cursor, and that is where the server sleeps.
    sleeping = "usename = 'watch' AND query LIKE 'FETCH%'"
    kill_it = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {sleeping}"

    def kill() -> None:
        while not ended.is_set() and not owner.execute(kill_it).fetchall():
            pass

    killer = threading.Thread(target=kill)
    killer.start()
    found = fault(collector(source("SELECT pg_sleep(20)")))
    ended.set()
    killer.join()
    assert (found.code, found.permanent) == ("unreachable", False)
    # The fault's traceback holds the cursor: let both go here, where the complaint is expected.
    del found
    gc.collect()


@pytest.mark.parametrize(
    ("wrong", "code", "permanent"),
    [
        (("right-password", "wrong-password"), "unauthorised", True),
        (("watch:", "nobody:"), "unauthorised", True),
        (("/postgres?", "/nowhere?"), "not_found", True),
        (("postgresql+psycopg", "oracle+nothing"), "misconfigured", True),
        (("postgresql+psycopg", "mysql+mysqldb"), "misconfigured", True),
        (("postgresql+psycopg://", "not a url "), "misconfigured", True),
    ],
)
def test_a_wrong_url_is_permanent_and_not_quoted(
    url: str, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, str], code: str, permanent: bool
) -> None:
    assert wrong[0] in url
    monkeypatch.setenv("TICKETS_URL", url.replace(*wrong))
    found = fault(collector(source(COUNTS)))
    assert (found.code, found.permanent) == (code, permanent), found
    assert "password" not in found.detail.replace("password authentication", "")


def test_nothing_listens_is_refused_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        monkeypatch.setenv("TICKETS_URL", f"postgresql+psycopg://watch:right-password@127.0.0.1:{port}/postgres")
        found = fault(collector(source(COUNTS)))
    assert (found.code, found.permanent) == ("refused", False)
