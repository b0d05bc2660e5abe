"""What the rows of a range's batches showed, added up by source into findings of the audit.

Rows are looked at once, when their batch comes (`row_rules.py`), and what that showed is kept with the record of the
batch. A batch whose records came again in a newer one counts no more. These findings are for the score and for reports:
which of them are open is known by batch (`store/state/findings.py`).

A refused record breaks one rule and is put to no other. For the other rules of that rule's dimension it is no unit,
because the dimension has judged it already; for the rules of other dimensions it is one that could not be judged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from config.catalogue import Channel
from data_quality.evidence import ROW_CHECK_COLUMNS, Evidence
from data_quality.registry import RULES, Records, Row, Rule
from metrics.findings import CheckState, Finding
from metrics.observations import Interval

ROWS_SHOWN = 20
"""Rows shown of what a rule found in a source; the count is always of all."""

LEAST, WORST = CheckState.NA, (CheckState.FAIL, CheckState.ERROR, CheckState.PASS, CheckState.NA)
"""Of several batches the worst state counts."""


@dataclass
class RowSum:
    """What one rule showed of the rows of one source."""

    state: CheckState = LEAST
    bad: int = 0
    expected: int = 0
    code: str = ""
    rows: tuple[Row, ...] = ()

    def add(self, state: str, bad: int, expected: int, code: str, rows: tuple[Row, ...]) -> None:
        """Add what it showed of one more batch."""
        self.state = min(self.state, CheckState(state), key=WORST.index)
        self.bad, self.expected = self.bad + bad, self.expected + expected
        self.code, self.rows = self.code or code, (*self.rows, *rows)[:ROWS_SHOWN]


@dataclass
class SourceRows:
    """What the batches of one source brought, and what the rules showed of it."""

    read: int = 0
    refused: dict[str, RowSum] = field(default_factory=dict)
    """Records that could not be counted, by the rule that they broke."""
    expected: dict[str, dict[str, RowSum]] = field(default_factory=dict)
    """Rows that the source's configuration expects something of, by rule and column."""


Sources = Mapping[tuple[str, str], SourceRows]
"""By channel and source."""


def rows_of_sources(evidence: Evidence) -> Sources:
    """Add up the batches of each source; those that were replaced by newer ones are left out."""
    found: dict[tuple[str, str], SourceRows] = {}
    replaced: set[str] = set()
    columns = (evidence.batches[name].tolist() for name in ("batch", "channel", "source", "read", "replaced"))
    for batch, channel, source, read, over in zip(*columns, strict=True):
        if over:
            replaced.add(batch)
        else:
            found.setdefault((channel, source), SourceRows()).read += read
    checks = zip(*(evidence.row_checks[name].tolist() for name in ROW_CHECK_COLUMNS), strict=True)
    for batch, channel, source, rule, measure, *showed in checks:
        if batch not in replaced:
            own = found.setdefault((channel, source), SourceRows())
            sums = own.expected.setdefault(rule, {}) if measure else own.refused
            sums.setdefault(measure or rule, RowSum()).add(*showed)
    return found


def row_findings(rule: Rule, channel: Channel, sources: Sources, interval: Interval) -> Iterator[Finding]:
    """What a rule says of the rows of a channel's sources in a range; nothing of sources that brought none."""
    for source in channel.sources:
        rows = sources.get((channel.id, source.id))
        if rows is not None and (rule.records is Records.JUDGED or rule.id in rows.refused or rule.id in rows.expected):
            blank = Finding(
                rule.id, CheckState.NA, channel.id, source.id, "", "", interval.start, interval.end, about_rows=True
            )
            yield from _of_read(rule, rows, blank) if rule.records is Records.JUDGED else _of_refused(rule, rows, blank)
            yield from _of_expected(rule, rows, blank)


def _of_refused(rule: Rule, rows: SourceRows, blank: Finding) -> Iterator[Finding]:
    """Records refused under a rule that not every record is put to: each is a unit that failed."""
    broken = rows.refused.get(rule.id)
    if broken is not None:
        facts = {"code": broken.code}
        yield blank._replace(state=CheckState.FAIL, bad=broken.bad, expected=broken.bad, facts=facts, rows=broken.rows)


def _of_read(rule: Rule, rows: SourceRows, blank: Finding) -> Iterator[Finding]:
    """Of all the records that were put to a rule, those refused under it."""
    broken = rows.refused.get(rule.id)
    bad = broken.bad if broken else 0
    facts: dict[str, str | float | int] = {"code": broken.code} if broken else {}
    others = {name: one.bad for name, one in rows.refused.items() if name != rule.id}
    unjudged = {name: bad for name, bad in others.items() if name in RULES and RULES[name].dimension != rule.dimension}
    elsewhere, blocked = sum(others.values()), sum(unjudged.values())
    judged = max(rows.read, bad + elsewhere) - elsewhere
    if blocked:
        facts["root"] = max(unjudged, key=unjudged.__getitem__)
    if not judged and blocked:
        yield blank._replace(state=CheckState.BLOCKED, expected=blocked, facts=facts)
    if judged:
        state = CheckState.FAIL if bad else CheckState.PASS
        facts |= {"blocked": blocked} if blocked else {}
        yield blank._replace(state=state, bad=bad, expected=judged, facts=facts, rows=broken.rows if broken else ())


def _of_expected(rule: Rule, rows: SourceRows, blank: Finding) -> Iterator[Finding]:
    """Of the rows looked at, those that are not as the source's configuration expects, a finding a column."""
    for column, seen in rows.expected.get(rule.id, {}).items():
        if seen.state is not CheckState.NA:
            yield blank._replace(state=seen.state, measure=column, bad=seen.bad, expected=seen.expected, rows=seen.rows)
