"""Dash's share: the index of a page, its empty layout, and the one callback that fills it on navigation."""

import logging
import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import wraps
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.exceptions import PreventUpdate
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.executor import Executor, QueueFull
from access.policy import Policy
from config.actions import Action
from config.catalogue import Catalogue
from dashboards.access.routes import VIEWER, Guarded, come_back
from dashboards.files import assets_of
from dashboards.site.pages import Page, Pages
from wording.words import Words

log = logging.getLogger(__name__)

PAGE: ContextVar[Page] = ContextVar("page")
"""The page whose index is being written."""

INDEX = Template((Path(__file__).parent / "index.html").read_text(encoding="utf-8"))
SMALLEST_PACKED = 1000
"""Bytes of an answer from which on it is compressed."""
UNUSED_SCRIPTS = re.compile(r'<script src="[^"]*/(?:dash_table/|deps/polyfill)[^"]*"></script>\n?')
"""Scripts that Dash puts on every page and no window needs: 37 KB packed."""


class IndexedDash(Dash):
    """Dash with an index of our own: language, theme and stream are known before the first script runs."""

    catalogue: Catalogue
    policy: Policy

    def callback(self, *parts: Any, **options: Any) -> Any:
        """Refused: a callback is added by `guarded_callback`, which says who may call it."""
        raise TypeError("add callbacks by guarded_callback, which asks the policy")

    def guarded_callback(self, action: Action, *parts: Any) -> Callable[[Callable[..., Any]], Any]:
        """Add a callback that nothing comes of for whom the policy does not allow `action` in his own region."""

        def added(function: Callable[..., Any]) -> Any:
            @wraps(function)
            async def asked(*inputs: Any) -> Any:
                viewer = VIEWER.get()
                if not self.policy.may(viewer, action, viewer.region):
                    raise PreventUpdate
                return await function(*inputs)

            return super(IndexedDash, self).callback(*parts)(asked)

        return added

    def interpolate_index(self, config: str = "", scripts: str = "", renderer: str = "", **unused: str) -> str:  # type: ignore[override]  # Dash calls it by keyword
        """The HTML of `PAGE`; the names of the parts are Dash's."""
        page = PAGE.get()
        words = Words(self.catalogue, page.language)
        assets = assets_of(self.catalogue.maps)
        styles = [name for name in assets.files if name.endswith(".css")]
        texts = {
            "lang": "zh-CN" if page.language == "zh" else page.language,
            "theme": page.theme,
            "mode": page.mode,
            "key": page.key,
            "title": page.title,
            "version": assets.version,
            "icon": assets.url("icon.svg"),
            "live": assets.url("live.js"),
            "charts": assets.url("charts.js"),
            "tree": assets.url("plain_tree.js"),
            "noscript": words("shell.noscript"),
            "opening": words("shell.opening"),
        }
        return INDEX.substitute(
            {name: escape(text) for name, text in texts.items()},
            styles="\n".join(f'<link rel="stylesheet" href="{assets.url(name)}">' for name in styles),
            scripts=UNUSED_SCRIPTS.sub("", scripts),
            config=config,
            renderer=renderer,
        )


class DashPages:
    """Every address that no other route takes: Dash's own three, and pages."""

    def __init__(self, catalogue: Catalogue, policy: Policy, pages: Pages, executor: Executor) -> None:
        """`executor`: where pages are made."""
        self._pages, self._executor = pages, executor
        self._dash = _dash(catalogue, policy, pages, executor)

    @property
    def script_hashes(self) -> Sequence[str]:
        """Hashes of the inline scripts, for the content policy."""
        hashes: Sequence[str] = self._dash.csp_hashes()
        return hashes

    def addresses(self) -> Sequence[Guarded]:
        """Dash's own three, and one for all pages, to be looked for last; a page asks for its window itself."""
        dash = GZipMiddleware(self._dash.server, SMALLEST_PACKED)
        return (
            Guarded("/_dash-layout", dash, Action.LOAD_PROGRAM),
            Guarded("/_dash-dependencies", dash, Action.LOAD_PROGRAM),
            Guarded("/_dash-update-component", dash, Action.OPEN_PAGES, ("POST",)),
            Guarded("/{path:path}", GZipMiddleware(self._page, SMALLEST_PACKED), Action.OPEN_PAGES),
        )

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page with its true status; Dash has further addresses of its own, which stay shut."""
        if scope["path"].startswith("/_"):
            await PlainTextResponse("there is nothing here", 404)(scope, receive, send)
            return
        inner: ASGIApp = self._dash.server
        query = Request(scope).url.query
        page = await self._executor.run(self._pages.answer, scope["path"], query, VIEWER.get())
        PAGE.set(page)
        await inner({**scope, "method": "GET", "path": "/", "raw_path": b"/"}, receive, _with_status(send, page.status))


def _with_status(send: Send, status: int) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            message["status"] = status
        await send(message)

    return sending


def _dash(catalogue: Catalogue, policy: Policy, pages: Pages, executor: Executor) -> IndexedDash:
    app = IndexedDash(
        "watchfloor",
        backend="fastapi",
        server=FastAPI(docs_url=None, redoc_url=None, openapi_url=None, exception_handlers={QueueFull: come_back}),  # type: ignore[arg-type]  # its types know flask
        include_assets_files=False,
        use_pages=False,
        suppress_callback_exceptions=True,
        update_title="",
    )
    app.catalogue, app.policy = catalogue, policy
    app.backend.websocket_capability = False
    app.layout = html.Div([dcc.Location(id="address", refresh=False), html.Div(id="page")])

    @app.guarded_callback(
        Action.OPEN_PAGES, Output("page", "children"), Input("address", "pathname"), Input("address", "search")
    )
    async def show(pathname: str, search: str) -> Any:
        """The content of an address; the gate has said who asks, `Pages` asks the policy for the window."""
        viewer = VIEWER.get()
        page = await executor.run(pages.answer, pathname, search or "", viewer)
        try:
            return await executor.run(page.root)
        except QueueFull:
            raise
        except Exception:
            log.exception("the page %s%s could not be made", pathname, search)
            return pages.broken(page, viewer).root()

    return app
