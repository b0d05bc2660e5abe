"""The audit: every rule on the channels of the evidence, in the order of the stages.

1. Lay the observations of channels of one rhythm out on one grid.
2. Ask the rules, stage by stage; a cell that has failed is not judged again, only counted as blocked.
3. Turn verdicts into findings; a rule that raises becomes an ERROR. What raises among several channels is asked again
   of each alone, so that the others are judged.
4. Add what the rules showed of source rows when their batches came. A rule that sees nothing of a channel is NA:
   neither this nor an ERROR has passed.
5. Attach to each root finding the rules that it blocked.
"""

import logging
from collections.abc import Iterable

import numpy as np

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import Channel
from data_quality.evidence import Evidence
from data_quality.grid.coded_facts import Facts, code_facts
from data_quality.grid.grid import build_grid
from data_quality.grid.places import Places, arrange
from data_quality.grid.rhythms import rhythms
from data_quality.grid.schedule import schedule
from data_quality.registry import Mask, Rule, Sight, Verdict, in_order
from data_quality.row_checks import row_findings, rows_of_sources
from data_quality.verdicts.conclude import Roots, conclude
from metrics.findings import CheckState, Finding
from metrics.intervals import Seconds

log = logging.getLogger("watchfloor.audit")
Channels = tuple[Channel, ...]
WRONG = frozenset({CheckState.FAIL, CheckState.QUERY})
DETAIL = 200
"""Characters of an error's text that a finding keeps."""


def audit(evidence: Evidence) -> list[Finding]:
    """Everything that can be said about the evidence, worst states not first but in the order of the audit."""
    places = arrange(evidence.catalogue)
    facts = code_facts(evidence.observations, places)
    of_figures: dict[tuple[str, str], list[Finding]] = {}
    for edges, channels in rhythms(evidence):
        for finding in _judge(evidence, facts, places, edges, channels):
            of_figures.setdefault((finding.channel, finding.rule), []).append(finding)
    sources, found = rows_of_sources(evidence), []
    for channel in evidence.judged_channels:
        for rule in in_order():
            of_rows = row_findings(rule, channel, sources, evidence.interval)
            seen = [*of_rows, *of_figures.get((channel.id, rule.id), ())]
            found += seen or [Finding(rule.id, CheckState.NA, channel.id)]
    return attach(found)


def _judge(evidence: Evidence, facts: Facts, places: Places, edges: Seconds, channels: Channels) -> list[Finding]:
    """Ask every rule about channels of one rhythm."""
    rules, grid = in_order(), build_grid(evidence.catalogue, facts, places, schedule(evidence, edges, channels))
    root_of: Roots = np.zeros(grid.shape, np.int16)
    spoiled = np.zeros(grid.shape, np.bool_)
    found: list[Finding] = []
    for number, rule in enumerate(rules, start=1):
        sight = Sight(rule.id, evidence, grid, spoiled)
        try:
            verdicts = list(rule.check(sight))
            findings = [one for verdict in verdicts for one in conclude(rule, sight, verdict, root_of, rules)]
        except Exception as error:
            if len(channels) > 1:
                return [one for channel in channels for one in _judge(evidence, facts, places, edges, (channel,))]
            log.exception("rule %s could not run on channel %s", rule.id, channels[0].id)
            found.append(_error(rule, channels[0].id, evidence, error))
            continue
        found += findings
        _spoil(spoiled, root_of, verdicts, number)
    return found


def _spoil(spoiled: Mask, root_of: Roots, verdicts: Iterable[Verdict], number: int) -> None:
    """Mark what later stages cannot judge; the first rule to fail stays the root."""
    for verdict in verdicts:
        if verdict.spoils is not None and verdict.spoils.any():
            fresh = np.flatnonzero(verdict.spoils & ~spoiled)
            root_of.reshape(-1)[fresh], spoiled.reshape(-1)[fresh] = number, True


def _error(rule: Rule, channel: str, evidence: Evidence, error: Exception) -> Finding:
    """That a rule could not run on what is here; a look at the same range that runs ends it."""
    facts: dict[str, str | float | int] = {"error": type(error).__name__, "detail": str(error)[:DETAIL]}
    span = evidence.interval
    return Finding(rule.id, CheckState.ERROR, channel, start=span.start, end=span.end, facts=facts)


def attach(findings: list[Finding]) -> list[Finding]:
    """Name on each root finding the rules that could not judge because of it."""
    blocked: dict[tuple[str, str, bool], set[str]] = {}
    for finding in findings:
        if "root" in finding.facts:
            root = (str(finding.facts["root"]), finding.channel, finding.about_rows)
            blocked.setdefault(root, set()).add(finding.rule)
    named = {root: ",".join(sorted(rules)) for root, rules in blocked.items()}
    return [
        finding._replace(facts={**finding.facts, "blocks": named[key]})
        if finding.state in WRONG and (key := (finding.rule, finding.channel, finding.about_rows)) in named
        else finding
        for finding in findings
    ]
