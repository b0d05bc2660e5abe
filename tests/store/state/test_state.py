"""State on SQLite and on a real PostgreSQL: the same suite over both."""

import base64
import hashlib
import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect, text

from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Interval, NaiveTime, Parsed, Payload, Reject, SourceFault
from store.faults import StoreFull, StoreTooNew, StoreUnreachable, UnknownRule
from store.state import State, open_state
from store.state.findings import Recorded
from store.state.opening import migrate, migrate_back
from store.state.progress import Outcome
from store.state.tables import metadata
from tests.support.real_postgres import schema_of
from tests.support.store_world import world

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
RULES = world().rules


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/home/state.sqlite"
        return
    yield schema_of(tmp_path).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def state(url: str) -> Iterator[State]:
    opened = open_state(url, RULES)
    yield opened
    opened.close()


# A database that does not answer, or has no room


def test_a_postgres_that_does_not_answer_is_told_in_our_words() -> None:
    with pytest.raises(StoreUnreachable, match="WATCHFLOOR_STATE_URL"):
        open_state("postgresql+psycopg://postgres@127.0.0.1:1/postgres", RULES)


def test_a_sqlite_without_room_is_told_in_our_words_and_works_again(tmp_path: Path) -> None:
    state = open_state(f"sqlite:///{tmp_path}/state.sqlite", RULES)
    try:
        _most_pages(state, 1)  # never fewer than there are
        with pytest.raises(StoreFull, match="full"):
            state.progress.keep_cursor("desk", "counts", {"at": "x" * 1_000_000}, NOW, "live")
        _most_pages(state, 100_000)
        state.progress.keep_cursor("desk", "counts", {"at": 1}, NOW, "live")
        assert state.progress.cursor("desk", "counts", "live") == {"at": 1}
    finally:
        state.close()


def _most_pages(state: State, number: int) -> None:
    with state.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {number}")


# Migrations


def differences(state: State) -> list[object]:
    """What a migration would still have to do."""
    with state.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_migrations_lead_to_the_tables_that_the_code_uses(state: State) -> None:
    assert differences(state) == []


def test_migrations_go_down_and_up_again(state: State) -> None:
    migrate_back(state.engine, "base")
    assert set(inspect(state.engine).get_table_names()) == {"alembic_version"}
    migrate(state.engine)
    assert set(metadata.tables) < set(inspect(state.engine).get_table_names())
    assert differences(state) == []


def test_accounts_from_before_there_were_roles_may_what_they_saw(state: State) -> None:
    migrate_back(state.engine, "0002")
    for name, region in (("chief", "100000"), ("li", "110000")):
        state.users.put(name, "x", "viewer", NOW, region)
    migrate(state.engine)
    assert [(user.name, user.role) for user in state.users.all()] == [
        ("chief", "executive"),
        ("li", "province_manager"),
    ]
    migrate_back(state.engine, "0002")
    assert {user.role for user in state.users.all()} == {"viewer"}


def test_opening_again_changes_nothing(state: State, url: str) -> None:
    state.progress.keep_cursor("hotline", "main", {"byte": 7}, NOW)
    again = open_state(url, RULES)
    assert again.progress.cursor("hotline", "main") == {"byte": 7}
    again.close()


def test_tables_of_a_newer_program_are_left_alone(state: State, url: str) -> None:
    with state.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="9999"):
        open_state(url, RULES)


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="WATCHFLOOR_STATE_URL"):
        open_state("oracle://somewhere", RULES)


# Cursors and sources


def test_a_cursor_is_kept_for_each_job(state: State) -> None:
    assert state.progress.cursor("hotline", "main") == {}
    state.progress.keep_cursor("hotline", "main", {"byte": 1, "file": "a.log"}, NOW)
    state.progress.keep_cursor("hotline", "main", {"byte": 9}, NOW, job="file:x")
    state.progress.keep_cursor("hotline", "main", {"byte": 2, "file": "b.log"}, after(1))
    assert state.progress.cursor("hotline", "main") == {"byte": 2, "file": "b.log"}
    assert state.progress.cursor("hotline", "main", "file:x") == {"byte": 9}


def worked(until: datetime | None, source: str = "main") -> Outcome:
    return Outcome("hotline", source, until)


def failed(why: str) -> Outcome:
    return Outcome("hotline", "main", error=why)


def test_a_source_fails_since_its_first_failure_and_is_well_after_a_success(state: State) -> None:
    progress = state.progress
    progress.note([worked(NOW)], NOW)
    assert progress.note([failed("timeout: 5 s")], after(1))[0].failing_since is None
    assert progress.note([failed("refused: ")], after(2))[0].failing_since == after(1)
    failing = progress.sources()["hotline", "main"]
    assert (failing.last_success, failing.failing_since, failing.error) == (NOW, after(1), "refused: ")
    assert progress.note([worked(after(2))], after(3))[0].failing_since == after(1)
    well = progress.sources()["hotline", "main"]
    assert (well.last_success, well.failing_since, well.error) == (after(3), None, "")
    progress.note([worked(after(1))], after(4))
    assert progress.sources()["hotline", "main"].covered_until == after(2)


def test_readings_that_ended_together_are_noted_one_after_another(state: State) -> None:
    outcomes = [worked(after(1)), worked(after(5), "other"), failed("timeout: 5 s"), failed("refused: "), worked(None)]
    before = state.progress.note(outcomes, after(6))
    assert [one.covered_until for one in before] == [None, None, after(1), after(1), after(1)]
    assert [one.failing_since for one in before] == [None, None, None, after(6), after(6)]
    main, other = (state.progress.sources()["hotline", name] for name in ("main", "other"))
    assert (main.last_success, main.failing_since, main.error) == (after(6), after(6), "refused: ")
    assert (other.last_success, other.covered_until) == (after(6), after(5))


def test_times_without_a_zone_are_refused(state: State) -> None:
    with pytest.raises(Exception, match="no time zone") as refusal:
        state.progress.keep_cursor("hotline", "main", {}, datetime(2026, 11, 21))  # noqa: DTZ001 - the case
    assert isinstance(refusal.value.__cause__ or refusal.value, NaiveTime)


# Batches


def batch(name: str = "b1", minutes: int = 0, channel: str = "hotline", error: SourceFault | None = None) -> Batch:
    window = Interval(after(minutes), after(minutes + 5))
    payload = Payload(b"x", window.end, window, "file", {})
    parsed = Parsed({}, rejects=(Reject("TY-01", 3, "start", "not_a_time", "?"),), read=9, excluded={"phantom": 2})
    return Batch(name, channel, "main", window, window.end, "ab" * 32, payload, None if error else parsed, error, 12)


def test_a_batch_is_remembered_with_what_came_of_it(state: State) -> None:
    state.batches.keep(batch(), "2026-11-21/x", after(6))
    (record,) = state.batches.recent()
    assert (record.start, record.end, record.fetched_at, record.stored_at) == (NOW, after(5), after(5), after(6))
    assert (record.read, record.rows, record.rejects, record.excluded) == (9, 0, 1, {"phantom": 2})
    assert (record.error, record.payload, record.revision) == ("", "2026-11-21/x", 12)
    state.batches.keep(batch(), "2026-11-21/x", after(7))
    assert len(state.batches.recent()) == 1


def test_a_failed_batch_is_data_but_not_seen(state: State) -> None:
    state.batches.keep(batch(error=SourceFault("timeout", "5 s")), "", NOW)
    assert [(record.error, record.detail) for record in state.batches.recent()] == [("timeout", "5 s")]
    assert not state.batches.seen("b1")
    state.batches.keep(batch(), "", NOW)
    assert state.batches.seen("b1")


def test_batches_are_found_by_what_they_cover(state: State) -> None:
    for number in range(4):
        state.batches.keep(batch(f"b{number}", number * 5, "chat" if number == 2 else "hotline"), "", NOW)
    found = state.batches.covering(Interval(after(5), after(15)))
    assert [record.id for record in found] == ["b1", "b2"]
    assert [record.id for record in state.batches.covering(Interval(after(5), after(15)), ("chat",))] == ["b2"]
    assert [record.id for record in state.batches.recent(channel="hotline", limit=2)] == ["b3", "b1"]
    assert state.batches.first_asked() == {("hotline", "main"): after(5), ("chat", "main"): after(15)}
    state.batches.keep(batch("new", 30, "shop"), "", NOW)
    assert state.batches.first_asked()["shop", "main"] == after(35)
    assert state.batches.forget(after(11)) == 2


# Findings


def finding(state: CheckState = CheckState.FAIL, **more: Any) -> Finding:
    told: dict[str, Any] = {
        "rule": "AC-03",
        "channel": "hotline",
        "source": "main",
        "region": "110000",
        "measure": "offered",
    }
    numbers = {"start": NOW, "end": after(1), "bad": 2, "expected": 10}
    return Finding(**{**told, **numbers, **more, "state": state})


def test_a_finding_opens_goes_on_and_ends(state: State) -> None:
    findings = state.findings
    assert findings.record([finding()], NOW) == Recorded(opened=1)
    later = finding(start=after(1), end=after(2), bad=5, facts={"offered": np.float64(7)}, rows=({"line": 3},))
    assert findings.record([later], after(1)) == Recorded(refreshed=1)
    (standing,) = findings.open()
    assert (standing.first_seen, standing.last_seen, standing.severity) == (NOW, after(1), "major")
    assert (standing.start, standing.end, standing.bad, standing.facts) == (NOW, after(2), 5, {"offered": 7.0})
    assert findings.record([finding(CheckState.PASS, end=after(2))], after(2)) == Recorded(closed=1)
    assert findings.open() == []
    assert findings.record([finding()], after(3)) == Recorded(opened=1)
    assert [one.closed_at for one in findings.during(Interval(NOW, after(9)))] == [after(2), None]


@pytest.mark.parametrize(
    ("start", "end", "closes"), [(1, 2, False), (0, 1, True), (-30, 0, False), (5, 20, True), (2, 9, False)]
)
def test_a_pass_closes_only_what_it_looked_at_or_what_a_long_look_leaves_behind(
    state: State, start: int, end: int, closes: bool
) -> None:
    state.findings.record([finding()], NOW)
    passed = finding(CheckState.PASS, region="", start=after(start), end=after(end), facts={"clean": "110000"})
    assert state.findings.record([passed], after(20)).closed == closes


def test_a_pass_told_for_all_places_closes_what_it_covers_and_nothing_else(state: State) -> None:
    findings = state.findings
    failing = [finding(region=region) for region in ("110000", "120000")] + [finding(channel="chat")]
    findings.record(failing, NOW)
    passed = finding(CheckState.PASS, region="", bad=0)
    assert findings.record([passed, failing[0]], after(1)) == Recorded(refreshed=1, closed=1)
    assert {(one.channel, one.region) for one in findings.open()} == {("hotline", "110000"), ("chat", "110000")}
    assert findings.record([finding(CheckState.PASS, region="", measure="answered")], after(2)) == Recorded()


@pytest.mark.parametrize("unjudged", [CheckState.BLOCKED, CheckState.ERROR])
def test_what_could_not_be_judged_is_not_over(state: State, unjudged: CheckState) -> None:
    findings = state.findings
    findings.record([finding()], NOW)
    passed = finding(CheckState.PASS, region="")
    findings.record([passed, finding(unjudged)], after(1))
    (standing,) = [one for one in findings.open() if one.region == "110000"]
    assert standing.state is CheckState.FAIL
    assert findings.record([finding(CheckState.NA)], after(2)).closed == 0


def test_an_error_opens_and_a_run_closes_it(state: State) -> None:
    error = Finding("AC-03", CheckState.ERROR, "hotline")
    assert state.findings.record([error], NOW) == Recorded(opened=1)
    assert state.findings.record([finding(CheckState.PASS, region="")], after(1)) == Recorded(closed=1)


def test_the_worst_of_several_counts_once(state: State) -> None:
    state.findings.record([finding(CheckState.QUERY, bad=9), finding(), finding(start=after(1), end=after(2))], NOW)
    (standing,) = state.findings.open()
    assert (standing.state, standing.bad, standing.start, standing.end) == (CheckState.FAIL, 4, NOW, after(2))


def rows_of(name: str, *lines: int) -> Finding:
    rows: tuple[dict[str, str | float | None], ...] = tuple(
        {"line": line, "column": "x", "value": math.inf} for line in lines
    )
    bad = len(lines)
    state = CheckState.FAIL if lines else CheckState.PASS
    return Finding("AC-03", state, "hotline", "main", bad=bad, expected=9, rows=rows, batch=name, about_rows=True)


def test_rows_of_batches_add_up_and_a_batch_again_changes_nothing(state: State) -> None:
    for number in (1, 2):
        state.batches.keep(batch(f"b{number}", number * 5), "", NOW)
    for _ in range(2):
        state.findings.record_rows([rows_of("b1", 3, 4)], {"b1"}, (), NOW)
        state.findings.record_rows([rows_of("b2", 1)], {"b2"}, (), after(1))
    (standing,) = state.findings.open()
    assert (standing.bad, standing.expected) == (3, 18)
    (first,) = state.findings.during(Interval(after(5), after(6)))
    assert [row["line"] for row in first.rows] == [3, 4]
    assert first.finding().rows[0]["value"] is None
    (both,) = state.findings.during(Interval(after(5), after(11)))
    assert [row["line"] for row in both.rows] == [3, 4, 1]
    assert state.findings.during(Interval(NOW, after(5))) == []


def test_a_round_takes_as_few_statements_for_many_findings_as_for_few(state: State) -> None:
    told: list[str] = []
    event.listen(
        state.findings._engine, "before_cursor_execute", lambda _conn, _cursor, statement, *_: told.append(statement)
    )
    counts = []
    for many in (2, 200):
        for step in (0, 1):
            round_ = [finding(region=f"{many}-{at}", bad=step) for at in range(many * step // 2, many)]
            passed = [finding(CheckState.PASS, region=f"{many}-{at}", end=after(1)) for at in range(many * step // 2)]
            told.clear()
            state.findings.record([*round_, *passed, finding(region=f"{many}-new-{step}")], after(step))
            counts.append(len([one for one in told if not one.startswith(("BEGIN", "COMMIT"))]))
    assert counts[0] == counts[2] <= 4
    assert counts[1] == counts[3] <= 7


def test_a_rule_without_a_severity_is_refused(state: State) -> None:
    with pytest.raises(UnknownRule, match="XX-99"):
        state.findings.record([finding(), finding(rule="XX-99")], NOW)
    assert state.findings.open() == []


def test_the_last_word_on_every_rule_is_kept_for_the_score(state: State) -> None:
    findings = state.findings
    long = [finding(CheckState.PASS, region="", end=after(30)), finding(region="120000", end=after(30))]
    findings.record(long, NOW)
    findings.record([finding(CheckState.PASS, region="")], after(1))
    assert findings.recent_checks() == long
    short = [finding(CheckState.PASS, region="")]
    findings.record(short, after(9))
    assert findings.recent_checks() == short
    findings.record_rows([rows_of("b1", 1)], {"b1"}, (), after(10))
    assert findings.recent_checks() == short, "one batch is no look at a span"


# Users


def test_a_password_is_checked_and_never_kept(state: State) -> None:
    users = state.users
    users.put("li", "correct horse", "manager", NOW, "110000")
    user = users.verify("li", "correct horse")
    assert user is not None
    assert (user.name, user.role, user.region, user.created_at) == ("li", "manager", "110000", NOW)
    assert "correct" not in user.password_hash
    assert user.password_hash not in repr(user)
    assert users.verify("li", "wrong") is None
    assert users.verify("nobody", "") is None
    users.put("li", "new password", "manager", NOW, "110000")
    assert users.verify("li", "correct horse") is None


def test_a_disabled_account_stays_on_the_list(state: State) -> None:
    state.users.put("li", "x", "manager", NOW)
    state.users.disable("li")
    assert state.users.verify("li", "x") is None
    assert state.users.find("li") is None
    assert [(user.name, user.disabled) for user in state.users.all()] == [("li", True)]


def test_the_audit_trail_is_newest_first(state: State) -> None:
    for number in range(3):
        state.users.note(after(number // 2), "li", "sign_in", str(number))
    assert [deed.detail for deed in state.users.trail(2)] == ["2", "1"]


# Tokens


def test_a_token_is_found_by_what_is_shown_which_is_kept_nowhere(state: State) -> None:
    token, shown = state.tokens.add("billing", "executive", "100000", NOW, after(60))
    assert state.tokens.find(shown) == token
    assert (token.name, token.role, token.region) == ("billing", "executive", "100000")
    assert (token.created_at, token.expires_at, token.revoked_at) == (NOW, after(60), None)
    for other in ("", "wf_", shown[:-1], shown + "x", shown.swapcase(), token.id, "\udcff"):
        assert state.tokens.find(other) is None
    with state.engine.connect() as connection:
        kept = [str(value) for row in connection.execute(text("SELECT * FROM access_token")) for value in row]
    assert shown not in " ".join(kept)
    assert hashlib.sha256(shown.encode()).hexdigest() in kept
    assert len(base64.urlsafe_b64decode(shown.removeprefix("wf_") + "=")) * 8 >= 128


def test_tokens_differ_and_one_that_is_revoked_opens_nothing_more(state: State) -> None:
    made = [state.tokens.add(f"n{number}", "wall", "440000", after(number), after(99)) for number in range(3)]
    assert len({shown for _, shown in made}) == len({token.id for token, _ in made}) == 3
    first, shown = made[0]
    assert state.tokens.revoke(first.id, after(5))
    assert state.tokens.find(shown) is None
    assert state.tokens.find(made[1][1]) == made[1][0]
    assert not state.tokens.revoke(first.id, after(6))
    assert not state.tokens.revoke("nothing", after(6))
    assert [(token.name, token.revoked_at) for token in state.tokens.all()] == [
        ("n0", after(5)),
        ("n1", None),
        ("n2", None),
    ]


# Together


def test_threads_write_at_once_and_nothing_is_lost(state: State) -> None:
    def write(number: int) -> None:
        for step in range(10):
            state.progress.keep_cursor("hotline", f"source-{number}", {"step": step}, NOW)
            state.findings.record([finding(region=str(number), bad=step)], NOW)
            state.users.note(NOW, f"user-{number}", "step", str(step))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(state.users.trail(1000)) == 60
    assert len(state.findings.open()) == 6
    assert all(state.progress.cursor("hotline", f"source-{number}") == {"step": 9} for number in range(6))
