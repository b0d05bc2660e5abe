"""What a window is, and what a frame of it holds."""

from collections.abc import Mapping
from typing import Any, Protocol

from config.catalogue import Catalogue, Level
from dashboards.views import View
from metrics.readings import Snapshot
from wording.words import Words

Parts = Mapping[str, Mapping[str, object]]
"""Element id -> part -> value; docs/architecture.md says what a part does."""


class Window(Protocol):
    """What a module in `dashboards/windows/` has; both functions are pure."""

    NAME: str
    LEVEL: Level
    """The level of region that it shows."""
    ORDER: int | None
    """Its place in the navigation; None: it is reached from another window."""

    def layout(self, view: View, catalogue: Catalogue, words: Words) -> Any:
        """A tree of `dash.html` whose elements have ids, without figures."""
        ...

    def panels(self, snapshot: Snapshot, view: View, catalogue: Catalogue, words: Words) -> Parts:
        """The figures: element id -> part -> value."""
        ...
