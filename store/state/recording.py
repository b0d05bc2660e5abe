"""One round of checks taken in: what is wrong opens or goes on, what has passed ends.

One read tells all that is open; then one statement each brings up to date what goes on, opens what is new, enters what
batches add, and closes what is over. Nothing is kept from one round to the next, because other processes record too.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from metrics.findings import Finding
from store.state.closing import OpenRecord
from store.state.open_finding import Key, earliest, head_of, latest, part_of
from store.state.opening import upsert_all
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

NAMES = ("rule", "channel", "source", "region", "measure")
RIGHT = "right"
"""Why a part counts no more: what was bad has been looked at again and is right."""
NO_BATCH = ("",)
"""What stands for the batch in the part of a finding about stored figures."""


def open_records(
    connection: Connection, batches: Collection[str] = NO_BATCH, *, about_rows: bool = False
) -> dict[Key, OpenRecord]:
    """All open findings about figures, or all about rows, with what these batches have added to them."""
    own, part = table.c, part_table.c
    query = (
        select(
            own.id, *(own[name] for name in NAMES), own.state, own.interval_start, own.interval_end, own.bad,
            own.expected, own.last_seen, own.facts["measures"].as_string(), part.batch, part.bad, part.expected,
        )
        .outerjoin(part_table, and_(part.finding == own.id, part.batch.in_(batches), part.ended == ""))
        .where(own.closed_at.is_(None), own.batch != "" if about_rows else own.batch == "")
    )  # fmt: skip
    found: dict[Key, OpenRecord] = {}
    for (
        id,
        *key,
        state,
        start,
        end,
        bad,
        expected,
        seen,
        measures,
        batch,
        bad_before,
        expected_before,
    ) in connection.execute(query):
        rule, channel, source, region, measure = key
        record = OpenRecord(
            id, rule, channel, source, region, measure, state, start, end, bad, expected, seen, measures or "", {}
        )
        held = found.setdefault((rule, channel, source, region, measure), record).held
        if batch is not None:
            held[batch] = (bad_before, expected_before)
    return found


def enter(
    connection: Connection, bad: Mapping[Key, Sequence[Finding]], known: Mapping[Key, OpenRecord],
    severities: Mapping[str, str], now: datetime,
) -> int:  # fmt: skip
    """Open what is not open yet and bring up to date what is; returns how many were opened.

    Each batch's part takes the place of the one it had, and the totals stay right.
    """
    parts = {key: _parts(findings) for key, findings in bad.items()}
    heads = {
        key: head_of(findings, severities[key[0]], now) | _totals(parts[key], known.get(key))
        for key, findings in bad.items()
    }
    refreshed = [{"number": known[key].id, **head} for key, head in heads.items() if key in known]
    if refreshed:
        connection.execute(update(table).where(table.c.id == bindparam("number")), refreshed)
    opened = _opened(connection, {key: head for key, head in heads.items() if key not in known}, now)
    numbers = {key: opened[key] if key in opened else known[key].id for key in heads}
    rows = [{"finding": numbers[key], **part} for key, own in parts.items() for part in own]
    if rows:
        upsert_all(connection, part_table, rows)
    return len(opened)


def close(connection: Connection, numbers: Collection[int], now: datetime) -> None:
    """Close findings by their numbers."""
    if numbers:
        connection.execute(update(table).where(table.c.id.in_(numbers)).values(closed_at=now, last_seen=now))


def mark_right(connection: Connection, numbers: Collection[int]) -> None:
    """Note of findings about figures that all that was bad has been seen right, so that it counts no more."""
    if numbers:
        own = part_table.c
        mine = and_(own.finding.in_(numbers), own.batch == "")
        connection.execute(update(part_table).where(mine).values(ended=RIGHT))


def _parts(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    by_batch: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_batch[finding.batch].append(finding)
    return [part_of(own) for own in by_batch.values()]


def _totals(parts: Sequence[Mapping[str, Any]], known: OpenRecord | None) -> dict[str, Any]:
    """What a finding adds up to when these parts are in place of those that its batches had."""
    bad, expected = (known.bad, known.expected) if known else (0, 0)
    for part in parts:
        bad_before, expected_before = known.held.get(part["batch"], (0, 0)) if known else (0, 0)
        bad, expected = bad + part["bad"] - bad_before, expected + part["expected"] - expected_before
    start = earliest([known.start if known else None, *[part["interval_start"] for part in parts]])
    end = latest([known.end if known else None, *[part["interval_end"] for part in parts]])
    return {"interval_start": start, "interval_end": end, "bad": bad, "expected": expected}


def _opened(connection: Connection, heads: Mapping[Key, Mapping[str, Any]], now: datetime) -> dict[Key, int]:
    """Enter what is new; its numbers."""
    if not heads:
        return {}
    rows = [{**dict(zip(NAMES, key, strict=True)), **head, "first_seen": now} for key, head in heads.items()]
    entered = insert(table).returning(table.c.id, *(table.c[name] for name in NAMES))
    found = connection.execute(entered, rows)
    return {(rule, channel, source, region, measure): id for id, rule, channel, source, region, measure in found}
