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
from data_quality.registry import Mask, Row, Rule, Sight, Verdict
from data_quality.tally import Tally
from metrics.findings import CheckState, Finding

ROWS_SHOWN = 20
"""Cells shown behind a finding about cells; the count is always of all. Rows of a file are all shown."""

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
    failed, moments = failures(tally, ROWS_SHOWN), tally.sight.grid.schedule.moments
    shown = _cells(tally, failed.cells)
    named = [tally.verdict.labels[label].measure for label in failed.cells[0].tolist()]
    for one in failed.found:
        measures = [tally.verdict.labels[label].measure for label in one.labels]
        several = len(measures) > 1
        facts = {**tally.verdict.facts, **_first(shown[one.cells][0])}
        facts |= {} if tally.placeless else {"places": one.places}
        facts |= {"blocked": one.blocked} if one.blocked else {}
        facts |= {"measures": ",".join(measures)} if several else {}
        rows = tuple(row for label in one.labels for row in tally.verdict.rows.get(label, ()))
        yield Finding(
            rule.id,
            CheckState.FAIL if rule.hard else CheckState.QUERY,
            tally.sight.grid.channel.id,
            one.source,
            tally.codes[one.group],
            "" if several else measures[0],
            moments[one.first],
            moments[one.last + 1],
            one.bad,
            one.judged,
            facts,
            rows or tuple(_named(named[one.cells], shown[one.cells]) if several else shown[one.cells]),
        )


def _cells(tally: Tally, cells: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Cells (label, region, interval) as rows for people and machines."""
    grid, verdict = tally.sight.grid, tally.verdict
    columns: dict[str, list[Any]] = {}
    if not tally.placeless:
        columns["place"] = [grid.places.codes[at] for at in grid.at[cells[1]].tolist()]
    columns["start"] = [grid.schedule.moments[at].isoformat() for at in cells[2].tolist()]
    for name, values in verdict.shown.items():
        columns[name] = np.broadcast_to(values, verdict.judged.shape)[*cells].tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _first(row: dict[str, Any]) -> Facts:
    """What the first bad cell shows."""
    return {name: value for name, value in row.items() if name != "start" and value is not None}


def _named(measures: list[str], rows: list[dict[str, Any]]) -> Iterator[Row]:
    return ({"measure": measure, **row} for measure, row in zip(measures, rows, strict=True))


def _rest(rule: Rule, tally: Tally, blockers: dict[int, str]) -> Iterator[Finding]:
    """What passed, once a label; what could not be judged at all, once a label or once a province."""
    fine = True if tally.fails is None else ~tally.fails
    passed: Mask = np.asarray(fine & (tally.judged > 0))
    units, bad, missed = (
        [0] * len(passed) if counts is None else (passed * counts).sum(axis=1).tolist()
        for counts in (tally.judged, tally.bad, tally.blocked)
    )
    groups = passed.sum(axis=1).tolist()
    channel, moments = tally.sight.grid.channel.id, tally.sight.grid.schedule.moments
    span = moments[0], moments[-1]
    for label, about in enumerate(tally.verdict.labels):
        own = (channel, about.source)
        if groups[label]:
            facts: Facts = {"groups": groups[label]}
            facts |= {"blocked": missed[label], "root": blockers[label]} if missed[label] else {}
            yield Finding(
                rule.id, CheckState.PASS, *own, "", about.measure, *span, bad[label], units[label], facts
            )  # fmt: skip
        if label in blockers:
            told = bool(groups[label]) or (tally.fails is not None and bool(tally.fails[label].any()))
            for code, count, blocked in _stuck(tally, label, told):
                facts = {"groups": count, "root": blockers[label]}
                yield Finding(rule.id, CheckState.BLOCKED, *own, code, about.measure, *span, 0, blocked, facts)


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
    about, grid = tally.verdict.labels[label], tally.sight.grid
    source = grid.delivered.get(about.source, [])
    own = [at for at in source if grid.measures[at].id == about.measure] if about.measure else source
    here = True if tally.mask is None else tally.mask[label]
    everywhere = slice(None)
    for chosen, where in ((own, here), (source, here), (own, True), (source, True), (everywhere, True)):
        candidates = root_of[chosen]
        roots = candidates[(candidates > 0) & where]
        if len(roots):
            return int(np.bincount(roots).argmax())
    return 1
