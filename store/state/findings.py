"""Findings with a life: opened by a failed check, refreshed while it lasts, closed when the check passes.

Findings about stored figures and findings about the rows of batches are apart, and neither closes the other. Of figures
a pass closes what it has looked at (`closing.py`). Of rows only a look at the same rows does: a batch that is well says
nothing of the one before (`row_parts.py`); they add up over batches, and the same batch again takes the place of its
part. A check that could not run (ERROR) opens a finding of its own; ERROR and BLOCKED never close one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from store.state.closing import OpenRecord, over
from store.state.open_finding import BAD, Key, OpenFinding, earliest, latest, opened, wrong
from store.state.opening import alone, reading
from store.state.recording import RIGHT, close, enter, mark_right, open_records
from store.state.row_parts import (
    FORGOTTEN,
    any_open,
    end_parts,
    forgotten,
    parts_of_errors,
    seen_right,
)
from store.state.tables import batch as batch_table
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

SEVERITIES = ("blocker", "major", "minor")
Check = tuple[str, str]
"""A rule in a channel."""

RECORDING = 7768
"""Name of the turn that recorders take, so that two who find the same thing at once open one finding."""
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
        """Take in what was said of stored figures, in one transaction; raises UnknownRule before anything is stored.

        `now` is when the round was begun: what was found since, it may not have seen. 1. Every key that something bad
        was said of is opened or refreshed, unless it is only an ERROR and something worse is open. 2. What is open and
        was not named is closed if it has been seen right. What the audit adds up about rows is for the score only.
        """
        by_check: dict[Check, list[Finding]] = defaultdict(list)
        for finding in findings:
            by_check[finding.rule, finding.channel].append(finding)
        severities = {rule: self._severity(rule) for rule, _ in by_check}
        bad = wrong(finding for found in by_check.values() for finding in found if not finding.about_rows)
        with alone(self._engine, RECORDING) as connection:
            known = open_records(connection)
            opened = enter(connection, _worse(bad, known), known, severities, now)
            unnamed = (record for key, record in known.items() if key not in bad)
            closed = over(unnamed, by_check, now)
            close(connection, closed, now)
            mark_right(connection, [number for number, right in closed.items() if right])
        self._remember(by_check, now)
        return Recorded(opened, len(bad) - opened, len(closed))

    def record_rows(
        self, findings: Sequence[Finding], batches: Collection[str], replaced: Collection[str], now: datetime
    ) -> Recorded:
        """Take in what the rows of some batches showed, in one transaction; raises UnknownRule.

        `findings` are all that is to be said of these batches: what was wrong in one of them and is not named again is
        over, as is everything about a batch that was replaced by a newer one.
        """
        severities = {finding.rule: self._severity(finding.rule) for finding in findings}
        counted = [finding for finding in findings if finding.batch not in replaced]
        bad, looked_at = wrong(counted), {*batches, *replaced}
        if not bad:
            with reading(self._engine) as connection:
                if not any_open(connection, looked_at):
                    return Recorded()
        ran = {finding.key for finding in counted if finding.state is CheckState.PASS} - bad.keys()
        with alone(self._engine, RECORDING) as connection:
            known = open_records(connection, looked_at, about_rows=True)
            opened = enter(connection, _worse(bad, known), known, severities, now)
            still = {(finding.key, finding.batch) for finding in counted if finding.state in BAD}
            ended = seen_right(known, still, replaced)
            ended += parts_of_errors(connection, (record for key, record in known.items() if key in ran))
            closed = end_parts(connection, ended, RIGHT, now)
        return Recorded(opened, len(bad) - opened, closed)

    def end_forgotten(self, now: datetime) -> int:
        """End what was found of the rows of batches that are no longer remembered; gives how many findings closed."""
        with alone(self._engine, RECORDING) as connection:
            return end_parts(connection, forgotten(connection), FORGOTTEN, now)

    def open(self) -> list[OpenFinding]:
        """Findings that go on, worst first, then oldest first; without their rows."""
        with reading(self._engine) as connection:
            found = _read(connection, _open())
        return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.first_seen, one.id))

    def during(self, interval: Interval) -> list[OpenFinding]:
        """What was found about an interval, with its rows, oldest first.

        Rows of a batch belong to the batch's window, unless they were seen right since; what names no time belongs to
        that in which it was open.
        """
        start = func.coalesce(part_table.c.interval_start, batch_table.c.start)
        end = func.coalesce(part_table.c.interval_end, batch_table.c.end)
        about = and_(start < interval.end, or_(end > interval.start, and_(end == start, end == interval.start)))
        life = and_(table.c.first_seen < interval.end, func.coalesce(table.c.closed_at, interval.end) >= interval.start)
        query = (
            select(part_table)
            .join(table, table.c.id == part_table.c.finding)
            .outerjoin(batch_table, batch_table.c.id == part_table.c.batch)
            .where(or_(part_table.c.ended != RIGHT, table.c.batch == ""), or_(about, and_(start.is_(None), life)))
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

    def _remember(self, said: Mapping[Check, list[Finding]], now: datetime) -> None:
        with self._lock:
            for name, last_check in _last_checks(said, now):
                held = self._last_checks.get(name)
                if held is None or last_check.span >= held.span or now - held.at > RECENT:
                    self._last_checks[name] = last_check

    def _severity(self, rule: str) -> str:
        if rule not in self._rules.rules:
            raise UnknownRule(f"rule {rule!r} is not in rules.yaml: its severity is not known")
        return self._rules.rules[rule].severity


def _worse(bad: Mapping[Key, list[Finding]], known: Mapping[Key, OpenRecord]) -> dict[Key, list[Finding]]:
    """What is to be entered: where a check could only not run, what is open for something worse goes on as it was."""
    error = CheckState.ERROR
    return {
        key: findings
        for key, findings in bad.items()
        if findings[0].state is not error or key not in known or known[key].state == error
    }


def _last_checks(said: Mapping[Check, list[Finding]], now: datetime) -> Iterator[tuple[Check, LastCheck]]:
    """What a round said, by rule and channel."""
    for name, findings in said.items():
        start, end = earliest([one.start for one in findings]), latest([one.end for one in findings])
        yield name, LastCheck(now, end - start if start and end else timedelta(0), findings)


def _open() -> Select[Any]:
    return select(table).where(table.c.closed_at.is_(None))


def _read(connection: Connection, query: Select[Any]) -> list[OpenFinding]:
    return [opened(dict(row)) for row in connection.execute(query).mappings()]
