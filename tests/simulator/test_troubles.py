"""Each misbehaviour does what it says, to the system that it is switched on for and to no other."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from collectors.push import PushCollector
from config.catalogue import Catalogue
from simulator.systems import http_door
from simulator.troubles import COPIED_FROM, COPIED_TO, LATE_S, MISSING, POSSIBLE, SLOW_S, Impossible, Trouble
from tests.support.nation_world import (
    Figures,
    Watched,
    collector_of,
    fault_of,
    figures_of,
    read_all,
    rejects_of,
    source_of,
)

POLLED = ("hotline", "ivr", "sms", "email", "im", "weibo", "wechat", "knowledge", "webhall")


def begin(watched: Watched, trouble: Trouble, *systems: str) -> int:
    """Switch a trouble on at a full minute; gives that minute."""
    now = watched.simulation.world.now
    watched.live((60 - now % 60) / 60)
    for system in systems:
        watched.simulation.behaviours[system].start(trouble, watched.simulation.world.now)
    return watched.simulation.world.now


def by_province(figures: Figures, measure: str, since: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, region, _, start), value in figures.items():
        if name == measure and start >= since:
            found[f"{region[:2]}0000"] += int(value)
    return found


def told_by(watched: Watched, catalogue: Catalogue, channel: str) -> Figures:
    return figures_of(read_all(collector_of(catalogue, channel), watched), watched.minutes())


def contacts_of(watched: Watched, catalogue: Catalogue, channel: str, since: int) -> tuple[Counter[str], Counter[str]]:
    """Contacts by province since a moment: as told, and as they were."""
    told = by_province(told_by(watched, catalogue, channel), "contacts", since)
    return told, by_province(watched.expected(*source_of(catalogue, channel)), "contacts", since)


def test_a_source_that_is_down_is_a_fault_and_comes_back_whole(watched: Watched, catalogue: Catalogue) -> None:
    collectors = {channel: collector_of(catalogue, channel) for channel in POLLED}
    begin(watched, Trouble.DOWN, *POLLED)
    watched.live(1)
    for channel, collector in collectors.items():
        fault = fault_of(collector, watched)
        assert fault is not None, channel
        assert fault.code in ("not_found", "server_error"), channel
        watched.simulation.behaviours[channel].stop(Trouble.DOWN, watched.simulation.world.now)
    watched.live(1)
    for channel, collector in collectors.items():
        told = figures_of(read_all(collector, watched), watched.minutes())
        own = {key: value for key, value in told.items() if not key[0].startswith("web_")}
        assert own == watched.expected(*source_of(catalogue, channel)), channel


def test_a_late_source_tells_everything_later(watched: Watched, catalogue: Catalogue) -> None:
    channels = ("hotline", "im", "wechat", "sms", "webhall")
    since = begin(watched, Trouble.LATE, *channels)
    watched.live(5)
    for channel in channels:
        assert not by_province(told_by(watched, catalogue, channel), "contacts", since), channel
    watched.live(LATE_S / 60 - 2)
    for channel in channels:
        assert by_province(told_by(watched, catalogue, channel), "contacts", since), channel


def test_a_source_with_something_missing_leaves_one_province_out(watched: Watched, catalogue: Catalogue) -> None:
    channels = ("hotline", "sms", "im", "wechat", "webhall")
    since = begin(watched, Trouble.MISSING, *channels)
    watched.live(5)
    for channel in channels:
        told, expected = contacts_of(watched, catalogue, channel, since)
        del expected[MISSING]
        assert told == expected, channel
        assert told, channel
    (parsed,) = read_all(collector_of(catalogue, "wechat"), watched)
    assert parsed.observations is not None
    last = parsed.observations[parsed.observations["start"] == parsed.observations["start"].max()]
    offered = set(last[last["measure"] == "offered"]["region"].astype(str))
    assert offered == set(watched.simulation.plan.nation.provinces) - {MISSING}


def test_lines_written_twice_change_nothing(watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, Trouble.DUPLICATED, "hotline")
    watched.live(4)
    parsed = read_all(collector_of(catalogue, "hotline"), watched)
    assert figures_of(parsed, watched.minutes()) == watched.expected(*source_of(catalogue, "hotline"))
    assert sum(one.excluded.get("superseded", 0) for one in parsed) > 100


def test_rows_written_twice_under_other_keys_count_twice(watched: Watched, catalogue: Catalogue) -> None:
    since = begin(watched, Trouble.DUPLICATED, "sms")
    watched.live(5)
    told, expected = contacts_of(watched, catalogue, "sms", since)
    assert told == Counter({province: 2 * count for province, count in expected.items()})
    assert told


def test_wrong_sums_do_not_balance(watched: Watched, catalogue: Catalogue) -> None:
    channels = ("hotline", "email", "im", "wechat")
    since = begin(watched, Trouble.WRONG_SUMS, *channels)
    watched.live(6)
    for channel in channels:
        sums: Counter[str] = Counter()
        before: Counter[str] = Counter()
        for (measure, _, _, start), value in told_by(watched, catalogue, channel).items():
            (sums if start >= since else before)[measure] += int(value)
        assert balance(before) == 0, channel
        assert balance(sums) < 0, channel


def balance(sums: Counter[str]) -> int:
    return sums["offered"] - sums["answered"] - sums["abandoned"] - sums["flowed_out"] - sums["waiting"]


def test_a_stopped_clock_puts_everything_into_one_minute(watched: Watched, catalogue: Catalogue) -> None:
    channels = ("hotline", "sms", "im", "wechat", "webhall")
    since = begin(watched, Trouble.STOPPED_CLOCK, *channels)
    watched.live(5)
    for channel in channels:
        starts = {start for (measure, _, _, start) in told_by(watched, catalogue, channel) if measure == "contacts"}
        assert max(starts) == since, channel


def test_copied_figures_are_anothers(watched: Watched, catalogue: Catalogue) -> None:
    channels = ("ivr", "im", "wechat", "sms")
    since = begin(watched, Trouble.COPIED_FIGURES, *channels)
    watched.live(5)
    for channel in channels:
        told, _ = contacts_of(watched, catalogue, channel, since)
        assert told[COPIED_TO] == told[COPIED_FROM] > 0, channel


def test_garbage_is_rejected_piece_by_piece_or_is_a_fault(watched: Watched, catalogue: Catalogue) -> None:
    begin(watched, Trouble.GARBAGE, *POLLED)
    watched.live(2)
    hotline = read_all(collector_of(catalogue, "hotline"), watched)
    assert len(rejects_of(hotline)) > 5
    assert figures_of(hotline, watched.minutes()) == watched.expected(*source_of(catalogue, "hotline"))
    assert len(rejects_of(read_all(collector_of(catalogue, "webhall"), watched))) > 5
    assert set(rejects_of(read_all(collector_of(catalogue, "sms"), watched))) == {"not_a_time"}
    for channel in ("im", "weibo", "wechat", "knowledge"):
        fault = fault_of(collector_of(catalogue, channel), watched)
        assert fault is not None, channel
        assert fault.code == "unreadable", channel


def test_a_slow_interface_answers_in_its_own_time(
    watched: Watched, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def no_sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(http_door, "pause", no_sleep)
    begin(watched, Trouble.SLOW, "knowledge")
    read_all(collector_of(catalogue, "knowledge"), watched)
    assert waited
    assert set(waited) == {SLOW_S}


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
    begin(watched, Trouble.DOWN, "shops")
    watched.pushed.clear()
    watched.live(3)
    assert not watched.pushed["shops"]
    assert watched.pushed["app"]
    watched.simulation.behaviours["shops"].stop(Trouble.DOWN, watched.simulation.world.now)
    watched.live(1)
    assert all(not codes for _, codes in pushed(watched, catalogue, "shops"))
    assert watched.pushed["shops"]


def test_a_pushing_system_duplicates_under_another_key(watched: Watched) -> None:
    begin(watched, Trouble.DUPLICATED, "app")
    watched.pushed.clear()
    watched.live(2)
    bodies = watched.pushed["app"]
    assert len({body.key for body in bodies}) == len(bodies) == 2 * len({body.data for body in bodies})


def test_the_apps_wrong_totals_are_not_the_sums_of_its_cities(watched: Watched) -> None:
    since = begin(watched, Trouble.WRONG_SUMS, "app")
    watched.pushed.clear()
    watched.live(4)
    told: dict[tuple[str, str, str], int] = {}
    for body in watched.pushed["app"]:
        for row in json.loads(body.data)["observations"]:
            if row["measure"] == "contacts":
                told[row["region"], row["start"], str(row.get("dimensions"))] = row["value"]
    cities: Counter[tuple[str, str]] = Counter()
    for (region, start, _), value in told.items():
        if not region.endswith("0000"):
            cities[f"{region[:2]}0000", start] += value
    totals = {key[:2]: value for key, value in told.items() if key[0].endswith("0000")}
    fresh = [key for key in totals if datetime.fromisoformat(key[1]).timestamp() >= since]
    assert fresh
    assert all(totals[key] >= cities[key] + 2 for key in fresh)


def test_a_trouble_that_a_system_cannot_have_is_refused(watched: Watched) -> None:
    with pytest.raises(Impossible, match="ivr cannot be wrong_sums; it can be: "):
        watched.simulation.behaviours["ivr"].start(Trouble.WRONG_SUMS, 0)
    assert not any(Trouble.SLOW in POSSIBLE[name] for name in ("hotline", "sms", "app"))
