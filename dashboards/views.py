"""A view: the one thing on a screen that a link can name, read from a URL and written back to one.

Window, scope, time window, metric and language decide which figures are shown (`View.key`); theme and
mode only decide how they are painted. Everything in a URL is checked here, at the door, so that the
windows and the push never meet a value that the catalogue does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from config.catalogue import NATION, Catalogue, Level
from metrics.readings import WINDOWS as TIMES

HOME = "flow"
LANGUAGES = ("zh", "en")
THEMES = ("dark", "light")
MODES = ("desk", "wall")
FIRST_METRICS = ("service_level_20s", "answer_rate")
"""What is shown when the URL names no metric: the first of these that the catalogue has, else its first."""


class UnknownView(ValueError):
    """A URL names something that does not exist; `what` is a words key under `view.`, `value` the text met."""

    def __init__(self, what: str, value: str, known: tuple[str, ...] = ()) -> None:
        self.what, self.value, self.known = what, value[:80], known
        there_are = f"; there are {', '.join(known)}" if known else ""
        super().__init__(f"unknown {what} {self.value!r}{there_are}")


def first_metric(catalogue: Catalogue) -> str:
    """The metric of a URL that names none; '' when the catalogue has no metric at all."""
    for metric in (*FIRST_METRICS, *catalogue.metrics):
        if metric in catalogue.metrics:
            return metric
    return ""


@dataclass(frozen=True)
class View:
    """One window on one scope, as a URL holds it."""

    window: str
    scope: str = NATION
    """Region code: the nation, or a province for the windows of provinces."""
    time: str = "15min"
    """A key of `metrics.readings.WINDOWS`."""
    metric: str = FIRST_METRICS[0]
    language: str = "zh"
    theme: str = "dark"
    mode: str = "desk"

    @classmethod
    def parse(cls, pathname: str, query: str, catalogue: Catalogue, levels: Mapping[str, Level]) -> Self:
        """Read a view from the two parts of a URL.

        `levels` names the windows there are and the level of region that each shows (`registry.Window.LEVEL`).
        Raises UnknownView naming the first thing that does not exist.
        """
        window, scope = _place(pathname, catalogue, levels)
        asked = _query(query)
        return cls(
            window=window,
            scope=scope,
            time=_one_of("time", asked.get("time", "15min"), tuple(TIMES)),
            metric=_one_of("metric", asked.get("metric", first_metric(catalogue)), tuple(catalogue.metrics) or ("",)),
            language=_one_of("lang", asked.get("lang", "zh"), LANGUAGES),
            theme=_one_of("theme", asked.get("theme", "dark"), THEMES),
            mode=_one_of("mode", asked.get("mode", "desk"), MODES),
        )

    def url(self) -> str:
        """The link that opens this view again, with nothing left to a default but the look."""
        look = [("theme", self.theme)] if self.theme != THEMES[0] else []
        look += [("mode", self.mode)] if self.mode != MODES[0] else []
        return f"/{self.topic}?{urlencode([*self._choices(), *look])}"

    def to(self, **changes: Any) -> Self:
        """The same view with some fields changed: how every link keeps what the viewer chose."""
        return replace(self, **changes)

    @property
    def topic(self) -> str:
        """What a viewer must be allowed to see: the window, and its province where it has one."""
        return self.window if self.scope == NATION else f"{self.window}/{self.scope}"

    @property
    def key(self) -> str:
        """What decides the frame, as the path and query of its stream below `/live/`."""
        return f"{self.topic}?{urlencode(self._choices())}"

    def _choices(self) -> list[tuple[str, str]]:
        return [("time", self.time), ("metric", self.metric), ("lang", self.language)]


def _place(pathname: str, catalogue: Catalogue, levels: Mapping[str, Level]) -> tuple[str, str]:
    """Window and scope of a path: `/window` for the nation, `/window/code` for one region."""
    window, _, scope = (pathname.strip("/") or HOME).partition("/")
    if window not in levels:
        raise UnknownView("window", window, tuple(levels))
    region = catalogue.regions.get(scope or NATION)
    if region is None or region.level is not levels[window] or (scope == NATION) or not region.served:
        raise UnknownView("scope", scope)
    return window, region.code


def _query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise UnknownView("parameter", query) from None
    known = ("time", "metric", "lang", "theme", "mode")
    for name, _ in pairs:
        _one_of("parameter", name, known)
    return dict(pairs)


def _one_of(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UnknownView(what, value, known)
    return value
