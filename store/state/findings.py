"""Findings with a life: opened by a failed check, refreshed while it lasts, closed when the check passes.

A pass is told once for many places, so it closes what it covers: '' in source, region or measure
meets any. It closes only what it has looked at: the intervals that were bad, or a long span after which they
no longer count; a batch that is well says nothing of the one before. A check that could not run (ERROR) opens
a finding of its own; ERROR and BLOCKED never
close one. Findings about the rows of a batch add up over batches; the same batch again replaces its part.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, func, or_, select

from config.catalogue import RuleBook
from metrics.findings import CheckState, Finding
from metrics.observations import Interval
from store.faults import UnknownRule
from store.state.open_finding import OpenFinding, earliest, latest, opened, wrong
from store.state.opening import reading
from store.state.recording import Check, OpenRecord, close, enter, open_records, over
from store.state.tables import batch as batch_table
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

SEVERITIES = ("blocker", "major", "minor")
RECENT = timedelta(minutes=5)
"""How long a last_check at a long span stands against newer last_checks at shorter ones."""


@dataclass(frozen=True)
class Recorded:
    """What a round of checks changed, in findings."""

    opened: int = 0
    refreshed: int = 0
    closed: int = 0


@dataclass(frozen=True)
class LastCheck:
    """What one round said of one rule in one channel."""

    at: datetime
    span: timedelta
    said: list[Finding]


class Findings:
    """The findings that are open, and those that were."""

    def __init__(self, engine: Engine, rules: RuleBook) -> None:
        self._engine = engine
        self._rules = rules
        self._last_checks: dict[Check, LastCheck] = {}
        self._lock = Lock()

    def record(self, findings: Iterable[Finding], now: datetime) -> Recorded:
        """Take in a round of checks, in one transaction; raises UnknownRule before anything is stored.

        1. Every key that something bad was said of is opened or refreshed, unless it is only an ERROR and
        something worse stands. 2. What stands and was not named is closed if a pass covers it and nothing
        that could not be judged does.
        """
        by_check: dict[Check, list[Finding]] = defaultdict(list)
        for finding in findings:
            by_check[finding.rule, finding.channel].append(finding)
        severities = {rule: self._severity(rule) for rule, _ in by_check}
        bad = wrong(finding for said in by_check.values() for finding in said)
        with self._engine.begin() as connection:
            standing = open_records(connection, {finding.batch for told in bad.values() for finding in told})
            # Nothing but an ERROR was said of what stands for something worse: that goes on as it was.
            entered = {key: told for key, told in bad.items() if not _says_less(told, standing.get(key))}
            opened = enter(connection, entered, standing, severities, now)
            closed = over((one for key, one in standing.items() if key not in bad), by_check)
            close(connection, closed, now)
        self._remember(by_check, now)
        return Recorded(opened, len(bad) - opened, len(closed))

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

        A last_check at a long span stands for RECENT against last_checks at shorter ones: one minute that a batch
        touched says less than the half hour that the clock looked at.
        """
        with self._lock:
            return [finding for last_check in self._last_checks.values() for finding in last_check.said]

    def _remember(self, said: Mapping[Check, Sequence[Finding]], now: datetime) -> None:
        with self._lock:
            for name, last_check in _last_checks(said, now):
                held = self._last_checks.get(name)
                if held is None or last_check.span >= held.span or now - held.at > RECENT:
                    self._last_checks[name] = last_check

    def _severity(self, rule: str) -> str:
        if rule not in self._rules.rules:
            raise UnknownRule(f"rule {rule!r} is not in rules.yaml: its severity is not known")
        return self._rules.rules[rule].severity


def _says_less(told: Sequence[Finding], standing: OpenRecord | None) -> bool:
    return standing is not None and told[0].state is CheckState.ERROR and standing.state != CheckState.ERROR


def _last_checks(said: Mapping[Check, Sequence[Finding]], now: datetime) -> Iterator[tuple[Check, LastCheck]]:
    """What a round said, by rule and channel; rows of batches are no last_check at what is stored."""
    for name, told in said.items():
        if findings := [one for one in told if not one.batch]:
            start, end = earliest([one.start for one in findings]), latest([one.end for one in findings])
            yield name, LastCheck(now, end - start if start and end else timedelta(0), findings)


def _open() -> Select[Any]:
    return select(table).where(table.c.closed_at.is_(None))


def _read(connection: Connection, query: Select[Any]) -> list[OpenFinding]:
    return [opened(dict(row)) for row in connection.execute(query).mappings()]
