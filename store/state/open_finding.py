"""One finding over its life, and how what a round of checks says becomes one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics.findings import CheckState, Finding

BAD = {CheckState.FAIL: 0, CheckState.QUERY: 1, CheckState.ERROR: 2}
"""States that open a finding, the worst lowest."""

ROWS_KEPT = 2000
"""Rows kept of one batch; `bad` counts them all."""

Row = Mapping[str, str | float | int | None]
Key = tuple[str, str, str, str, str]
"""What makes two findings the same trouble: `Finding.key`."""


@dataclass(frozen=True)
class OpenFinding:
    """A finding from its first sight to its end."""

    id: int
    rule: str
    state: CheckState
    severity: str
    channel: str
    source: str
    region: str
    measure: str
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None
    start: datetime | None
    end: datetime | None
    """The intervals concerned; of rows the windows of their batches."""
    bad: int
    expected: int
    facts: Mapping[str, str | float | int]
    batch: str
    rows: tuple[Row, ...] = ()
    """Filled by `Findings.during` only."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """As `Finding.key`."""
        return (self.rule, self.channel, self.source, self.region, self.measure)

    def finding(self) -> Finding:
        """As the check told it."""
        return Finding(
            self.rule, self.state, self.channel, self.source, self.region, self.measure, self.start, self.end,
            self.bad, self.expected, self.facts, self.rows, self.batch, bool(self.batch),
        )  # fmt: skip


def wrong(said: Iterable[Finding]) -> dict[Key, list[Finding]]:
    """What is bad, by what makes it the same trouble: of each those that say the worst."""
    found: dict[Key, list[Finding]] = {}
    for finding in said:
        if finding.state in BAD:
            found.setdefault(finding.key, []).append(finding)
    return {key: _worst(told) for key, told in found.items()}


def _worst(bad: list[Finding]) -> list[Finding]:
    least = min(BAD[finding.state] for finding in bad)
    return [finding for finding in bad if BAD[finding.state] == least]


def part_of(told: Sequence[Finding]) -> dict[str, Any]:
    """What findings of one key and batch add up to."""
    return {
        "batch": told[0].batch,
        "interval_start": earliest([finding.start for finding in told]),
        "interval_end": latest([finding.end for finding in told]),
        "bad": sum(finding.bad for finding in told),
        "expected": sum(finding.expected for finding in told),
        "rows": [row for finding in told for row in finding.rows[:ROWS_KEPT]][:ROWS_KEPT],
        "ended": "",
    }


def head_of(told: Sequence[Finding], severity: str, now: datetime) -> dict[str, Any]:
    """What stands for all of a key's findings: state, the facts of the newest."""
    newest = max(told, key=lambda finding: (finding.end is not None, finding.end))
    return {
        "state": newest.state.value,
        "severity": severity,
        "last_seen": now,
        "facts": newest.facts,
        "batch": newest.batch,
    }


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The first of those that are known."""
    return min([moment for moment in moments if moment is not None], default=None)


def latest(moments: Iterable[datetime | None]) -> datetime | None:
    """The last of those that are known."""
    return max([moment for moment in moments if moment is not None], default=None)


def opened(row: Mapping[str, Any], parts: Sequence[Mapping[str, Any]] = ()) -> OpenFinding:
    """Read a row of `finding`; with parts, only what they add up to."""
    known = {**row, "state": CheckState(row["state"])}
    known["start"], known["end"] = known.pop("interval_start"), known.pop("interval_end")
    if parts:
        known["start"] = earliest(part["interval_start"] for part in parts)
        known["end"] = latest(part["interval_end"] for part in parts)
        known["bad"] = sum(part["bad"] for part in parts)
        known["expected"] = sum(part["expected"] for part in parts)
        known["rows"] = tuple(row for part in parts for row in part["rows"])
    return OpenFinding(**known)
