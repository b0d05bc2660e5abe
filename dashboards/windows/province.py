"""One province: its figures beside the nation's, its cities and its channels."""

from config.actions import Action
from config.catalogue import Level
from dashboards.panels.alerts import Alerts
from dashboards.panels.channel_table import ChannelTable
from dashboards.panels.finding_list import FindingList
from dashboards.panels.place_map import PlaceMap
from dashboards.panels.place_ranking import PlaceRanking
from dashboards.panels.tiles import Tiles
from dashboards.panels.trend_figure import TrendFigure
from dashboards.window import Window

TILES = (
    "service_level_20s", "answer_rate", "asa", "abandonment_rate", "fcr", "csat", "queue_length", "contacts",
    "staffing_guarantee", "seat_guarantee",
)  # fmt: skip

WINDOW = Window(
    name="province",
    level=Level.PROVINCE,
    action=Action.SEE_PROVINCE_WINDOW,
    panels=(
        Alerts(TILES),
        Tiles(TILES, beside_nation=True),
        PlaceMap(),
        PlaceRanking(),
        ChannelTable(trends=False),
        TrendFigure(),
        FindingList(6),
    ),
)
