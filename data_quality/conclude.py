"""From a verdict's arrays to findings: one for each (rule, channel, source, province, measure) that is wrong.

What passed is told once a measure (region '' is "everywhere else"), with the units looked at, so that coverage and
score can be worked out. Several measures of one source that fail in one province are one finding: its measures are
listed in the facts, and its `measure` is ''.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from data_quality.failures import failures
from data_quality.registry import Row, Rule, Sight, Verdict
from data_quality.tally import Tally
from metrics.findings import CheckState, Finding

ROWS_SHOWN = 20
"""Cells shown behind a finding about cells; the count is always of all. Rows of a file are all shown."""

PASS, BLOCKED = CheckState.PASS, CheckState.BLOCKED
Facts = dict[str, str | float | int]
Roots = npt.NDArray[np.int16]


def conclude(rule: Rule, sight: Sight, verdict: Verdict, root_of: Roots, rules: tuple[Rule, ...]) -> list[Finding]:
    """Findings of one verdict; `root_of` says by number in `rules`, from 1, what spoiled each cell."""
    tally = Tally(sight, verdict)
    blockers: dict[int, str] = {}
    if tally.blocked is not None:
        stopped = np.flatnonzero(tally.blocked.any(axis=1)).tolist()
        blockers = {label: rules[_root(tally, label, root_of) - 1].id for label in stopped}
    return [*_failed(rule, tally), *_rest(rule, tally, blockers)]


def _failed(rule: Rule, tally: Tally) -> Iterator[Finding]:
    """A finding for each source and province in which something failed."""
    failed, moments, verdict = failures(tally, ROWS_SHOWN), tally.sight.grid.schedule.moments, tally.verdict
    state = CheckState.FAIL if rule.hard else CheckState.QUERY
    names, shown = _cells(tally, failed.cells)
    named = [verdict.labels[label].measure for label in failed.cells[0].tolist()]
    for one in failed.found:
        own, measures = shown[one.cells], [verdict.labels[label].measure for label in one.labels]
        facts: Facts = {**verdict.facts, **_first(names, own[0])}
        if not tally.placeless:
            facts["places"] = one.places
        if one.blocked:
            facts["blocked"] = one.blocked
        rows: list[Row] = [row for label in one.labels for row in verdict.rows.get(label, ())] if verdict.rows else []
        if len(measures) > 1:
            facts["measures"] = ",".join(measures)
            rows = rows or [
                {"measure": measure, **dict(zip(names, row, strict=True))}
                for measure, row in zip(named[one.cells], own, strict=True)
            ]
        yield Finding(
            rule.id, state, one.channel, one.source, tally.codes[one.group], measures[0] if len(measures) == 1 else "",
            moments[one.first], moments[one.last + 1], one.bad, one.judged, facts,
            tuple(rows or [dict(zip(names, row, strict=True)) for row in own]),
        )  # fmt: skip


def _cells(tally: Tally, cells: npt.NDArray[np.int64]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Cells (label, region, interval) as rows for people and machines: their columns, and a row each."""
    grid, verdict = tally.sight.grid, tally.verdict
    columns: dict[str, list[Any]] = {}
    if not tally.placeless:
        columns["place"] = [grid.places.codes[at] for at in grid.at[cells[1]].tolist()]
    columns["start"] = [grid.schedule.said[at] for at in cells[2].tolist()]
    for name, values in verdict.shown.items():
        columns[name] = np.broadcast_to(values, verdict.judged.shape)[*cells].tolist()
    return list(columns), list(zip(*columns.values(), strict=True))


def _first(names: list[str], row: tuple[Any, ...]) -> Facts:
    """What the first bad cell shows."""
    return {name: value for name, value in zip(names, row, strict=True) if name != "start" and value is not None}


def _rest(rule: Rule, tally: Tally, blockers: dict[int, str]) -> Iterator[Finding]:
    """What passed, once a label; what could not be judged at all, once a label or once a province."""
    passed = tally.judged > 0 if tally.fails is None else ~tally.fails & (tally.judged > 0)
    units, bad, missed = (
        [0] * len(passed) if counts is None else (passed * counts).sum(axis=1).tolist()
        for counts in (tally.judged, tally.bad, tally.blocked)
    )
    groups = passed.sum(axis=1).tolist()
    moments = tally.sight.grid.schedule.moments
    id, start, end = rule.id, moments[0], moments[-1]
    for label, about in enumerate(tally.verdict.labels):
        own = about.channel, about.source
        if count := groups[label]:
            facts: Facts = {"groups": count}
            if missed[label]:
                facts |= {"blocked": missed[label], "root": blockers[label]}
            yield Finding(id, PASS, *own, "", about.measure, start, end, bad[label], units[label], facts)
        if label in blockers:
            told = bool(count) or (tally.fails is not None and bool(tally.fails[label].any()))
            for code, number, blocked in _stuck(tally, label, told):
                facts = {"groups": number, "root": blockers[label]}
                yield Finding(id, BLOCKED, *own, code, about.measure, start, end, 0, blocked, facts)


def _stuck(tally: Tally, label: int, told: bool) -> Iterator[tuple[str, int, int]]:
    """Region, groups and units of what could not be judged: at once where nothing else is told of the label.

    What was not judged at all cannot have failed.
    """
    units = np.where(tally.judged[label] == 0, tally.all[label], 0)
    stuck = np.flatnonzero(units)
    if told:
        yield from ((tally.codes[at], 1, int(units[at])) for at in stuck)
    elif len(stuck):
        yield "", len(stuck), int(units.sum())


def _root(tally: Tally, label: int, root_of: Roots) -> int:
    """Number of the rule that spoiled what a label stands on: own cells before its source's, here before elsewhere."""
    own, source, channel = tally.sight.grid.lines_under(tally.verdict.labels[label])
    here = True if tally.mask is None else tally.mask[label]
    for chosen, where in ((own, here), (source, here), (own, True), (source, True), (channel, True)):
        candidates = root_of[chosen]
        roots = candidates[(candidates > 0) & where]
        if len(roots):
            return int(np.bincount(roots).argmax())
    return 1
