"""The file and its tables: opened by one process, key columns as small integers.

No table has a primary key: on 50 million rows it makes a write six times slower and a row six times
larger. Keys stay unique because every write goes through `duck/upsert.py`, one at a time.
"""

import re
from pathlib import Path

import duckdb

from store.faults import StoreInUse, StoreTooNew, StoreUnreachable

VERSION = 1

KEY = "channel USMALLINT, measure USMALLINT, region USMALLINT, dimension UINTEGER, start BIGINT"
"""Codes of `shared/names.py`; start in seconds since 1970."""

FACT = f"{KEY}, value DOUBLE, reported BOOLEAN, revision BIGINT, received_at BIGINT, batch UINTEGER"

SHARED = ("channel", "measure", "start", "reported")
"""What a sorted row has in common with its neighbours."""

SETTINGS: dict[str, str | int | float | bool | list[str]] = {"memory_limit": "512MB"}
"""DuckDB takes four fifths of the machine unless limited. 50 million rows are 130 MB on disk, a stretch that is sorted
is 70 MB in memory, and what does not fit goes to disk; of 1.5 GB for everything this leaves 1 GB to the rest.
"""


def _run_length_encoded(columns: str) -> str:
    """Columns of which those that are shared are kept as runs: to try every way for them makes a write dearer."""
    listed = columns.split(", ")
    return ", ".join(f"{column} USING COMPRESSION rle" if column.startswith(SHARED) else column for column in listed)


TABLES = (
    "CREATE TABLE IF NOT EXISTS layout (version INTEGER)",
    "CREATE TABLE IF NOT EXISTS name (kind VARCHAR, code UINTEGER, label VARCHAR)",
    f"CREATE TABLE IF NOT EXISTS observation ({_run_length_encoded(FACT)})",
    f"CREATE TABLE IF NOT EXISTS superseded ({FACT}, superseded_at BIGINT)",
    f"CREATE TABLE IF NOT EXISTS contribution ({KEY}, contact VARCHAR, value DOUBLE, revision BIGINT)",
    "CREATE TABLE IF NOT EXISTS progress (channel VARCHAR, source VARCHAR, start BIGINT, received_at BIGINT)",
    """CREATE TABLE IF NOT EXISTS aside (
        channel VARCHAR, source VARCHAR, batch VARCHAR, received_at BIGINT,
        rule VARCHAR, line BIGINT, "column" VARCHAR, code VARCHAR, value VARCHAR, kept BOOLEAN)""",
)


def open_file(path: Path) -> duckdb.DuckDBPyConnection:
    """Open or make the file and its tables; raises StoreInUse, StoreTooNew, StoreUnreachable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(path, config=SETTINGS)
    except duckdb.IOException as error:
        held = re.search(r"Conflicting lock is held in (.*?) \(PID (\d+)\)", str(error))
        if held is None:
            raise StoreUnreachable(f"DuckDB cannot open {path}: {error}") from error
        raise StoreInUse(
            f"{path} is held by process {held[2]} ({held[1]}). A DuckDB file belongs to one process: stop that one, "
            "or give this one another data folder (--home DIR, WATCHFLOOR_HOME_DIR)."
        ) from error
    _create_tables(connection, path)
    return connection


def _create_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the tables that are missing; refuse a file that a newer version of the program wrote."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in TABLES:
            cursor.execute(statement)
        found = cursor.execute("SELECT max(version) FROM layout").fetchone()
        version = found[0] if found else None
        if version is None:
            cursor.execute("INSERT INTO layout VALUES (?)", [VERSION])
        cursor.execute("COMMIT")
    if version not in (None, VERSION):
        connection.close()
        raise StoreTooNew(f"{path} has layout {version}, this program knows {VERSION}: run the version that wrote it")
