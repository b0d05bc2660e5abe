"""The test case folders of sql, its options, SQLite as the second dialect, and what parsing makes of anything."""

import json
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors import Collector
from collectors.sql.one_select import check_one_select
from collectors.sql.rows import plain_row, read_rows, write_rows
from metrics.observations import SourceFault
from tests.support.record_sources import COLLECTORS, ask, case_folders, collector, judged, payload, rows

CASES = case_folders("sql")
HOUR = ("2026-11-20T10:00:00+08:00", "2026-11-20T11:00:00+08:00")
QUERY = "SELECT start, city, opened FROM tickets WHERE start >= :start AND start < :end"
MAP = {
    "time": {"field": "start", "form": "epoch_s"},
    "region": {"field": "city"},
    "measures": {"contacts": {"field": "opened"}},
}
START = 1795140000


def source(query: str = QUERY, rules: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    told = {"url_env": "TICKETS_URL", "query": query, "times": {"form": "epoch_s"}, "map": MAP | (rules or {})}
    return {"id": "tickets", "kind": "sql", "delivers": [{"measure": "contacts"}], "options": told | options}


def fault(built: Collector) -> SourceFault:
    with pytest.raises(SourceFault) as caught:
        built.fetch(ask(*HOUR))
    return caught.value


def test_there_are_cases() -> None:
    assert len(CASES) == 5


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    expected, found = judged("sql", folder)
    assert found == expected


# The options


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "  select 1 ; ",
        "-- a word; of\nWITH a AS (SELECT 1) SELECT * FROM a",
        "/* delete from x; */ SELECT ';', 'update', \"insert into\", updated FROM calls",
    ],
)
def test_one_select_is_accepted(query: str) -> None:
    assert not check_one_select(query).endswith(";")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DELETE FROM x", "one SELECT"),
        ("SELECT 1; DROP TABLE x", "semicolon"),
        ("WITH a AS (DELETE FROM x RETURNING 1) SELECT * FROM a", "DELETE FROM"),
        ("SELECT 1 -- a\n; UPDATE x SET a = 1", "semicolon"),
        ("SELECT 1 FOR UPDATE", "UPDATE"),
        ("PRAGMA writable_schema = 1", "one SELECT"),
        ("ATTACH 'x' AS y", "one SELECT"),
        ("", "one SELECT"),
    ],
)
def test_anything_else_is_refused_with_its_reason(query: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        collector(source(query))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"query": "SELECT :day"}, "binds :day"),
        ({"query": "SELECT :watermark"}, "belong together"),
        ({"watermark": {"column": "id", "kind": "number", "initial": 0}}, "belong together"),
        ({"map": MAP | {"time": {"instant": True}}}, "bind nothing"),
        ({"url_default": "postgresql://x"}, "url_default"),
        ({"timeout": 3}, "Extra inputs"),
        (
            {"query": "SELECT :watermark", "watermark": {"column": "t", "kind": "time", "initial": 0}},
            "initial must be a time",
        ),
        (
            {"query": "SELECT :watermark", "watermark": {"column": "t", "kind": "time", "initial": "2026-01-01T00:00"}},
            "time zone",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        collector(source() | {"options": source()["options"] | changes})


# SQLite


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a database in it."""
    monkeypatch.setenv("WATCHFLOOR_HOME_DIR", str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "tickets?.db")) as writer:
        writer.execute("CREATE TABLE tickets (start INTEGER, city TEXT, opened INTEGER)")
        writer.executemany("INSERT INTO tickets VALUES (?, ?, ?)", [(START + 60 * n, "440100", n) for n in range(120)])
        writer.commit()
    return tmp_path


DEFAULT = "sqlite:///{home}/tickets%3F.db"


@pytest.mark.usefixtures("home")
def test_a_file_of_the_data_folder_is_read() -> None:
    built = collector(source(url_default=DEFAULT))
    parsed = built.parse(built.fetch(ask("2026-11-20T10:01:00+08:00", "2026-11-20T10:03:00+08:00")))
    assert rows(parsed.observations) == [
        ["contacts", "440100", "", "2026-11-20T02:01:00+00:00", 1.0],
        ["contacts", "440100", "", "2026-11-20T02:02:00+00:00", 2.0],
    ]


@pytest.mark.usefixtures("home")
def test_a_gap_is_read_again_at_most_so_far_back() -> None:
    built = collector(source(url_default=DEFAULT, reach_back_s=5400))
    late = ask("2026-11-20T11:30:00+08:00", "2026-11-20T11:40:00+08:00", {"covered_until": "2026-11-20T02:00:00+00:00"})
    fetched = built.fetch(late)
    assert fetched.window.start.isoformat() == "2026-11-20T02:10:00+00:00"
    assert built.parse(fetched).read == 90


@pytest.mark.usefixtures("home")
def test_what_a_group_by_does_not_name_is_zero() -> None:
    built = collector(source(rules={"absent": "zero"}, url_default=DEFAULT))
    found = rows(built.parse(built.fetch(ask("2026-11-20T10:05:00+08:00", "2026-11-20T10:06:00+08:00"))).observations)
    assert [(row[1], row[4]) for row in found] == [("440100", 5.0), ("440300", 0.0), ("450100", 0.0)]


@pytest.mark.parametrize(
    ("query", "code", "permanent"),
    [
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT sum(x) FROM n", "timeout", False),
        ("SELECT nothing FROM tickets", "query_failed", True),
        ("SELECT * FROM nowhere", "query_failed", True),
        ("SELECT * FROM pragma_table_info('tickets')", "query_failed", True),
        ("SELECT load_extension('x')", "query_failed", True),
    ],
)
@pytest.mark.usefixtures("home")
def test_sqlite_refuses_and_the_fault_says_why(query: str, code: str, permanent: bool) -> None:
    found = fault(collector(source(query, url_default=DEFAULT, timeout_s=0.3)))
    assert (found.code, found.permanent) == (code, permanent), found


def test_sqlite_writes_nothing_whatever_the_text(home: Path) -> None:
    from sqlalchemy import make_url

    from collectors.sql.options import Options
    from collectors.sql.reading import read

    url = make_url(f"sqlite:///{home}/tickets%3F.db")
    for query in (
        f"ATTACH '{home}/new.db' AS new",
        "DELETE FROM tickets",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE x (y)",
    ):
        unchecked = Options.model_construct(query=query, connect_s=1, timeout_s=1, max_rows=10)  # type: ignore[call-arg] # what reading needs
        with pytest.raises(SourceFault) as caught:
            read(url, unchecked, {})
        assert (caught.value.code, caught.value.permanent) == ("query_failed", True), query
    assert [path.name for path in home.iterdir()] == ["tickets?.db"]


def test_a_missing_file_is_not_made(home: Path) -> None:
    found = fault(collector(source(url_default="sqlite:///{home}/no/such.db")))
    assert (found.code, found.permanent) == ("not_found", False)
    assert not (home / "no").exists()
    (home / "text.db").write_text("this is no database at all, only a text that is long enough to be looked at")
    found = fault(collector(source(url_default="sqlite:///{home}/text.db")))
    assert (found.code, found.permanent) == ("unreadable", True)


@pytest.mark.usefixtures("home")
def test_times_need_a_form_on_sqlite() -> None:
    found = fault(collector(source(url_default=DEFAULT, times="native")))
    assert (found.code, found.permanent) == ("misconfigured", True)


def test_a_missing_url_names_its_variable() -> None:
    found = fault(collector(source()))
    assert (found.code, found.permanent) == ("misconfigured", True)
    assert "TICKETS_URL" in found.detail


# Rows and files


def test_every_type_of_a_database_has_its_json() -> None:
    zoned = datetime.fromisoformat("2026-11-20T10:00:00.5+08:00")
    pairs: dict[str, tuple[Any, Any]] = {
        "zoned": (zoned, "2026-11-20T02:00:00.500000+00:00"),
        "naive": (datetime.fromisoformat("2026-11-20T10:00"), "2026-11-20T10:00:00"),
        "day": (date(2026, 11, 20), "2026-11-20"),
        "span": (timedelta(minutes=1.5), 90.0),
        "whole": (Decimal("12.00"), 12),
        "part": (Decimal("1.5"), 1.5),
        "nan": (Decimal("NaN"), "NaN"),
        "huge": (Decimal("1e4000"), "1E+4000"),
        "infinite": (float("inf"), "inf"),
        "raw": (b"\x00\xff", "00ff"),
        "id": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        "list": ([Decimal(1), zoned], [1, "2026-11-20T02:00:00.500000+00:00"]),
        "none": (None, None),
        "yes": (True, True),
    }
    told = plain_row(list(pairs), [value for value, _ in pairs.values()])
    assert told == {name: expected for name, (_, expected) in pairs.items()}


def test_persons_stop_at_the_door_of_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    line = {"start": START, "city": "440100", "opened": 1, "caller": "13800000001", "deep": {"caller": ["13800000002"]}}
    file.write_text(json.dumps(line) + "\nnot JSON but 13800000003\n")
    built = collector(source(personal=["caller"]))
    once = built.fetch_file(file, ask(*HOUR))
    assert b"1380000000" not in once.data.replace(b"13800000003", b"")
    assert b"13800000003" not in once.data
    file.write_bytes(once.data)
    assert built.fetch_file(file, ask(*HOUR)).data == once.data
    assert built.parse(once).read == 2


def test_a_folder_or_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.jsonl"):
        with pytest.raises(SourceFault):
            collector(source()).fetch_file(path, ask(*HOUR))


def test_a_watermark_from_the_future_does_not_move() -> None:
    rules = {"column": "start", "kind": "time", "initial": "2026-11-20T00:00:00+00:00"}
    mapping = {
        "time": {"field": "start"},
        "contact": {"field": "opened", "pseudonymise": False},
        "measures": {"contacts": {"count": True}},
    }
    built = collector(source("SELECT 1 WHERE 1 > :watermark", mapping, watermark=rules))
    written = write_rows(
        {"start": at, "city": "440100", "opened": at} for at in ("2026-11-20T02:30:00Z", "2099-01-01T00:00:00Z")
    )
    parsed = built.parse(payload(written, *HOUR))
    assert parsed.cursor["watermark"] == datetime.fromisoformat("2026-11-20T02:30:00Z").timestamp()
    assert [entry.code for entry in parsed.rejects] == ["from_the_future"]


LINES = st.lists(
    st.binary()
    | st.builds(
        lambda record: json.dumps(record).encode(),
        st.dictionaries(
            st.sampled_from(["start", "city", "opened"]), st.integers() | st.floats() | st.text() | st.booleans()
        ),
    )
)


@settings(max_examples=80, deadline=None)
@given(LINES)
def test_any_bytes_are_parsed_or_refused(lines: list[bytes]) -> None:
    built = collector(source())
    try:
        parsed = built.parse(payload(b"\n".join(lines), *HOUR))
    except SourceFault:
        return
    assert all(0 <= row[-1] <= 2**53 for row in rows(parsed.observations))
    assert parsed.read == len(read_rows(b"\n".join(lines)))


def test_the_sample_is_a_complete_source() -> None:
    sample = yaml.safe_load((COLLECTORS / "sql" / "sample.yaml").read_text())
    assert collector(sample).parse(payload(b"", *HOUR)).read == 0
