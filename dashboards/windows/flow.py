"""The top-level flow: first whether anything is wrong, then the leading figures, then who flows where."""

from config.actions import Action
from config.catalogue import Level
from dashboards.panels.alerts import Alerts
from dashboards.panels.channel_table import ChannelTable
from dashboards.panels.flow_diagram import FlowDiagram
from dashboards.panels.tiles import Tiles
from dashboards.window import Window

LEADING = ("service_level_20s", "answer_rate", "asa")
SUPPORTING = ("contacts", "queue_length", "abandonment_rate", "fcr", "csat", "self_service_share")

WINDOW = Window(
    name="flow",
    level=Level.NATION,
    action=Action.SEE_FLOW_WINDOW,
    order=1,
    panels=(Alerts(LEADING + SUPPORTING), Tiles(SUPPORTING, LEADING), FlowDiagram(), ChannelTable()),
)
