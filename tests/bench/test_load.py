"""The reference load and its ledger: the same bytes for everyone, and a store that lost or doubled is found out."""

import json
import random
from datetime import timedelta

import pytest

from bench.embedded import embedded
from bench.interval import START
from bench.ledger import Ledger
from bench.load import CHANNELS, MEASURES, SPLIT, Load, minutes_from

MINUTES = minutes_from(START, 4)


def test_a_body_is_the_same_whenever_it_is_asked_for() -> None:
    bodies = [(channel, minute) for minute in MINUTES for channel in CHANNELS[:3]]
    one, other = Load(regions=20), Load(regions=20)
    first = {at: one.body(*at) for at in bodies}
    random.Random(1).shuffle(bodies)
    assert {at: other.body(*at) for at in bodies} == first


def test_the_reference_load_has_the_size_that_it_says() -> None:
    load = Load()
    said = sum(int((values == values).sum()) for name in CHANNELS for _, values in load.said(name, MINUTES[0]))
    assert (len(load.regions), len(CHANNELS), len(MEASURES), len(SPLIT)) == (400, 11, 40, 20)
    assert said == pytest.approx(183_600, rel=0.02)
    assert len(Load(scale=2).regions) == 800
    [table] = [one for one in json.loads(load.body(CHANNELS[0], MINUTES[0]))["tables"] if "dimensions" in one][:1]
    assert set(table["dimensions"]["service_type"]) == set(SPLIT)


def test_the_ledger_agrees_with_the_line_up_and_finds_what_it_was_not_given() -> None:
    load = Load(regions=12)
    ledger = Ledger(load)
    with embedded(load, START) as line_up:
        for minute in MINUTES:
            line_up.take(minute, {channel: load.body(channel, minute) for channel in load.channels})
            for channel in load.channels:
                ledger.acknowledge(channel, minute)
                ledger.acknowledge(channel, minute)
        assert ledger.differences(line_up.dependencies.history) == []
        ahead = MINUTES[-1] + timedelta(minutes=1)
        ledger.acknowledge("channel_05", ahead)
        told = ledger.differences(line_up.dependencies.history)
        assert any(line.startswith("channel_05 contacts") and "stored (0.0, 0)" in line for line in told)
        assert all(line.startswith("channel_05") for line in told)
