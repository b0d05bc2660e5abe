"""What a window is: a list of panels. What a panel is: what it needs, its layout, and what it shows, said in one place.

1. Before anything is shown the panels of a window say what they need; needs are joined, so that the readings of a whole
   window are taken out of the snapshot once.
2. The layout is made for each viewer: a tree of `dash.html` whose elements have ids, without figures. Only here may a
   panel ask for the viewer's rights.
3. The parts are made once for all screens of a view: element id -> part -> value. docs/architecture.md says what a
   part does.

All of it is pure.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import pandas as pd
from dash.development.base_component import Component

from config.actions import Action
from config.catalogue import NATION, Catalogue, Level, Metric
from dashboards.parameters import METRIC, TIME
from dashboards.view_readings import Selection, ViewFigures
from dashboards.views import Parameter, View
from metrics.readings import Snapshot
from wording.words import Words

Parts = Mapping[str, Mapping[str, Any]]
"""Element id -> part -> value."""
May = Callable[[Action, str], bool]
"""Whether the viewer may do something in a region."""


@dataclass(frozen=True)
class Context:
    """What a page is about, and the words it is told in."""

    view: View
    catalogue: Catalogue
    words: Words

    @cached_property
    def metric(self) -> Metric:
        """The metric in focus."""
        return self.catalogue.metrics[METRIC.of(self.view)]

    @cached_property
    def drawn_below(self) -> tuple[str, ...]:
        """The areas of the scope's map, served or not: provinces of the nation, cities of a province."""
        level, regions = Level.PROVINCE if self.view.scope == NATION else Level.CITY, self.catalogue.regions
        return tuple(code for code in self.catalogue.below(self.view.scope) if regions[code].level is level)

    @cached_property
    def served_below(self) -> tuple[str, ...]:
        """Those of them that have figures."""
        return tuple(code for code in self.drawn_below if self.catalogue.regions[code].served)


class Right(NamedTuple):
    """Something that a viewer may or may not do in a region."""

    action: Action
    scope: str


@dataclass(frozen=True)
class Needs:
    """What a panel reads; what it does not name it does not get."""

    metrics: tuple[str, ...] = ()
    """Metrics whose readings and trends it shows, in the view's time window."""
    places: tuple[str, ...] = ()
    """Where: each metric at each place over all channels, and in the view's own scope by channel too."""
    frames: tuple[str, ...] = ()
    """Frames of the snapshot by name, whole."""
    rights: tuple[Right, ...] = ()
    """What its layout must know of the viewer."""


@dataclass(frozen=True)
class PanelData:
    """What a snapshot holds of a panel's needs."""

    at: datetime
    """The snapshot's time."""
    figures: ViewFigures
    frames: Mapping[str, pd.DataFrame]


class Panel(Protocol):
    """One part of a window; all three functions are pure."""

    def needs(self, context: Context) -> Needs:
        """What it reads."""
        ...

    def layout(self, context: Context, granted: Collection[Right]) -> Sequence[Component]:
        """Its elements, without figures; `granted`: those of the rights it needs that the viewer has."""
        ...

    def parts(self, context: Context, data: PanelData) -> Parts:
        """Its figures."""
        ...


@dataclass(frozen=True)
class Window:
    """A module in `dashboards/windows/` has one, named WINDOW."""

    name: str
    level: Level
    """The level of region that it shows."""
    panels: tuple[Panel, ...]
    """In the order in which they stand on the page."""
    order: int | None = None
    """Its place in the navigation; None: it is reached from another window."""
    action: Action = Action.SEE_OTHER_WINDOWS
    """What a viewer must be allowed in the region shown, to see it and to follow its stream."""
    parameters: tuple[Parameter, ...] = (TIME, METRIC)
    """What its URL chooses, beside what every URL does."""

    def layout(self, context: Context, may: May) -> list[Component]:
        """The elements of all panels."""
        elements: list[Component] = []
        for panel in self.panels:
            granted = frozenset(right for right in panel.needs(context).rights if may(*right))
            elements += panel.layout(context, granted)
        return elements

    def parts(self, snapshot: Snapshot, context: Context) -> Parts:
        """Everything that the window shows of a snapshot."""
        needs = [panel.needs(context) for panel in self.panels]
        metrics = dict.fromkeys(metric for need in needs for metric in need.metrics)
        places = dict.fromkeys(place for need in needs for place in need.places)
        figures = ViewFigures(
            snapshot, Selection(TIME.of(context.view), tuple(metrics), tuple(places), context.view.scope)
        )
        parts: dict[str, Mapping[str, Any]] = {}
        for panel, need in zip(self.panels, needs, strict=True):
            frames = {name: snapshot.frames[name] for name in need.frames}
            parts |= panel.parts(context, PanelData(snapshot.at, figures, frames))
        return parts
