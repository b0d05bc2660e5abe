"""What ends a finding and what does not: what is open, what a round says, and whether it is over then."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from config.catalogue import RuleBook
from config.settings import ROOT
from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Interval, Parsed, Reject, SourceFault
from store.state import State, open_state
from store.state.batches import BatchRecord, replaced
from store.state.findings import Recorded

RULES = RuleBook.model_validate(yaml.safe_load((ROOT / "config" / "rules.yaml").read_text(encoding="utf-8")))
NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
FOUND, LATER = NOW + timedelta(minutes=2), NOW + timedelta(hours=2)
HERE, ELSEWHERE = "110000", "120000"
PASS, FAIL, QUERY, ERROR, BLOCKED, NA = (
    CheckState.PASS, CheckState.FAIL, CheckState.QUERY, CheckState.ERROR, CheckState.BLOCKED, CheckState.NA
)  # fmt: skip
MINUTE, HALF_HOUR = (0, 1), (-10, 20)
BOTH = {"measures": "offered,answered"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    folder: Path = tmp_path_factory.mktemp("state")
    opened = open_state(f"sqlite:///{folder}/state.sqlite", RULES)
    yield opened
    opened.close()


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def said(state: CheckState, span: tuple[float, float] | None = MINUTE, **more: Any) -> Finding:
    """What a check said; a failure of calls offered in one province at 16:00, if nothing else is named."""
    times = {} if span is None else {"start": at(span[0]), "end": at(span[1])}
    plain = {"rule": "AC-03", "channel": "", "source": "main", "region": HERE, "measure": "offered"}
    return Finding(**{**plain, **times, "bad": 2, "expected": 9, **more, "state": state})


def passed(span: tuple[float, float] = MINUTE, **more: Any) -> Finding:
    """What the audit says of a measure that passed: once for all places."""
    return said(PASS, span, **{"region": "", "bad": 0, **more})


FAILED = said(FAIL)
OF_SOURCE = said(FAIL, region="", measure="")
OF_BOTH = said(FAIL, measure="", facts=BOTH)
BROKEN = said(ERROR, source="", region="", measure="")
BOTH_PASS = [passed(), passed(measure="answered")]

FIGURES: dict[str, tuple[Finding, list[Finding], bool]] = {
    "the same look passes": (FAILED, [passed()], True),
    "a longer look that holds it passes": (FAILED, [passed(HALF_HOUR)], True),
    "what may stand passes": (said(QUERY), [passed()], True),
    "nothing is said": (FAILED, [], False),
    "it sees nothing": (FAILED, [said(NA, None)], False),
    "it fails again": (FAILED, [FAILED], False),
    "another place fails": (FAILED, [said(FAIL, region=ELSEWHERE)], False),
    # Whose pass it is
    "another rule passes": (FAILED, [passed(rule="AC-05")], False),
    "another channel passes": (FAILED, [passed(channel="another")], False),
    "another source passes": (FAILED, [passed(source="other")], False),
    "what came from nobody known passes": (FAILED, [passed(source="")], False),
    "another measure passes": (FAILED, [passed(measure="answered")], False),
    "the source itself passes": (FAILED, [passed(measure="")], False),
    "another place passes by name": (FAILED, [passed(region=ELSEWHERE)], False),
    "the place passes by name": (FAILED, [passed(region=HERE)], True),
    "the rows of a source pass": (FAILED, [passed(about_rows=True)], False),
    # Where it has looked
    "it is clean here": (FAILED, [passed(facts={"clean": f"{ELSEWHERE},{HERE}"})], True),
    "nothing is here any more": (FAILED, [passed(facts={"clean": ELSEWHERE})], True),
    "some here is wrong still, though few enough": (FAILED, [passed(facts={"unclear": HERE})], False),
    "some elsewhere is wrong": (FAILED, [passed(facts={"unclear": ELSEWHERE})], True),
    # When it has looked
    "a look before": (FAILED, [passed((-9, 0))], False),
    "a look at a part": (said(FAIL, (0, 5)), [passed((0, 4))], False),
    "a look at the end": (said(FAIL, (0, 5)), [passed((1, 5))], False),
    "a short look after, clean here": (FAILED, [passed((5, 19), facts={"clean": HERE})], False),
    "a long look after, clean here": (FAILED, [passed((5, 20), facts={"clean": HERE})], True),
    "a long look after that says no place": (FAILED, [passed((5, 20))], False),
    "a long look after, nothing from here": (FAILED, [passed((5, 20), facts={"clean": ELSEWHERE})], False),
    "a long look after, few enough wrong": (FAILED, [passed((1, 20), facts={"unclear": HERE})], True),
    "a long look over it, few enough wrong": (said(FAIL, (0, 5)), [passed((4, 20), facts={"unclear": HERE})], False),
    "a long look over its end, clean here": (said(FAIL, (0, 5)), [passed((4, 20), facts={"clean": HERE})], True),
    "a long look that ends before": (said(FAIL, (0, 5)), [passed((-30, 4), facts={"clean": HERE})], False),
    "a look of no time": (FAILED, [said(PASS, None, region="")], False),
    # What could not be judged
    "the rule breaks": (FAILED, [passed(), BROKEN], False),
    "it is blocked here": (FAILED, [passed(), said(BLOCKED)], False),
    "it is blocked everywhere": (FAILED, [passed(), said(BLOCKED, region="")], False),
    "it is blocked for the whole source": (FAILED, [passed(), said(BLOCKED, region="", measure="")], False),
    "it is blocked elsewhere": (FAILED, [passed(), said(BLOCKED, region=ELSEWHERE)], True),
    "another measure is blocked": (FAILED, [passed(), said(BLOCKED, measure="answered")], True),
    "another source is blocked": (FAILED, [passed(), said(BLOCKED, source="other")], True),
    "another rule is blocked": (FAILED, [passed(), said(BLOCKED, rule="AC-05")], True),
    "rows are blocked": (FAILED, [passed(), said(BLOCKED, region="", measure="", about_rows=True)], True),
    # Several measures in one finding
    "one of two measures passes": (OF_BOTH, [passed()], False),
    "both measures pass": (OF_BOTH, BOTH_PASS, True),
    "one passes, one is blocked": (OF_BOTH, [*BOTH_PASS, said(BLOCKED, measure="answered")], False),
    "one passes, one goes on alone": (OF_BOTH, [passed(), said(FAIL, measure="answered")], True),
    "one passes, one fails elsewhere": (OF_BOTH, [passed(), said(FAIL, measure="answered", region=ELSEWHERE)], False),
    "one passes, one fails in another source": (OF_BOTH, [passed(), said(FAIL, measure="answered", source="x")], False),
    "it goes on together with another": (FAILED, [OF_BOTH], True),
    "the source itself passes, of two measures": (OF_BOTH, [passed(measure="")], False),
    # About a source
    "the source passes": (OF_SOURCE, [passed(measure="")], True),
    "a measure of the source passes": (OF_SOURCE, [passed()], False),
    "another source passes as a whole": (OF_SOURCE, [passed(measure="", source="other")], False),
    "the source is wrong still, though seldom enough": (OF_SOURCE, [passed(measure="", facts={"unclear": ""})], False),
    "a long look after finds the source well": (OF_SOURCE, [passed((5, 20), measure="", facts={"clean": ""})], True),
    "a province of the source is blocked": (OF_SOURCE, [passed(measure=""), said(BLOCKED, measure="")], False),
    "the rows of the source pass": (OF_SOURCE, [passed(measure="", about_rows=True)], False),
    # A rule that broke
    "the rule runs on the same": (BROKEN, [passed()], True),
    "the rule runs on another minute": (BROKEN, [passed((1, 2))], False),
    "the rule runs on a long time after": (BROKEN, [passed((5, 20))], True),
    "the rule sees nothing": (BROKEN, [said(NA, None)], False),
    "the rule breaks again": (BROKEN, [passed(), BROKEN], False),
    "another rule runs": (BROKEN, [passed(rule="AC-05")], False),
}  # fmt: skip


@pytest.mark.parametrize("case", FIGURES)
def test_a_finding_about_figures_ends_only_when_what_was_bad_is_seen_right(state: State, case: str) -> None:
    found, round_, closes = FIGURES[case]
    state.findings.record([found._replace(channel=case)], FOUND)
    state.findings.record([one._replace(channel=one.channel or case) for one in round_], LATER)
    still = [one for one in state.findings.open() if one.channel == case and one.key[2:] == found.key[2:]]
    assert bool(still) is not closes


def test_a_look_that_was_begun_before_something_was_found_does_not_end_it(state: State) -> None:
    channel = "begun before"
    state.findings.record([said(FAIL, channel=channel)], at(3))
    assert state.findings.record([passed(channel=channel)], at(2.9)) == Recorded()
    assert state.findings.record([passed(channel=channel)], at(3)) == Recorded(closed=1)


# Rows of batches


def rows(state: CheckState, batch: str = "b1", bad: int = 2, rule: str = "TY-01", **more: Any) -> Finding:
    """What a rule says of the rows of a batch."""
    plain = {"channel": "", "source": "main", "start": at(0), "end": at(1), "expected": 9, "batch": batch}
    return Finding(rule, state, **{**plain, "bad": bad if state is FAIL else 0, "about_rows": True, **more})


ROWS: dict[str, tuple[list[Finding], list[Finding], set[str], set[str], int]] = {
    # case: what is open, what the rows of a round show, the batches looked at, those replaced, records wrong after
    "the same batch is right": ([rows(FAIL)], [rows(PASS)], {"b1"}, set(), 0),
    "the same batch says nothing of it any more": ([rows(FAIL)], [], {"b1"}, set(), 0),
    "the same batch breaks another rule": ([rows(FAIL)], [rows(FAIL, rule="AC-02")], {"b1"}, set(), 0),
    "the same batch is wrong in fewer records": ([rows(FAIL)], [rows(FAIL, bad=1)], {"b1"}, set(), 1),
    "the same batch cannot be checked": ([rows(FAIL)], [rows(ERROR)], {"b1"}, set(), 2),
    "another batch is right": ([rows(FAIL)], [rows(PASS, "b2")], {"b2"}, set(), 2),
    "another batch says nothing": ([rows(FAIL)], [], {"b2"}, set(), 2),
    "another batch is wrong too": ([rows(FAIL)], [rows(FAIL, "b2")], {"b2"}, set(), 4),
    "another batch replaces it and is right": ([rows(FAIL)], [rows(PASS, "b2")], {"b2"}, {"b1"}, 0),
    "another batch replaces it and is wrong": ([rows(FAIL)], [rows(FAIL, "b2", 1)], {"b2"}, {"b1"}, 1),
    "one of two batches is right": ([rows(FAIL), rows(FAIL, "b2", 3)], [], {"b1"}, set(), 3),
    "both batches are right": ([rows(FAIL), rows(FAIL, "b2", 3)], [], {"b1", "b2"}, set(), 0),
    "one of two batches is replaced": ([rows(FAIL), rows(FAIL, "b2", 3)], [], {"b3"}, {"b2"}, 2),
    "a batch that is replaced already comes again": ([rows(FAIL, "b2")], [rows(FAIL)], {"b1"}, {"b1"}, 2),
    "a column is right, another is not": (
        [rows(FAIL, measure="x"), rows(FAIL, measure="y")],
        [rows(PASS, measure="x"), rows(FAIL, measure="y")],
        {"b1"},
        set(),
        2,
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_finding_about_rows_ends_only_when_the_same_rows_are_seen_right(state: State, case: str) -> None:
    found, round_, looked_at, gone, wrong = ROWS[case]

    def record(findings: list[Finding], batches: set[str], replaced: set[str], now: datetime) -> None:
        named = [one._replace(channel=case, batch=f"{case} {one.batch}") for one in findings]
        known, over = ({f"{case} {batch}" for batch in names} for names in (batches, replaced))
        state.findings.record_rows(named, known, over, now)

    record(found, {one.batch for one in found}, set(), FOUND)
    record(round_, looked_at, gone, LATER)
    rules = {one.rule for one in found}
    assert sum(one.bad for one in state.findings.open() if one.channel == case and one.rule in rules) == wrong


@pytest.mark.parametrize(
    "look", [passed(HALF_HOUR), passed((5, 60), facts={"clean": ""}), rows(PASS, ""), rows(PASS, "", measure="")]
)
def test_no_look_at_figures_or_at_other_rows_ends_a_finding_about_rows(state: State, look: Finding) -> None:
    channel = f"{look}"
    state.findings.record_rows([rows(FAIL, channel, channel=channel)], {channel}, (), FOUND)
    for measure in ("", "offered"):
        state.findings.record([look._replace(rule="TY-01", channel=channel, measure=measure)], LATER)
    assert [one.bad for one in state.findings.open() if one.channel == channel] == [2]


def test_the_span_of_a_finding_about_rows_is_that_of_the_batches_that_are_still_wrong(state: State) -> None:
    channel = "spans"
    first, second = rows(FAIL, "s1", channel=channel), rows(FAIL, "s2", 3, channel=channel, start=at(7), end=at(8))
    state.findings.record_rows([first, second], {"s1", "s2"}, (), FOUND)
    [whole] = [one for one in state.findings.open() if one.channel == channel]
    assert (whole.start, whole.end, whole.bad, whole.expected) == (at(0), at(8), 5, 18)
    state.findings.record_rows([], {"s1"}, (), LATER)
    [rest] = [one for one in state.findings.open() if one.channel == channel]
    assert (rest.start, rest.end, rest.bad, rest.expected) == (at(7), at(8), 3, 9)
    shown = [one for one in state.findings.during(Interval(at(0), at(9))) if one.channel == channel]
    assert [(one.start, one.bad) for one in shown] == [(at(7), 3)]


def test_a_check_of_rows_that_could_not_run_is_over_when_it_runs_on_any_batch(state: State) -> None:
    channel = "could not run"
    broken = [rows(ERROR, f"e{number}", channel=channel, measure="x") for number in range(2)]
    state.findings.record_rows(broken, {"e0", "e1"}, (), FOUND)
    assert state.findings.record_rows([], {"e0"}, (), FOUND) == Recorded(), "the other could not be checked either"
    assert state.findings.record_rows([], {"e2"}, (), LATER) == Recorded()
    ran = rows(PASS, "e2", channel=channel, measure="x")
    assert state.findings.record_rows([ran._replace(measure="y")], {"e2"}, (), LATER) == Recorded()
    assert state.findings.record_rows([ran], {"e2"}, (), LATER) == Recorded(closed=1)


def test_a_check_that_could_not_run_and_then_fails_is_one_finding_that_failed(state: State) -> None:
    channel = "ran and failed"
    state.findings.record_rows([rows(ERROR, "f0", channel=channel)], {"f0"}, (), FOUND)
    state.findings.record_rows([rows(FAIL, "f1", channel=channel)], {"f1"}, (), LATER)
    [found] = [one for one in state.findings.open() if one.channel == channel]
    assert (found.state, found.bad) == (FAIL, 2)
    assert state.findings.record_rows([], {"f1"}, (), LATER) == Recorded(closed=1)


# Batches that replace others


def batch(name: str, minutes: tuple[float, float] = MINUTE, **more: Any) -> Batch:
    """A batch of ten records of figures, one of them refused."""
    said = {"read": 10, "revision": 1, "error": None, "source": "main", "channel": "hotline", "figures": True, **more}
    window = Interval(at(minutes[0]), at(minutes[1]))
    table = pd.DataFrame() if said["figures"] else None
    parsed = Parsed({}, table, rejects=(Reject("TY-01", 1, "x", "not_a_number", "?"),), read=said["read"])
    return Batch(
        name, said["channel"], said["source"], window, at(9), "", None, parsed, said["error"], said["revision"]
    )


def record(made: Batch, wrong: int = 1) -> BatchRecord:
    return BatchRecord.of(made, "", [rows(FAIL, made.id, wrong)] if wrong else [], NOW)


REPLACING: dict[str, tuple[dict[str, Any], bool]] = {
    "the same window, newer": ({}, True),
    "a longer window": ({"minutes": (-5, 6)}, True),
    "a window that begins later": ({"minutes": (0.5, 2)}, False),
    "a window that ends before": ({"minutes": (-1, 0.5)}, False),
    "more records": ({"read": 11}, True),
    "fewer records": ({"read": 9}, False),
    "an older revision": ({"revision": 0}, False),
    "the same revision": ({"revision": 1}, False),
    "another source": ({"source": "other"}, False),
    "another channel": ({"channel": "chat"}, False),
    "it was not taken": ({"error": SourceFault("timeout", "5 s")}, False),
    "contacts, which add up": ({"figures": False}, False),
}


@pytest.mark.parametrize("case", REPLACING)
def test_a_batch_is_replaced_by_a_newer_one_of_all_its_records(case: str) -> None:
    told, replaces = REPLACING[case]
    newer = record(batch("newer", **{"revision": 2, **told}), wrong=0)
    assert replaced([record(batch("older")), newer]) == ({"older"} if replaces else frozenset())
    assert replaced([newer, record(batch("older"))]) == ({"older"} if replaces else frozenset())


def test_a_batch_without_faults_or_without_a_window_is_not_replaced() -> None:
    newer = record(batch("newer", revision=2), wrong=0)
    assert replaced([record(batch("older"), wrong=0), newer]) == frozenset()
    assert replaced([record(batch("older", (0.5, 0.5))), newer]) == frozenset()
    assert replaced([]) == frozenset()


def test_those_that_are_replaced_are_found_beside_either_of_the_two(state: State) -> None:
    older, newer = (batch(name, channel="chat", revision=number) for number, name in enumerate(("older", "newer")))
    kept = [state.batches.keep(one, "", NOW, [rows(FAIL, one.id)]) for one in (older, newer)]
    assert [state.batches.replaced_beside([one]) for one in kept] == [{"older"}] * 2
    far = state.batches.keep(batch("far", (60, 61), channel="chat"), "", NOW)
    assert state.batches.replaced_beside([far]) == state.batches.replaced_beside([]) == frozenset()


def test_what_was_found_of_rows_ends_when_nobody_remembers_the_batch(tmp_path: Path) -> None:
    state = open_state(f"sqlite:///{tmp_path}/state.sqlite", RULES)
    try:
        for name, minutes in (("old", 0), ("new", 5)):
            made = batch(name, (minutes, minutes + 1))
            state.batches.keep(Batch(**{**vars(made), "fetched_at": at(minutes)}), "", NOW)
            state.findings.record_rows([rows(FAIL, name, start=at(minutes), end=at(minutes + 1))], {name}, (), NOW)
        assert state.findings.end_forgotten(NOW) == 0
        state.batches.forget(at(3))
        assert state.findings.end_forgotten(LATER) == 0
        assert [(one.bad, one.start) for one in state.findings.open()] == [(2, at(5))]
        state.batches.forget(at(6))
        assert state.findings.end_forgotten(LATER) == 1
        [shown] = state.findings.during(Interval(at(0), at(9)))
        assert (shown.bad, shown.closed_at) == (4, LATER), "what was never put right is still told of its time"
    finally:
        state.close()
