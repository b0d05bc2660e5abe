"""Records that were refused lower the score and stay found until the same records were seen right."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.questions.family import AuditQuestion
from analysis.questions.frames import finding_frame
from collectors import Ask
from config.catalogue import Expectation, Level
from dashboards.panels.quality_summary import kept_aside
from data_quality import BATCH_COLUMNS, OBSERVED_COLUMNS, ROW_CHECK_COLUMNS, Evidence, audit
from data_quality.score import scores
from metrics.findings import CheckState, Finding
from metrics.observations import Interval, Parsed, Payload
from pipeline.dependencies import Dependencies
from pipeline.flow.batches import make_batch
from pipeline.flow.evidence import evidence
from pipeline.flow.judging import judge_clock
from pipeline.flow.refusals import note_refusal
from pipeline.flow.storing import enter
from pipeline.flow.turn import turn
from service import listings
from tests.support.pipeline_world import NOON, Clock, Scripted, feeder, pipeline, receiver_of, row
from tests.support.push_world import body

MINUTE = timedelta(minutes=1)
Rows = list[dict[str, Any]]


def minute(dependencies: Dependencies, at: datetime, refused: int = 0, records: int = 103) -> Rows:
    """Calls offered in some cities in the minute before `at`; of the first few the number is no number."""
    cities = dependencies.catalogue.at_level(Level.CITY)[:records]
    return [row("contacts", city, 5, at) | ({"value": "many"} if n < refused else {}) for n, city in enumerate(cities)]


def deliver(dependencies: Dependencies, clock: Clock, *deliveries: Rows) -> None:
    """A turn with each delivery, then the audit of the clock, ten seconds apart."""
    for delivery in deliveries:
        turn(dependencies, feeder(dependencies, collector=Scripted(dependencies, [delivery])))
        clock.now += timedelta(seconds=10)
        judge_clock(dependencies)


def good_minutes(dependencies: Dependencies, clock: Clock, number: int) -> None:
    """So many further minutes without a fault."""
    for _ in range(number):
        clock.now = clock.now.replace(second=0) + MINUTE
        deliver(dependencies, clock, minute(dependencies, clock.now))


def score(dependencies: Dependencies, kind: str, key: str, dimension: str) -> tuple[float, float]:
    frame = scores(dependencies.state.findings.recent_checks(), dependencies.catalogue)
    [found] = frame[(frame["kind"] == kind) & (frame["key"] == key) & (frame["dimension"] == dimension)].itertuples()
    return found.score, found.coverage


def refusals(dependencies: Dependencies, rule: str = "TY-01") -> list[tuple[int, int]]:
    """Records refused and read, of the findings of a rule about source rows that are open."""
    return [(one.bad, one.expected) for one in dependencies.state.findings.open() if one.rule == rule and one.batch]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dependencies(tmp_path: Path, clock: Clock) -> Iterator[Dependencies]:
    with pipeline(tmp_path, clock) as opened:
        yield opened


def test_a_batch_that_is_mostly_refused_stays_found_and_lowers_the_score(
    dependencies: Dependencies, clock: Clock
) -> None:
    good_minutes(dependencies, clock, 2)
    before, _ = score(dependencies, "source", "desk/counts", "accuracy")
    assert before == 100.0
    clock.now = clock.now.replace(second=0) + MINUTE
    deliver(dependencies, clock, minute(dependencies, clock.now, refused=100))
    for further in (0, 5):
        good_minutes(dependencies, clock, further)
        assert refusals(dependencies) == [(100, 103)]
        for kind, key in (("source", "desk/counts"), ("nation", "100000"), ("province", "440000")):
            value, coverage = score(dependencies, kind, key, "accuracy")
            assert value < 97, "a major issue takes three points, the refused records the rest"
            assert 0.95 <= coverage <= 1.0
            assert score(dependencies, kind, key, "total")[0] < 100


def test_it_is_still_found_when_the_audit_has_long_left_the_batch_behind(
    dependencies: Dependencies, clock: Clock
) -> None:
    deliver(dependencies, clock, minute(dependencies, clock.now, refused=100))
    clock.now += timedelta(hours=7)
    good_minutes(dependencies, clock, 1)
    assert refusals(dependencies) == [(100, 103)]
    [found] = [one for one in dependencies.state.findings.open() if one.batch]
    assert (found.start, found.end) == (NOON - MINUTE, NOON)
    assert score(dependencies, "source", "desk/counts", "accuracy") == (100.0, 1.0), "the score is of the present"


def test_refusals_under_one_rule_cost_their_own_dimension_and_hide_the_records_from_the_others(
    dependencies: Dependencies, clock: Clock
) -> None:
    deliver(dependencies, clock, minute(dependencies, clock.now, refused=10))
    told = {
        (one.rule, one.state): (one.bad, one.expected, one.facts.get("blocked", 0), one.facts.get("root"))
        for one in dependencies.state.findings.recent_checks()
        if one.about_rows and one.channel == "desk"
    }
    accuracy = dict.fromkeys(("TY-02", "TY-03", "AC-01", "AC-02"), (0, 93, 0, None))
    assert told == {
        ("TY-01", CheckState.FAIL): (10, 103, 0, None),
        **{(rule, CheckState.PASS): numbers for rule, numbers in accuracy.items()},
        ("CP-03", CheckState.PASS): (0, 93, 10, "TY-01"),
    }
    assert score(dependencies, "source", "desk/counts", "accuracy")[1] == 1.0
    assert score(dependencies, "source", "desk/counts", "completeness")[1] < 1.0


def test_the_same_minute_sent_again_whole_and_right_ends_it(dependencies: Dependencies, clock: Clock) -> None:
    at = clock.now
    deliver(dependencies, clock, minute(dependencies, at, refused=100))
    lowered, _ = score(dependencies, "source", "desk/counts", "accuracy")
    deliver(dependencies, clock, minute(dependencies, at, records=50))
    assert refusals(dependencies) == [(100, 103)], "half of them leaves out nobody knows which"
    deliver(dependencies, clock, minute(dependencies, at, refused=2))
    assert refusals(dependencies) == [(2, 103)], "the newer one is wrong in its own way"
    deliver(dependencies, clock, minute(dependencies, at))
    assert refusals(dependencies) == []
    assert score(dependencies, "source", "desk/counts", "accuracy")[0] == 100.0 > lowered


def test_the_older_body_that_comes_once_more_opens_nothing(dependencies: Dependencies, clock: Clock) -> None:
    at = clock.now
    desk = receiver_of(dependencies.catalogue)
    payload = Payload(body(*minute(dependencies, at, refused=5)), at, Interval(at, at), "push", {})
    older = make_batch(desk, Ask(Interval(at, at), {}, at), payload, desk.collector.parse(payload))
    enter(dependencies, [(desk, older)])
    assert refusals(dependencies) == [(5, 103)]
    clock.now += timedelta(seconds=10)
    deliver(dependencies, clock, minute(dependencies, at))
    assert refusals(dependencies) == []
    enter(dependencies, [(desk, older)])
    assert refusals(dependencies) == []


def test_what_the_door_refused_lowers_the_score_until_the_body_comes_right(
    dependencies: Dependencies, clock: Clock
) -> None:
    at, desk = clock.now, receiver_of(dependencies.catalogue)
    good_minutes(dependencies, clock, 1)
    payload = Payload(body(*minute(dependencies, at, refused=100)), clock.now, Interval(at, at), "push", {})
    note_refusal(dependencies, desk, payload, desk.collector.parse(payload), None)
    judge_clock(dependencies)
    assert refusals(dependencies) == [(100, 103)]
    assert score(dependencies, "source", "desk/counts", "accuracy")[0] < 97
    clock.now += timedelta(seconds=10)
    deliver(dependencies, clock, minute(dependencies, at))
    assert refusals(dependencies) == []
    assert score(dependencies, "source", "desk/counts", "accuracy")[0] == 100.0


def test_whoever_is_killed_before_the_finding_is_noted_notes_it_when_the_batch_comes_again(
    dependencies: Dependencies, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Stands for SIGKILL: nothing catches it."""

    def die(*_: object) -> None:
        raise Killed

    rows = minute(dependencies, clock.now, refused=7)
    with monkeypatch.context() as killed:
        killed.setattr(dependencies.state.findings, "record_rows", die)
        with pytest.raises(Killed):
            turn(dependencies, feeder(dependencies, collector=Scripted(dependencies, [rows])))
    assert refusals(dependencies) == []
    deliver(dependencies, clock, rows)
    assert refusals(dependencies) == [(7, 103)]


def test_rows_that_are_not_as_expected_lower_the_score_too(dependencies: Dependencies, clock: Clock) -> None:
    says = {"say": {"zh": "未知", "en": "unknown"}, "rule": "AC-02", "column": "kind", "must": "be_one_of"}
    expects = [Expectation.model_validate({**says, "values": ["call"]})]

    class WithRows(Scripted):
        def parse(self, payload: Payload) -> Parsed:
            kinds = ["call"] * 90 + ["letter"] * 10
            rows = pd.DataFrame({"line": range(1, 101), "kind": kinds})
            return replace(super().parse(payload), rows=rows)

    desk = feeder(dependencies, collector=WithRows(dependencies, [minute(dependencies, clock.now)]))
    turn(dependencies, replace(desk, source=desk.source.model_copy(update={"expects": tuple(expects)})))
    clock.now += timedelta(seconds=10)
    judge_clock(dependencies)
    [found] = [one for one in dependencies.state.findings.recent_checks() if one.measure == "kind"]
    assert (found.rule, found.state, found.bad, found.expected) == ("AC-02", CheckState.FAIL, 10, 100)
    assert score(dependencies, "source", "desk/counts", "accuracy")[0] < 97
    assert refusals(dependencies, "AC-02") == [(10, 100)]


def test_the_report_and_the_live_audit_tell_the_same_of_every_span(dependencies: Dependencies, clock: Clock) -> None:
    deliver(dependencies, clock, minute(dependencies, clock.now, refused=4))
    good_minutes(dependencies, clock, 2)
    at = clock.now = clock.now.replace(second=0) + MINUTE
    wrong = [row("contacts", "999999", 1, at), row("contacts", "x", 1, at)]
    for refused in (3, 2):  # the second body takes the place of the first
        deliver(dependencies, clock, minute(dependencies, at, refused) + wrong)
    for first, last, ty, ac in ((-1, 3, 6, 2), (-1, 0, 4, 0), (0, 2, 0, 0), (2, 3, 2, 2), (5, 9, 0, 0)):
        span = Interval(NOON + first * MINUTE, NOON + last * MINUTE)
        live = Counter({one.rule: one.bad for one in audit(evidence(dependencies, span)) if one.about_rows and one.bad})
        told = [
            one
            for one in listings.audit(dependencies, AuditQuestion(span, "en")).rows()
            if one["rows"] and "code" in one["rows"][0]
        ]
        assert live == Counter({one["rule"]: one["bad"] for one in told}) == +Counter({"TY-01": ty, "AC-02": ac})
        assert all(len(one["rows"]) == one["bad"] for one in told)
        assert len(told) == len({(one["rule"], one["source"]) for one in told})


def test_what_is_kept_aside_counts_refused_records_and_no_figures(dependencies: Dependencies, clock: Clock) -> None:
    deliver(dependencies, clock, minute(dependencies, clock.now, refused=3))
    uneven = Finding("TY-01", CheckState.FAIL, "desk", "counts", "440000", "offered", NOON - MINUTE, NOON, 9, 9)
    dependencies.state.findings.record([uneven], clock.now)
    found = dependencies.state.findings.open()
    assert sorted(one.bad for one in found if one.rule == "TY-01") == [3, 9]
    assert kept_aside(finding_frame(found)) == 3
    assert kept_aside(finding_frame([])) == 0
    assert kept_aside(finding_frame([one for one in found if not one.batch])) == 0


# What the audit may see is what the pipeline fills


def test_every_field_of_the_evidence_is_filled_by_the_pipeline(dependencies: Dependencies, clock: Clock) -> None:
    for one in fields(Evidence):
        assert one.default is one.default_factory is MISSING, f"{one.name} may be left to tests"
    deliver(dependencies, clock, minute(dependencies, clock.now, refused=3))
    span = Interval(NOON - MINUTE, NOON)
    seen = evidence(dependencies, span, ("desk",))
    assert (seen.interval, seen.channels, seen.now) == (span, ("desk",), clock.now)
    assert (len(seen.observations), len(seen.batches), len(seen.row_checks)) == (100, 1, 1)
    assert seen.asked_since["desk", "counts"] == NOON
    assert list(seen.row_checks.columns) == list(ROW_CHECK_COLUMNS)
    assert list(seen.batches.columns) == list(BATCH_COLUMNS)
    assert set(OBSERVED_COLUMNS) <= set(seen.observations.columns)
    nothing = evidence(dependencies, Interval(NOON - 9 * MINUTE, NOON - 8 * MINUTE))
    for name in ("observations", "batches", "row_checks"):
        full, bare = getattr(seen, name), getattr(nothing, name)
        assert bare.empty
        assert list(bare.columns) == list(full.columns)
