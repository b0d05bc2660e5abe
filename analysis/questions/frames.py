"""What state remembers of sources and findings, as the frames that trust is judged by."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from config.catalogue import Catalogue
from metrics.readings import FINDINGS
from store.state.open_finding import OpenFinding
from store.state.progress import SourceStatus

LAST_COLUMNS = ("channel", "source", "kind", "last_success", "covered_until", "error", "failing_since")


def last_frame(catalogue: Catalogue, known: Mapping[tuple[str, str], SourceStatus]) -> pd.DataFrame:
    """How far each source of a catalogue has been read, LAST_COLUMNS; nothing is known of one that never was."""
    rows = [
        (channel.id, source.id, source.kind, status and status.last_success, status and status.covered_until,
         status.error if status else "", status and status.failing_since)
        for channel in catalogue.channels.values()
        for source in channel.sources
        for status in [known.get((channel.id, source.id))]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(LAST_COLUMNS))


def finding_frame(found: Sequence[OpenFinding]) -> pd.DataFrame:
    """Findings as FINDINGS says."""
    as_json = json.JSONEncoder(ensure_ascii=False).encode
    rows = [
        (finding.rule, finding.severity, finding.state, finding.channel, finding.source, finding.region,
         finding.measure, finding.first_seen, finding.last_seen, finding.bad, finding.expected,
         as_json(dict(finding.facts)))
        for finding in found
    ]  # fmt: skip
    return FINDINGS.typed(pd.DataFrame(rows, columns=FINDINGS.columns))
