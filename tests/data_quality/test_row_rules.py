"""Source rows against expectations, and refused records."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from config.catalogue import Expectation, Source, Text
from config.settings import ROOT
from data_quality.row_rules import audit_rejects, audit_rows
from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Interval, Parsed, Reject

SAY = Text(zh="不对", en="is wrong")
CALLS = ROOT.parent / "shared" / "data" / "call_log" / "calls_1999-02-01_14.tsv"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def judged(rows: pd.DataFrame, *expects: dict[str, object]) -> list[Finding]:
    expectations = tuple(Expectation.model_validate({"rule": "AC-01", "say": SAY, **one}) for one in expects)
    source = Source(id="acd", kind="contact_log", delivers=[{"measure": "offered"}], expects=expectations)
    return audit_rows(rows, source, "hotline")


def lines(finding: Finding) -> list[object]:
    return [row["line"] for row in finding.rows]


def table(**columns: Sequence[object]) -> pd.DataFrame:
    return pd.DataFrame({"line": range(1, 1 + len(next(iter(columns.values())))), **columns})


@pytest.mark.parametrize(
    ("column", "expectation", "wrong"),
    [
        ([5, -1, 0, 11], {"must": "be_between", "low": 0, "high": 10}, [2, 4]),
        ([5, -1, 0, 11], {"must": "be_between", "low": 0, "tolerance": 1}, []),
        (["a", "b", "c"], {"must": "be_one_of", "values": ["a", "b"]}, [3]),
        (["a", "b", "c"], {"must": "not_be_one_of", "values": ["a"]}, [1]),
        (["a", "", None, " "], {"must": "be_present"}, [2, 3, 4]),
    ],
)
def test_each_wrong_line_is_named(column: list[object], expectation: dict[str, object], wrong: list[int]) -> None:
    (finding,) = judged(table(x=column), {"column": "x", **expectation})
    assert (finding.state is CheckState.FAIL, lines(finding), finding.bad) == (bool(wrong), wrong, len(wrong))
    assert finding.expected == len(column)


def test_times_are_compared_in_seconds_whatever_their_unit() -> None:
    times = [NOON, NOON - timedelta(seconds=1), NOON - timedelta(seconds=2), None]
    rows = table(x=times, y=[NOON] * 4)
    rows = rows.assign(x=pd.to_datetime(rows["x"], utc=True).dt.as_unit("ms"), y=pd.to_datetime(rows["y"], utc=True))
    (finding,) = judged(rows, {"column": "x", "must": "not_precede", "other": "y", "tolerance": 1})
    assert (lines(finding), finding.expected) == ([3], 3)


def test_only_rows_in_question_are_looked_at() -> None:
    rows = table(x=["?", "?", "ok"], kind=["A", "B", "A"])
    expectation = {"column": "x", "must": "be_one_of", "values": ["ok"]}
    (finding,) = judged(rows, {**expectation, "when": {"kind": ["A"]}})
    assert (lines(finding), finding.expected) == ([1], 2)
    (unseen,) = judged(rows, {**expectation, "when": {"kind": ["C"]}})
    assert unseen.state is CheckState.NA


def test_what_cannot_be_evaluated_is_an_error_that_names_the_column() -> None:
    missing, text = judged(
        table(x=["many"]),
        {"column": "z", "must": "be_present"},
        {"column": "x", "must": "be_between", "low": 0},
    )
    assert missing.state is text.state is CheckState.ERROR
    assert "'z'" in str(missing.facts["detail"])


def test_two_expectations_of_one_rule_and_column_are_one_finding() -> None:
    low, high = {"must": "be_between", "low": 0}, {"must": "be_between", "high": 10}
    (finding,) = judged(table(x=[-1, 5, 11]), {"column": "x", **low}, {"column": "x", **high})
    assert lines(finding) == [1, 3]


def test_rejects_become_a_finding_a_rule() -> None:
    rejects = tuple(Reject(rule, at, "x", "not_a_number", "?") for at, rule in enumerate(["TY-01", "TY-03", "TY-01"]))
    batch = Batch("b1", "hotline", "acd", Interval(NOON, NOON), NOON, "", None, Parsed({}, rejects=rejects, read=9))
    found = audit_rejects(batch)
    assert [(one.rule, one.bad, one.expected, lines(one)) for one in found] == [
        ("TY-01", 2, 9, [0, 2]),
        ("TY-03", 1, 9, [1]),
    ]
    failed = Batch("b1", "hotline", "acd", Interval(NOON, NOON), NOON, "", None, None)
    assert audit_rejects(failed) == []


@pytest.mark.skipif(not CALLS.exists(), reason="the call log of ../shared/data is not here")
def test_the_call_logs_natural_errors_are_found_and_its_clock_habit_is_not() -> None:
    from config.loading import load
    from config.settings import ROOT

    folder = ROOT / "examples" / "call_log"
    if not (folder / "channels" / "call_log.yaml").exists():
        pytest.skip("examples/call_log has no channel yet")
    channel = load(folder).channels["call_log"]
    rows = pd.read_csv(CALLS, sep="\t", dtype=str, keep_default_na=False)
    for name in ("vru_time", "q_time", "ser_time"):
        rows[name] = pd.to_numeric(rows[name])
    for name in ("q_start", "q_exit", "ser_start", "ser_exit"):
        rows[name] = pd.to_timedelta(rows[name])
    rows.insert(0, "line", range(2, 2 + len(rows)))
    found = {(one.rule, one.measure): one for one in audit_rows(rows, channel.sources[0], "call_log")}
    assert all(one.state in (CheckState.FAIL, CheckState.PASS) for one in found.values()), found
    by_column = {column: one.bad for (_, column), one in found.items() if one.bad}
    assert by_column == {"vru_time": 17, "server": 275, "q_exit": 2, "ser_exit": 9, "outcome": 143}
