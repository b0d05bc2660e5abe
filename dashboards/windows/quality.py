"""Quality of data: which sources can be relied on, how each place scores, and what is wrong in words."""

from config.actions import Action
from config.catalogue import Level
from dashboards.panels.finding_list import FindingList
from dashboards.panels.quality_summary import QualitySummary
from dashboards.panels.score_map import ScoreMap
from dashboards.panels.source_table import SourceTable
from dashboards.window import Window

WINDOW = Window(
    name="quality",
    level=Level.NATION,
    action=Action.SEE_QUALITY_WINDOW,
    order=3,
    panels=(QualitySummary(), SourceTable(), FindingList(12), ScoreMap("source"), ScoreMap("province")),
)
