"""Head office: the whole network against its targets, province by province."""

from config.actions import Action
from config.catalogue import Level
from dashboards.panels.alerts import Alerts
from dashboards.panels.finding_list import FindingList
from dashboards.panels.place_map import PlaceMap
from dashboards.panels.place_ranking import PlaceRanking
from dashboards.panels.tiles import Tiles
from dashboards.panels.trend_figure import TrendFigure
from dashboards.window import Window

TILES = (
    "service_level_20s", "answer_rate", "asa", "abandonment_rate", "fcr", "csat", "complaint_on_time",
    "occupancy", "staffing_guarantee", "seat_guarantee",
)  # fmt: skip

WINDOW = Window(
    name="hq",
    level=Level.NATION,
    action=Action.SEE_HQ_WINDOW,
    order=2,
    panels=(
        Alerts(TILES),
        Tiles(TILES),
        PlaceMap(opens="province"),
        PlaceRanking(opens="province"),
        TrendFigure(),
        FindingList(6),
    ),
)
