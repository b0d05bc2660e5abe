"""Partitions, one a day (UTC) of the starts: made when the first row of a day comes, dropped when it is forgotten."""
# ruff: noqa: S608 - statements are put together from constants and the numbers of days, never from text that came in.

from collections.abc import Iterable
from datetime import UTC, datetime

import pandas as pd

from store.facts.postgres.schema import LOCK, PARTITIONED, Connection, table_names

DAY_S = 86_400


def make_partitions(connection: Connection, starts: pd.Series) -> None:
    """Make the partitions of starts (seconds since 1970) that are missing, in a transaction of its own.

    A table is made beside its parent and then attached: making it as a partition would keep every reader out.
    """
    days = (starts // DAY_S).unique().tolist()
    wanted = {partition_of(table, day): (table, day * DAY_S) for day in days for table in PARTITIONED}
    if not _missing(connection, wanted):
        return
    with connection.transaction():
        connection.execute(LOCK)
        for part in _missing(connection, wanted):
            table, first = wanted[part]
            connection.execute(f"CREATE TABLE {part} (LIKE {table})")
            connection.execute(
                f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({first}) TO ({first + DAY_S})"
            )


def _missing(connection: Connection, parts: Iterable[str]) -> list[str]:
    wanted = list(parts)
    held = table_names(connection, wanted)
    return [part for part in wanted if part not in held]


def forget_before(connection: Connection, limit: int) -> int:
    """Drop whole days before a second and delete what is left before it; gives the number of observations."""
    number: int = connection.execute("SELECT count(*) FROM observation WHERE start < $1", [limit]).fetchall()[0][0]
    _drop_before(connection, limit // DAY_S)
    with connection.transaction():
        for table, column in (*((table, "start") for table in PARTITIONED), ("aside", "received_at")):
            connection.execute(f"DELETE FROM {table} WHERE {column} < $1", [limit])
    return number


def _drop_before(connection: Connection, day: int) -> None:
    """Drop the partitions of all days before one, while others read and write what is younger.

    Detaching is done beside the readers, dropping when nobody can see the table any more; one that was left half way
    by a kill is taken up here.
    """
    found = connection.execute(_PARTS, [list(PARTITIONED), partition_of("", day)]).fetchall()
    for parent, part, attached, pending in found:
        if pending:
            connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {part} FINALIZE")
        elif attached:
            connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {part} CONCURRENTLY")
        connection.execute(f"DROP TABLE IF EXISTS {part}")


_PARTS = """
SELECT parent, c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
FROM unnest($1::text[]) AS parent
JOIN pg_class c ON c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    AND c.relname ~ ('^' || parent || '_[0-9]{8}$') AND right(c.relname, 9) < $2
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid ORDER BY c.relname"""


def partition_of(table: str, day: int) -> str:
    """The name of a table's partition for a day since 1970, such as `observation_20261121`."""
    return f"{table}_{datetime.fromtimestamp(int(day) * DAY_S, UTC):%Y%m%d}"
