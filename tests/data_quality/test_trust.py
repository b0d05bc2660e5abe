"""How far sources and readings can be relied on."""

import json

import numpy as np
import pandas as pd
import pytest

from data_quality.grounds import Grounds
from data_quality.sources import judge_sources, states_now
from data_quality.trust import judge
from metrics.readings import FINDINGS
from metrics.readings import SOURCES as SOURCE_FRAME
from tests.support.example_world import at, world

CATALOGUE = world()
GROUNDS = Grounds(CATALOGUE)
SOURCES = [("hotline", "acd"), ("hotline", "desk"), ("survey", "form")]


def last(**covered: str | None) -> pd.DataFrame:
    rows = []
    for channel, source in SOURCES:
        clock = covered.get(source, "10:00")
        moment = None if clock is None else at(clock)
        rows.append((channel, source, "sql", moment, moment, "", None))
    names = ["channel", "source", "kind", "last_success", "covered_until", "error", "failing_since"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def states(now: str, **covered: str | None) -> dict[str, str]:
    judged = judge_sources(last(**covered), GROUNDS, at(now))
    assert list(judged.columns) == SOURCE_FRAME.columns
    return dict(zip(judged["source"], judged["state"], strict=True))


def readings(*rows: tuple[str, str, str], share: float = 0.0) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["metric", "channel", "region"]).astype("category")
    return frame.assign(value=0.5, n=1.0, open_share=share)


def findings(*rows: dict[str, object]) -> pd.DataFrame:
    blank: dict[str, object] = {
        "severity": "major",
        "state": "fail",
        "source": "acd",
        "region": "",
        "measure": "",
        "facts": "{}",
    }
    blank |= {"since": at("10:00"), "last_seen": at("10:00")}
    return pd.DataFrame([{**blank, **row} for row in rows], columns=FINDINGS.columns)


def judged(
    frame: pd.DataFrame, sources: pd.DataFrame | None = None, found: pd.DataFrame | None = None
) -> list[tuple[str, str]]:
    sources = judge_sources(last(), GROUNDS, at("10:01")) if sources is None else sources
    done = judge(frame, states_now(sources, GROUNDS), findings() if found is None else found, GROUNDS)
    return list(zip(done["trust"].astype(str), done["reason"].astype(str), strict=True))


ANSWERS = ("answer_rate", "", "100000")


@pytest.mark.parametrize(
    ("now", "state"),
    [("10:04:00", "sound"), ("10:04:01", "stale"), ("10:12:00", "stale"), ("10:12:01", "doubtful")],
)
def test_a_source_turns_stale_after_two_late_intervals_and_doubtful_after_ten(now: str, state: str) -> None:
    assert states(now)["acd"] == state


def test_lateness_counts_in_the_sources_own_intervals_after_its_deadline() -> None:
    assert states("11:10:00")["form"] == "sound"
    assert states("11:10:01")["form"] == "stale"


def test_a_source_that_never_came_is_absent_and_faults_are_words() -> None:
    frame = last(acd=None)
    frame.loc[0, "error"], frame.loc[0, "failing_since"] = "timeout: no answer | in time", at("09:00")
    row = judge_sources(frame, GROUNDS, at("10:01")).iloc[0]
    assert (row["state"], row["error"]) == ("absent", "fault.timeout|no answer / in time")
    assert row["since"] == at("09:00")
    assert np.isnan(row["lag_s"])


def test_a_reading_is_sound_when_all_it_rests_on_is() -> None:
    assert judged(readings(ANSWERS, ("answer_rate", "hotline", "130100"))) == [("sound", "")] * 2


@pytest.mark.parametrize(
    ("now", "covered", "trust", "reason"),
    [
        ("10:05", "10:00", "stale", "trust.source_stale|hotline|2026-03-02T02:00:00+00:00"),
        ("10:30", "10:00", "doubtful", "trust.source_lost|hotline|2026-03-02T02:00:00+00:00"),
        ("10:05", None, "absent", "trust.source_absent|hotline"),
    ],
)
def test_a_reading_is_no_better_than_its_source(now: str, covered: str | None, trust: str, reason: str) -> None:
    sources = judge_sources(last(acd=covered, desk=now), GROUNDS, at(now))
    frame = readings(("answer_rate", "hotline", "130100"), ("staff", "hotline", "130100"))
    assert judged(frame, sources) == [(trust, reason), ("sound", "")]


def test_one_of_several_channels_missing_makes_the_whole_doubtful_and_is_named() -> None:
    second = CATALOGUE.channels["hotline"].model_copy(update={"id": "chat"})
    both = CATALOGUE.model_copy(update={"channels": {**CATALOGUE.channels, "chat": second}})
    frame = last()
    chat = frame[frame["channel"] == "hotline"].assign(channel="chat", last_success=None, covered_until=None)
    sources = judge_sources(pd.concat([frame, chat], ignore_index=True), Grounds(both), at("10:01"))
    grounds = Grounds(both)
    done = judge(readings(ANSWERS), states_now(sources, grounds), findings(), grounds)
    assert list(done["trust"]) == ["doubtful"]
    assert list(done["reason"]) == ["trust.channel_missing|chat"]


def test_an_open_cohort_is_provisional_and_nothing_read_is_absent() -> None:
    assert judged(readings(ANSWERS, share=0.5)) == [("provisional", "trust.cohort_open")]
    unread = readings(ANSWERS).assign(n=float("nan"))
    assert judged(unread) == [("absent", "trust.nothing_read|answer_rate")]


def test_no_value_of_a_divided_zero_is_not_absent() -> None:
    assert judged(readings(ANSWERS).assign(value=float("nan"), n=0.0)) == [("sound", "")]


def test_a_failed_hard_rule_casts_doubt_where_and_on_what_it_is_about() -> None:
    facts = json.dumps({"place": "130200", "places": 1})
    found = findings(
        {"rule": "AC-03", "channel": "hotline", "region": "130000", "measure": "offered", "bad": 3, "expected": 10,
         "facts": facts}
    )  # fmt: skip
    frame = readings(
        ("answer_rate", "hotline", "130000"),
        ("answer_rate", "hotline", "130200"),
        ("answer_rate", "", "100000"),
        ("answer_rate", "hotline", "130100"),
        ("answer_rate", "hotline", "110000"),
        ("staff", "hotline", "130200"),
    )
    doubt, sound = ("doubtful", "trust.finding|AC-03|hotline"), ("sound", "")
    assert judged(frame, found=found) == [doubt, doubt, doubt, sound, sound, sound]


@pytest.mark.parametrize(
    "row",
    [
        {"rule": "AC-03", "channel": "hotline", "measure": "offered", "bad": 1, "expected": 100},
        {"rule": "TM-01", "channel": "hotline", "bad": 50, "expected": 100},
        {"rule": "AC-03", "channel": "hotline", "measure": "offered", "bad": 50, "expected": 100, "state": "query"},
        {"rule": "AC-03", "channel": "gone", "measure": "offered", "bad": 50, "expected": 100},
    ],
    ids=["too few", "only late", "to verify", "unknown channel"],
)
def test_what_casts_no_doubt(row: dict[str, object]) -> None:
    assert judged(readings(ANSWERS), found=findings(row)) == [("sound", "")]


def test_a_wrong_column_of_source_rows_casts_doubt_on_all_that_its_source_counts() -> None:
    found = findings({"rule": "AC-02", "channel": "hotline", "measure": "server", "bad": 50, "expected": 100})
    frame = readings(ANSWERS, ("staff", "", "100000"))
    assert judged(frame, found=found) == [("doubtful", "trust.finding|AC-02|hotline"), ("sound", "")]
