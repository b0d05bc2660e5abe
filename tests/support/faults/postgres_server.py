"""A PostgreSQL server over TCP that can be killed whole and kept away; a standby may follow it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from tests.support.faults.places import LOOPBACK, Place
from tests.support.faults.supervised import Supervised
from tests.support.ports import free_port
from tests.support.processes import DIES_WITH_US
from tests.support.real_postgres import OWNER, end_postgres, programs, start_postgres
from tests.support.waiting import eventually

CLONED_S = 120


class PostgresServer(Supervised):
    """The wheel's server on a port of its own; every commit is on disk."""

    def __init__(self, folder: Path, place: Place, name: str = "postgres") -> None:
        self._made = start_postgres()
        self._made.cleanup()
        self.data, self.port = Path(self._made.pgdata), free_port()
        self._place = place
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.0.0.0/8 trust\n")
        command: list[str | Path] = [
            *place.inside("postgres"), *_owner(),
            programs() / "postgres", "-D", self.data, "-p", str(self.port), "-h", place.listens("postgres"),
            "-c", "unix_socket_directories=", "-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB",
        ]  # fmt: skip
        super().__init__(name, command, folder, self._reached)

    def address(self, asker: str = "") -> str:
        """HOST:PORT for one of the parts, or for the test."""
        return f"{self._place.host(asker, 'postgres')}:{self.port}"

    def url(self, asker: str = "") -> str:
        """Its address for one of the parts, or for the test."""
        return f"postgresql://postgres@{self.address(asker)}/postgres"

    def signal(self, number: signal.Signals) -> None:
        """SIGKILL to all of its processes at once, anything else to the first."""
        family = [self.pid, *_children(self.pid)] if self.runs and number is signal.SIGKILL else []
        super().signal(number)
        for pid in family[1:]:
            os.kill(pid, number)

    def lose(self) -> None:
        """SIGKILL, and its disk is gone too."""
        self.go_away()
        eventually(lambda: not self.runs, f"{self.name} is dead")
        self.empty()

    def empty(self) -> None:
        """As a new machine has it: the folder, and nothing in it."""
        for one in self.data.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()

    def clone(self, primary: "PostgresServer") -> None:
        """Fill the empty folder from a primary, whose standby it is then."""
        primary._set("wal_keep_size", "256MB")
        asked = f"host={LOOPBACK} port={primary.port} user=postgres application_name={self.name}"
        options = ["--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast"]
        self._run("pg_basebackup", "--pgdata", self.data, *options, "--dbname", asked)

    def promote(self) -> None:
        """Make a primary of a standby, as an operator does or what watches in his place."""
        self._run("pg_ctl", "promote", "-D", self.data)

    def await_standby(self, name: str) -> None:
        """Let every commit wait for the disk of a standby, from when it has caught up."""
        self._set("synchronous_standby_names", f'"{name}"')
        eventually(lambda: self._asked_of("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'"), f"{name} is up")

    def commits_waiting(self) -> int:
        """How many commits wait for the standby now; none on a server that does not answer."""
        try:
            return len(self._asked_of("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
        except psycopg.OperationalError:
            return 0

    def end(self) -> None:
        super().end()
        end_postgres(self._made)

    def _set(self, setting: str, value: str) -> None:
        self._asked_of(f"ALTER SYSTEM SET {setting} = '{value}'")
        self._asked_of("SELECT pg_reload_conf()")

    def _run(self, program: str, *arguments: str | Path) -> None:
        told = subprocess.run(
            [*_owner(), programs() / program, *arguments], check=False, capture_output=True, timeout=CLONED_S
        )
        assert told.returncode == 0, told.stderr

    def _asked_of(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=3) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description is not None else []

    def _reached(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True


def _owner() -> list[str]:
    """What the command of a program begins with: PostgreSQL never runs as root."""
    return [*DIES_WITH_US, f"--reuid={OWNER}", "--clear-groups"] if os.geteuid() == 0 else []


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
