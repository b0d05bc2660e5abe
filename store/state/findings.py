"""Findings with a life: opened by a failed check, refreshed while it lasts, closed when the check passes.

A pass is told once for many places, so it closes what it covers: '' in source, region or measure
meets any. It closes only what it has looked at: the intervals that were bad, or a long span after which they
no longer count; a batch that is well says nothing of the one before. A check that could not run (ERROR) opens
a finding of its own; ERROR and BLOCKED never
close one. Findings about the rows of a batch add up over batches; the same batch again replaces its part.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, bindparam, func, insert, or_, select, update

from config.catalogue import RuleBook
from metrics.findings import CheckState, Finding
from metrics.observations import Interval
from store.state.open_finding import (
    OpenFinding,
    covers,
    earliest,
    head_of,
    latest,
    opened,
    part_of,
    worst,
)
from store.state.opening import reading, upsert_all
from store.state.tables import batch as batch_table
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

SEVERITIES = ("blocker", "major", "minor")
LONG = timedelta(minutes=15)
"""Span of a look that stands for the present as a whole; what was bad before it is history."""
RECENT = timedelta(minutes=5)
"""How long a look at a long span stands against newer looks at shorter ones."""

Key = tuple[str, str, str, str, str]
"""What makes two findings the same trouble: `Finding.key`."""


class UnknownRule(KeyError):
    """A finding names a rule that `rules.yaml` does not."""

    def __str__(self) -> str:
        return f"rule {self.args[0]!r} is not in rules.yaml: its severity is not known"


@dataclass(frozen=True)
class Recorded:
    """What a round of checks changed, in findings."""

    opened: int = 0
    refreshed: int = 0
    closed: int = 0


@dataclass(frozen=True)
class Look:
    """What one round said of one rule in one channel."""

    at: datetime
    span: timedelta
    said: tuple[Finding, ...]


class Findings:
    """The findings that are open, and those that were."""

    def __init__(self, engine: Engine, rules: RuleBook) -> None:
        self._engine = engine
        self._rules = rules
        self._looks: dict[tuple[str, str], Look] = {}
        self._lock = Lock()

    def record(self, findings: Iterable[Finding], now: datetime) -> Recorded:
        """Take in a round of checks, in one transaction; raises UnknownRule before anything is stored.

        1. Every key that something bad was said of is opened or refreshed, unless it is only an ERROR and
        something worse stands. 2. What stands and was not named is closed if a pass covers it and nothing
        that could not be judged does.
        """
        said = tuple(findings)
        severities = {finding.rule: self._severity(finding.rule) for finding in said}
        rounds: dict[tuple[str, str, str, str, str], list[Finding]] = defaultdict(list)
        for finding in said:
            rounds[finding.key].append(finding)
        bad = {key: told for key, round_ in rounds.items() if (told := worst(round_))}
        with self._engine.begin() as connection:
            standing = {one.key: one for one in _read(connection, _open())}
            # Nothing but an ERROR was said of what stands for something worse: that goes on as it was.
            hidden = {key for key, told in bad.items() if key in standing and _says_less(told, standing[key])}
            entered = {key: told for key, told in bad.items() if key not in hidden}
            fresh = _open_new(connection, entered, standing, severities, now)
            _refresh(connection, entered, standing | fresh, severities, now)
            closed = _closed(standing, bad, said)
            connection.execute(update(table).where(table.c.id.in_(closed)).values(closed_at=now, last_seen=now))
        self._remember(said, now)
        return Recorded(len(fresh), len(bad) - len(fresh), len(closed))

    def open(self) -> list[OpenFinding]:
        """Findings that go on, worst first, then oldest first; without their rows."""
        with reading(self._engine) as connection:
            found = _read(connection, _open())
        return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.first_seen, one.id))

    def during(self, interval: Interval) -> list[OpenFinding]:
        """What was found about an interval, with its rows, oldest first.

        Rows of a batch belong to the batch's window; what has neither belongs to the time in which it was open.
        """
        start = func.coalesce(part_table.c.interval_start, batch_table.c.start)
        end = func.coalesce(part_table.c.interval_end, batch_table.c.end)
        about = and_(start < interval.end, or_(end > interval.start, and_(end == start, end == interval.start)))
        life = and_(table.c.first_seen < interval.end, func.coalesce(table.c.closed_at, interval.end) >= interval.start)
        query = (
            select(part_table)
            .join(table, table.c.id == part_table.c.finding)
            .outerjoin(batch_table, batch_table.c.id == part_table.c.batch)
            .where(or_(about, and_(start.is_(None), life)))
            .order_by(part_table.c.finding, part_table.c.batch)
        )
        with reading(self._engine) as connection:
            parts = connection.execute(query).mappings().all()
            by_finding = {
                number: [dict(part) for part in own] for number, own in groupby(parts, key=lambda part: part["finding"])
            }
            heads = connection.execute(select(table).where(table.c.id.in_(by_finding))).mappings().all()
        found = [opened(dict(head), by_finding[head["id"]]) for head in heads]
        return sorted(found, key=lambda one: (one.first_seen, one.id))

    def recent_checks(self) -> list[Finding]:
        """The last word on every rule and channel since this process started, passed checks too (for scores).

        A look at a long span stands for RECENT against looks at shorter ones: one minute that a batch
        touched says less than the half hour that the clock looked at.
        """
        with self._lock:
            return [finding for look in self._looks.values() for finding in look.said]

    def _remember(self, said: Sequence[Finding], now: datetime) -> None:
        with self._lock:
            for name, look in _looks(said, now):
                held = self._looks.get(name)
                if held is None or look.span >= held.span or now - held.at > RECENT:
                    self._looks[name] = look

    def _severity(self, rule: str) -> str:
        if rule not in self._rules.rules:
            raise UnknownRule(rule)
        return self._rules.rules[rule].severity


def _says_less(told: Sequence[Finding], standing: OpenFinding) -> bool:
    return told[0].state is CheckState.ERROR and standing.state is not CheckState.ERROR


def _open_new(
    connection: Connection, bad: Mapping[Key, Sequence[Finding]], known: Container[Key], severities: Mapping[str, str],
    now: datetime,
) -> dict[Key, OpenFinding]:  # fmt: skip
    """Open what does not stand yet, still without what its batches add."""
    blank = {"interval_start": None, "interval_end": None, "bad": 0, "expected": 0, "first_seen": now}
    heads = {key: {**head_of(told, severities[key[0]], now), **blank} for key, told in bad.items() if key not in known}
    if not heads:
        return {}
    entered = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    numbers = connection.execute(entered, list(heads.values())).scalars()
    return {
        key: opened({**head, "id": number, "closed_at": None})
        for (key, head), number in zip(heads.items(), numbers, strict=True)
    }


def _refresh(
    connection: Connection, bad: Mapping[Key, Sequence[Finding]], standing: Mapping[Key, OpenFinding],
    severities: Mapping[str, str], now: datetime,
) -> None:  # fmt: skip
    """Put each batch's part in place of the one it had and keep the totals right, in three statements for all."""
    numbers = {key: standing[key].id for key in bad}
    held = _held_parts(connection, numbers.values())
    parts, heads = [], []
    for key, told in bad.items():
        one, own = standing[key], list(_parts(told))
        before = [held.get((one.id, part["batch"]), (0, 0)) for part in own]
        parts += [{"finding": one.id, **part} for part in own]
        heads.append(
            {
                "number": one.id,
                **head_of(told, severities[key[0]], now),
                "interval_start": earliest([one.start, *(part["interval_start"] for part in own)]),
                "interval_end": latest([one.end, *(part["interval_end"] for part in own)]),
                "bad": one.bad + sum(part["bad"] - old for part, (old, _) in zip(own, before, strict=True)),
                "expected": one.expected
                + sum(part["expected"] - old for part, (_, old) in zip(own, before, strict=True)),
            }
        )
    if heads:
        upsert_all(connection, part_table, parts)
        connection.execute(update(table).where(table.c.id == bindparam("number")), heads)


def _held_parts(connection: Connection, findings: Iterable[int]) -> dict[tuple[int, str], tuple[int, int]]:
    """(bad, expected) of what each batch has added to these findings, by (finding, batch)."""
    columns = (part_table.c.finding, part_table.c.batch, part_table.c.bad, part_table.c.expected)
    rows = connection.execute(select(*columns).where(part_table.c.finding.in_(list(findings))))
    return {(number, batch): (bad, expected) for number, batch, bad, expected in rows}


def _parts(told: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    by_batch: dict[str, list[Finding]] = defaultdict(list)
    for finding in told:
        by_batch[finding.batch].append(finding)
    return (part_of(own) for own in by_batch.values())


def _closed(standing: Mapping[Key, OpenFinding], bad: Container[Key], said: Iterable[Finding]) -> list[int]:
    """Numbers of the findings that a pass has closed."""
    by_check: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in said:
        by_check[finding.rule, finding.channel].append(finding)
    return [
        one.id
        for key, one in standing.items()
        if key not in bad and _passed(one, by_check.get((one.rule, one.channel), ()))
    ]


def _passed(standing: OpenFinding, said: Sequence[Finding]) -> bool:
    """Whether a pass covers what stands, and nothing that could not be judged does."""
    told = [finding for finding in said if covers(finding, standing)]
    passed = any(one.state is CheckState.PASS and _has_seen(one, standing) for one in told)
    return passed and not any(one.state in (CheckState.ERROR, CheckState.BLOCKED) for one in told)


def _has_seen(passed: Finding, standing: OpenFinding) -> bool:
    """Whether a pass has looked at the intervals that were bad, or at a long span that ends no earlier."""
    if passed.start is None or passed.end is None or standing.start is None or standing.end is None:
        return True
    reaches_back = passed.start <= standing.start or passed.end - passed.start >= LONG
    return reaches_back and passed.end >= standing.end


def _looks(said: Sequence[Finding], now: datetime) -> Iterator[tuple[tuple[str, str], Look]]:
    """What a round said, by rule and channel; rows of batches are no look at what is stored."""
    stored = sorted((one for one in said if not one.batch), key=lambda one: (one.rule, one.channel))
    for name, own in groupby(stored, key=lambda one: (one.rule, one.channel)):
        findings = tuple(own)
        start, end = earliest(one.start for one in findings), latest(one.end for one in findings)
        yield name, Look(now, end - start if start and end else timedelta(0), findings)


def _open() -> Select[Any]:
    return select(table).where(table.c.closed_at.is_(None))


def _read(connection: Connection, query: Select[Any]) -> list[OpenFinding]:
    return [opened(dict(row)) for row in connection.execute(query).mappings()]
