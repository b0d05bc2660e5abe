"""One suite over every engine: laws by hand, then anything at all against the reference."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import strategies as st

from config.catalogue import NATION, Catalogue
from metrics.observations import Interval, NaiveTime
from store.facts.history import History, SumQuery
from store.faults import BadTable
from tests.support.engines import Open, on_examples
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import (
    DIMENSIONS,
    KEYS,
    MEASURES,
    START,
    answer,
    ask,
    contacts,
    hour,
    minute,
    offered,
    one,
    ordered,
    query,
    stamp,
    table,
    world,
)

Size = int | Literal["day"]

# Revisions


def test_a_newer_revision_replaces_and_an_older_is_ignored(history: History) -> None:
    assert history.write(stamp(2), offered(5)).inserted == 1
    assert history.write(stamp(1), offered(4)).superseded_older == 1
    assert one(history) == 5
    assert history.write(stamp(3), offered(6)).changed == 1
    assert one(history) == 6


def test_of_two_values_with_one_revision_the_first_stays(history: History) -> None:
    history.write(stamp(2), offered(5))
    assert history.write(stamp(2, batch="another"), offered(4)).superseded_older == 1
    assert one(history) == 5


def test_the_same_batch_twice_changes_nothing(history: History) -> None:
    rows = table([("offered", "110105", key, minute(n), n) for key in KEYS for n in range(5)])
    assert history.write(stamp(), rows).inserted == 20
    before = ordered(history.observations(hour()))
    again = history.write(stamp(), rows)
    assert (again.unchanged, again.inserted, again.changed, again.touched) == (20, 0, 0, None)
    pd.testing.assert_frame_equal(ordered(history.observations(hour())), before)


def test_a_confirmed_value_takes_the_newer_revision(history: History) -> None:
    history.write(stamp(1), offered(5))
    assert history.write(stamp(3), offered(5)).unchanged == 1
    assert history.write(stamp(2), offered(7)).superseded_older == 1
    assert one(history) == 5


def test_touched_covers_what_changed_and_nothing_else(history: History) -> None:
    history.write(stamp(1), table([("offered", "110105", "", minute(n), 1) for n in range(9)]))
    values = {3: 2.0, 5: 2.0}
    rows = [("offered", "110105", "", minute(n), values.get(n, 1.0)) for n in range(9)]
    assert history.write(stamp(2), table(rows)).touched == Interval(minute(3), minute(6))


def test_a_key_that_comes_twice_in_a_table_counts_once(history: History) -> None:
    written = history.write(stamp(), pd.concat([offered(5), offered(7), offered(6)]))
    assert (written.inserted, written.repeated) == (1, 2)
    assert one(history) == 6


def test_some_columns_are_those_of_all(history: History) -> None:
    history.write(stamp(2), table([("offered", "110105", key, minute(n), n) for key in KEYS for n in range(3)]))
    history.write(stamp(3, channel="chat"), table([("offered", "110000", "", minute(1), 7)]))
    key = ["channel", "measure", "region", "dimension", "start"]
    every = ordered(history.observations(hour()))
    for more in (["value", "reported"], ["received_at", "revision", "batch"]):
        some = ordered(history.observations(hour(), columns=(*key, *more)))
        pd.testing.assert_frame_equal(some, every[[*key, *more]], check_categorical=False)
    assert history.observations(hour(), ["chat"], columns=("value",))["value"].tolist() == [7]


def test_an_empty_table_is_no_change(history: History) -> None:
    assert history.write(stamp(), table([])).inserted == 0
    assert history.contribute(stamp(), contacts([])).inserted == 0
    assert history.observations(hour()).empty


# Several tables at once


def test_tables_that_are_written_at_once_end_as_those_written_one_by_one(
    open_history: Callable[..., History], tmp_path: Path
) -> None:
    minutes = [table([("offered", "110105", key, minute(n), n) for key in KEYS for n in range(3)])]
    corrected = table([("offered", "110105", "", minute(n), 9 if n == 1 else n) for n in range(1, 5)])
    tables = [
        (stamp(1), minutes[0]),
        (stamp(3, "chat"), offered(4)),
        (stamp(2), corrected),
        (stamp(4), table([])),
        (stamp(2, "chat", batch="older"), offered(8)),
        (stamp(2, batch="again"), pd.concat([corrected, corrected])),
    ]
    told, rows, progress = [], [], []
    for folder in ("once", "each"):
        with closing(open_history(tmp_path / folder, world())) as history:
            history.write(stamp(0), offered(1))
            together = folder == "once"
            told.append(history.write_all(tables) if together else tuple(history.write(*one) for one in tables))
            rows.append([ordered(history.observations(hour(), as_known_at=at)) for at in (None, START, minute(9))])
            progress.append(history.last_starts())
    assert told[0] == told[1]
    assert [one.inserted for one in told[0]] == [11, 1, 2, 0, 0, 0]
    assert (told[0][0].changed, told[0][2].changed, told[0][4].superseded_older, told[0][5].repeated) == (1, 1, 1, 4)
    for once, each in zip(*rows, strict=True):
        pd.testing.assert_frame_equal(once, each, check_categorical=False)
    pd.testing.assert_frame_equal(*progress)


def test_of_tables_that_are_written_at_once_a_bad_one_keeps_out_all(history: History) -> None:
    with pytest.raises(BadTable, match="unknown region"):
        history.write_all([(stamp(), offered(5)), (stamp(1, "chat"), offered(7, region="nowhere"))])
    assert history.observations(hour()).empty
    assert history.write_all([(stamp(), offered(5)), (stamp(1, "chat"), offered(7))])[1].inserted == 1
    assert ask(history, group=("channel",)) == {("chat", "offered"): 7, ("hotline", "offered"): 5}


# What was shown when


def test_any_screen_can_be_replayed(history: History) -> None:
    history.write(stamp(1, at=minute(1)), offered(5))
    history.write(stamp(2, at=minute(3)), offered(8))
    shown = {n: one(history, as_known_at=minute(n)) for n in range(5)}
    assert shown == {0: None, 1: 5, 2: 5, 3: 8, 4: 8}


def test_a_clock_that_goes_back_shows_no_value_twice(history: History) -> None:
    for revision, minutes in ((1, 1), (2, 5), (3, 2)):
        history.write(stamp(revision, at=minute(minutes)), offered(revision))
    assert {n: one(history, as_known_at=minute(n)) for n in (1, 2, 4, 5, 6)} == {1: 1, 2: 1, 4: 1, 5: 3, 6: 3}


# Places


def test_reported_totals_are_kept_and_never_added(history: History) -> None:
    rows = [("offered", "110105", "", START, 3), ("offered", "110106", "", START, 4)]
    history.write(stamp(), table([*rows, ("offered", "110000", "", START, 9), ("offered", NATION, "", START, 10)]))
    assert one(history) == 7
    reported = ask(history, reported=True, group=("region",))
    assert reported == {("110000", "offered"): 9, (NATION, "offered"): 10}
    with pytest.raises(ValueError, match="group them by region"):
        SumQuery(("offered",), hour(), reported=True)


def test_a_row_coarser_than_the_question_is_shown_under_no_place(history: History) -> None:
    history.write(stamp(), table([("lines", "110000", "", START, 3), ("lines", "120000", "", START, 4)]))
    assert ask(history, measures=("lines",), group=("province",)) == {("110000", "lines"): 3, ("120000", "lines"): 4}
    assert ask(history, measures=("lines",), group=("city",)) == {("", "lines"): 7}
    assert ask(history, measures=("lines",), within="110105") == {}


# Levels, peaks, dimensions


def test_levels_add_over_places_and_never_over_time(history: History) -> None:
    for measure in ("queue", "agents", "lines"):
        cells = {"110105": (1, 4, 2), "110106": (10, 20, 30)} if measure == "queue" else {}
        cells = cells or ({"C-1": (1, 4, 2), "C-2": (10, 20, 30)} if measure == "agents" else {})
        cells = cells or {"110000": (1, 40, 2), "120000": (10, 20, 30)}
        rows = [(measure, place, "", minute(n), value) for place, row in cells.items() for n, value in enumerate(row)]
        history.write(stamp(), table(rows))
    found = ask(history, measures=("queue", "agents", "lines"))
    assert found == {("queue",): 32, ("agents",): 67 / 3, ("lines",): 60}


def test_channels_of_different_steps_add_up_at_their_own_last_instant(history: History) -> None:
    history.write(stamp(channel="hotline"), table([("queue", "110105", "", minute(n), n) for n in range(8)]))
    history.write(stamp(channel="chat"), table([("queue", "110105", "", minute(n), 100) for n in (0, 5)]))
    assert ask(history, measures=("queue",)) == {("queue",): 107}


def test_peaks_are_the_largest_over_places_and_time(history: History) -> None:
    rows = [
        ("longest_wait", place, "", minute(n), n * 3 + len(place)) for place in ("110105", "120104") for n in (0, 2)
    ]
    history.write(stamp(), table(rows))
    assert ask(history, measures=("longest_wait",)) == {("longest_wait",): 12}


def test_dimensions_group_and_filter(history: History) -> None:
    history.write(stamp(), table([("offered", "110105", key, START, 2.0**n) for n, key in enumerate(KEYS)]))
    assert ask(history, group=("service",)) == {
        ("", "offered"): 1,
        ("bill", "offered"): 10,
        ("fault;=终", "offered"): 4,
    }
    assert ask(history, group=("grade",), where={"service": ("bill",)}) == {("", "offered"): 2, ("gold", "offered"): 8}
    assert one(history, where={"grade": ("",)}) == 7
    assert one(history, where={"grade": ("silver",)}) is None


def test_days_begin_at_midnight_in_shanghai(history: History) -> None:
    history.write(stamp(), table([("offered", "110105", "", minute(n), 1) for n in range(30)]))
    days = {(datetime(2026, 11, day, 16, tzinfo=UTC), "offered"): n for day, n in ((20, 10), (21, 20))}
    assert ask(history, by="day") == days
    assert len(ask(history, by=900)) == 3


# Refusals


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("offered", "999999", "", START, 1.0)], "unknown region '999999'"),
        ([("sold", "110105", "", START, 1.0)], "unknown measure 'sold'"),
        ([("offered", "110105", "x", START, 1.0)], "dimension 'x'"),
        ([("offered", "110105", "b=1;a=2", START, 1.0)], "dimension 'b=1;a=2'"),
        ([("offered", "110105", "", START, float("nan"))], "not finite"),
        ([("offered", "110105", "", START, float("inf"))], "not finite"),
        ([(None, "110105", "", START, 1.0)], "measure is missing"),
    ],
)
def test_a_table_that_breaks_the_seam_is_refused_whole(history: History, rows: list[Any], says: str) -> None:
    good = ("offered", "110105", "", START, 1.0)
    with pytest.raises(BadTable, match=says) as refusal:
        history.write(stamp(), table([good, *rows]))
    assert "hotline/main" in str(refusal.value)
    assert history.observations(hour()).empty
    assert history.write(stamp(), table([good, ("offered", "110106", "grade=new", START, 2.0)])).inserted == 2
    assert ask(history, group=("grade",)) == {("", "offered"): 1, ("new", "offered"): 2}


def test_times_need_a_zone(history: History) -> None:
    naive = offered(1).assign(start=offered(1)["start"].dt.tz_localize(None))
    with pytest.raises(BadTable, match="a time with a zone"):
        history.write(stamp(), naive)
    with pytest.raises(NaiveTime):
        stamp(at=datetime(2026, 11, 21))  # noqa: DTZ001 - the naive time is the case
    with pytest.raises(NaiveTime):
        SumQuery(("offered",), hour(), as_known_at=datetime(2026, 11, 21))  # noqa: DTZ001 - as above


def test_a_question_with_a_spelling_mistake_is_refused(history: History) -> None:
    mistakes = ({"measures": ("offred",)}, {"channels": ("hotlin",)}, {"within": "1"}, {"group": ("servise",)})
    for mistake in mistakes:
        with pytest.raises(ValueError, match="unknown"):
            ask(history, **mistake)


# Contacts


def call(
    contact: str, at: datetime, value: float = 1, region: str = "110105", measure: str = "offered"
) -> tuple[str, str, str, str, datetime, float]:
    return (contact, measure, region, "", at, value)


def test_a_contact_counts_once(history: History) -> None:
    day = contacts([call("a", START), call("b", START), call("b", START, 30, measure="waited_s")])
    assert history.contribute(stamp(1), day).inserted == 2
    again = history.contribute(stamp(1), day)
    assert (again.unchanged, again.touched) == (2, None)
    history.contribute(stamp(2), contacts([call("b", START), call("c", START)]))
    assert ask(history, measures=("offered", "waited_s")) == {("offered",): 3}


def test_a_corrected_contact_moves_to_where_it_belongs(history: History) -> None:
    history.contribute(stamp(1), contacts([call("a", START), call("b", minute(1))]))
    written = history.contribute(stamp(2), contacts([call("a", minute(7), 1, "120104")]))
    assert (written.removed, written.inserted) == (1, 1)
    assert written.touched == Interval(START, minute(8))
    assert ask(history, group=("city",), by=60) == {
        (minute(1), "110105", "offered"): 1,
        (minute(7), "120104", "offered"): 1,
    }


def test_what_a_contact_leaves_is_announced_before_it_is_gone(history: History) -> None:
    told: list[tuple[Interval, object]] = []

    def announce(touched: Interval) -> None:
        told.append((touched, one(history)))

    history.contribute(stamp(1), contacts([call("a", minute(5), 3)]))
    written = history.contribute(stamp(2), contacts([call("a", minute(9), 4)]), announce)
    assert told == [(written.touched, 3)]
    assert one(history) == 4
    assert history.contribute(stamp(2), contacts([call("a", minute(9), 4)]), announce).touched is None
    assert len(told) == 1


def test_a_removed_key_is_still_replayed(history: History) -> None:
    history.contribute(stamp(1, at=minute(1)), contacts([call("a", START)]))
    history.contribute(stamp(2, at=minute(3)), contacts([call("a", minute(7))]))
    assert ask(history, by=60, as_known_at=minute(2)) == {(START, "offered"): 1}
    assert ask(history, by=60) == {(minute(7), "offered"): 1}


def test_an_older_version_of_a_contact_is_ignored_and_another_contact_is_not(history: History) -> None:
    history.contribute(stamp(5), contacts([call("a", START, 2)]))
    written = history.contribute(stamp(3), contacts([call("a", START, 9), call("b", START, 1)]))
    assert (written.superseded_older, written.changed) == (1, 1)
    assert one(history) == 3


def test_a_peak_of_contacts_is_the_largest(history: History) -> None:
    rows = [call(name, START, wait, measure="longest_wait") for name, wait in (("a", 5), ("b", 90), ("c", 20))]
    history.contribute(stamp(1), contacts(rows))
    history.contribute(stamp(2), contacts([call("b", START, 7, measure="longest_wait")]))
    assert ask(history, measures=("longest_wait",)) == {("longest_wait",): 20}


# The rest


def test_the_latest_interval_of_every_source_is_known(history: History) -> None:
    history.write(stamp(1), table([("offered", "110105", "", minute(n), 1) for n in (4, 2)]))
    history.write(stamp(2, at=minute(9)), offered(1, minute(3)))
    history.contribute(stamp(3, channel="chat"), contacts([call("a", minute(5))]))
    found = history.last_starts().set_index("channel")["start"].to_dict()
    assert found == {"hotline": minute(4), "chat": minute(5)}


def remarks(lines: list[int | None]) -> pd.DataFrame:
    rows = [("TY-01", line, "start", "not_a_time", f"'{line}", False) for line in lines]
    return pd.DataFrame(rows, columns=["rule", "line", "column", "code", "value", "kept"])


def test_what_was_kept_aside_is_found_again(history: History) -> None:
    assert history.keep_aside(stamp(1), remarks([3, None, 7])) == 3
    assert history.keep_aside(stamp(1), remarks([3, None])) == 2
    history.keep_aside(stamp(2, channel="chat", at=minute(9)), remarks([1]))
    assert history.aside(channel="hotline")["line"].astype(object).tolist() == [3, pd.NA]
    assert history.aside()["channel"].tolist() == ["chat", "hotline", "hotline"]
    assert history.aside(received=Interval(minute(9), minute(10)))["value"].tolist() == ["'1"]
    assert len(history.aside(limit=1)) == 1
    with pytest.raises(BadTable, match="kept"):
        history.keep_aside(stamp(1), remarks([1]).drop(columns="kept"))


def test_old_facts_are_forgotten(history: History) -> None:
    history.write(stamp(1, at=minute(20)), table([("offered", "110105", "", minute(n), 1) for n in range(9)]))
    history.write(stamp(2, at=minute(21)), table([("offered", "110105", "", minute(n), 2) for n in range(9)]))
    assert history.forget(minute(4)) == 4
    assert one(history) == 10
    assert one(history, as_known_at=minute(20)) == 5


def test_what_was_written_is_there_after_closing(open_history: Open, tmp_path: Path) -> None:
    with closing(open_history(tmp_path, world())) as first:
        first.write(stamp(), offered(5, dimension="service=bill"))
    with closing(open_history(tmp_path, world())) as second:
        assert ask(second, group=("service", "city")) == {("bill", "110105", "offered"): 5}


# Anything at all

PLACE = st.sampled_from(["110105", "110106", "120104", "C-1", "C-2", "110000", "120000", NATION])
CELL = st.tuples(
    st.sampled_from(sorted(MEASURES)),
    PLACE,
    st.sampled_from(KEYS),
    st.sampled_from([0, 9, 10, 25]).map(minute),
    st.integers(0, 40).map(lambda quarters: quarters / 4),
)
"""Few keys, so that batches meet; minute 10 is midnight."""
STAMP = st.builds(
    lambda channel, revision, second, number: stamp(
        revision, channel, START + timedelta(seconds=second), f"batch-{number}"
    ),
    st.sampled_from(["hotline", "chat"]),
    st.integers(1, 4),
    st.integers(0, 9),
    st.integers(0, 99),
)
WRITE = st.tuples(STAMP, st.lists(CELL, min_size=1, max_size=25))
QUESTION = st.builds(
    SumQuery,
    measures=st.lists(st.sampled_from(sorted(MEASURES)), min_size=1, unique=True).map(tuple),
    interval=st.tuples(st.integers(0, 25), st.integers(0, 25)).map(
        lambda ends: Interval(minute(min(ends)), minute(max(ends)))
    ),
    by=st.sampled_from([None, 60, 300, 900, 3600, "day"]),
    group=st.lists(
        st.sampled_from(["channel", "nation", "province", "city", "centre", "region", *DIMENSIONS]),
        unique=True,
        max_size=3,
    ).map(tuple),
    within=PLACE,
    channels=st.sampled_from([None, ("hotline",), ("hotline", "chat"), ()]),
    where=st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from([("bill",), ("", "gold"), ()]), max_size=2),
    as_known_at=st.none() | st.integers(0, 10).map(lambda second: START + timedelta(seconds=second)),
)


def compare(history: History, reference: ReferenceHistory, questions: list[SumQuery]) -> None:
    for known in (None, *(START + timedelta(seconds=second) for second in (0, 3, 9, 20))):
        rows = history.observations(hour(), as_known_at=known)
        keys = rows[["channel", "measure", "region", "dimension", "start"]].itertuples(index=False, name=None)
        found = dict(zip(keys, rows["value"], strict=True))
        assert len(found) == len(rows), "a key is there twice"
        assert found == reference.shown(known)
        assert {key for key, told in zip(found, rows["reported"], strict=True) if told} == set(
            filter(reference.reported, found)
        )
    for question in questions:
        assert answer(history, question) == pytest.approx(reference.totals(question))


def counts(written: object) -> tuple[object, ...]:
    names = ("inserted", "changed", "removed", "unchanged", "superseded_older", "repeated")
    return tuple(getattr(written, name) for name in names)


@on_examples(st.lists(WRITE, max_size=6), st.lists(QUESTION, max_size=4))
def test_writes_agree_with_the_reference(open_history: Open, writes: list[Any], questions: list[SumQuery]) -> None:
    with TemporaryDirectory() as folder, closing(open_history(Path(folder), world())) as history:
        reference = ReferenceHistory(world())
        for given_stamp, rows in [*writes, *writes]:
            written = history.write(given_stamp, table(rows))
            expected = reference.write(given_stamp, table(rows))
            assert counts(written) == counts(expected)
            assert (written.touched is None) == (not expected.moved)
        compare(history, reference, questions)


PART = st.tuples(st.sampled_from(["a", "b", "c", "d"]), CELL).map(lambda part: (part[0], *part[1]))


@on_examples(
    st.lists(st.tuples(STAMP, st.lists(PART, min_size=1, max_size=12)), max_size=6), st.lists(QUESTION, max_size=3)
)
def test_contacts_agree_with_the_reference(open_history: Open, batches: list[Any], questions: list[SumQuery]) -> None:
    batches = sorted(batches, key=lambda batch: batch[0].received_at)
    with TemporaryDirectory() as folder, closing(open_history(Path(folder), world())) as history:
        reference = ReferenceHistory(world())
        for given_stamp, rows in batches:
            written = history.contribute(given_stamp, contacts(rows))
            expected = reference.contribute(given_stamp, contacts(rows))
            assert counts(written) == counts(expected)
            if written.touched is not None:
                assert written.touched.start == min(expected.moved)
        compare(history, reference, questions)


@on_examples(st.lists(st.tuples(st.integers(1, 9), st.lists(PART, min_size=1, max_size=9)), max_size=5), st.randoms())
def test_contacts_end_the_same_in_any_order(open_history: Open, batches: list[Any], shuffle: Random) -> None:
    """Batches of one channel with revisions of their own may come late, twice, or in another order."""
    batches = list({revision: (revision, rows) for revision, rows in batches}.values())
    ends = []
    for order in (batches, shuffle.sample(batches + batches, 2 * len(batches))):
        with TemporaryDirectory() as folder, closing(open_history(Path(folder), world())) as history:
            for revision, rows in order:
                history.contribute(stamp(revision), contacts(rows))
            rows = history.observations(hour())
            ends.append(
                set(rows[["measure", "region", "dimension", "start", "value"]].itertuples(index=False, name=None))
            )
    assert ends[0] == ends[1]


@on_examples(st.lists(CELL, min_size=1, max_size=40), st.sampled_from([60, 300, 900, 3600, "day"]), st.integers(0, 25))
def test_any_split_of_places_or_time_adds_up_to_the_whole(
    open_history: Open, cells: list[Any], by: Size, cut: int
) -> None:
    with TemporaryDirectory() as folder, closing(open_history(Path(folder), world())) as history:
        history.write(stamp(), table(cells))
        measures = ("offered", "waited_s")

        def total(**asked: Any) -> dict[str, float]:
            found = history.totals(query(measures=measures, **asked))
            return dict(found.groupby("measure")["value"].sum())

        whole = total()
        for group in ("province", "city", "centre", "region", "channel", "service", "grade"):
            assert total(group=(group,), by=by) == whole
        parts = [total(interval=Interval(*ends)) for ends in ((START, minute(cut)), (minute(cut), hour().end))]
        assert {name: sum(part.get(name, 0) for part in parts) for name in whole} == whole
        places = [total(within=place) for place in ("110000", "120000")]
        assert {name: sum(part.get(name, 0) for part in places) for name in whole} == whole


ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Jerusalem", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"])


@on_examples(
    ZONES,
    st.sampled_from([time(0, 0), time(2, 30)]),
    st.sampled_from([60, 900, 1800, 3600, "day"]),
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5)),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    st.lists(st.integers(0, 5000), min_size=1, max_size=12),
)
def test_buckets_follow_the_reporting_day_where_clocks_change(
    open_history: Open, zone: str, starts: time, by: Size, first: datetime, minutes: list[int]
) -> None:
    first = first.replace(second=0, microsecond=0, tzinfo=UTC)
    catalogue: Catalogue = world(zone, starts)
    reference = ReferenceHistory(catalogue)
    rows = table([("offered", "110105", "", minute(n, first), 1) for n in set(minutes)])
    with TemporaryDirectory() as folder, closing(open_history(Path(folder), catalogue)) as history:
        history.write(stamp(), rows)
        reference.write(stamp(), rows)
        question = SumQuery(("offered",), Interval(first, first + timedelta(days=5)), by=by)
        assert answer(history, question) == reference.totals(question)
