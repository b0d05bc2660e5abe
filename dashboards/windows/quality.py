"""Quality of data: which sources can be relied on, how each place scores, and what is wrong in words."""

from typing import Any

from config.catalogue import Catalogue, Level
from dashboards.panels.elements import panel
from dashboards.panels.quality_summary import summary, summary_parts
from dashboards.panels.quality_tables import (
    finding_list,
    finding_list_parts,
    heat_map,
    heat_map_parts,
    province_rows,
    source_rows,
    source_table,
    source_table_parts,
)
from dashboards.views import View
from dashboards.window import Parts
from metrics.readings import Snapshot
from wording.words import Words

NAME = "quality"
LEVEL = Level.NATION
ORDER = 3

FINDINGS = 12


def layout(view: View, catalogue: Catalogue, words: Words) -> list[Any]:
    """Summary, sources, the two heat maps and the findings."""
    return [
        summary(words),
        panel("sources", words("sources.title"), source_table(catalogue, words)),
        panel("findings", words("findings.title"), finding_list(FINDINGS)),
        panel("heat-source", words("heat.source"), heat_map(source_rows(catalogue, words), "source", words)),
        panel("heat-province", words("heat.province"), heat_map(province_rows(catalogue, words), "province", words)),
    ]


def panels(snapshot: Snapshot, view: View, catalogue: Catalogue, words: Words) -> Parts:
    """Everything that the window shows of a snapshot."""
    parts: dict[str, dict[str, Any]] = summary_parts(snapshot, words)
    parts |= source_table_parts(snapshot, catalogue, words)
    parts |= heat_map_parts(snapshot.scores, list(source_rows(catalogue, words)), "source", words)
    parts |= heat_map_parts(snapshot.scores, list(province_rows(catalogue, words)), "province", words)
    return parts | finding_list_parts(snapshot.findings, FINDINGS, snapshot.at, words)
