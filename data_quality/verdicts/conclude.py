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
CLEAN, UNCLEAR = 1, 2
"""What a group that passed is: without anything wrong or blocked, or not so."""
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
    """What passed, once a label, with the groups in which it did."""
    passed = tally.judged > 0 if tally.fails is None else ~tally.fails & (tally.judged > 0)
    units, bad, missed = (
        [0] * len(passed) if counts is None else (passed * counts).sum(axis=1).tolist()
        for counts in (tally.judged, tally.bad, tally.blocked)
    )
    moments = tally.sight.grid.schedule.moments
    id, start, end = rule.id, moments[0], moments[-1]
    for label, (about, where) in enumerate(zip(tally.verdict.labels, _where(tally, passed), strict=True)):
        if where:
            facts = where | {"blocked": missed[label], "root": blockers[label]} if missed[label] else where
            yield Finding(
                id, PASS, about.channel, about.source, "", about.measure, start, end, bad[label], units[label], facts
            )


def _where(tally: Tally, passed: Mask) -> list[Facts]:
    """By label: the number of groups that passed; `clean` are those in which nothing is wrong or blocked, `unclear`
    the others. Labels that passed in the same groups share what is said; nothing where none passed."""
    kind = passed.astype(np.uint8)
    for spots in (tally.bad, tally.blocked):
        if spots is not None:
            kind[passed & (spots > 0)] = UNCLEAR
    keys = [row.tobytes() for row in kind]
    said = {key: _groups(key, tally.codes) for key in set(keys)}
    return [said[key] for key in keys]


def _groups(kinds: bytes, codes: tuple[str, ...]) -> Facts:
    """What is said of groups that passed, by the kind of each: 0, CLEAN or UNCLEAR."""
    facts: Facts = {}
    for name, kind in (("clean", CLEAN), ("unclear", UNCLEAR)):
        if kind in kinds:
            facts[name] = ",".join([code for one, code in zip(kinds, codes, strict=True) if one == kind])
    return facts and {"groups": len(kinds) - kinds.count(0), **facts}


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
