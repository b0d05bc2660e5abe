"""Each misbehaviour does what it says, to the system that it is switched on for and to no other."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from nation_world import (
    Watched,
    collector_of,
    fault_of,
    figures_of,
    read_all,
    rejects_of,
    source_of,
)

from collectors.push import PushCollector
from config.catalogue import Catalogue
from simulator.systems import http_door
from simulator.troubles import COPIED_FROM, COPIED_TO, LATE_S, MISSING, POSSIBLE, Impossible, Trouble

POLLED = ("hotline", "ivr", "sms", "email", "im", "weibo", "wechat", "knowledge", "webhall")


def begin(watched: Watched, system: str, trouble: Trouble) -> int:
    """Switch a trouble on at a full minute; gives that minute."""
    now = watched.simulation.world.now
    watched.live((60 - now % 60) / 60)
    watched.simulation.behaviours[system].start(trouble, watched.simulation.world.now)
    return watched.simulation.world.now


def by_province(figures: dict, measure: str, since: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, region, _, start), value in figures.items():
        if name == measure and start >= since:
            found[f"{region[:2]}0000"] += int(value)
    return found


@pytest.mark.parametrize("channel", POLLED)
def test_a_source_that_is_down_is_a_fault_and_comes_back_whole(
    channel: str, watched: Watched, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = collector_of(catalogue, channel)
    begin(watched, channel, Trouble.DOWN)
    watched.live(1)
    fault = fault_of(collector, watched)
    assert fault is not None
    assert fault.code in ("not_found", "server_error")
    watched.simulation.behaviours[channel].stop(Trouble.DOWN, watched.simulation.world.now)
    watched.live(1)
    if channel != "webhall":
        told = figures_of(read_all(collector, watched), watched.minutes())
        assert told == watched.expected(*source_of(catalogue, channel))


@pytest.mark.parametrize("channel", ["hotline", "im", "wechat"])
def test_a_late_source_tells_everything_later(channel: str, watched: Watched, catalogue: Catalogue) -> None:
    collector = collector_of(catalogue, channel)
    since = begin(watched, channel, Trouble.LATE)
    watched.live(10)
    early = by_province(figures_of(read_all(collector, watched), watched.minutes()), "contacts", since)
    assert not early
    watched.live(LATE_S / 60)
    later = by_province(figures_of(read_all(collector, watched), watched.minutes()), "contacts", since)
    assert sum(later.values()) > 50


@pytest.mark.parametrize("channel", ["hotline", "sms", "im", "wechat"])
def test_a_source_with_something_missing_leaves_one_province_out(
    channel: str, watched: Watched, catalogue: Catalogue
) -> None:
    since = begin(watched, channel, Trouble.MISSING)
    watched.live(5)
    told = by_province(
        figures_of(read_all(collector_of(catalogue, channel), watched), watched.minutes()), "contacts", since
    )
    expected = by_province(watched.expected(*source_of(catalogue, channel)), "contacts", since)
    assert expected.pop(MISSING) > 0
    assert told == expected


def test_wechat_with_something_missing_has_no_row_for_the_province(watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, "wechat", Trouble.MISSING)
    watched.live(2)
    (parsed,) = read_all(collector_of(catalogue, "wechat"), watched)
    assert parsed.observations is not None
    last = parsed.observations[parsed.observations["start"] == parsed.observations["start"].max()]
    offered = set(last[last["measure"] == "offered"]["region"].astype(str))
    assert offered == set(watched.simulation.plan.nation.provinces) - {MISSING}


def test_lines_written_twice_change_nothing(watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, "hotline", Trouble.DUPLICATED)
    watched.live(5)
    parsed = read_all(collector_of(catalogue, "hotline"), watched)
    assert figures_of(parsed, watched.minutes()) == watched.expected(*source_of(catalogue, "hotline"))
    assert sum(one.excluded.get("superseded", 0) for one in parsed) > 100


def test_rows_written_twice_under_other_keys_count_twice(watched: Watched, catalogue: Catalogue) -> None:
    since = begin(watched, "sms", Trouble.DUPLICATED)
    watched.live(5)
    told = by_province(
        figures_of(read_all(collector_of(catalogue, "sms"), watched), watched.minutes()), "contacts", since
    )
    expected = by_province(watched.expected(*source_of(catalogue, "sms")), "contacts", since)
    assert told == Counter({province: 2 * count for province, count in expected.items()})


@pytest.mark.parametrize("channel", ["hotline", "email", "im", "wechat"])
def test_wrong_sums_do_not_balance(channel: str, watched: Watched, catalogue: Catalogue) -> None:
    since = begin(watched, channel, Trouble.WRONG_SUMS)
    watched.live(8)
    told = figures_of(read_all(collector_of(catalogue, channel), watched), watched.minutes())
    sums: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for (measure, _, _, start), value in told.items():
        (sums if start >= since else before)[measure] += int(value)
    assert balance(before) == 0
    assert balance(sums) < 0


def balance(sums: Counter[str]) -> int:
    return sums["offered"] - sums["answered"] - sums["abandoned"] - sums["flowed_out"] - sums["waiting"]


@pytest.mark.parametrize("channel", ["hotline", "sms", "weibo", "wechat", "webhall"])
def test_a_stopped_clock_puts_everything_into_one_minute(channel: str, watched: Watched, catalogue: Catalogue) -> None:
    since = begin(watched, channel, Trouble.STOPPED_CLOCK)
    watched.live(6)
    told = figures_of(read_all(collector_of(catalogue, channel), watched), watched.minutes())
    starts = {start for (measure, _, _, start) in told if measure == "contacts"}
    assert max(starts) == since


@pytest.mark.parametrize("channel", ["ivr", "im", "wechat"])
def test_copied_figures_are_anothers(channel: str, watched: Watched, catalogue: Catalogue) -> None:
    since = begin(watched, channel, Trouble.COPIED_FIGURES)
    watched.live(6)
    told = by_province(
        figures_of(read_all(collector_of(catalogue, channel), watched), watched.minutes()), "contacts", since
    )
    assert told[COPIED_TO] == told[COPIED_FROM] > 0


@pytest.mark.parametrize("channel", ["hotline", "webhall"])
def test_garbage_in_a_log_is_rejected_line_by_line(channel: str, watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, channel, Trouble.GARBAGE)
    watched.live(2)
    parsed = read_all(collector_of(catalogue, channel), watched)
    assert len(rejects_of(parsed)) > 20
    if channel == "hotline":
        assert figures_of(parsed, watched.minutes()) == watched.expected(*source_of(catalogue, channel))


def test_garbage_in_a_database_is_rejected_row_by_row(watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, "email", Trouble.GARBAGE)
    watched.live(2)
    assert set(rejects_of(read_all(collector_of(catalogue, "email"), watched))) == {"not_a_time"}


@pytest.mark.parametrize("channel", ["im", "weibo", "wechat", "knowledge"])
def test_garbage_from_an_interface_is_a_fault(channel: str, watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, channel, Trouble.GARBAGE)
    fault = fault_of(collector_of(catalogue, channel), watched)
    assert fault is not None
    assert fault.code == "unreadable"


def test_a_slow_interface_answers_in_its_own_time(
    watched: Watched, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def no_sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(http_door, "pause", no_sleep)
    begin(watched, "knowledge", Trouble.SLOW)
    read_all(collector_of(catalogue, "knowledge"), watched)
    assert waited == [http_door.SLOW_S] * 2


def pushed(watched: Watched, catalogue: Catalogue, channel: str) -> Iterator[tuple[str, list[str]]]:
    """Bodies that a channel would push, with what its collector rejects in them."""
    collector = collector_of(catalogue, channel)
    assert isinstance(collector, PushCollector)
    for body in watched.pushed[channel]:
        parsed = collector.parse(collector.payload(body.data, datetime.now(UTC)))
        yield body.key, [reject.code for reject in parsed.rejects]


def test_a_pushing_system_that_is_down_sends_nothing_and_then_everything(
    watched: Watched, catalogue: Catalogue
) -> None:
    begin(watched, "shops", Trouble.DOWN)
    watched.pushed.clear()
    watched.live(3)
    assert not watched.pushed["shops"]
    assert watched.pushed["app"]
    watched.simulation.behaviours["shops"].stop(Trouble.DOWN, watched.simulation.world.now)
    watched.live(1)
    assert all(not codes for _, codes in pushed(watched, catalogue, "shops"))
    assert watched.pushed["shops"]


def test_a_pushing_system_duplicates_under_another_key(watched: Watched) -> None:
    begin(watched, "app", Trouble.DUPLICATED)
    watched.pushed.clear()
    watched.live(2)
    bodies = watched.pushed["app"]
    assert len({body.key for body in bodies}) == len(bodies) == 2 * len({body.data for body in bodies})


def test_the_apps_wrong_totals_are_not_the_sums_of_its_cities(watched: Watched) -> None:
    begin(watched, "app", Trouble.WRONG_SUMS)
    watched.pushed.clear()
    watched.live(4)
    cities: Counter[tuple[str, str]] = Counter()
    totals: Counter[tuple[str, str]] = Counter()
    for body in watched.pushed["app"]:
        for row in json.loads(body.data)["observations"]:
            if row["measure"] == "contacts":
                key = (f"{row['region'][:2]}0000", row["start"])
                (totals if row["region"].endswith("0000") else cities)[key] += row["value"]
    assert any(total > cities[key] for key, total in totals.items())


def test_a_trouble_that_a_system_cannot_have_is_refused(watched: Watched) -> None:
    with pytest.raises(Impossible, match="ivr cannot be wrong_sums; it can be: "):
        watched.simulation.behaviours["ivr"].start(Trouble.WRONG_SUMS, 0)
    assert not any(Trouble.SLOW in POSSIBLE[name] for name in ("hotline", "sms", "app"))
