"""The audit: every rule on every channel of the evidence, in the order of the stages.

1. Lay each channel's observations out on its grid.
2. Ask the rules, stage by stage; a cell that has failed is not judged again, only counted as blocked.
3. Turn verdicts into findings; a rule that raises becomes an ERROR, one that sees nothing is NA. Neither has passed.
4. Attach to each root finding the rules that it blocked.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import Channel
from data_quality.conclude import Roots, conclude
from data_quality.evidence import Evidence
from data_quality.facts import code_facts
from data_quality.grids import Grid, build_grid
from data_quality.places import arrange
from data_quality.registry import Rule, Sight, Verdict, in_order
from data_quality.schedule import arrivals, schedule
from metrics.findings import CheckState, Finding

log = logging.getLogger("watchfloor.audit")
DETAIL = 200
"""Characters of an error's text that a finding keeps."""


def audit(evidence: Evidence) -> list[Finding]:
    """Everything that can be said about the evidence, worst states not first but in the order of the audit."""
    places, came = arrange(evidence.catalogue), arrivals(evidence)
    facts = code_facts(evidence.observations, places)
    found: list[Finding] = []
    for channel in evidence.judged_channels:
        plan = schedule(evidence, channel, came[channel.id])
        if len(plan.starts):
            found.extend(_judge_channel(evidence, build_grid(evidence.catalogue, facts, places, channel, plan)))
        else:
            found.extend(_not_seen(rule, channel) for rule in in_order())
    if evidence.row_findings:
        told = {finding.key for finding in evidence.row_findings}
        found = [*(finding for finding in found if finding.key not in told), *evidence.row_findings]
    return attach(found)


def _judge_channel(evidence: Evidence, grid: Grid) -> Iterator[Finding]:
    """Ask every rule about one channel."""
    rules = in_order()
    root_of: Roots = np.zeros(grid.shape, np.int16)
    for number, rule in enumerate(rules, start=1):
        sight = Sight(rule.id, evidence, grid, root_of > 0)
        try:
            verdicts = list(rule.check(sight))
            findings = [one for verdict in verdicts for one in conclude(rule, sight, verdict, root_of, rules)]
        except Exception as error:
            log.exception("rule %s could not run on channel %s", rule.id, grid.channel.id)
            facts = {"error": type(error).__name__, "detail": str(error)[:DETAIL]}
            yield Finding(rule.id, CheckState.ERROR, grid.channel.id, facts=facts)
            continue
        yield from findings or [_not_seen(rule, grid.channel)]
        _spoil(root_of, verdicts, number)


def _spoil(root_of: Roots, verdicts: Iterable[Verdict], number: int) -> None:
    """Mark what later stages cannot judge; the first rule to fail stays the root."""
    for verdict in verdicts:
        if verdict.spoils is not None and verdict.spoils.any():
            np.copyto(root_of, number, where=(root_of == 0) & verdict.spoils)


def _not_seen(rule: Rule, channel: Channel) -> Finding:
    return Finding(rule.id, CheckState.NA, channel.id)


def attach(findings: list[Finding]) -> list[Finding]:
    """Name on each root finding the rules that could not judge because of it."""
    blocked: dict[tuple[str, str], set[str]] = {}
    for finding in findings:
        if "root" in finding.facts:
            root = (str(finding.facts["root"]), finding.channel)
            blocked.setdefault(root, set()).add(finding.rule)
    return [
        replace(finding, facts={**finding.facts, "blocks": ",".join(sorted(blocked[finding.rule, finding.channel]))})
        if finding.state in (CheckState.FAIL, CheckState.QUERY) and (finding.rule, finding.channel) in blocked
        else finding
        for finding in findings
    ]
