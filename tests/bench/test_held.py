"""The rows that the bench copies inside the engine are those that `write` would have left."""

from contextlib import closing
from pathlib import Path

import duckdb

from bench.held import DAY, Held, interval, stamp
from bench.load import STEP, Load
from config.loading import load as load_catalogue
from metrics.observations import Interval
from store.facts.duck import DuckHistory
from store.facts.duck.schema import SETTINGS

TABLES = ("observation", "superseded", "name", "progress", "place", "layout", "contribution", "aside")


def contents(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(duckdb.connect(file, config=SETTINGS)) as engine:
        return {name: engine.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in TABLES}


def test_two_copied_minutes_are_those_that_are_written(tmp_path: Path) -> None:
    load = Load()
    catalogue = load_catalogue(load.lay_out(tmp_path / "config"))
    held = Held(tmp_path / "copied.duckdb", load, catalogue, channels=2)
    held.grow(range(2), sorted_until=1)
    held.engine.close()
    with (
        closing(DuckHistory(tmp_path / "copied.duckdb", catalogue)) as copied,
        closing(DuckHistory(tmp_path / "written.duckdb", catalogue)) as written,
    ):
        for minute in range(2):
            span = Interval(DAY + minute * STEP, DAY + (minute + 1) * STEP)
            for channel in load.channels[:2]:
                rows = copied.observations(span, [channel])
                assert len(rows) == len(interval(load, channel, 0))
                written.write(stamp(channel, minute), rows[["measure", "region", "dimension", "start", "value"]])
    assert contents(tmp_path / "copied.duckdb") == contents(tmp_path / "written.duckdb")
