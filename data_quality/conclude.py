"""From a verdict's arrays to findings: one for each (rule, channel, source, province, measure) that is wrong.

What passed is told once a measure (region '' is "everywhere else"), with the units looked at, so that coverage and
score can be worked out. Several measures of one source that fail in one province are one finding: its measures are
listed in the facts, and its `measure` is ''.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from data_quality.registry import Row, Rule, Sight, Verdict
from metrics.findings import CheckState, Finding

ROWS_SHOWN = 20
"""Cells shown behind a finding about cells; the count is always of all. Rows of a file are all shown."""

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Roots = npt.NDArray[np.int16]


def conclude(rule: Rule, sight: Sight, verdict: Verdict, root_of: "Roots", rules: tuple[Rule, ...]) -> list[Finding]:
    """Findings of one verdict; `root_of` says by number in `rules`, from 1, what spoiled each cell."""
    tally = Tally(sight, verdict)
    found = list(_failures(rule, tally))
    blockers = {
        at: rules[_root(tally, at, root_of) - 1].id for at in map(int, np.flatnonzero(tally.blocked.any(axis=1)))
    }
    return [*found, *_rest(rule, tally, blockers)]


@dataclass(frozen=True)
class Tally:
    """A verdict counted by label and by the province (or '') that answers."""

    sight: Sight
    verdict: Verdict

    @cached_property
    def mask(self) -> Mask:
        """Where input had failed before."""
        blocked = self.verdict.blocked
        if blocked is None or not blocked.any():
            return np.zeros_like(self.verdict.judged, dtype=np.bool_)
        mask: Mask = blocked & (self.verdict.judged > 0)
        return mask

    @cached_property
    def bad_cells(self) -> npt.NDArray[Any]:
        """Bad units by cell, blocked ones left out."""
        if not self.verdict.bad.any():
            return self.verdict.bad
        return np.where(self.mask, 0, np.minimum(self.verdict.bad, self.verdict.judged))

    @cached_property
    def placeless(self) -> bool:
        """Whether the verdict is about something that has no place."""
        return len(self.verdict.judged[0]) == 1

    @property
    def codes(self) -> tuple[str, ...]:
        """Region code of every group, '' for what has no place."""
        return ("",) if self.placeless else self.sight.grid.groups[0]

    @cached_property
    def judged(self) -> Numbers:
        """Units looked at, (label, group)."""
        return self._grouped(np.where(self.mask, 0, self.verdict.judged)) if self.mask.any() else self.all

    @cached_property
    def all(self) -> Numbers:
        """Units that should have been looked at, (label, group)."""
        return self._grouped(self.verdict.judged)

    @property
    def blocked(self) -> Numbers:
        """Units that could not be judged, (label, group)."""
        return self.all - self.judged

    @cached_property
    def bad(self) -> Numbers:
        """Bad units, (label, group)."""
        return self._grouped(self.bad_cells) if self.bad_cells.any() else np.zeros_like(self.all)

    @cached_property
    def fails(self) -> Mask:
        """(label, group): more bad units than are allowed."""
        if not self.bad.any():
            return np.zeros(self.all.shape, np.bool_)
        allowed = np.broadcast_to(self.verdict.allowed, len(self.verdict.labels))[:, None]
        over: Mask = self.bad > allowed * self.judged + 1e-9
        return over

    def _grouped(self, cells: npt.NDArray[Any]) -> Numbers:
        by_region: Numbers = cells.sum(axis=2, dtype=np.int64)
        if self.placeless:
            return by_region
        grouped: Numbers = np.rint(by_region @ self.sight.grid.groups[2]).astype(np.int64)
        return grouped


def _failures(rule: Rule, tally: Tally) -> Iterator[Finding]:
    """A finding for each source and province in which something failed."""
    failing: dict[tuple[str, int], list[int]] = {}
    for label, group in np.argwhere(tally.fails):
        failing.setdefault((tally.verdict.labels[label].source, int(group)), []).append(int(label))
    for (source, group), labels in failing.items():
        measures = [tally.verdict.labels[label].measure for label in labels]
        blocked = int(tally.blocked[labels, group].sum())
        cells = _bad_cells(tally, labels, group)
        first, last = cells[:, 2].min(), cells[:, 2].max()
        facts: dict[str, str | float | int] = {**tally.verdict.facts, **_facts(tally, cells)}
        facts |= {"blocked": blocked} if blocked else {}
        facts |= {"measures": ",".join(measures)} if len(measures) > 1 else {}
        yield Finding(
            rule.id,
            CheckState.FAIL if rule.hard else CheckState.QUERY,
            tally.sight.grid.channel.id,
            source,
            tally.codes[group],
            measures[0] if len(measures) == 1 else "",
            _moment(tally.sight.grid.schedule.starts[first]),
            _moment(tally.sight.grid.schedule.ends[last]),
            int(tally.bad[labels, group].sum()),
            int(tally.judged[labels, group].sum()),
            facts,
            _rows(tally, labels, cells),
        )


def _bad_cells(tally: Tally, labels: list[int], group: int) -> Numbers:
    """(label, region, interval) of the bad cells of one group."""
    group_of = np.zeros(1, np.int64) if tally.placeless else tally.sight.grid.groups[1]
    regions = np.flatnonzero(group_of == group)
    cells = np.argwhere(tally.bad_cells[np.array(labels)[:, None], regions] > 0)
    return np.column_stack([np.array(labels)[cells[:, 0]], regions[cells[:, 1]], cells[:, 2]])


def _facts(tally: Tally, cells: Numbers) -> dict[str, str | float | int]:
    """What the first bad cell shows, and how many places are concerned."""
    facts = _cells(tally, cells[:1])[0]
    del facts["start"]
    if "place" in facts:
        facts["places"] = len(np.unique(cells[:, 1]))
    return {name: value for name, value in facts.items() if value is not None}


def _cells(tally: Tally, cells: Numbers) -> list[dict[str, str | float | int | None]]:
    """Bad cells as rows for people and machines."""
    grid, verdict = tally.sight.grid, tally.verdict
    label, region, step = cells.T
    columns: dict[str, list[Any]] = {}
    if not tally.placeless:
        columns["place"] = [grid.places.codes[at] for at in grid.at[region]]
    columns["start"] = [_moment(at).isoformat() for at in grid.schedule.starts[step]]
    for name, values in verdict.shown.items():
        columns[name] = np.broadcast_to(values, verdict.judged.shape)[label, region, step].tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _rows(tally: Tally, labels: list[int], cells: Numbers) -> tuple[Row, ...]:
    """The rows behind a finding: those the rule gave, else the bad cells."""
    given = tuple(row for label in labels for row in tally.verdict.rows.get(label, ()))
    if given:
        return given
    shown = _cells(tally, cells[:ROWS_SHOWN])
    if len(labels) == 1:
        return tuple(shown)
    measures = [tally.verdict.labels[at].measure for at in cells[:ROWS_SHOWN, 0]]
    return tuple({"measure": measure, **row} for measure, row in zip(measures, shown, strict=True))


def _rest(rule: Rule, tally: Tally, blockers: dict[int, str]) -> Iterator[Finding]:
    """What passed, once a label; what could not be judged at all, once a label or once a province."""
    passed: Mask = np.asarray(~tally.fails & (tally.judged > 0))
    stuck: Mask = np.asarray(~tally.fails & (tally.judged == 0) & (tally.all > 0))
    groups, units, bad, missed = (
        (passed * counts).sum(axis=1).tolist()
        for counts in (np.ones(1, np.int64), tally.judged, tally.bad, tally.blocked)
    )
    told = np.asarray(tally.fails.any(axis=1) | passed.any(axis=1))
    schedule = tally.sight.grid.schedule
    span = _moment(schedule.starts[0]), _moment(schedule.ends[-1])
    for label, about in enumerate(tally.verdict.labels):
        own = (rule.id, tally.sight.grid.channel.id, about.source, about.measure)
        if groups[label]:
            behind = {"blocked": missed[label], "root": blockers[label]} if missed[label] else {}
            facts: dict[str, str | float | int] = {"groups": groups[label], **behind}
            yield _summary(own, CheckState.PASS, "", span, bad[label], units[label], facts)
        if label in blockers:
            for code, count, blocked in _stuck(tally, label, stuck[label], bool(told[label])):
                facts = {"groups": count, "root": blockers[label]}
                yield _summary(own, CheckState.BLOCKED, code, span, 0, blocked, facts)


def _stuck(tally: Tally, label: int, stuck: Mask, told: bool) -> Iterator[tuple[str, int, int]]:
    """Region, groups and units of what could not be judged: at once where nothing else is told of the label."""
    if not stuck.any():
        return
    if told:
        yield from ((tally.codes[at], 1, int(tally.all[label, at])) for at in np.flatnonzero(stuck))
    else:
        yield "", int(stuck.sum()), int(tally.all[label][stuck].sum())


def _summary(
    own: tuple[str, str, str, str],
    state: CheckState,
    region: str,
    span: tuple[datetime, datetime],
    bad: int,
    expected: int,
    facts: dict[str, str | float | int],
) -> Finding:
    """A finding without rows: of passed units what was judged, of blocked ones what should have been."""
    rule, channel, source, measure = own
    return Finding(rule, state, channel, source, region, measure, *span, bad, expected, facts)


def _root(tally: Tally, label: int, root_of: Roots) -> int:
    """Number of the rule that spoiled what a label stands on: own cells before its source's, here before elsewhere."""
    about, labels = tally.verdict.labels[label], tally.sight.measure_labels
    source = [at for at, other in enumerate(labels) if other.source == about.source]
    own = [at for at in source if about.measure in ("", labels[at].measure)]
    there = np.where(tally.mask[label], root_of, 0)
    for candidates in (there[own], there[source], root_of[own], root_of[source], root_of):
        counted = np.bincount(candidates[candidates > 0].ravel())
        if counted.any():
            return int(counted.argmax())
    return 1


def _moment(seconds: np.int64) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
