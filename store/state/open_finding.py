"""One finding over its life, and how what a round of checks says becomes one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from metrics.findings import CheckState, Finding

BAD = (CheckState.FAIL, CheckState.QUERY, CheckState.ERROR)
"""States that open a finding, worst first."""

ROWS_KEPT = 2000
"""Rows kept of one batch; `bad` counts them all."""

AS_IT_IS = frozenset({str, int, bool, type(None)})
"""Types whose values JSON has as they are."""

Row = Mapping[str, str | float | int | None]


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
    """The intervals concerned; None for rows of batches, whose window stands for them (`Findings.during`)."""
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
            self.bad, self.expected, self.facts, self.rows, self.batch,
        )  # fmt: skip


def worst(round_: Sequence[Finding]) -> list[Finding]:
    """Those of one key's findings that say the worst; none if none is bad."""
    bad = [finding for finding in round_ if finding.state in BAD]
    least = min((BAD.index(finding.state) for finding in bad), default=0)
    return [finding for finding in bad if finding.state is BAD[least]]


def covers(told: Finding, standing: OpenFinding) -> bool:
    """Whether what was told of a check is also told of a finding of it that stands: '' meets any."""
    pairs = ((told.source, standing.source), (told.region, standing.region), (told.measure, standing.measure))
    same_check = (told.rule, told.channel) == (standing.rule, standing.channel)
    return same_check and all("" in pair or pair[0] == pair[1] for pair in pairs)


def part_of(told: Sequence[Finding]) -> dict[str, Any]:
    """What findings of one key and batch add up to."""
    return {
        "batch": told[0].batch,
        "interval_start": earliest(finding.start for finding in told),
        "interval_end": latest(finding.end for finding in told),
        "bad": sum(finding.bad for finding in told),
        "expected": sum(finding.expected for finding in told),
        "rows": [_plain(row) for finding in told for row in finding.rows[:ROWS_KEPT]][:ROWS_KEPT],
    }


def head_of(told: Sequence[Finding], severity: str, now: datetime) -> dict[str, Any]:
    """What stands for all of a key's findings: names, state, the facts of the newest."""
    newest = max(told, key=lambda finding: (finding.end is not None, finding.end))
    return {
        **dict(zip(("rule", "channel", "source", "region", "measure"), newest.key, strict=True)),
        "state": newest.state.value,
        "severity": severity,
        "last_seen": now,
        "facts": _plain(newest.facts),
        "batch": newest.batch,
    }


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The first of those that are known."""
    return min((moment for moment in moments if moment is not None), default=None)


def latest(moments: Iterable[datetime | None]) -> datetime | None:
    """The last of those that are known."""
    return max((moment for moment in moments if moment is not None), default=None)


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


def _plain(values: Mapping[str, Any]) -> dict[str, str | float | int | None]:
    """Values as JSON has them: plain numbers, no infinities, times as text."""
    return {name: value if type(value) in AS_IT_IS else _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> str | float | int | None:
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if value is None or isinstance(value, str | float | int) else str(value)
