"""From a verdict's arrays to findings: one for each (rule, channel, source, province, measure) that is wrong.

What passed is told once a measure (region '' is "everywhere else"), with the units looked at, so that coverage and
score can be worked out. Several measures of one source that fail in one province are one finding: its measures are
listed in the facts, and its `measure` is ''.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from data_quality.registry import Mask, Row, Rule, Sight, Verdict
from data_quality.verdicts.failures import failures
from data_quality.verdicts.tally import Tally
from metrics.findings import CheckState, Finding

ROWS_SHOWN = 20
"""Cells shown behind a finding; the count is always of all."""

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
    return [*_failed(rule, tally), *_passed(rule, tally, blockers), *_unjudged(rule, tally, blockers)]


def _failed(rule: Rule, tally: Tally) -> Iterator[Finding]:
    """A finding for each source and province in which something failed."""
    failed, moments, verdict = failures(tally, ROWS_SHOWN), tally.sight.grid.schedule.moments, tally.verdict
    state, shown = CheckState.FAIL if rule.hard else CheckState.QUERY, _shown(tally, failed.cells)
    for one in failed.found:
        own, about = shown[one.cells], verdict.labels[one.labels[0]]
        facts: Facts = {**verdict.facts, **_first(own[0])}
        if not tally.placeless:
            facts["places"] = one.places
        if one.blocked:
            facts["blocked"] = one.blocked
        if several := len(one.labels) > 1:
            facts["measures"] = ",".join([verdict.labels[label].measure for label in one.labels])
        else:
            for row in own:
                del row["measure"]
        yield Finding(
            rule.id, state, about.channel, about.source, tally.codes[one.group], "" if several else about.measure,
            moments[one.first], moments[one.last + 1], one.bad, one.judged, facts, tuple(own),
        )  # fmt: skip


def _shown(tally: Tally, cells: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Cells (label, region, interval) as rows for people and machines; filled a column at a time, for that is quick."""
    grid, verdict = tally.sight.grid, tally.verdict
    columns: dict[str, list[Any]] = {}
    if not tally.placeless:
        columns["place"] = [grid.places.codes[at] for at in grid.at[cells[1]].tolist()]
    columns["start"] = [grid.schedule.said[at] for at in cells[2].tolist()]
    for name, values in verdict.shown.items():
        columns[name] = np.broadcast_to(values, verdict.judged.shape)[*cells].tolist()
    rows: list[dict[str, Any]] = [{"measure": verdict.labels[at].measure} for at in cells[0].tolist()]
    for name, column in columns.items():
        for row, value in zip(rows, column, strict=True):
            row[name] = value
    return rows


def _first(row: Row) -> Facts:
    """What the first bad cell shows."""
    return {name: value for name, value in row.items() if name not in ("measure", "start") and value is not None}


def _passed(rule: Rule, tally: Tally, blockers: dict[int, str]) -> Iterator[Finding]:
    """What passed, once a label: `clean` are the groups in which nothing is wrong or blocked, `unclear` the others."""
    passed = tally.judged > 0 if tally.fails is None else ~tally.fails & (tally.judged > 0)
    marred = np.zeros_like(passed)
    for spots in (tally.bad, tally.blocked):
        if spots is not None:
            marred |= spots > 0
    clean, unclear = _named(passed & ~marred, tally.codes), _named(passed & marred, tally.codes)
    groups, units, bad, missed = (
        [0] * len(passed) if counts is None else (passed * counts).sum(axis=1).tolist()
        for counts in (1, tally.judged, tally.bad, tally.blocked)
    )
    moments = tally.sight.grid.schedule.moments
    id, start, end = rule.id, moments[0], moments[-1]
    for label, (about, count) in enumerate(zip(tally.verdict.labels, groups, strict=True)):
        if count:
            named = {"clean": clean[label], "unclear": unclear[label]}
            facts: Facts = {"groups": count, **{name: codes for name, codes in named.items() if codes is not None}}
            if missed[label]:
                facts |= {"blocked": missed[label], "root": blockers[label]}
            yield Finding(
                id, PASS, about.channel, about.source, "", about.measure, start, end, bad[label], units[label], facts
            )


def _named(chosen: Mask, codes: tuple[str, ...]) -> list[str | None]:
    """Codes of the chosen groups of each label, joined by commas; None for none. Labels of the same share one text."""
    joined: dict[bytes, str | None] = {}
    keys = [row.tobytes() for row in chosen]
    for key, row in zip(keys, chosen, strict=True):
        if key not in joined:
            joined[key] = ",".join([codes[at] for at in np.flatnonzero(row).tolist()]) if row.any() else None
    return [joined[key] for key in keys]


def _unjudged(rule: Rule, tally: Tally, blockers: dict[int, str]) -> Iterator[Finding]:
    """What could not be judged at all, once a label or once a province: at once where nothing else is told of it.

    What was not judged at all cannot have failed.
    """
    moments = tally.sight.grid.schedule.moments
    start, end = moments[0], moments[-1]
    for label, root in blockers.items():
        units = np.where(tally.judged[label] == 0, tally.all[label], 0)
        stuck, about = np.flatnonzero(units), tally.verdict.labels[label]
        told = [(tally.codes[at], 1, int(units[at])) for at in stuck]
        if len(stuck) and not tally.judged[label].any():
            told = [("", len(stuck), int(units.sum()))]
        for code, number, count in told:
            facts: Facts = {"groups": number, "root": root}
            yield Finding(
                rule.id, BLOCKED, about.channel, about.source, code, about.measure, start, end, 0, count, facts
            )


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
