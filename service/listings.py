"""What is answered by a listing: the audit of a span, where each source stands, what each tier of facts costs."""

from datetime import datetime
from functools import partial
from typing import Any

from analysis.questions.answering import Lists
from analysis.questions.family import (
    AsideQuestion,
    AsideShowQuestion,
    AuditQuestion,
    Language,
    Listing,
    SourcesQuestion,
    StorageQuestion,
)
from analysis.questions.faults import CannotAnswer
from data_quality import audit as judge
from data_quality.registry import RECORDED
from metrics.findings import CheckState, Finding
from pipeline.dependencies import Dependencies
from pipeline.flow.aside_deeds import UnknownBody
from pipeline.flow.aside_listing import KINDS, Wanted, listing, show
from pipeline.flow.evidence import evidence_by_piece
from store.facts.tiers import TieredHistory
from store.state.open_finding import OpenFinding
from wording.sentences import sentence

TOLD = (CheckState.FAIL, CheckState.QUERY, CheckState.ERROR)


def lists_of(dependencies: Dependencies) -> Lists:
    """How each kind of question that is answered by a listing is answered."""
    return {
        AuditQuestion: partial(audit, dependencies),
        SourcesQuestion: lambda _: sources(dependencies),
        StorageQuestion: lambda _: storage(dependencies.history),
        AsideQuestion: partial(aside, dependencies),
        AsideShowQuestion: partial(aside_show, dependencies),
    }


def aside(dependencies: Dependencies, question: AsideQuestion) -> Listing:
    """What was kept aside, newest first."""
    wanted = Wanted(question.channel, question.received, question.kinds or KINDS, question.limit)
    if unknown := set(wanted.kinds) - set(KINDS):
        raise CannotAnswer(f"nothing is kept aside as {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    found = listing(dependencies, wanted)
    return Listing(tuple(found.rows), found.more)


def aside_show(dependencies: Dependencies, question: AsideShowQuestion) -> Listing:
    """One row: what is known of one thing, its records, and what was asked to be done with it."""
    try:
        found = show(dependencies, question.id)
    except UnknownBody:
        raise CannotAnswer(f"nothing is kept aside as {question.id!r}; see: aside list") from None
    return Listing(({"about": found.about, "records": found.records, "requests": found.requests},))


def audit(dependencies: Dependencies, question: AuditQuestion) -> Listing:
    """Every finding of a span: those about rows as recorded, with all their rows; those about figures judged anew.

    What the audit adds up about rows is what is recorded (a test holds it), so it is left out.
    """
    span = question.span
    judged = (finding for seen in evidence_by_piece(dependencies, span) for finding in judge(seen))
    stored = [finding for finding in judged if finding.state in TOLD and not finding.about_rows]
    recorded = [found.finding() for found in dependencies.state.findings.during(span) if _stands(found)]
    return Listing(tuple(_finding(dependencies, finding, question.language) for finding in [*recorded, *stored]))


def _stands(finding: OpenFinding) -> bool:
    """Whether what was recorded of rows still holds: what was wrong in a batch does, what somebody settled does not."""
    if finding.state not in TOLD:
        return False
    return finding.finding().about_rows or (finding.rule in RECORDED and finding.closed_at is None)


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


def sources(dependencies: Dependencies) -> Listing:
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
    return Listing(tuple(rows))


def storage(history: TieredHistory) -> Listing:
    """What each tier holds: rows, bytes, bytes a row, oldest and newest, and the servers that lack some of it."""
    rows = []
    for tier in history.tiers:
        held = tier.history.holdings()
        rows.append(
            {
                "tier": tier.name,
                "bucket": tier.size or "as arrived",
                "keeps_days": tier.keep.days,
                "rows": held.rows,
                "bytes": held.bytes,
                "bytes_a_row": round(held.bytes / held.rows, 1) if held.rows else None,
                "oldest": held.oldest,
                "newest": held.newest,
                "lacking": ", ".join(held.lacking),
            }
        )
    return Listing(tuple(rows))


def _since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else round((now - moment).total_seconds())
