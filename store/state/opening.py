"""Open the state's database and bring its tables to the version of this program."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
INSERTS: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The databases that state can be kept in, by SQLAlchemy's name of them."""

WAIT_MS = 10_000
"""How long a writer waits for another before it is an error."""


class StateTooNew(RuntimeError):
    """A newer version of the program has changed these tables."""


def open_engine(url: str) -> Engine:
    """Connect to SQLite or PostgreSQL; raises ValueError for another database."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in INSERTS:
        raise ValueError(
            f"state cannot be kept in {backend}: WATCHFLOOR_STATE_URL wants sqlite:///FILE or postgresql+psycopg://…"
        )
    if backend == "postgresql":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables up to this program's version, in one transaction; raises StateTooNew."""
    _run(engine, command.upgrade, "head")


def migrate_back(engine: Engine, version: str) -> None:
    """Bring the tables down to an earlier version (`base`: none at all), in one transaction."""
    _run(engine, command.downgrade, version)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent view; waits for no writer."""
    with engine.connect().execution_options(reading=True) as connection:
        yield connection


def upsert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert a row, or replace the one with its primary key."""
    statement = INSERTS[connection.dialect.name](table).values(row)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))


def _run(engine: Engine, migration: Callable[[Config, str], None], version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # two processes that start at once take turns
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7767)")
        held = MigrationContext.configure(connection).get_current_revision()
        if held is not None and held not in known:
            raise StateTooNew(
                f"the state's tables have version {held}, which this program does not know: run a newer one"
            )
        config.attributes["connection"] = connection
        migration(config, version)


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    """Readers beside one writer, on disk at every commit; transactions begin where SQLAlchemy says."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", f"busy_timeout = {WAIT_MS}", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its turn at the start: one that began by reading would be refused, not made to wait."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE")
