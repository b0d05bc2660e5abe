"""Serving the site with uvicorn, so that Ctrl-C stops it at once although every screen holds a stream open."""

import socket

import uvicorn
from starlette.types import ASGIApp

from dashboards.shell import Site

FAREWELL_S = 3
"""How long requests that are being answered may take when the server stops."""


class SiteServer(uvicorn.Server):
    """uvicorn, which waits for open answers when it stops: the streams are ended first."""

    def __init__(self, site: Site, host: str, port: int, log_level: str = "warning", around: ASGIApp | None = None):
        """`around`: what is asked first and passes requests on to the site; None: the site itself."""
        self._site = site
        super().__init__(
            uvicorn.Config(
                around or site,
                host=host,
                port=port,
                log_level=log_level,
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=FAREWELL_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then stop as uvicorn does."""
        self._site.hub.end()
        await super().shutdown(sockets)
