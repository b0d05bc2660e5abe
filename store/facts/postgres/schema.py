"""The tables: narrow rows, one partition a day (UTC) of their starts, one unique index.

A row of `observation` takes about 118 bytes: 77 in the table and 41 in the index. The index begins with the start, so
that the newest interval is appended at its right edge; a day's partition keeps it small, and forgetting drops whole
partitions instead of leaving dead rows to be vacuumed.
"""

from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from store.faults import StoreTooNew

Connection = psycopg.Connection[tuple[Any, ...]]
VERSION = 1

FACT = {
    "start": "int8",
    "value": "float8",
    "revision": "int8",
    "received_at": "int8",
    "dimension": "int4",
    "batch": "int4",
    "channel": "int2",
    "measure": "int2",
    "region": "int2",
    "reported": "bool",
}
"""Columns of a fact, the wide ones first so that none is padded; start and received_at in seconds since 1970."""

LEDGER = {
    "start": "int8",
    "value": "float8",
    "revision": "int8",
    "contact": "uuid",
    "dimension": "int4",
    "channel": "int2",
    "measure": "int2",
    "region": "int2",
}
"""Columns of the contact ledger; a contact is known by a digest of its key (`postgres/contacts.py`)."""

PARTITIONED = ("observation", "superseded", "contribution")
"""Tables that have a partition a day."""


def _columns(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind} NOT NULL" for name, kind in columns.items())


TABLES = {
    "layout": "version int4 NOT NULL",
    "name": """
        seen int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, code int4 NOT NULL, label text NOT NULL,
        UNIQUE (kind, code)""",
    "batch_name": "code int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text NOT NULL UNIQUE",
    "place": "region int2, nation int2, province int2, city int2, centre int2",
    "observation": f"{_columns(FACT)}, PRIMARY KEY (start, channel, measure, region, dimension)",
    "superseded": f"{_columns(FACT)}, superseded_at int8 NOT NULL",
    "contribution": _columns(LEDGER),
    "progress": """
        channel text, source text, start int8 NOT NULL, received_at int8 NOT NULL, PRIMARY KEY (channel, source)""",
    "aside": """
        channel text NOT NULL, source text NOT NULL, batch text NOT NULL, received_at int8 NOT NULL,
        rule text, line int8, "column" text, code text, value text, kept bool NOT NULL""",
}

INDEXES = (
    "superseded (start, channel)",
    "contribution (contact)",
    "contribution (start, channel, measure, region)",
    "aside (received_at)",
    "aside (batch)",
)

LOCK = "SELECT pg_advisory_xact_lock(hashtext('watchfloor facts'), hashtext(current_schema()))"
"""Whoever makes or drops tables takes turns."""


def create_tables(connection: Connection) -> None:
    """Make the tables if there are none; raises StoreTooNew for those of another version of the program."""
    _make_schema(connection)
    if "layout" not in table_names(connection, ["layout"]):
        with connection.transaction():
            connection.execute(LOCK)
            if "layout" not in table_names(connection, ["layout"]):
                for table, columns in TABLES.items():
                    partitioned = " PARTITION BY RANGE (start)" if table in PARTITIONED else ""
                    connection.execute(f"CREATE TABLE {table} ({columns}){partitioned}")
                for index in INDEXES:
                    connection.execute(f"CREATE INDEX ON {index}")
                connection.execute("INSERT INTO layout VALUES ($1)", [VERSION])
    version = connection.execute("SELECT version FROM layout").fetchall()[0][0]
    if version != VERSION:
        raise StoreTooNew(
            f"the facts in {connection.info.dbname} have layout {version}, this program knows {VERSION}: "
            "run the version that wrote them"
        )


def _make_schema(connection: Connection) -> None:
    """Make the schema that the address names: each tier of facts has one of its own."""
    current, path = connection.execute("SELECT current_schema(), current_setting('search_path')").fetchall()[0]
    if current is None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('watchfloor schemas'))")
            connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(path)))


def table_names(connection: Connection, wanted: list[str]) -> set[str]:
    """Those tables that are there now; `to_regclass` would answer from memory what this connection saw before."""
    query = "SELECT relname FROM pg_class WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace"
    return {name for (name,) in connection.execute(query, [wanted]).fetchall()}
