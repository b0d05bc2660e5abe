"""Percentiles and numbers of people over every engine: the marks of any split, added, are those of the whole."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from config.catalogue import Catalogue
from metrics.distinct import mark_of, people
from metrics.observations import Interval, encode_dimensions
from metrics.percentiles import band_of, percentile
from store.facts.history import History, SumQuery
from tests.support.engines import Open, on_examples
from tests.support.store_world import START, contacts, hour, minute, stamp, text, world
from tests.support.tiers_world import grow_old, later, tiers

ACCURACY = 0.02
SHARES = (0.0, 0.5, 0.9, 1.0)
CITIES = ("110105", "110106", "120104")
PEOPLE = [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(1, 30)]
"""Pseudonyms, evenly spread."""


@pytest.fixture
def examples(examples: int) -> int:
    """Each example asks some thirty questions, so few of them."""
    return min(examples, 6)


Call = tuple[str, str, str, int, float]
"""Contact, customer, city, minute of arrival, wait in seconds."""
CALL = st.tuples(
    st.sampled_from([f"call-{number}" for number in range(40)]),
    st.sampled_from(PEOPLE),
    st.sampled_from(CITIES),
    st.integers(0, 59),
    st.just(0.0) | st.integers(1, 3600).map(float) | st.floats(0.01, 3600),
)
BATCH = st.tuples(st.sampled_from(["hotline", "chat"]), st.lists(CALL, min_size=1, max_size=30))


def sketching() -> Catalogue:
    """The small nation, whose calls leave bands and marks."""
    small = world()
    names = {name: text(name) for name in ("wait_band", "customer_mark")}
    return small.model_copy(update={"dimensions": small.dimensions | names})


def told(calls: Iterable[Call]) -> list[tuple[str, str, str, str, datetime, float]]:
    """Each call under both dimensions: its band as `offered`, its customer's mark as `waited_s`."""
    return [
        row
        for contact, customer, city, at, wait in calls
        for row in (
            (contact, "offered", city, encode_dimensions({"wait_band": band_of(wait, ACCURACY)}), minute(at), 1.0),
            (contact, "waited_s", city, encode_dimensions({"customer_mark": mark_of(customer)}), minute(at), 1.0),
        )
    ]


def marks(history: History, measure: str, dimension: str, **asked: Any) -> Counter[str]:
    question = {"interval": hour(), **asked, "group": (*asked.get("group", ()), dimension)}
    found = history.totals(SumQuery((measure,), **question))
    return Counter(found.groupby(dimension, observed=True)["value"].sum().to_dict())


def waits(history: History, **asked: Any) -> Counter[str]:
    return marks(history, "offered", "wait_band", **asked)


def customers(history: History, **asked: Any) -> Counter[str]:
    return marks(history, "waited_s", "customer_mark", **asked)


def percentiles(counts: Counter[str]) -> list[float | None]:
    return [percentile(counts, share, ACCURACY) for share in SHARES]


def agrees(history: History, calls: list[Call], **asked: Any) -> None:
    """The store says of these calls what the calls themselves say."""
    exact = [wait for *_, wait in calls]
    truth = [float(np.quantile(exact, share, method="lower")) for share in SHARES] if exact else [None] * 4
    assert percentiles(waits(history, **asked)) == [
        value if value is None else pytest.approx(value, rel=ACCURACY * (1 + 1e-9), abs=0) for value in truth
    ]
    assert people(customers(history, **asked)) == people({mark_of(customer) for _, customer, *_ in calls})


@on_examples(st.lists(BATCH, min_size=1, max_size=5), st.integers(1, 59))
def test_sketches_of_any_split_are_those_of_the_whole(open_history: Open, batches: list[Any], cut: int) -> None:
    """Corrected calls, calls that come again and calls that come late are in it."""
    with TemporaryDirectory() as folder, closing(open_history(Path(folder), sketching())) as history:
        shown: dict[tuple[str, str], Call] = {}
        states: list[list[Call]] = []
        for second, (channel, calls) in enumerate(batches):
            at = START + timedelta(seconds=second)
            for _ in range(2):
                history.contribute(stamp(second + 1, channel, at), contacts(told(once(calls))))
            shown |= {(channel, call[0]): call for call in calls}
            states.append(list(shown.values()))
        agrees(history, states[-1])
        for second, calls in enumerate(states):
            agrees(history, calls, as_known_at=START + timedelta(seconds=second))
        for ask in (waits, customers):
            whole = ask(history)
            for group in ("province", "city", "channel"):
                assert ask(history, group=(group,), by=300) == whole
            fractions = (Interval(START, minute(cut)), Interval(minute(cut), hour().end))
            assert sum((ask(history, interval=half) for half in fractions), Counter()) == whole
            assert sum((ask(history, within=place) for place in ("110000", "120000")), Counter()) == whole
            assert sum((ask(history, channels=(name,)) for name in ("hotline", "chat")), Counter()) == whole


def once(calls: list[Call]) -> list[Call]:
    """The last of the calls with one key: a contact that stands twice in a table has the parts of both."""
    return list({call[0]: call for call in calls}.values())


def test_sketches_outlive_the_rows_that_they_were_made_of(open_history: Open, tmp_path: Path) -> None:
    calls = [(f"call-{n}", PEOPLE[n % 11], CITIES[n % 3], n * 29 % 60, n * n / 3) for n in range(50)]
    with tiers(tmp_path, sketching(), open_history) as (history, _):
        history.contribute(stamp(1), contacts(told(calls)))
        days = Interval(minute(10) - timedelta(days=1), minute(10) + timedelta(days=1))
        agrees(history, calls, interval=days)
        grow_old(history, later(5))
        [raw] = [tier.history for tier in history.tiers if tier.name == "raw"]
        assert raw.observations(days).empty
        agrees(history, calls, interval=days)
