"""The ends of findings about rows: batch by batch, never because another batch is well.

A part ends as RIGHT when the rows of its batch were looked at again and are right, or came again in a newer batch that
replaced it (`store/state/batches.py: replaced`); it ends as FORGOTTEN when its batch is no longer remembered, so that
nobody can look again. A finding is over when none of its parts that hold wrong rows goes on. One that only says that a
check could not run is over as soon as the check has run on a batch.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, update

from metrics.findings import CheckState
from store.state.closing import OpenRecord
from store.state.open_finding import Key
from store.state.recording import close
from store.state.tables import batch as batch_table
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

FORGOTTEN = "forgotten"
Part = tuple[int, str]
"""Number of a finding, and a batch."""

ABOUT_ROWS = and_(table.c.closed_at.is_(None), table.c.batch != "")


def any_open(connection: Connection, batches: Collection[str]) -> bool:
    """Whether anything is open that a look at the rows of these batches may end."""
    own = and_(part_table.c.finding == table.c.id, part_table.c.batch.in_(batches), part_table.c.ended == "")
    concerned = or_(table.c.state == CheckState.ERROR.value, exists().where(own))
    return connection.execute(select(table.c.id).where(ABOUT_ROWS, concerned).limit(1)).first() is not None


def seen_right(
    known: Mapping[Key, OpenRecord], bad: Collection[tuple[Key, str]], replaced: Collection[str]
) -> list[Part]:
    """The parts of looked-at batches that end: nothing bad was said of them again, or the batch was replaced."""
    return [
        (record.id, batch)
        for key, record in known.items()
        for batch in record.held
        if batch in replaced or (key, batch) not in bad
    ]


def parts_of_errors(connection: Connection, known: Iterable[OpenRecord]) -> list[Part]:
    """All parts of those findings that only say that a check could not run."""
    own, numbers = part_table.c, [record.id for record in known if record.state == CheckState.ERROR]
    if not numbers:
        return []
    query = select(own.finding, own.batch).where(own.finding.in_(numbers), own.ended == "")
    return [(number, batch) for number, batch in connection.execute(query)]


def end_parts(connection: Connection, parts: Sequence[Part], why: str, now: datetime) -> int:
    """End parts, bring the totals of their findings up to date and close those that are over; gives how many."""
    if not parts:
        return 0
    mine = and_(part_table.c.finding == bindparam("number"), part_table.c.batch == bindparam("name"))
    rows = [{"number": number, "name": name} for number, name in parts]
    connection.execute(update(part_table).where(mine).values(ended=why), rows)
    touched = {number for number, _ in parts}
    going_on = _totals(connection, touched)
    if going_on:
        connection.execute(update(table).where(table.c.id == bindparam("number")), going_on)
    over = touched - {int(str(row["number"])) for row in going_on}
    close(connection, over, now)
    return len(over)


def forgotten(connection: Connection) -> list[Part]:
    """Parts that go on although their batch is no longer remembered."""
    own = part_table.c
    query = (
        select(own.finding, own.batch)
        .join(table, table.c.id == own.finding)
        .where(ABOUT_ROWS, own.ended == "", ~exists().where(batch_table.c.id == own.batch))
    )
    return [(number, name) for number, name in connection.execute(query)]


def _totals(connection: Connection, numbers: Collection[int]) -> list[dict[str, object]]:
    """What the parts that go on come to, of those findings that still have wrong rows."""
    own = part_table.c
    query = (
        select(
            own.finding.label("number"), func.sum(own.bad).label("bad"), func.sum(own.expected).label("expected"),
            func.min(own.interval_start).label("interval_start"), func.max(own.interval_end).label("interval_end"),
        )
        .join(table, table.c.id == own.finding)
        .where(own.finding.in_(numbers), own.ended == "", or_(own.bad > 0, table.c.state == CheckState.ERROR.value))
        .group_by(own.finding)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(query).mappings()]
