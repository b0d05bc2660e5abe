"""The tables: every version of a row is a row, and what is shown is the version with the largest number.

The engines drop, when they merge parts, rows whose whole sorting key is there again with a larger `version`; reads
never count on it. On a cluster a table lies on every replica of a shard, and `every_<table>` beside it
reaches all shards.
"""

from collections.abc import Iterator
from typing import NamedTuple

from store.facts.clickhouse.address import Address

KEY = "channel UInt32, measure UInt32, region UInt32, dimension UInt64, start UInt32"
"""Codes of `clickhouse/names.py`; start in seconds since 1970."""


class Table(NamedTuple):
    """How a table is laid out."""

    columns: str
    order: str
    """Sorting key."""
    day_of: str = ""
    """The second by whose day rows are partitioned; '': one partition."""
    version: str = ""
    """The column whose largest row stays."""


TABLES = {
    "fact": Table(
        f"{KEY}, value Float64, reported UInt8, revision Int64, since UInt32, version UInt64, batch String",
        "channel, measure, start, region, dimension, since",
        "start",
        "version",
    ),
    "contribution": Table(
        f"{KEY}, contact FixedString(16), value Float64, parts UInt64, revision Int64, received UInt32",
        "channel, start, measure, region, dimension, contact, revision",
        "received",
    ),
    "name": Table("kind String, code UInt64, label String", "kind, code, label"),
    "progress": Table("channel String, source String, version UInt64", "channel, source", version="version"),
    "aside": Table(
        "channel String, source String, batch String, received_at UInt32, rule String, line Int64, column String, "
        "code String, value String, kept UInt8, generation UInt64, nth UInt32",
        "channel, received_at, batch, generation, nth",
        "received_at",
    ),
}
"""A value that is no number was taken back; `since` is the second from which a value was the one shown.

The ledger's rows are partitioned by when they came, because rows of one insert are there together or not at all only
within one partition, and a version of a contact must not be there in part.
"""


def statements(address: Address) -> Iterator[str]:
    """What makes the database and its tables on one server, where they are missing."""
    database, cluster = address.database, address.cluster
    yield f"CREATE DATABASE IF NOT EXISTS {database}"
    for name, table in TABLES.items():
        engine = f"ReplacingMergeTree({table.version})"
        if cluster:
            path = f"'/watchfloor/{database}/1/{{shard}}/{name}', '{{replica}}'"
            engine = f"ReplicatedReplacingMergeTree({', '.join(filter(None, (path, table.version)))})"
        parted = f"PARTITION BY {partition(table.day_of, address.days)} " if table.day_of else ""
        start = f"CREATE TABLE IF NOT EXISTS {database}"
        yield f"{start}.{name} ({table.columns}) ENGINE = {engine} {parted}ORDER BY ({table.order})"
        if cluster:
            yield f"{start}.every_{name} ({table.columns}) ENGINE = Distributed({cluster}, {database}, {name})"


def partition(second: str, days: int) -> str:
    """The partition of a row."""
    return f"intDiv({second}, {days * 86_400})"
