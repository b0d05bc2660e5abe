"""Rows that are sorted by measure say what they said, and are corrected like others."""

from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd

from store.facts.duck import DuckHistory
from store.facts.duck.schema import SETTINGS
from store.facts.duck.sorting import LATE_S, MOST_WAITING, STRETCH_ROWS, Stretches, sort
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import MEASURES, hour, minute, ordered, stamp, table, world

PLACES = ("110105", "110106", "120104")
A_MINUTE = 108_000
"""Rows of a minute of which ten are a stretch."""


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


def test_only_so_many_stretches_wait() -> None:
    stretches = Stretches(until=0)
    for number in range(1, 4):
        stretches.note(STRETCH_ROWS, number * 1000)
    assert stretches.due(leave=2) == (0, 1000 - LATE_S)
    assert stretches.due(leave=2) is None
    assert stretches.due() == (1000 - LATE_S, 2000 - LATE_S)


def many(history: DuckHistory, minutes: int) -> None:
    """Minutes of which ten are a stretch, and what is older than three is to be sorted: six, sixteen, twenty-six."""
    dimensions = [f"service=s{number}" for number in range(6_000)]
    rows = pd.MultiIndex.from_product([[*MEASURES], PLACES, dimensions], names=["measure", "region", "dimension"])
    frame = rows.to_frame(index=False).astype("category").assign(value=1.0)
    assert len(frame) == A_MINUTE
    for at in range(minutes):
        history.write(stamp(at + 1, at=minute(at + 1)), frame.assign(start=pd.Timestamp(minute(at)).as_unit("s")))


def order(file: Path, since: int, until: int) -> list[tuple[int, int]]:
    """Measures and starts of some minutes, in the order of the file."""
    asked = "SELECT measure, start FROM observation WHERE start >= ? AND start < ?"
    with closing(duckdb.connect(file, config=SETTINGS)) as engine:
        return engine.execute(asked, [second_of(since), second_of(until)]).fetchall()


def test_whoever_tidies_sorts_what_waits_beside_those_who_read(tmp_path: Path) -> None:
    file = tmp_path / "facts.duckdb"
    with closing(DuckHistory(file, world())) as history:
        many(history, 10)
        with history._file.cursor() as reading:
            reading.execute("BEGIN")
            seen = reading.execute("SELECT count(*) FROM observation").fetchall()
            history.tidy()
            assert reading.execute("SELECT count(*) FROM observation").fetchall() == seen == [(10 * A_MINUTE,)]
        log = file.with_name(f"{file.name}.wal")
        assert not log.exists() or log.stat().st_size < 100_000
        assert not history.observations(hour()).duplicated(["measure", "region", "dimension", "start"]).any()
    found = order(file, 0, 6)
    assert len(found) == 6 * A_MINUTE
    assert found == sorted(found)


def test_writes_sort_where_nobody_tidies(tmp_path: Path) -> None:
    file = tmp_path / "facts.duckdb"
    with closing(DuckHistory(file, world())) as history:
        many(history, 10 * (MOST_WAITING + 1))
    first, second = order(file, 0, 6), order(file, 6, 16)
    assert len(first) == 6 * A_MINUTE
    assert first == sorted(first)
    assert second != sorted(second)
