"""Serving the site with uvicorn, so that Ctrl-C stops it at once although every screen holds a stream open."""

import socket

import uvicorn

from dashboards.shell import Site

FAREWELL_S = 3
"""How long requests that are being answered may take when the server stops."""


class SiteServer(uvicorn.Server):
    """uvicorn, which waits for open answers when it stops: the streams are ended first."""

    def __init__(self, site: Site, host: str, port: int, log_level: str = "warning") -> None:
        self._site = site
        super().__init__(
            uvicorn.Config(
                site, host=host, port=port, log_level=log_level, ws="none", timeout_graceful_shutdown=FAREWELL_S
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then stop as uvicorn does."""
        self._site.hub.end()
        await super().shutdown(sockets)
