"""What state remembers of a span of the past, on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.loading import load
from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Interval, Parsed, Payload, SourceFault
from store.state import State, open_state
from tests.support.real_postgres import schema_of

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
RULES = load().rules
Stretch = tuple[int, int]


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def span(start: int, end: int) -> Interval:
    return Interval(after(start), after(end))


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    url = f"sqlite:///{tmp_path}/state.sqlite"
    if request.param == "postgresql":
        url = schema_of(tmp_path).replace("postgresql://", "postgresql+psycopg://")
    opened = open_state(url, RULES)
    yield opened
    opened.close()


def keep(
    state: State, start: int, end: int, came: int = 100, *, channel: str = "desk", fault: bool = False, rows: int = 0
) -> Batch:
    """A batch about some minutes that came at one."""
    window, name = span(start, end), f"{channel} {start} {end} {came}"
    payload = Payload(b"", after(came), window, "test", {})
    error = SourceFault("timeout", "no answer") if fault else None
    parsed = None if fault else Parsed({})
    batch = Batch(name, channel, "counts", window, after(came), "digest", payload, parsed, error)
    state.batches.keep(batch, "", after(came))
    return batch


def covered(state: State, *channels: str, known_at: int | None = None) -> dict[str, list[Stretch]]:
    known = None if known_at is None else after(known_at)
    found = state.past.covered(span(0, 60), channels or ("desk", "chat"), known)
    return {
        channel: [(minute(start), minute(end)) for start, end in stretches] for (channel, _), stretches in found.items()
    }


def minute(edge: datetime) -> int:
    return round((edge - NOW).total_seconds() / 60)


def test_windows_that_meet_or_overlap_are_one_stretch(state: State) -> None:
    for start, end in ((10, 20), (0, 10), (5, 7), (20, 30), (40, 50), (42, 43), (45, 52)):
        keep(state, start, end)
    keep(state, 0, 1, channel="chat")
    assert covered(state) == {"desk": [(0, 30), (40, 52)], "chat": [(0, 1)]}
    assert covered(state, "chat") == {"chat": [(0, 1)]}


def test_only_what_could_be_read_covers_and_only_about_the_span(state: State) -> None:
    keep(state, 0, 10)
    keep(state, 10, 20, fault=True)
    keep(state, -10, 0)
    keep(state, 60, 70)
    keep(state, 55, 65)
    assert covered(state) == {"desk": [(0, 10), (55, 65)]}


def test_a_window_inside_another_makes_no_gap(state: State) -> None:
    keep(state, 0, 50)
    keep(state, 10, 11)
    keep(state, 30, 31)
    keep(state, 51, 60)
    assert covered(state) == {"desk": [(0, 50), (51, 60)]}


def test_what_had_not_come_by_then_did_not_cover(state: State) -> None:
    keep(state, 0, 10, 11)
    keep(state, 10, 20, 21)
    assert covered(state, known_at=20) == {"desk": [(0, 10)]}
    assert covered(state, known_at=21) == {"desk": [(0, 20)]}


def test_it_is_told_since_when_sources_are_asked_as_far_as_that_is_remembered(state: State) -> None:
    assert state.past.asked() == {}
    keep(state, 0, 1, 5)
    keep(state, 1, 2, 7, fault=True)
    keep(state, 0, 1, 9, channel="chat", fault=True)
    assert state.past.asked() == {("desk", "counts"): after(5), ("chat", "counts"): after(9)}
    state.batches.forget(after(6))
    assert state.past.asked() == {("desk", "counts"): after(7), ("chat", "counts"): after(9)}


def test_what_is_recorded_changes_with_every_batch_about_the_span_and_with_no_other(state: State) -> None:
    empty = state.past.recorded(span(0, 60), ["desk"])
    keep(state, 60, 70)
    keep(state, 0, 10, channel="chat")
    assert state.past.recorded(span(0, 60), ["desk"]) == empty == (0, None)
    keep(state, 59, 61, 200)
    assert state.past.recorded(span(0, 60), ["desk"]) == (1, after(200))
    keep(state, 0, 1, 100)
    assert state.past.recorded(span(0, 60), ["desk"]) == (2, after(200))


def finding(start: int | None, end: int | None, **told: Any) -> Finding:
    known: dict[str, Any] = {"rule": "AC-03", "state": CheckState.FAIL, "channel": "desk", "source": "counts"}
    moments = {name: None if at is None else after(at) for name, at in (("start", start), ("end", end))}
    return Finding(**{**known, **moments, "bad": 1, "expected": 4, **told})


def passed(start: int, end: int, **told: Any) -> Finding:
    return finding(start, end, state=CheckState.PASS, bad=0, **told)


def about(state: State, start: int, end: int, known_at: int | None = None) -> list[tuple[str, datetime, datetime]]:
    found = state.past.findings(span(start, end), None if known_at is None else after(known_at))
    return [(one.rule, one.start or NOW, one.end or NOW) for one in found]


def test_a_finding_about_figures_is_about_all_the_time_over_which_it_lasted(state: State) -> None:
    state.findings.record([finding(0, 10)], after(10))
    state.findings.record([finding(20, 30)], after(30))
    assert about(state, 12, 15) == [("AC-03", after(0), after(30))]
    assert about(state, 29, 40) == [("AC-03", after(0), after(30))]
    assert about(state, 30, 40) == about(state, -10, 0) == []


def test_one_that_became_history_still_is_about_its_time_and_one_that_was_seen_right_is_not(state: State) -> None:
    state.findings.record([finding(0, 10, region="440000"), finding(0, 10, rule="AC-01")], after(10))
    state.findings.record([passed(0, 10, rule="AC-01")], after(20))
    state.findings.record([passed(40, 70, facts={"clean": "440000"})], after(70))
    assert state.findings.open() == []
    assert about(state, 0, 60) == [("AC-03", after(0), after(10))]


def test_of_several_measures_all_must_be_seen_right(state: State) -> None:
    both = {"facts": {"measures": "offered,answered"}}
    state.findings.record([finding(0, 10, **both)], after(10))
    state.findings.record([passed(0, 10, measure="offered")], after(20))
    assert about(state, 0, 60) == [("AC-03", after(0), after(10))]
    state.findings.record([passed(0, 10, measure="offered"), passed(0, 10, measure="answered")], after(30))
    assert state.findings.open() == []
    assert about(state, 0, 60) == []


def test_what_was_known_at_an_instant_is_what_was_open_then(state: State) -> None:
    state.findings.record([finding(0, 10)], after(10))
    state.findings.record([passed(0, 10)], after(20))
    assert about(state, 0, 60, known_at=9) == []
    assert about(state, 0, 60, known_at=10) == about(state, 0, 60, known_at=19) == [("AC-03", after(0), after(10))]
    assert about(state, 0, 60, known_at=20) == about(state, 0, 60) == []


def test_rows_of_batches_are_about_the_windows_of_their_batches(state: State) -> None:
    batches = [keep(state, 0, 10), keep(state, 20, 30)]
    rows = [
        finding(None, None, rule="AC-02", batch=batch.id, bad=bad, expected=10)
        for batch, bad in zip(batches, (1, 4), strict=True)
    ]
    state.findings.record_rows(rows, [batch.id for batch in batches], [], after(30))
    [first] = state.past.findings(span(5, 15))
    assert (first.start, first.end, first.bad, first.expected) == (after(0), after(10), 1, 10)
    [both] = state.past.findings(span(0, 60))
    assert (both.start, both.end, both.bad, both.expected) == (after(0), after(30), 5, 20)
    assert state.past.findings(span(12, 18)) == []
    state.findings.record_rows([], [batches[0].id], [], after(40))
    assert state.past.findings(span(5, 15)) == []


def test_what_names_no_time_is_about_that_in_which_it_was_open(state: State) -> None:
    state.findings.record([finding(None, None, rule="CP-01")], after(10))
    assert about(state, 0, 5) == about(state, 0, 10) == []
    assert about(state, 5, 15) == [("CP-01", after(10), after(15))]
    state.findings.record([passed(0, 60, rule="CP-01")], after(20))
    assert about(state, 30, 40) == []


def test_the_worst_come_first_then_the_oldest(state: State) -> None:
    state.findings.record([finding(0, 10, rule="AC-04"), finding(0, 10, rule="AC-03")], after(10))
    state.findings.record([finding(0, 10, rule="CP-01"), finding(0, 10, rule="AC-01")], after(11))
    severities = [RULES.rules[rule].severity for rule, *_ in about(state, 0, 60)]
    assert severities == ["blocker", "major", "major", "minor"]
    assert [rule for rule, *_ in about(state, 0, 60)][1:3] == ["AC-03", "AC-01"]


def test_rows_a_second_are_those_that_came_lately(state: State) -> None:
    assert state.past.rows_a_second(["desk"], after(0)) == 0.0
    keep(state, 0, 20, 20)
    with state.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE batch SET rows = 1200")
    keep(state, 20, 25, 25, fault=True)
    assert state.past.rows_a_second(["desk"], after(30)) == 1.0
    assert state.past.rows_a_second(["chat"], after(30)) == 0.0
    assert state.past.rows_a_second(["desk"], after(2000)) == 0.0


def test_the_first_push_after_a_start_does_not_make_every_question_too_much(state: State) -> None:
    """It brings hours of figures in one moment, which is all that its batch says to cover."""
    keep(state, 0, 0, 0)
    with state.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE batch SET rows = 300000")
    assert state.past.rows_a_second(["desk"], after(1)) < 1000
