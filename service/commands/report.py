"""Reports of the command line: the audit of a range, and where each source stands."""

from datetime import datetime
from typing import Any

from data_quality import audit as judge
from metrics.findings import CheckState, Finding
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.evidence import evidence_by_piece
from wording.sentences import Language, sentence

TOLD = (CheckState.FAIL, CheckState.QUERY, CheckState.ERROR)


def audit(dependencies: Dependencies, span: Interval, language: Language) -> list[dict[str, Any]]:
    """Every finding of a range: those about rows as recorded, with all their rows; those about figures judged anew.

    What the audit adds up about rows is what is recorded (a test holds it), so it is left out.
    """
    judged = (finding for seen in evidence_by_piece(dependencies, span) for finding in judge(seen))
    of_figures = [finding for finding in judged if finding.state in TOLD and not finding.about_rows]
    recorded = [finding.finding() for finding in dependencies.state.findings.during(span)]
    of_rows = [finding for finding in recorded if finding.state in TOLD and finding.about_rows]
    return [_finding(dependencies, finding, language) for finding in [*of_rows, *of_figures]]


def _finding(dependencies: Dependencies, finding: Finding, language: Language) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "state": finding.state.value,
        "channel": finding.channel,
        "source": finding.source,
        "region": finding.region,
        "measure": finding.measure,
        "start": finding.start,
        "end": finding.end,
        "bad": finding.bad,
        "expected": finding.expected,
        "sentence": sentence(finding, dependencies.catalogue, language),
        "rows": [dict(row) for row in finding.rows],
    }


def sources(dependencies: Dependencies) -> list[dict[str, Any]]:
    """Where each source stands: last success, age of what it covers, lag of the newest interval, error."""
    now = dependencies.clock()
    known = dependencies.state.progress.sources()
    newest = {(row.channel, row.source): row.start for row in dependencies.history.last_starts().itertuples()}
    rows = []
    for channel in dependencies.catalogue.channels.values():
        for source in channel.sources:
            status = known.get((channel.id, source.id))
            rows.append(
                {
                    "channel": channel.id,
                    "source": source.id,
                    "kind": source.kind,
                    "last_success": status.last_success if status else None,
                    "age_s": _since(status.last_success if status else None, now),
                    "newest_interval": newest.get((channel.id, source.id)),
                    "lag_s": _since(status.covered_until if status else None, now),
                    "error": (status.error if status else "") or "",
                }
            )
    return rows


def _since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else round((now - moment).total_seconds())
