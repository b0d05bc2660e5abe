"""Rows that are sorted by measure say what they said, and are corrected like others."""

from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
from store_reference import ReferenceHistory
from store_world import MEASURES, hour, minute, ordered, stamp, table, world

from store.duck import DuckHistory
from store.duck.schema import SETTINGS
from store.duck.sorting import LATE_S, STRETCH_ROWS, Stretches, sort

PLACES = ("110105", "110106", "120104")


def body(minutes: range, more: int = 0) -> pd.DataFrame:
    return table(
        (measure, place, "", minute(at), at + more) for at in minutes for measure in MEASURES for place in PLACES
    )


def second_of(number: int) -> int:
    return int(minute(number).timestamp())


def test_sorting_moves_rows_and_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "facts.duckdb"
    with closing(DuckHistory(file, world())) as history:
        for at in range(20):
            history.write(stamp(at + 1, at=minute(at)), body(range(at, at + 1)))
        before = ordered(history.observations(hour()))
        with closing(duckdb.connect(file, config=SETTINGS)) as engine:
            sort(engine, second_of(5), second_of(15))
            order = engine.execute("SELECT measure, start FROM observation").fetchall()
        pd.testing.assert_frame_equal(ordered(history.observations(hour())), before)
    inside = [row for row in order if second_of(5) <= row[1] < second_of(15)]
    assert len(inside) == 10 * len(MEASURES) * len(PLACES)
    assert inside == sorted(inside)
    assert order[-len(inside) :] == inside


def test_a_correction_finds_the_rows_that_were_sorted(tmp_path: Path) -> None:
    file, reference = tmp_path / "facts.duckdb", ReferenceHistory(world())
    with closing(DuckHistory(file, world())) as history:
        history.write(stamp(1), body(range(20)))
        reference.write(stamp(1), body(range(20)))
        with closing(duckdb.connect(file, config=SETTINGS)) as engine:
            sort(engine, second_of(0), second_of(10))
        written = history.write(stamp(2, at=minute(30)), body(range(8, 22), more=1))
        reference.write(stamp(2, at=minute(30)), body(range(8, 22), more=1))
        assert (written.changed, written.inserted) == (12 * 18, 2 * 18)
        for known in (None, minute(5)):
            rows = history.observations(hour(), as_known_at=known)
            keys = rows[["channel", "measure", "region", "dimension", "start"]].itertuples(index=False, name=None)
            assert dict(zip(keys, rows["value"], strict=True)) == reference.shown(known)


def test_a_stretch_is_due_when_enough_came_and_the_late_ones_had_their_time() -> None:
    stretches = Stretches(until=1000)
    stretches.note(STRETCH_ROWS - 1, 2000)
    assert stretches.due() is None
    stretches.note(1, 1500)
    assert stretches.due() == (1000, 2000 - LATE_S)
    assert stretches.due() is None
    stretches.note(STRETCH_ROWS, 2000)
    assert stretches.due() is None
    stretches.note(0, 2600)
    assert stretches.due() == (2000 - LATE_S, 2600 - LATE_S)


def test_enough_rows_are_sorted_by_the_write_that_brings_them(tmp_path: Path) -> None:
    file = tmp_path / "facts.duckdb"
    dimensions = [f"service=s{number}" for number in range(20_000)]
    with closing(DuckHistory(file, world())) as history:
        for at in range(11):
            rows = pd.MultiIndex.from_product(
                [[*MEASURES][:5], ["110105"], dimensions], names=["measure", "region", "dimension"]
            )
            frame = rows.to_frame(index=False).astype("category")
            start = pd.Timestamp(minute(at)).as_unit("s")
            history.write(stamp(at + 1, at=minute(at + 1)), frame.assign(start=start, value=1.0))
        with closing(duckdb.connect(file, config=SETTINGS)) as engine:
            order = engine.execute("SELECT measure, start FROM observation WHERE start < ?", [second_of(4)]).fetchall()
    assert len(order) == 4 * 100_000
    assert order == sorted(order)
