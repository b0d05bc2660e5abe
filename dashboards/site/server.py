"""Serving the site with uvicorn, so that Ctrl-C stops it at once although every screen holds a stream open."""

import logging
import resource
import socket

import uvicorn
from starlette.types import ASGIApp

from dashboards.live.connections import DirectProtocol
from dashboards.site.application import Site

log = logging.getLogger(__name__)

FAREWELL_S = 3
"""How long requests that are being answered may take when the server stops."""
OTHER_FILES = 500
"""Files that a process has open besides its streams: stores, databases, requests that end soon."""


class SiteServer(uvicorn.Server):
    """uvicorn, which waits for open answers when it stops: the streams are ended first."""

    def __init__(self, site: Site, host: str, port: int, log_level: str = "warning", around: ASGIApp | None = None):
        """`around`: what is asked first and passes requests on to the site; None: the site itself."""
        self._site = site
        site.hub.limit_streams(_streams_for_files(site.hub.limits.streams))
        super().__init__(
            uvicorn.Config(
                around or site,
                host=host,
                port=port,
                log_level=log_level,
                http=DirectProtocol,
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


def _streams_for_files(wanted: int) -> int:
    """As many of the wanted streams as this process may have files open; its own limit is raised as far as it may be.

    Past that limit nothing can be accepted any more, so the hub has to refuse before.
    """
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    allowed = needed if most == resource.RLIM_INFINITY else min(needed, most)
    if now != resource.RLIM_INFINITY and now < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if allowed < needed:
        log.warning("only %d files may be open, too few for %d screens; raise `ulimit -n`", most, wanted)
    return max(0, allowed - OTHER_FILES)
