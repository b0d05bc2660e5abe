"""The front of a process: windows, streams and the push endpoint on one address, over Valkey alone.

It knows neither facts nor sources. What users look at it reads from Valkey, what channel systems push it puts into
Valkey, and what it had to refuse as well; the pipeline, in this process or another, does the rest. So any number of
such processes can stand side by side.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from analysis.questions.transport import Transport
from collectors.push import PushCollector
from collectors.push.endpoint import PushEndpoint
from config.catalogue import Catalogue
from config.clock import utc_now
from config.settings import BadSetting, Settings
from dashboards.access.loopback import LoopbackOnly, is_loopback
from dashboards.access.routes import Guarded, Open
from dashboards.access.sign_in import SignInAccess
from dashboards.access.tokens import TokenAccess
from dashboards.access.viewers import Access, OpenAccess
from dashboards.executors import Executors
from dashboards.site.application import create_app
from dashboards.site.server import SiteServer
from service.dependencies import secret
from store.faults import KeyConflict, StoreFull, StoreUnreachable
from store.ingest.stream import Ingest
from store.state import State
from store.valkey.live import Live

PUSH_PATH = "/ingest/"
OWN_TOKEN = "asks for a token of its own and answers nobody without it"
PUSH_FAILURES: dict[type[Exception], tuple[int, str]] = {
    KeyConflict: (409, "conflict"),
    StoreFull: (503, "full"),
    StoreUnreachable: (503, "unavailable"),
}


@dataclass(frozen=True)
class SiteDependencies:
    """What a front stands before."""

    live: Live
    ingest: Ingest
    pushed: dict[str, PushCollector]
    accounts: State | None
    """Who may sign in, and the tokens of other systems; None: access is open."""
    questions: Transport
    """Where pages and the interface ask for figures of any time; it blocks, so ask in a thread."""
    executors: Executors = field(default_factory=Executors)


def listen(settings: Settings) -> socket.socket:
    """Take the port before anything starts, so that one in use is said at once; web processes may share one."""
    if settings.access == "open" and not is_loopback(settings.host):
        raise BadSetting("host", f"{settings.host} can be reached by others: set WATCHFLOOR_ACCESS=login first")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.role == "web":
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise OSError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; try PORT=8051") from error
    return taken


def own_address(settings: Settings, address: socket.socket) -> str:
    """The URL of this process."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{address.getsockname()[1]}"


def serve(settings: Settings, catalogue: Catalogue, behind: SiteDependencies, address: socket.socket) -> None:
    """Serve until a signal comes."""
    access, sign_in = _access(settings, catalogue, behind)
    with_tokens = [
        Open(route.path, route.endpoint, OWN_TOKEN, tuple(route.methods or ()))
        for route in _push_endpoint(behind).routes()
    ]
    site = create_app(catalogue, behind.live, access, [*sign_in, *with_tokens], executors=behind.executors)
    around = guarded(settings, site)
    # Before the address is told: who comes at once shall wait a moment, not be refused.
    address.listen()
    print(f"Watchfloor is at {own_address(settings, address)}/  (Ctrl-C stops it)", flush=True)
    SiteServer(site, settings.host, settings.port, around=around).run(sockets=[address])


def guarded(settings: Settings, site: ASGIApp) -> ASGIApp:
    """What is asked before the site: who may reach it at all, and whose word about who is asking is believed."""
    if settings.access == "open":
        return LoopbackOnly(site)
    if settings.trusted_proxies:
        # uvicorn and starlette write the same ASGI types differently.
        return ProxyHeadersMiddleware(site, settings.trusted_proxies)  # type: ignore[arg-type, return-value]
    return site


def _push_endpoint(behind: SiteDependencies) -> PushEndpoint:
    """The push endpoint, for every channel that has a push source."""
    ingest = behind.ingest
    return PushEndpoint(
        behind.pushed,
        ingest.append,
        lambda channel, payload, parsed, fault: ingest.refuse(channel, payload.data, payload.fetched_at),
        utc_now,
        PUSH_FAILURES,
    )


def _access(
    settings: Settings, catalogue: Catalogue, behind: SiteDependencies
) -> tuple[Access, Sequence[Guarded | Open]]:
    """Who may look: everyone on this machine, or users who sign in and systems that show a token."""
    if behind.accounts is None:
        return OpenAccess(), ()
    key = secret(settings.session_key, settings.home_dir / "session.key")
    login = SignInAccess(catalogue, behind.accounts.users, key, behind.executors)
    return TokenAccess(catalogue, behind.accounts.tokens, login), login.addresses()
