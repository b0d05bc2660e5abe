"""Fifty million rows of the reference load in a DuckDB file, in a minute: copied in the engine, as `write` leaves them.

A day is held: its last 200 minutes a minute apart, the hours before a quarter of an hour apart, so that a question
about 24 hours meets every quarter of them and a question about the last hour meets every minute.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from bench.load import MEASURES, SPLIT, STEP, Load
from config.catalogue import Catalogue
from metrics.observations import encode_dimensions
from store.facts.duck import DuckHistory
from store.facts.duck.schema import SETTINGS
from store.facts.duck.sorting import sort
from store.facts.history import BatchStamp

DAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
"""Midnight in Shanghai."""
MINUTES = 24 * 60
DENSE = 200
STRETCH = 6
"""Minutes that `store/facts/duck/sorting.py` sorts together at this load."""
HOURS_BEFORE = range(0, MINUTES - DENSE, 15)

_COPY = """
INSERT INTO observation
SELECT channel, measure, region, dimension, start + 60 * minute, floor(value * (0.5 + random())), reported,
    revision + 60000 * minute, received_at + 60 * minute, (batch + {channels} * minute)::UINTEGER
FROM (SELECT unnest($minutes) AS minute) AS minutes CROSS JOIN model ORDER BY {order}"""
_SORTED = "(((measure::BIGINT << 16) + minute) << 20) + nth"
_AS_WRITTEN = "(minute << 20) + nth"
_NAME = """
INSERT INTO name SELECT kind, code + {channels} * minute, replace(label, ' 0', ' ' || minute)
FROM model_name, (SELECT unnest($minutes) AS minute)"""


def interval(load: Load, channel: str, minute: int) -> pd.DataFrame:
    """One minute of one channel as OBSERVATION_COLUMNS: what is true, whenever it comes."""
    [(_, said), *_] = load.said(channel, DAY + minute * STEP)
    rows = [(measure, "") for measure in MEASURES]
    rows += [("contacts", encode_dimensions({"service_type": value})) for value in SPLIT]
    frame = pd.DataFrame(said, columns=list(load.regions))
    frame["measure"], frame["dimension"] = zip(*rows[: len(frame)], strict=True)
    long = frame.melt(["measure", "dimension"], var_name="region", value_name="value").dropna()
    start = pd.Timestamp(DAY + minute * STEP).as_unit("s")
    return long.astype({"measure": "category", "region": "category", "dimension": "category"}).assign(start=start)


def stamp(channel: str, minute: int) -> BatchStamp:
    """The stamp of a body that was pushed five seconds after its minute."""
    at = DAY + (minute + 1) * STEP + timedelta(seconds=5)
    return BatchStamp(f"{channel} counts {minute}", channel, "counts", int(at.timestamp() * 1000), at)


def _second(minute: int) -> int:
    return int((DAY + minute * STEP).timestamp())


class Held:
    """A file that grows; `engine` is DuckDB itself on it, without the product."""

    def __init__(self, path: Path, load: Load, catalogue: Catalogue, channels: int | None = None) -> None:
        """Write one minute (of some channels) as the product does: the model of all others."""
        self.path, self.load, self.catalogue = path, load, catalogue
        self.channels = load.channels[:channels]
        self._unsorted: tuple[int, int] | None = None
        history = self.open()
        for channel in self.channels:
            history.write(stamp(channel, 0), interval(load, channel, 0))
        history.close()
        self.engine = duckdb.connect(path, config=SETTINGS)
        order = "channel, measure, region, dimension"
        model = f"SELECT *, row_number() OVER (ORDER BY {order}) AS nth FROM observation"
        self.engine.execute(f"CREATE TEMP TABLE model AS {model}")
        self.engine.execute("CREATE TEMP TABLE model_name AS FROM name WHERE kind = 'batch'")
        self.engine.execute("DELETE FROM observation")
        self.engine.execute("DELETE FROM name WHERE kind = 'batch'")

    def open(self) -> DuckHistory:
        """The product on the file as it is now."""
        return DuckHistory(self.path, self.catalogue)

    def grow(self, minutes: range, sorted_until: int) -> None:
        """Add minutes: those before `sorted_until` in sorted stretches, those from there on as they were written.

        What an earlier call left unsorted is sorted first, as the product does once there is more.
        """
        if self._unsorted is not None:
            sort(self.engine, *self._unsorted)
        self._unsorted = (_second(sorted_until), _second(minutes[-1] + 1))
        before = [minute for minute in minutes if minute < sorted_until]
        stretches = [(before[at : at + STRETCH], _SORTED) for at in range(0, len(before), STRETCH)]
        stretches.append(([minute for minute in minutes if minute >= sorted_until], _AS_WRITTEN))
        for stretch, order in stretches:
            number = len(self.channels)
            self.engine.execute("BEGIN")
            self.engine.execute(_COPY.format(channels=number, order=order), {"minutes": stretch})
            self.engine.execute(_NAME.format(channels=number), {"minutes": stretch})
            self.engine.execute("COMMIT")
        last = stamp("", minutes[-1]).received_at.timestamp()
        far = {"start": _second(minutes[-1]), "received_at": int(last)}
        later = "UPDATE progress SET start = $start, received_at = $received_at WHERE start < $start"
        self.engine.execute(later, far)
        self.engine.execute("CHECKPOINT")

    def rows(self) -> int:
        """Observations held."""
        [(rows,)] = self.engine.execute("SELECT count(*) FROM observation").fetchall()
        return int(rows)

    def codes(self, kind: str, labels: tuple[str, ...]) -> tuple[int, ...]:
        """What the file calls them."""
        found = {label: code for code, label in self.names(kind)}
        return tuple(found[label] for label in labels)

    def names(self, kind: str) -> list[tuple[int, str]]:
        """Codes and labels of a kind."""
        return self.engine.execute("SELECT code, label FROM name WHERE kind = $kind", {"kind": kind}).fetchall()
