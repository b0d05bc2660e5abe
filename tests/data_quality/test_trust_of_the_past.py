"""How far figures of the past can be relied on: what came of their periods, and what was found about them."""

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from config.catalogue import Formula
from config.settings import ROOT
from data_quality.grounds import Grounds, Subject
from data_quality.periods import Periods
from data_quality.sources import Came, SourceStates, judge_sources, states_now, states_then
from data_quality.trust import judge
from metrics.readings import FINDINGS
from tests.support.example_world import at, world

CATALOGUE = world()
GROUNDS = Grounds(CATALOGUE)
SOURCES = [("hotline", "acd"), ("hotline", "desk"), ("survey", "form")]
RATE, STAFF, VOICES = "answer_rate", "staff", "voices"
NATION, HEBEI, TANGSHAN, BEIJING = "100000", "130000", "130200", "110100"
SOUND = ("sound", "")
FIRST_ASKED = "06:00"


def edges(start: str, *, minutes: int, number: int) -> Periods:
    return Periods.of([at(start) + timedelta(minutes=minutes * number_) for number_ in range(number + 1)])


def last(**covered: str | None) -> pd.DataFrame:
    """How far each source has been read: to 10:00, unless told otherwise."""
    rows = []
    for channel, source in SOURCES:
        clock = covered.get(source, "10:00")
        moment = None if clock is None else at(clock)
        rows.append((channel, source, "sql", moment, moment, "", None))
    names = ["channel", "source", "kind", "last_success", "covered_until", "error", "failing_since"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def came(
    asked: dict[tuple[str, str], datetime] | None = None,
    remembered: str | None = FIRST_ASKED,
    read: dict[str, list[bool]] | None = None,
    **covered: list[tuple[str, str]],
) -> Came:
    """What came: of every source the time from 06:00 to 10:00, unless told otherwise."""
    stretches = {}
    for key in SOURCES:
        own = covered.get(key[1], [(FIRST_ASKED, "10:00")])
        if own:
            starts, ends = ([int(at(moment).timestamp()) for moment in side] for side in zip(*own, strict=True))
            stretches[key] = (np.array(starts), np.array(ends))
    first = dict.fromkeys(SOURCES, at(FIRST_ASKED)) if asked is None else asked
    held = {name: np.array(chosen) for name, chosen in (read or {}).items()}
    return Came(stretches, first, at(remembered) if remembered else None, held)


def states(periods: Periods, what: Came, now: str = "10:01", **covered: str | None) -> SourceStates:
    return states_then(judge_sources(last(**covered), GROUNDS, at(now)), what, periods, GROUNDS, at(now))


def figures(periods: Periods, *about: tuple[str, str, str], n: float = 1.0) -> pd.DataFrame:
    """A figure (metric, channel, region) in every period."""
    rows = [(*one, period) for period in range(len(periods)) for one in about]
    return pd.DataFrame(rows, columns=["metric", "channel", "region", "period"]).assign(n=n)


def finding(**told: Any) -> dict[str, Any]:
    """A hard rule that failed of half of what was offered, from 08:00 to 08:15."""
    blank: dict[str, Any] = dict.fromkeys(FINDINGS.columns, "")
    known = {"rule": "AC-03", "severity": "major", "state": "fail", "channel": "hotline", "source": "acd"}
    units = {"bad": 50, "expected": 100, "measure": "offered", "facts": "{}"}
    span = {"start": at("08:00"), "end": at("08:15"), "since": 0, "until": 10**6}
    return {**blank, **known, **units, **span, **told}


def found(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=[*FINDINGS.columns, "start", "end", "until"])
    frame["since"] = [row["since"] for row in rows]
    for name in ("start", "end"):
        frame[name] = pd.Series(pd.to_datetime(frame[name], utc=True), dtype="datetime64[s, UTC]")
    return frame


def trusted(periods: Periods, what: Came, about: tuple[str, str, str], *rows: dict[str, Any], **more: Any) -> list[Any]:
    """Trust and reason of one figure, period by period."""
    done = judge(figures(periods, about), states(periods, what, **more), found(*rows), GROUNDS)
    return list(zip(done["trust"].astype(str), done["reason"].astype(str), strict=True))


HOURS = edges("07:00", minutes=60, number=3)
"""07:00, 08:00 and 09:00."""


def test_a_period_that_was_covered_is_sound_however_late_the_source_is_now() -> None:
    late = ("stale", "trust.source_stale|hotline|2026-03-02T02:00:00+00:00")
    lost = ("doubtful", "trust.source_lost|hotline|2026-03-02T02:00:00+00:00")
    for now, newest in (("10:01", SOUND), ("10:06", late), ("13:00", lost)):
        assert trusted(HOURS, came(), (RATE, "", NATION), now=now) == [SOUND, SOUND, newest]


def test_an_interval_that_no_batch_covered_makes_its_period_doubtful_or_absent() -> None:
    gaps = came(acd=[(FIRST_ASKED, "07:40"), ("07:42", "08:00"), ("09:00", "10:00")])
    part, none = ("doubtful", "trust.part_missing|hotline"), ("absent", "trust.period_absent|hotline")
    assert trusted(HOURS, gaps, (RATE, "hotline", NATION)) == [part, none, SOUND]
    assert trusted(HOURS, gaps, (STAFF, "hotline", NATION)) == [SOUND] * 3, "another source"


def test_a_small_part_may_be_missing() -> None:
    day = edges("06:00", minutes=240, number=1)
    for until, trust in (("07:41", SOUND), ("07:43", ("doubtful", "trust.part_missing|hotline"))):
        gap = came(acd=[(FIRST_ASKED, "07:40"), (until, "10:00")])
        assert trusted(day, gap, (RATE, "hotline", NATION)) == [trust], until


def test_batches_that_meet_inside_an_interval_cover_it_together() -> None:
    assert trusted(HOURS, came(acd=[(FIRST_ASKED, "10:00")]), (RATE, "", NATION)) == [SOUND] * 3
    apart = came(acd=[(FIRST_ASKED, "07:30:20"), ("07:30:40", "10:00")])
    five = edges("07:30", minutes=5, number=1)
    assert trusted(five, apart, (RATE, "", NATION)) == [("doubtful", "trust.part_missing|hotline")]


def test_what_nobody_expected_is_not_missing() -> None:
    nothing = came(acd=[], asked=dict.fromkeys(SOURCES, at("09:00")))
    assert trusted(HOURS, nothing, (RATE, "hotline", NATION))[:2] == [SOUND, SOUND]
    forgotten = came(acd=[("09:00", "10:00")], remembered="09:00")
    assert trusted(HOURS, forgotten, (RATE, "hotline", NATION)) == [SOUND] * 3
    unknown = came(acd=[], remembered=None)
    assert trusted(HOURS, unknown, (RATE, "hotline", NATION)) == [SOUND] * 3


def test_what_is_not_due_yet_is_not_missing_and_what_is_late_is_told_once() -> None:
    quarter = edges("09:55", minutes=10, number=1)
    for now, trust in (
        ("10:02", SOUND),
        ("10:06", ("stale", "trust.source_stale|hotline|2026-03-02T02:00:00+00:00")),
        ("10:30", ("doubtful", "trust.source_lost|hotline|2026-03-02T02:00:00+00:00")),
    ):
        assert trusted(quarter, came(), (RATE, "hotline", NATION), now=now) == [trust]


def test_a_period_of_which_nothing_came_at_all_is_absent_once_it_is_due() -> None:
    later = edges("10:10", minutes=10, number=2)
    none = ("absent", "trust.period_absent|hotline")
    assert trusted(later, came(), (RATE, "hotline", NATION), now="10:40") == [none, none]
    lost = ("doubtful", "trust.source_lost|hotline|2026-03-02T02:00:00+00:00")
    assert trusted(later, came(), (RATE, "hotline", NATION), now="10:12:30") == [lost, lost]


def test_what_the_store_holds_was_there_even_if_no_batch_is_remembered() -> None:
    held = came(acd=[(FIRST_ASKED, "08:00"), ("09:00", "10:00")], read={"hotline": [True, True, True]})
    part = ("doubtful", "trust.part_missing|hotline")
    assert trusted(HOURS, held, (RATE, "hotline", NATION)) == [SOUND, part, SOUND]


def test_a_source_that_never_came_is_absent_but_where_files_were_read_in_its_stead() -> None:
    others = {key: at(FIRST_ASKED) for key in SOURCES if key[1] != "form"}
    absent = ("absent", "trust.source_absent|survey")
    nothing = came(form=[], asked=others)
    assert trusted(HOURS, nothing, (VOICES, "survey", NATION), form=None) == [absent] * 3
    filled = came(form=[("08:00", "09:00")], asked=others)
    assert trusted(HOURS, filled, (VOICES, "survey", NATION), form=None) == [absent, SOUND, absent]
    asked = came(form=[])
    assert trusted(HOURS, asked, (VOICES, "survey", NATION), form=None, now="12:30") == [absent] * 3


def test_one_of_several_channels_missing_is_named_in_its_periods() -> None:
    second = CATALOGUE.channels["hotline"].model_copy(update={"id": "chat"})
    both = Grounds(CATALOGUE.model_copy(update={"channels": {**CATALOGUE.channels, "chat": second}}))
    sources = last()
    chat = sources[sources["channel"] == "hotline"].assign(channel="chat")
    judged = judge_sources(pd.concat([sources, chat], ignore_index=True), both, at("10:01"))
    whole = came()
    parts = {("chat", name): whole.covered["survey", "form"] for name in ("acd", "desk")}
    gone = {("chat", "acd"): (np.array([int(at("09:00").timestamp())]), np.array([int(at("10:00").timestamp())]))}
    asked = {**whole.asked, ("chat", "acd"): at(FIRST_ASKED), ("chat", "desk"): at(FIRST_ASKED)}
    all_came = Came({**whole.covered, **parts, **gone}, asked, whole.remembered, {})
    periods = HOURS
    then = states_then(judged, all_came, periods, both, at("10:01"))
    done = judge(figures(periods, (RATE, "", NATION), (STAFF, "", NATION)), then, found(), both)
    missing = ("doubtful", "trust.channel_missing|chat")
    told = list(zip(done["metric"], done["trust"].astype(str), done["reason"].astype(str), strict=True))
    assert [one[1:] for one in told if one[0] == RATE] == [missing, missing, SOUND]
    assert [one[1:] for one in told if one[0] == STAFF] == [SOUND] * 3


DOUBT = ("doubtful", "trust.finding|AC-03|hotline")
QUARTERS = edges("07:45", minutes=15, number=3)


def test_a_finding_is_about_the_periods_that_it_meets() -> None:
    assert trusted(QUARTERS, came(), (RATE, "", NATION), finding()) == [SOUND, DOUBT, SOUND]
    point = finding(start=at("08:00"), end=at("08:00"))
    assert trusted(QUARTERS, came(), (RATE, "", NATION), point) == [SOUND, DOUBT, SOUND]
    long = finding(start=at("07:50"), end=at("08:15:01"))
    assert trusted(QUARTERS, came(), (RATE, "", NATION), long) == [DOUBT] * 3
    anytime = finding(start=None, end=None)
    assert trusted(QUARTERS, came(), (RATE, "", NATION), anytime) == [DOUBT] * 3


def test_a_finding_is_looked_for_only_where_it_is_told_to_be() -> None:
    anytime = {"start": None, "end": None}
    assert trusted(QUARTERS, came(), (RATE, "", NATION), finding(**anytime, since=2)) == [SOUND, SOUND, DOUBT]
    assert trusted(QUARTERS, came(), (RATE, "", NATION), finding(**anytime, until=1)) == [DOUBT, SOUND, SOUND]


@pytest.mark.parametrize(
    ("told", "about", "trust"),
    [
        ({"measure": "", "facts": json.dumps({"measures": "offered,abandoned"})}, (RATE, "", NATION), DOUBT),
        ({"measure": "", "facts": json.dumps({"measures": "abandoned,flowed_out"})}, (RATE, "", NATION), SOUND),
        ({"measure": ""}, (RATE, "", NATION), DOUBT),
        ({"measure": "", "source": ""}, (STAFF, "", NATION), DOUBT),
        ({"measure": ""}, (STAFF, "", NATION), SOUND),
        ({"measure": "wait_answered_s"}, (RATE, "", NATION), SOUND),
        ({"bad": 1}, (RATE, "", NATION), SOUND),
        ({"bad": 2}, (RATE, "", NATION), DOUBT),
        ({"bad": 1, "expected": 0}, (RATE, "", NATION), DOUBT),
        ({"state": "query"}, (RATE, "", NATION), SOUND),
        ({"rule": "TM-01"}, (RATE, "", NATION), SOUND),
        ({"region": "130000"}, (RATE, "", TANGSHAN), DOUBT),
        ({"region": "130000"}, (RATE, "", BEIJING), SOUND),
        ({"region": "130000", "facts": json.dumps({"places": 1, "place": "130100"})}, (RATE, "", TANGSHAN), SOUND),
        ({"region": "130000", "facts": json.dumps({"places": 1, "place": "130100"})}, (RATE, "", HEBEI), DOUBT),
    ],
)
def test_what_of_a_finding_puts_which_figure_in_doubt(
    told: dict[str, Any], about: tuple[str, str, str], trust: tuple[str, str]
) -> None:
    if trust == DOUBT:
        trust = (DOUBT[0], f"trust.finding|{told.get('rule', 'AC-03')}|hotline")
    assert trusted(QUARTERS, came(), about, finding(**told))[1] == trust


def test_provinces_add_up_to_the_nation_period_by_period() -> None:
    small = {"measure": "offered", "expected": 1000}
    hebei = finding(region="130000", bad=12, **small)
    beijing = finding(region="110000", bad=12, start=at("08:05"), end=at("08:20"), **small)
    assert trusted(QUARTERS, came(), (RATE, "", NATION), hebei) == [SOUND] * 3
    assert trusted(QUARTERS, came(), (RATE, "", NATION), hebei, beijing) == [SOUND, DOUBT, SOUND]
    other = finding(region="110000", bad=12, rule="AC-01", **small)
    assert trusted(QUARTERS, came(), (RATE, "", NATION), hebei, other) == [SOUND] * 3


def test_where_several_say_the_same_the_first_is_the_reason() -> None:
    both = [finding(rule="AC-01"), finding(), finding(rule="CP-02")]
    assert trusted(QUARTERS, came(), (RATE, "", NATION), *both)[1] == ("doubtful", "trust.finding|AC-01|hotline")
    gap = came(acd=[(FIRST_ASKED, "08:05"), ("08:10", "10:00")])
    assert trusted(QUARTERS, gap, (RATE, "", NATION), finding())[1] == DOUBT, "before the gap"


def test_a_channel_that_knows_only_half_of_a_figure_casts_no_doubt_on_the_whole() -> None:
    half = CATALOGUE.channels["survey"]
    delivers = (*half.sources[0].delivers, CATALOGUE.channels["hotline"].sources[0].delivers[0])
    source = half.sources[0].model_copy(update={"delivers": delivers})
    catalogue = CATALOGUE.model_copy(
        update={"channels": {**CATALOGUE.channels, "survey": half.model_copy(update={"sources": (source,)})}}
    )
    grounds = Grounds(catalogue)
    now = states_now(judge_sources(last(), grounds, at("10:01")), grounds)
    told = found(finding(channel="survey", source="form"))
    frame = figures(Periods.present(), (RATE, "", NATION), (RATE, "survey", NATION))
    done = judge(frame, now, told, grounds)
    assert list(done["trust"]) == ["sound", "doubtful"]


def test_contacts_of_a_span_that_reaches_beyond_what_has_settled_may_still_be_open() -> None:
    def trust(metric: str, start: str, end: str, covered: str = "10:00") -> list[Any]:
        span = {"start": pd.to_datetime([at(start)], utc=True), "end": pd.to_datetime([at(end)], utc=True)}
        frame = figures(Periods.present(), (metric, "hotline", NATION)).assign(**span)
        now = states_now(judge_sources(last(acd=covered, desk=covered), GROUNDS, at("10:01")), GROUNDS)
        done = judge(frame, now, found(), GROUNDS)
        return [done["trust"].iloc[0], done["reason"].iloc[0]]

    provisional = ["provisional", "trust.cohort_open"]
    settle_s = CATALOGUE.channels["hotline"].settle_s
    assert settle_s == 120
    assert trust(RATE, "09:43", "09:58") == ["sound", ""]
    assert trust(RATE, "09:45", "10:00") == provisional
    assert trust(RATE, "08:00", "10:00") == ["sound", ""], "two minutes of two hours"
    assert trust(RATE, "08:30", "10:00") == provisional
    assert trust(RATE, "10:00", "10:00") == ["sound", ""], "no span"
    metrics = {**CATALOGUE.metrics, RATE: CATALOGUE.metrics[RATE].model_copy(update={"attribution": "instant"})}
    instant = Grounds(CATALOGUE.model_copy(update={"metrics": metrics}))
    assert list(instant.cohort) == [False, True, True]


def test_a_variant_stands_on_its_own_measures() -> None:
    metric = CATALOGUE.metrics[RATE]
    other = Formula(numerator="answered + abandoned", denominator="offered")
    subjects = {"main": Subject.of(metric, metric.formula), "variant": Subject.of(metric, other)}
    grounds = GROUNDS.about(subjects)
    now = states_now(judge_sources(last(), grounds, at("10:01")), grounds)
    frame = figures(Periods.present(), ("main", "", NATION), ("variant", "", NATION), n=float("nan"))
    done = judge(frame.assign(n=[1.0, 1.0]), now, found(finding(measure="abandoned")), grounds)
    assert list(done["trust"]) == ["sound", "doubtful"]
    unread = judge(frame, now, found(), grounds)
    assert list(unread["reason"]) == [f"trust.nothing_read|{RATE}"] * 2, "by the name that people know"


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of data_quality run: a loop over cells would run some for each."""
    folder, count = str(ROOT / "data_quality"), 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(folder):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_the_work_grows_with_findings_or_with_cells_but_never_with_both() -> None:
    regions = (NATION, HEBEI, TANGSHAN, BEIJING, "110000", "130100")

    def lines(number: int, findings: int) -> int:
        periods = edges("06:00", minutes=1, number=number)
        frame = figures(periods, *((metric, "", region) for metric in (RATE, STAFF) for region in regions))
        then = states(periods, came())
        told = (finding(region=(HEBEI, "")[bad % 2], bad=bad, start=None, end=None) for bad in range(findings))
        rows = found(*told)
        assert len(frame) == number * 12
        return lines_run(lambda: judge(frame, then, rows, GROUNDS))

    few, many = lines(10, 500), lines(840, 500)
    assert many == few, "10,080 cells take the lines of 120"
    assert many < 100 * 500 + lines(840, 0)
    assert lines(840, 500) - lines(840, 250) == pytest.approx(lines(840, 250) - lines(840, 0), rel=0.1)
