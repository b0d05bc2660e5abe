"""What became of source rows, added up by source: refused records, and rows that are not as expected."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from config.catalogue import Expectation
from config.settings import ROOT
from data_quality import ROW_CHECK_COLUMNS, Evidence, audit
from data_quality.evidence import empty
from data_quality.registry import RULES, Records, refusing
from data_quality.row_rules import audit_batch
from metrics.findings import CheckState, Finding
from metrics.observations import FURTHER_REJECTS, Batch, Interval, Parsed, Reject
from tests.support.example_world import at, batches, evidence, world

CATALOGUE = world()
WINDOW = {"start": "10:00", "end": "10:01", "fetched_at": "10:01:20"}
PASS, FAIL, ERROR, NA = CheckState.PASS, CheckState.FAIL, CheckState.ERROR, CheckState.NA
JUDGED = {name for name, rule in RULES.items() if rule.records is Records.JUDGED}
Told = tuple[CheckState, int, int]


def looked_at(*checks: tuple[object, ...], reads: tuple[int, ...] = (10,), replaced: tuple[int, ...] = ()) -> Evidence:
    """A minute of one source: batches b1, b2, … of so many records; (batch, rule, measure, state, bad, expected)."""
    laid = [{**WINDOW, "source": "acd", "read": read, "replaced": n in replaced} for n, read in enumerate(reads, 1)]
    rows = [
        (batch, "hotline", "acd", rule, measure, state, bad, expected, "" if measure else f"why-{batch}", ())
        for batch, rule, measure, state, bad, expected in checks
    ]
    frame = pd.DataFrame(rows, columns=list(ROW_CHECK_COLUMNS)) if rows else empty(ROW_CHECK_COLUMNS)
    plain = evidence({"now": "10:05", "interval": ["10:00", "10:01"]}, CATALOGUE)
    return replace(plain, batches=batches(laid), row_checks=frame)


def of_rows(seen: Evidence, measure: str = "") -> dict[str, Finding]:
    """What the rules say of the rows of the source, those that say something."""
    return {one.rule: one for one in audit(seen) if one.about_rows and one.source == "acd" and one.measure == measure}


def counts(seen: Evidence, measure: str = "") -> dict[str, Told]:
    return {rule: (one.state, one.bad, one.expected) for rule, one in of_rows(seen, measure).items()}


def test_records_that_were_read_pass_every_rule_that_they_are_put_to() -> None:
    assert counts(looked_at()) == dict.fromkeys(JUDGED, (PASS, 0, 10))
    assert counts(looked_at(reads=(0,))) == {}, "nothing was read"
    assert counts(looked_at(reads=(4, 5))) == dict.fromkeys(JUDGED, (PASS, 0, 9))


def test_batches_add_up_and_the_first_reason_is_told() -> None:
    both = [("b1", "TY-01", "", "fail", 2, 10), ("b2", "TY-01", "", "fail", 3, 20)]
    found = of_rows(looked_at(*both, reads=(10, 20)))["TY-01"]
    assert (found.state, found.bad, found.expected, found.facts) == (FAIL, 5, 30, {"code": "why-b1", "blocks": "CP-03"})
    assert (found.start, found.end) == (at("10:00"), at("10:01"))


def test_a_batch_that_was_replaced_counts_no_more() -> None:
    both = [("b1", "TY-01", "", "fail", 2, 10), ("b2", "TY-01", "", "fail", 3, 20)]
    assert counts(looked_at(*both, reads=(10, 20), replaced=(1,)))["TY-01"] == (FAIL, 3, 20)
    assert counts(looked_at(*both, reads=(10, 20), replaced=(1, 2))) == {}


def test_a_record_refused_under_one_rule_was_not_put_to_the_others() -> None:
    seen = looked_at(
        ("b1", "TY-01", "", "fail", 3, 10), ("b1", "CP-03", "", "fail", 2, 10), ("b1", "AC-02", "", "fail", 1, 10)
    )
    found = of_rows(seen)
    assert (found["TY-01"].bad, found["TY-01"].expected) == (3, 10 - 1 - 2)
    assert dict(found["TY-01"].facts) == {"code": "why-b1", "blocked": 2, "root": "CP-03", "blocks": "CP-03"}
    assert (found["TY-02"].state, found["TY-02"].expected, found["TY-02"].facts["blocked"]) == (PASS, 4, 2)
    assert (found["CP-03"].bad, found["CP-03"].expected) == (2, 10 - 3 - 1)
    assert (found["CP-03"].facts["blocked"], found["CP-03"].facts["root"]) == (4, "TY-01")


def test_where_all_were_refused_the_rules_of_the_dimension_say_nothing_and_others_are_blocked() -> None:
    seen = counts(looked_at(("b1", "TY-01", "", "fail", 10, 10)))
    assert seen == {"TY-01": (FAIL, 10, 10), "CP-03": (CheckState.BLOCKED, 0, 10)}


def test_more_may_be_refused_than_records_were_read() -> None:
    seen = counts(looked_at(("b1", "TY-01", "", "fail", 8, 10), ("b1", "AC-01", "", "fail", 9, 10)))
    assert (seen["TY-01"], seen["AC-01"]) == ((FAIL, 8, 8), (FAIL, 9, 9)), "each of two values in a record"
    assert "TY-02" not in seen


@pytest.mark.parametrize("rule", sorted(refusing() - JUDGED))
def test_what_is_refused_besides_the_records_counts_as_units_that_failed(rule: str) -> None:
    assert counts(looked_at((("b1"), rule, "", "fail", 2, 10)))[rule] == (FAIL, 2, 2)


def test_a_rule_that_nobody_would_refuse_under_is_told_if_somebody_did() -> None:
    assert "AC-05" not in refusing()
    assert counts(looked_at(("b1", "AC-05", "", "fail", 1, 10)))["AC-05"] == (FAIL, 1, 1)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["pass", "pass"], (PASS, 0, 18)),
        (["pass", "fail"], (FAIL, 4, 18)),
        (["fail", "error"], (FAIL, 4, 18)),
        (["error", "pass"], (ERROR, 0, 18)),
        (["na", "pass"], (PASS, 0, 18)),
        (["na", "na"], None),
    ],
)
def test_of_the_batches_of_a_source_the_worst_counts(states: list[str], told: Told | None) -> None:
    checks = [(f"b{n}", "AC-01", "wait", state, 4 * (state == "fail"), 9) for n, state in enumerate(states, 1)]
    assert counts(looked_at(*checks, reads=(10, 10)), "wait").get("AC-01") == told


def test_only_the_first_rows_are_shown() -> None:
    rows = tuple({"line": line, "code": "x"} for line in range(15))
    seen = looked_at(("b1", "TY-01", "", "fail", 15, 15), ("b2", "TY-01", "", "fail", 15, 15), reads=(15, 15))
    seen = replace(seen, row_checks=seen.row_checks.assign(rows=[rows, rows]))
    assert [row["line"] for row in of_rows(seen)["TY-01"].rows] == [*range(15), *range(5)]


def test_rows_are_told_of_a_channel_that_has_no_interval_in_the_range() -> None:
    short = replace(looked_at(), interval=Interval(at("10:00:10"), at("10:00:20")))
    assert counts(short) == dict.fromkeys(JUDGED, (PASS, 0, 10))


# The rows of one batch


def a_batch(parsed: Parsed | None) -> Batch:
    return Batch("b1", "hotline", "acd", Interval(at("10:00"), at("10:01")), at("10:02"), "", None, parsed)


def test_what_a_batchs_rows_show_carries_the_batch_and_its_window() -> None:
    says = {"rule": "AC-01", "column": "wait", "must": "be_present", "say": {"zh": "有", "en": "there"}}
    acd = CATALOGUE.channels["hotline"].sources[0]
    source = acd.model_copy(update={"expects": (Expectation.model_validate(says),)})
    rows = pd.DataFrame({"line": [1, 2], "wait": [5, None]})
    found = audit_batch(a_batch(Parsed({}, rows=rows, rejects=(Reject("TY-01", 3, "x", "not_a_number", "?"),))), source)
    assert [(one.rule, one.measure, one.bad, one.expected) for one in found] == [
        ("AC-01", "wait", 1, 2),
        ("TY-01", "", 1, 1),
    ]
    assert {(one.batch, one.start, one.end, one.about_rows) for one in found} == {
        ("b1", at("10:00"), at("10:01"), True)
    }
    assert audit_batch(a_batch(None), source) == []
    assert audit_batch(a_batch(Parsed({})), source) == []


def test_what_stands_for_many_rejects_counts_as_many() -> None:
    further = Reject("TY-01", 9, None, FURTHER_REJECTS, "15000")
    parsed = Parsed({}, rejects=(Reject("TY-01", 3, "x", "not_a_number", "7"), further), read=20_000)
    assert parsed.refused == 15_001
    [found] = audit_batch(a_batch(parsed), CATALOGUE.channels["hotline"].sources[0])
    assert (found.bad, found.expected, found.facts) == (15_001, 20_000, {"code": "not_a_number"})


def test_every_rule_under_which_a_collector_refuses_says_so() -> None:
    named = {
        rule
        for file in (ROOT / "collectors").rglob("*.py")
        for rule in re.findall(r'"([A-Z]{2}-\d\d)"', file.read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert named <= refusing()
    assert refusing() == named | {"TY-02"}, "a rule says that records are refused under it, and no collector does"
