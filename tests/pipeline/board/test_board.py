"""The board shows what the store holds: any window, any split, corrected, restored."""

from datetime import timedelta
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from config.catalogue import NATION
from config.loading import load
from metrics.observations import Interval
from pipeline.board.board import Board
from pipeline.board.minute_grid import epoch
from pipeline.board.minutes import MOST_CELLS, groups_of_feeds, lay
from pipeline.board.rows import Rows
from pipeline.flow.turn import turn
from store.facts.history import SumQuery
from tests.support.pipeline_world import (
    FOLDER,
    GUANGZHOU,
    NOON,
    SHENZHEN,
    WUHAN,
    Clock,
    Scripted,
    feeder,
    pipeline,
    row,
)

CATALOGUE = load(FOLDER)
CITIES = (GUANGZHOU, SHENZHEN, WUHAN)
CENTRE = next(code for code in CATALOGUE.regions if code.startswith("C-"))


def observations(cells: list[tuple[str, str, int, float]]) -> pd.DataFrame:
    """(measure, region, minutes before noon, value)."""
    return pd.DataFrame(
        {
            "channel": "desk",
            "reported": False,
            "measure": [cell[0] for cell in cells],
            "region": [cell[1] for cell in cells],
            "dimension": "",
            "start": pd.DatetimeIndex([NOON - timedelta(minutes=cell[2]) for cell in cells]).as_unit("s"),
            "value": [float(cell[3]) for cell in cells],
        }
    )


def shown(board: Board, measure: str, place: str, window: str = "15min", back: int = 0) -> float:
    feed = board.feeds["desk", "counts"]
    sums = board.window(feed, window, NOON, back)
    assert sums is not None
    return float(sums.values[feed.measures.keys[measure], board.places.index[place]])


def filled(cells: list[tuple[str, str, int, float]]) -> Board:
    board = Board(CATALOGUE)
    board.show(observations(cells), Interval(NOON - timedelta(hours=2), NOON), ("desk",), NOON)
    board.cover("desk", "counts", NOON)
    return board


CELLS = st.lists(
    st.tuples(
        st.sampled_from(["offered", "answered"]), st.sampled_from(CITIES), st.integers(1, 100), st.integers(0, 999)
    ),
    unique_by=lambda cell: cell[:3],
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(CELLS)
def test_a_place_shows_the_sum_of_its_parts_in_any_window(cells: list[tuple[str, str, int, int]]) -> None:
    board = filled([*cells, ("offered", GUANGZHOU, 120, 0)])
    for window, minutes in (("15min", 15), ("60min", 60)):
        for measure in ("offered", "answered"):
            parts = [cell[3] for cell in cells if cell[0] == measure and cell[2] <= minutes]
            assert shown(board, measure, NATION, window) == sum(parts)
            assert shown(board, measure, NATION, window) == sum(shown(board, measure, city, window) for city in CITIES)
            assert shown(board, measure, "440000", window) == sum(
                shown(board, measure, city, window) for city in (GUANGZHOU, SHENZHEN)
            )


def test_levels_are_summed_at_one_instant_and_peaks_take_the_largest() -> None:
    board = filled(
        [
            ("queue_length", CENTRE, 3, 40),
            ("queue_length", CENTRE, 1, 7),
            ("longest_wait", CENTRE, 9, 130),
            ("longest_wait", CENTRE, 1, 20),
        ]
    )
    assert shown(board, "queue_length", NATION) == 7
    assert shown(board, "longest_wait", NATION) == 130


def test_a_corrected_minute_replaces_what_was_shown_also_in_the_sums_of_the_day() -> None:
    board = filled([("offered", GUANGZHOU, 5, 10), ("offered", WUHAN, 5, 1)])
    minute = Interval(NOON - timedelta(minutes=5), NOON - timedelta(minutes=4))
    board.show(observations([("offered", GUANGZHOU, 5, 4)]), minute, ("desk",), NOON)
    for window in ("15min", "60min", "today"):
        assert shown(board, "offered", NATION, window) == 4


def test_feeds_laid_out_together_are_as_each_alone() -> None:
    rows = observations([("offered", GUANGZHOU, 2, 5), ("contacts", WUHAN, 1, 3), ("longest_wait", CENTRE, 2, 9)])
    other = observations([("offered", GUANGZHOU, 2, 70), ("contacts", SHENZHEN, 2, 4)]).assign(channel="chat")
    coded = Rows.of(pd.concat([other, rows], ignore_index=True))
    board = Board(CATALOGUE)
    feeds, begin = [*board.feeds.values()], epoch(NOON - timedelta(minutes=2))
    together = list(lay(feeds, board.places, coded, begin, 2))
    alone = [one for feed in feeds for one in lay([feed], board.places, coded, begin, 2)]
    assert [one.values.sum() > 0 for one in together] == [True, True]
    for one, each in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.values, each.values)
        np.testing.assert_array_equal(one.seen, each.seen)
        assert one.contacts.value.tolist() == each.contacts.value.tolist()


def test_few_minutes_are_laid_out_for_all_feeds_at_once_and_many_for_one_at_a_time() -> None:
    feeds = [*Board(CATALOGUE).feeds.values()]
    assert list(groups_of_feeds(feeds, 3)) == [feeds]
    assert list(groups_of_feeds(feeds, MOST_CELLS)) == [[feed] for feed in feeds]


def test_reported_totals_are_never_added() -> None:
    board = Board(CATALOGUE)
    parts, total = observations([("offered", GUANGZHOU, 1, 10)]), observations([("offered", "440000", 1, 99)])
    rows = pd.concat([total.assign(reported=True), parts], ignore_index=True)
    board.show(rows, Interval(NOON - timedelta(minutes=1), NOON), ("desk",), NOON)
    board.cover("desk", "counts", NOON)
    assert shown(board, "offered", "440000") == 10


def test_a_row_of_a_place_that_is_no_more_is_shown_nowhere() -> None:
    board = filled([("offered", GUANGZHOU, 1, 10), ("offered", "000000", 1, 99), ("nothing", GUANGZHOU, 1, 99)])
    places = board.window(board.feeds["desk", "counts"], "15min", NOON)
    assert places is not None
    assert places.values.max() == 10


def test_a_minute_that_has_not_come_yet_does_not_push_out_the_present() -> None:
    board = filled([("offered", GUANGZHOU, 5, 10)])
    ahead = NOON + timedelta(minutes=145)
    rows = observations([("offered", GUANGZHOU, -145, 99)])
    board.show(rows, Interval(ahead, ahead + timedelta(minutes=1)), ("desk",), NOON)
    assert shown(board, "offered", NATION) == 10


def test_a_window_before_the_first_minute_is_unknown_and_not_zero() -> None:
    board = filled([("offered", GUANGZHOU, 10, 10)])
    assert board.window(board.feeds["desk", "counts"], "15min", NOON, back=1) is None


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells=CELLS.filter(bool))
def test_after_a_restart_the_board_is_what_it_was(
    cells: list[tuple[str, str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock(NOON + timedelta(seconds=1))
    with pipeline(tmp_path_factory.mktemp("board"), clock, CATALOGUE) as parts:
        rows = [row(cell[0], cell[1], cell[3], NOON - timedelta(minutes=cell[2] - 1)) for cell in cells]
        turn(parts, feeder(parts, collector=Scripted(parts, [rows])))
        again = Board(CATALOGUE)
        again.restore(parts.history, parts.state.progress.sources(), clock())
        for window in ("15min", "60min", "today"):
            one, other = (
                board.window(board.feeds["desk", "counts"], window, clock()) for board in (parts.board, again)
            )
            assert one is not None
            assert other is not None
            np.testing.assert_array_equal(one.values, other.values)
        end = NOON - timedelta(minutes=min(cell[2] for cell in cells) - 1)
        question = SumQuery(("offered",), Interval(end - timedelta(minutes=15), end))
        stored = parts.history.totals(question)["value"].sum()
        assert shown(parts.board, "offered", NATION) == stored
        assert again.feeds["desk", "counts"].covered_until == parts.board.feeds["desk", "counts"].covered_until


SAID = st.lists(
    st.tuples(
        st.sampled_from(["offered", "answered", "contacts", "queue_length", "longest_wait"]),
        st.sampled_from(CITIES),
        st.integers(1, 6),
        st.integers(0, 99),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=40,
)
"""(measure, city, minutes before noon, value, number of the batch that says so)."""
PLACE = {"queue_length": CENTRE, "longest_wait": CENTRE}


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=SAID, order=st.permutations(range(5)))
def test_whatever_the_order_of_batches_late_data_and_corrections_the_board_is_what_the_history_restores(
    said: list[tuple[str, str, int, int, int]], order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock(NOON + timedelta(seconds=1))
    with pipeline(tmp_path_factory.mktemp("board"), clock, CATALOGUE) as parts:
        own = sorted(said, key=lambda cell: order.index(cell[4]))
        for _, batch in groupby(own, key=lambda cell: cell[4]):
            cells = {(name, PLACE.get(name, city), minute): value for name, city, minute, value, _ in batch}
            rows = [
                row(name, city, value, NOON - timedelta(minutes=at - 1)) for (name, city, at), value in cells.items()
            ]
            turn(parts, feeder(parts, collector=Scripted(parts, [rows])))
            clock.now += timedelta(seconds=7)
        again = Board(CATALOGUE)
        again.restore(parts.history, parts.state.progress.sources(), clock())
        for key, feed in parts.board.feeds.items():
            for window in ("15min", "60min", "today"):
                one = parts.board.window(feed, window, clock())
                other = again.window(again.feeds[key], window, clock())
                assert (one is None) == (other is None)
                if one is not None and other is not None:
                    np.testing.assert_array_equal(one.values, other.values)
                    np.testing.assert_array_equal(one.seen, other.seen)
