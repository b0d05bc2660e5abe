"""What a URL shows: a window in its frame, or a page that says why there is none.

Pure: who looks and where in, a `Page` out. The index (`dashboards/site/application.py`) takes its language, theme,
title and status from it, the Dash callback its content.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import html

from access.policy import Policy, Viewer
from config.actions import Action
from config.catalogue import NATION, Catalogue, Level
from dashboards.access.viewers import Access
from dashboards.site.header import apology_parts, banners, header, header_parts
from dashboards.site.plain_tree import PlainTree
from dashboards.views import LANGUAGES, THEMES, Addresses, UnknownView, View
from dashboards.window import Context, Parts, Window
from metrics.readings import Snapshot
from wording.words import Words

log = logging.getLogger(__name__)
ROOT_ID = "view"
"""Id of the element that live.js follows: its `data-` attributes say what is shown."""


@dataclass(frozen=True)
class Page:
    """One answer to a URL."""

    status: int
    address: str
    """Path and query as they were asked for."""
    title: str
    language: str
    theme: str
    mode: str
    key: str
    """The stream to open; '' for pages without figures."""
    url: str
    """The view's own link, defaults written out; '' for pages without figures."""
    content: Callable[[], Any]
    """Makes the Dash tree; only the callback needs it."""

    def root(self) -> PlainTree:
        """The content inside the element that live.js follows."""
        followed: dict[str, Any] = {
            "data-view-key": self.key,
            "data-address": self.address,
            "data-url": self.url,
            "data-title": self.title,
            "data-lang": self.language,
            "data-theme": self.theme,
            "data-mode": self.mode,
        }
        return PlainTree(html.Div(self.content(), id=ROOT_ID, className="page", **followed), self.address)


class Pages:
    """Answers URLs, and composes the parts of their frames (`push.Composer`)."""

    def __init__(self, catalogue: Catalogue, access: Access, windows: Mapping[str, Window]) -> None:
        self._catalogue = catalogue
        self._access = access
        self._policy = Policy(catalogue)
        self._windows = windows
        self._addresses = Addresses(catalogue, windows)
        self._words = {language: Words(catalogue, language) for language in LANGUAGES}

    def home(self, viewer: Viewer) -> str:
        """Where somebody who asks for no window in particular is sent."""
        province = self._catalogue.ancestor(viewer.region, Level.PROVINCE)
        nations = [window for window in self._windows.values() if window.level is Level.NATION]
        first = next((window.name for window in nations if self._policy.may(viewer, window.action, NATION)), "")
        return self.view(f"/province/{province}" if province else f"/{first}", "").url()

    def view(self, pathname: str, query: str) -> View:
        """The view of an address; raises UnknownView."""
        return self._addresses.parse(pathname, query)

    def answer(self, pathname: str, query: str, viewer: Viewer) -> Page:
        """The page of a URL for one viewer: 200, 403 not his, 404 no such thing."""
        address = pathname + (f"?{query.removeprefix('?')}" if query else "")
        try:
            view = self.view(pathname, query)
        except UnknownView as error:
            return self._unknown(error, address, viewer)
        if not self._policy.may(viewer, view.action, view.scope):
            return self._forbidden(view, address, viewer)
        words = self._words[view.language]
        named = {"window": words(f"window.{view.window}"), "place": words.name(view.scope)}
        return Page(
            status=200,
            address=address,
            title=words("shell.title", **named),
            language=view.language,
            theme=view.theme,
            mode=view.mode,
            key=view.key,
            url=view.url(),
            content=lambda: self._window(view, viewer, words),
        )

    def parts(self, snapshot: Snapshot | None, view: View) -> Parts:
        """Everything that a view shows of a snapshot: the window's figures and the header's."""
        words = self._words[view.language]
        own = header_parts(snapshot, words)
        if snapshot is None:
            return own
        return {**self._windows[view.window].parts(snapshot, Context(view, self._catalogue, words)), **own}

    def apology(self, view: View) -> Parts:
        """What is laid over the last good figures when newer ones could not be made."""
        return apology_parts(self._words[view.language])

    def broken(self, page: Page, viewer: Viewer) -> Page:
        """What stands where a window's layout failed."""
        words = self._words[page.language]
        return self._without_figures(500, page.address, words, "notice.broken", words("notice.broken.told"), viewer)

    def _window(self, view: View, viewer: Viewer, words: Words) -> list[Any]:
        def may(action: Action, scope: str) -> bool:
            return self._policy.may(viewer, action, scope)

        content = self._windows[view.window].layout(Context(view, self._catalogue, words), may)
        return [
            header(view, self._windows, self._catalogue, words, may, viewer.name if self._access.entrance else ""),
            *banners(words),
            html.Main(content, className=f"window window-{view.window}"),
        ]

    def _unknown(self, error: UnknownView, address: str, viewer: Viewer) -> Page:
        words = self._words[LANGUAGES[0]]
        own = f"notice.unknown.{error.what}"
        told = words(own if words.has(own) else "notice.unknown.choice", name=error.what, value=error.value)
        return self._without_figures(404, address, words, "notice.unknown", told, viewer)

    def _forbidden(self, view: View, address: str, viewer: Viewer) -> Page:
        words = self._words[view.language]
        told = words("notice.forbidden.told", window=words(f"window.{view.window}"), place=words.name(view.scope))
        return self._without_figures(403, address, words, "notice.forbidden", told, viewer)

    def _without_figures(
        self, status: int, address: str, words: Words, heading: str, told: str, viewer: Viewer
    ) -> Page:
        return Page(
            status=status,
            address=address,
            title=words(heading),
            language=words.language,
            theme=THEMES[0],
            mode="desk",
            key="",
            url="",
            content=lambda: self._notice(words, heading, told, viewer),
        )

    def _notice(self, words: Words, heading: str, told: str, viewer: Viewer) -> html.Main:
        return html.Main(
            [html.H1(words(heading)), html.P(told), html.A(words("notice.home"), href=self.home(viewer))],
            className="notice",
        )
