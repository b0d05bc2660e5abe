"""The line-up with two processes over two PostgreSQL servers: every commit is on both disks before it is told."""

from tests.support.faults.lineups import Split
from tests.support.faults.postgres_server import PostgresServer


class WithStandby(Split):
    """The product knows both servers; which one is the primary it finds out by itself."""

    def add_standbys(self) -> None:
        self.primary, self.standby = self.postgres, PostgresServer(self.folder, self.place, "postgres-standby")
        self._servers = (self.primary, self.standby)
        self.standby.empty()
        self.follow()
        self.add(self.standby)
        self.primary.await_standby(self.standby.name)

    def database_url(self, asker: str = "") -> str:
        return f"postgresql://postgres@{','.join(one.address(asker) for one in self._servers)}/postgres"

    def follow(self) -> None:
        """Make the standby of the primary anew, from nothing."""
        self.standby.clone(self.primary)

    def fail_over(self) -> None:
        """The standby is the primary now, and waits for nobody until it has a standby itself."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rebuild(self) -> None:
        """A new machine in place of the one that was lost."""
        self.follow()
        self.standby.come_back()
        self.standby.ready()
        self.primary.await_standby(self.standby.name)
