"""Every protocol, read by the product's own collector, gives the nation's own books exactly."""

from datetime import UTC, datetime

import pytest

from collectors.push import PushCollector
from config.catalogue import Catalogue
from metrics.observations import Parsed
from simulator.floor import as_record
from tests.support.nation_world import Watched, collector_of, figures_of, read_all, rejects_of, source_of

POLLED = ("hotline", "ivr", "sms", "email", "im", "weibo", "wechat", "knowledge")
PUSHED = ("app", "shops")
TOO_FEW = 20


def exact(watched: Watched, catalogue: Catalogue, channel: str, parsed: list[Parsed]) -> None:
    expected = watched.expected(*source_of(catalogue, channel))
    assert len(expected) > TOO_FEW, channel
    assert rejects_of(parsed) == [], channel
    assert figures_of(parsed, watched.minutes()) == expected, channel


def test_polled_channels_tell_exactly_what_happened_and_what_changes_afterwards(
    watched: Watched, catalogue: Catalogue
) -> None:
    collectors = {channel: collector_of(catalogue, channel) for channel in POLLED}
    first = {channel: read_all(collector, watched) for channel, collector in collectors.items()}
    for channel, parsed in first.items():
        exact(watched, catalogue, channel, parsed)
    watched.live(5)
    for channel, parsed in first.items():
        exact(watched, catalogue, channel, [*parsed, *read_all(collectors[channel], watched, parsed[-1].cursor)])


@pytest.mark.parametrize("channel", PUSHED)
def test_what_is_pushed_is_taken_whole_and_is_exactly_what_happened(
    channel: str, watched: Watched, catalogue: Catalogue
) -> None:
    watched.live(1)
    collector = collector_of(catalogue, channel)
    assert isinstance(collector, PushCollector)
    parsed = [collector.parse(collector.payload(body.data, datetime.now(UTC))) for body in watched.pushed[channel]]
    assert rejects_of(parsed) == []
    expected = watched.expected(*source_of(catalogue, channel))
    told = figures_of(parsed, watched.minutes())
    totals = {key for key in told if channel == "app" and key[1].endswith("0000")}
    assert {key: value for key, value in told.items() if key not in totals} == expected
    for _, province, _, minute in totals:
        cities = sum(
            value
            for (measure, city, _, start), value in told.items()
            if measure == "contacts" and start == minute and city[:2] == province[:2] and not city.endswith("0000")
        )
        assert told["contacts", province, "", minute] == cities


def test_the_web_server_logs_exactly_its_own_book(watched: Watched, catalogue: Catalogue) -> None:
    parsed = read_all(collector_of(catalogue, "webhall"), watched)
    assert rejects_of(parsed) == []
    told = figures_of(parsed, watched.minutes())
    last = watched.minutes()[-1]
    book = {key: value for key, value in watched.simulation.web.book.items() if value and key[2] < last}
    assert len(book) > TOO_FEW
    for (measure, city, minute), value in book.items():
        assert told[measure, city, "", minute] == pytest.approx(value), (measure, city, minute)
    contacts = {key: value for key, value in told.items() if key[0] in ("contacts", "served_without_agent")}
    assert contacts == watched.expected(*source_of(catalogue, "webhall"))


def test_the_floor_tells_its_levels_and_its_work(watched: Watched, catalogue: Catalogue) -> None:
    (parsed,) = read_all(collector_of(catalogue, "hotline", "floor"), watched)
    table = parsed.observations
    assert table is not None
    for centre, levels in watched.simulation.floor.levels().items():
        own = table[table["region"] == centre].set_index("measure")["value"].to_dict()
        assert own == as_record(levels)
    told = figures_of(read_all(collector_of(catalogue, "hotline", "work"), watched), watched.minutes())
    for minute, centres in watched.simulation.floor.work.items():
        for centre, work in centres.items():
            for measure, value in as_record(work).items():
                assert told.get((measure, centre, "", minute), 0) == value
    due = sum(value for key, value in told.items() if key[0] == "due")
    assert due == sum(one.due for minute in watched.simulation.orders.due.values() for one in minute.values()) > 0
