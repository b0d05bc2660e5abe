"""Contacts in a channel's own database: a table that the SMS and e-mail systems keep up to date."""

from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simulator.contacts import Contact
from simulator.records import Record, as_row, record_of
from simulator.systems.outbox import Outbox
from simulator.troubles import Behaviour, Trouble

KEPT_S = 26 * 3600
PRUNE_EVERY_S = 600
CHANGES_A_SECOND = 1000
"""More than there ever are, so that a later run begins above an earlier one."""


class ContactTable:
    """Table `contacts`: one row a contact, `changed` a number that grows with every change of any row.

    SQLite by default, any SQLAlchemy URL otherwise. The customer's number is in it, as it is in such systems.
    """

    def __init__(self, channel: str, url: str, behaviour: Behaviour, since: datetime) -> None:
        """`since`: when the nation begins; rows that an earlier run left stay, and `changed` grows on beyond theirs."""
        self.channel, self.behaviour, self._url = channel, behaviour, sa.make_url(url)
        self._file = Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(url)
        self._table = sa.Table("contacts", sa.MetaData(), *_columns())
        self._changed = int(since.timestamp()) * CHANGES_A_SECOND
        self._pruned_at = 0
        self._outbox: Outbox[Record] = Outbox()
        self._table.create(self._engine, checkfirst=True)

    def note(self, contact: Contact, now: int) -> None:
        """Listen to the world."""
        if contact.channel == self.channel:
            for told in self.behaviour.as_told(contact):
                self._outbox.put(now + self.behaviour.delay(), record_of(told))

    def flush(self, now: int) -> None:
        """Write what is due in one transaction; nothing while the database is down."""
        if self._down():
            return
        records = self._outbox.take(now)
        if not records and now - self._pruned_at < PRUNE_EVERY_S:
            return
        rows = [self._row(record, now) for record in {record.contact_id: record for record in records}.values()]
        if self.behaviour.has(Trouble.DUPLICATED):
            rows += [row | {"contact_id": f"{row['contact_id']}D", "changed": self._next()} for row in rows]
        with self._engine.begin() as connection:
            if rows:
                gone = [row["contact_id"] for row in rows]
                connection.execute(self._table.delete().where(self._table.c.contact_id.in_(gone)))
                connection.execute(self._table.insert(), rows)
            if now - self._pruned_at >= PRUNE_EVERY_S:
                self._pruned_at = now
                connection.execute(self._table.delete().where(self._table.c.written < now - KEPT_S))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _row(self, record: Record, now: int) -> dict[str, Any]:
        row: dict[str, Any] = as_row(record) | {"changed": self._next(), "written": now}
        return row | {"arrived": "yesterday-ish"} if self.behaviour.has(Trouble.GARBAGE) else row

    def _next(self) -> int:
        self._changed += 1
        return self._changed

    def _down(self) -> bool:
        """A SQLite database that is down has no file; another has no table that may be read."""
        down = self.behaviour.has(Trouble.DOWN)
        if self._file is not None:
            hidden = self._file.with_name(f".hidden-{self._file.name}")
            if down and self._file.exists():
                self._engine.dispose()
                self._file.rename(hidden)
            elif not down and hidden.exists():
                hidden.rename(self._file)
        return down


def _columns() -> list[sa.Column[Any]]:
    numbers = {
        "queued",
        "answered_s",
        "left_s",
        "rerouted",
        "talk_s",
        "hold_s",
        "acw_s",
        "engaged_s",
        "closed",
        "repeat",
        "vote",
    }
    fields = [sa.Column(name, sa.Integer if name in numbers else sa.Text) for name in Record.__dataclass_fields__]
    fields[0] = sa.Column("contact_id", sa.Text, primary_key=True)
    return [*fields, sa.Column("changed", sa.BigInteger, index=True), sa.Column("written", sa.BigInteger, index=True)]
