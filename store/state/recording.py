"""One round of checks taken in: what is wrong opens or goes on, what has passed ends.

One read tells all that stands; then one statement each brings up to date what goes on, opens what is new, enters what
batches add, and closes what is over. Nothing is kept from one round to the next, because other processes record too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from metrics.findings import CheckState, Finding
from store.state.open_finding import Key, earliest, head_of, latest, part_of
from store.state.opening import upsert_all
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

LONG = timedelta(minutes=15)
"""Span of a look that stands for the present as a whole; what was bad before it is history."""

PASS, UNJUDGED = CheckState.PASS, frozenset({CheckState.ERROR, CheckState.BLOCKED})
NAMES = ("rule", "channel", "source", "region", "measure")
Check = tuple[str, str]
"""A rule in a channel."""


class OpenRecord(NamedTuple):
    """What a round must know of a finding that is open."""

    id: int
    rule: str
    channel: str
    source: str
    region: str
    measure: str
    state: str
    start: datetime | None
    end: datetime | None
    bad: int
    expected: int
    held: dict[str, tuple[int, int]]
    """What each of the round's batches has added to it before: bad and expected."""


NOTHING = OpenRecord(0, "", "", "", "", "", "", None, None, 0, 0, {})


def open_records(connection: Connection, batches: Collection[str]) -> dict[Key, OpenRecord]:
    """Everything that is open, with what these batches have added to it."""
    own, part = table.c, part_table.c
    query = (
        select(
            own.id, *(own[name] for name in NAMES), own.state, own.interval_start, own.interval_end, own.bad,
            own.expected, part.batch, part.bad, part.expected,
        )
        .outerjoin(part_table, and_(part.finding == own.id, part.batch.in_(batches)))
        .where(own.closed_at.is_(None))
    )  # fmt: skip
    found: dict[Key, OpenRecord] = {}
    for id, *key, state, start, end, bad, expected, batch, bad_before, expected_before in connection.execute(query):
        rule, channel, source, region, measure = key
        one = OpenRecord(id, rule, channel, source, region, measure, state, start, end, bad, expected, {})
        held = found.setdefault((rule, channel, source, region, measure), one).held
        if batch is not None:
            held[batch] = (bad_before, expected_before)
    return found


def enter(
    connection: Connection, bad: Mapping[Key, Sequence[Finding]], standing: Mapping[Key, OpenRecord],
    severities: Mapping[str, str], now: datetime,
) -> int:  # fmt: skip
    """Open what does not stand yet and bring up to date what does; returns how many were opened.

    Each batch's part takes the place of the one it had, and the totals stay right.
    """
    parts = {key: _parts(told) for key, told in bad.items()}
    heads = {
        key: head_of(told, severities[key[0]], now) | _totals(parts[key], standing.get(key, NOTHING))
        for key, told in bad.items()
    }
    known = [{"number": standing[key].id, **head} for key, head in heads.items() if key in standing]
    if known:
        connection.execute(update(table).where(table.c.id == bindparam("number")), known)
    opened = _opened(connection, {key: head for key, head in heads.items() if key not in standing}, now)
    numbers = {key: opened[key] if key in opened else standing[key].id for key in heads}
    rows = [{"finding": numbers[key], **part} for key, own in parts.items() for part in own]
    if rows:
        upsert_all(connection, part_table, rows)
    return len(opened)


def close(connection: Connection, over: Collection[int], now: datetime) -> None:
    """Close findings by their numbers."""
    if over:
        connection.execute(update(table).where(table.c.id.in_(over)).values(closed_at=now, last_seen=now))


def over(standing: Iterable[OpenRecord], said: Mapping[Check, Sequence[Finding]]) -> list[int]:
    """Numbers of the findings that a pass has closed."""
    return [one.id for one in standing if _passed(one, said.get((one.rule, one.channel), ()))]


def _parts(told: Sequence[Finding]) -> list[dict[str, Any]]:
    by_batch: dict[str, list[Finding]] = defaultdict(list)
    for finding in told:
        by_batch[finding.batch].append(finding)
    return [part_of(own) for own in by_batch.values()]


def _totals(parts: Sequence[Mapping[str, Any]], standing: OpenRecord) -> dict[str, Any]:
    """What a finding adds up to when these parts are in place of those that its batches had."""
    bad, expected = standing.bad, standing.expected
    for part in parts:
        bad_before, expected_before = standing.held.get(part["batch"], (0, 0))
        bad, expected = bad + part["bad"] - bad_before, expected + part["expected"] - expected_before
    start = earliest([standing.start, *[part["interval_start"] for part in parts]])
    end = latest([standing.end, *[part["interval_end"] for part in parts]])
    return {"interval_start": start, "interval_end": end, "bad": bad, "expected": expected}


def _opened(connection: Connection, heads: Mapping[Key, Mapping[str, Any]], now: datetime) -> dict[Key, int]:
    """Enter what is new; its numbers."""
    if not heads:
        return {}
    rows = [{**dict(zip(NAMES, key, strict=True)), **head, "first_seen": now} for key, head in heads.items()]
    entered = insert(table).returning(table.c.id, *(table.c[name] for name in NAMES))
    found = connection.execute(entered, rows)
    return {(rule, channel, source, region, measure): id for id, rule, channel, source, region, measure in found}


def _passed(standing: OpenRecord, said: Sequence[Finding]) -> bool:
    """Whether a pass covers what stands, and nothing that could not be judged does."""
    told = [finding for finding in said if _covers(finding, standing)]
    passed = any(one.state is PASS and _has_seen(one, standing) for one in told)
    return passed and not any(one.state in UNJUDGED for one in told)


def _covers(told: Finding, standing: OpenRecord) -> bool:
    """Whether what was told of a check is also told of a finding of it that stands: '' meets any."""
    return (
        (told.measure == standing.measure or not told.measure or not standing.measure)
        and (told.source == standing.source or not told.source or not standing.source)
        and (told.region == standing.region or not told.region or not standing.region)
    )


def _has_seen(passed: Finding, standing: OpenRecord) -> bool:
    """Whether a pass has looked at the intervals that were bad, or at a long span that ends no earlier."""
    if passed.start is None or passed.end is None or standing.start is None or standing.end is None:
        return True
    reaches_back = passed.start <= standing.start or passed.end - passed.start >= LONG
    return reaches_back and passed.end >= standing.end
