"""Open access is for users at this machine: whoever asked for it by another name came by a trick, and is turned away.

A page of another host can make a browser ask us under that host's name (DNS rebinding); it cannot
make it ask under ours.
"""

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^:\[\]]+))(?::\d+)?")
TOLD = "open access answers under names of this machine only, such as 127.0.0.1; for others set WATCHFLOOR_ACCESS=login"


class LoopbackOnly:
    """Answers 421 to requests whose Host is not this machine's own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or turn it away."""
        if scope["type"] == "http" and not is_loopback(host_name(Headers(scope=scope).get("host", ""))):
            await PlainTextResponse(TOLD, 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def host_name(header: str) -> str:
    """A Host header without its port: `[::1]:8050` is `::1`; '' for what no browser sends."""
    written = HOST.fullmatch(header)
    return (written["six"] or written["name"]) if written else ""


def is_loopback(name: str) -> bool:
    """Whether a name or an address can only mean this machine."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower().rstrip(".") == "localhost"
