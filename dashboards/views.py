"""A view: the one thing on a screen that a link can name, read from a URL and written back to one.

A URL is `/window` or `/window/place` and parameters. Which parameters there are, windows say themselves
(`dashboards/window.py`); language, theme and mode belong to every window. Parameters that decide figures are part of
`View.key`, the stream's name; the others only decide how figures are painted. Everything in a URL is checked here, so
that windows and streams never meet a value that the catalogue does not know.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from config.actions import Action
from config.catalogue import NATION, Catalogue, Level

HOME = "flow"
LANGUAGES = ("zh", "en")
THEMES = ("dark", "light")
MODES = ("desk", "wall")


class UnknownView(ValueError):
    """A URL names something that does not exist.

    `what` is window, scope, parameter or the name of the parameter whose value is none; `value` the text met.
    """

    def __init__(self, what: str, value: str, known: Sequence[str] = ()) -> None:
        self.what, self.value, self.known = what, value[:80], known
        there_are = f"; there are {', '.join(known)}" if known else ""
        super().__init__(f"unknown {what} {self.value!r}{there_are}")


@dataclass(frozen=True)
class Parameter:
    """One thing that a URL chooses; of one name there is one parameter, whichever windows have it."""

    name: str
    allowed: Callable[[Catalogue], Sequence[str]]
    default: Callable[[Catalogue], str]
    """What it is where a URL does not say; one of those allowed."""
    keyed: bool = True
    """Whether figures depend on it; if not, all its values share a stream, and links leave the default out."""

    def of(self, view: "View") -> str:
        """What a view has chosen; the default in a window that has not declared the parameter."""
        chosen = view.choices.get(self.name)
        return self.default(view.addresses.catalogue) if chosen is None else chosen


def _fixed(name: str, values: tuple[str, ...], keyed: bool) -> Parameter:
    """A parameter whose values no catalogue changes; the first is the default."""
    return Parameter(name, lambda catalogue: values, lambda catalogue: values[0], keyed)


LANGUAGE = _fixed("lang", LANGUAGES, keyed=True)
THEME = _fixed("theme", THEMES, keyed=False)
MODE = _fixed("mode", MODES, keyed=False)
COMMON = (LANGUAGE, THEME, MODE)
"""The parameters that every window has."""


@dataclass(frozen=True)
class View:
    """One window on one place, as a URL holds it; made by `Addresses`."""

    window: str
    scope: str
    """Region code: the nation, or a province for the windows of provinces."""
    choices: Mapping[str, str]
    """The value of every parameter that the window has."""
    carried: Mapping[str, str]
    """What was chosen in other windows, by parameters that this one lacks: kept for the way back, seen by no panel."""
    addresses: "Addresses" = field(compare=False, repr=False)

    def url(self) -> str:
        """The link that opens this view again, with nothing left to a default but the look."""
        return f"/{self.topic}?{self.addresses.written({**self.carried, **self.choices})}"

    def to(self, window: str | None = None, scope: str | None = None, **choices: str) -> "View":
        """The same view with something else chosen: how every link keeps what the viewer chose."""
        chosen = {**self.carried, **self.choices, **choices}
        return self.addresses.view(window or self.window, scope or self.scope, chosen)

    @property
    def topic(self) -> str:
        """The window, and its province where it has one: the path of its page and of its stream."""
        return self.window if self.scope == NATION else f"{self.window}/{self.scope}"

    @property
    def action(self) -> Action:
        """What a viewer must be allowed in the scope."""
        return self.addresses.actions[self.window]

    @property
    def key(self) -> str:
        """What decides the frame, as the path and query of its stream below `/live/`."""
        return f"{self.topic}?{self.addresses.written(self.choices, keyed_only=True)}"

    @property
    def language(self) -> str:
        """One of LANGUAGES."""
        return LANGUAGE.of(self)

    @property
    def theme(self) -> str:
        """One of THEMES."""
        return THEME.of(self)

    @property
    def mode(self) -> str:
        """One of MODES."""
        return MODE.of(self)


class Addressed(Protocol):
    """What an address depends on of a window."""

    @property
    def level(self) -> Level:
        """The level of region that it shows."""
        ...

    @property
    def action(self) -> Action:
        """What a viewer must be allowed to see it."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its own parameters, beside the common ones."""
        ...


class Addresses:
    """The addresses of a set of windows over a catalogue."""

    def __init__(self, catalogue: Catalogue, windows: Mapping[str, Addressed]) -> None:
        self.catalogue = catalogue
        self.actions = {name: window.action for name, window in windows.items()}
        self._levels = {name: window.level for name, window in windows.items()}
        self._of = {name: (*window.parameters, *COMMON) for name, window in windows.items()}
        own = (parameter for window in windows.values() for parameter in window.parameters)
        self._parameters = {parameter.name: parameter for parameter in (*own, *COMMON)}
        """All there are, in the order in which they are written."""

    def parse(self, pathname: str, query: str) -> View:
        """Read a view from the two parts of a URL; raises UnknownView naming the first thing that does not exist."""
        window, scope = self._place(pathname)
        return self.view(window, scope, self._chosen(query))

    def view(self, window: str, scope: str, chosen: Mapping[str, str]) -> View:
        """A view with some parameters chosen, the window's others at their defaults; the values are not checked."""
        choices = {
            parameter.name: chosen.get(parameter.name, parameter.default(self.catalogue))
            for parameter in self._of[window]
        }
        carried = {name: value for name, value in chosen.items() if name not in choices}
        return View(window, scope, choices, carried, self)

    def written(self, chosen: Mapping[str, str], keyed_only: bool = False) -> str:
        """Choices as a query, in one order; of a look what is not its default, or none at all."""
        pairs = []
        for name, parameter in self._parameters.items():
            if name in chosen and (
                parameter.keyed or (not keyed_only and chosen[name] != parameter.default(self.catalogue))
            ):
                pairs.append((name, chosen[name]))
        return urlencode(pairs)

    def _place(self, pathname: str) -> tuple[str, str]:
        """Window and scope of a path: `/window` for the nation, `/window/code` for one region."""
        window, _, scope = (pathname.strip("/") or HOME).partition("/")
        if window not in self._levels:
            raise UnknownView("window", window, tuple(self._levels))
        region = self.catalogue.regions.get(scope or NATION)
        if region is None or region.level is not self._levels[window] or (scope == NATION) or not region.served:
            raise UnknownView("scope", scope)
        return window, region.code

    def _chosen(self, query: str) -> dict[str, str]:
        """What a query chooses; a choice of any window is known in every other, so that a link may carry it."""
        try:
            pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=20)
        except ValueError:
            raise UnknownView("parameter", query) from None
        for name, _ in pairs:
            _one_of("parameter", name, tuple(self._parameters))
        given = dict(pairs)
        known = {name: parameter for name, parameter in self._parameters.items() if name in given}
        return {name: _one_of(name, given[name], known[name].allowed(self.catalogue)) for name in known}


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UnknownView(what, value, known)
    return value
