"""The names of a store that several processes write: a new name is agreed upon before a row uses it."""

from collections.abc import Iterable

from store.facts.postgres.schema import Connection
from store.facts.shared.names import Codes, Names

_LOCK = "SELECT pg_advisory_xact_lock('name'::regclass::oid::int8 << 16)"
_READ = "SELECT kind, code, label, seen FROM name WHERE seen > $1 ORDER BY seen"
_INSERT = """
INSERT INTO name (kind, code, label)
SELECT $1, (SELECT count(*) FROM name WHERE kind = $1) + position - 1, label
FROM unnest($2::text[]) WITH ORDINALITY AS given (label, position)"""


class SharedNames(Names):
    """The names as one connection knows them; they end with it, so that a server restored from a copy is read anew.

    New names are given under a lock, in a transaction of their own: a batch that is refused later leaves names
    that no row uses, and no writer waits for the rows of another.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(())
        self._connection, self._last_seen = connection, 0
        self.refresh()

    def refresh(self) -> None:
        """Learn what others have named since."""
        found = self._connection.execute(_READ, [self._last_seen]).fetchall()
        if found:
            self.learn((kind, code, label) for kind, code, label, _ in found)
            self._last_seen = found[-1][3]

    def give(self, kind: str, labels: Iterable[str]) -> Codes:
        """Codes of labels; those that nobody has named yet are named now."""
        wanted = list(labels)
        if len(set(self.find(kind, wanted))) < len(set(wanted)):
            with self._connection.transaction():
                self._connection.execute(_LOCK)
                self.refresh()
                new = dict.fromkeys(label for label in wanted if not self.find(kind, [label]))
                self._connection.execute(_INSERT, [kind, list(new)])
            self.refresh()
        return super().give(kind, wanted)
