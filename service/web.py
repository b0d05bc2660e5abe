"""The web of a process: windows, streams and what receives on one address, over Valkey alone.

It holds no facts and asks no sources. What users look at it reads from Valkey, what channel systems send it puts into
Valkey, and what it had to refuse as well; the pipeline, in this process or another, does the rest. So any number of
such processes can stand side by side.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from analysis.questions.transport import Transport
from collectors import addresses
from collectors.receiving import Intake, ReceivingAddress
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
from pipeline.flow.feeder import ReceivingFeeder
from service.dependencies import secret
from store.faults import KeyConflict, StoreFull, StoreUnreachable
from store.ingest.stream import Ingest
from store.state import State
from store.valkey.live import Live

OWN_TOKEN = "asks for a token of its own and answers nobody without it"
INTAKE_FAILURES: dict[type[Exception], tuple[int, str]] = {
    KeyConflict: (409, "conflict"),
    StoreFull: (503, "full"),
    StoreUnreachable: (503, "unavailable"),
}


@dataclass(frozen=True)
class SiteDependencies:
    """What the web of a process stands on."""

    live: Live
    ingest: Ingest
    receivers: tuple[ReceivingFeeder, ...]
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
    receiving = receiving_addresses(behind.receivers, behind.ingest)
    site = create_app(
        catalogue, behind.live, access, [*sign_in, *receiving], executors=behind.executors, questions=behind.questions
    )
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


def receiving_addresses(receivers: Sequence[ReceivingFeeder], ingest: Ingest) -> list[Guarded | Open]:
    """Where figures arrive by themselves: what every kind of source that receives says of its own."""
    intake = Intake(ingest.append, ingest.refuse, INTAKE_FAILURES, utc_now)
    return [_address(address) for address in addresses(receivers, intake)]


def _address(address: ReceivingAddress) -> Guarded | Open:
    if address.action is None:
        return Open(address.path, address.endpoint, OWN_TOKEN, address.methods)
    return Guarded(address.path, address.endpoint, address.action, address.methods)


def _access(
    settings: Settings, catalogue: Catalogue, behind: SiteDependencies
) -> tuple[Access, Sequence[Guarded | Open]]:
    """Who may look: everyone on this machine, or users who sign in and systems that show a token."""
    if behind.accounts is None:
        return OpenAccess(), ()
    key = secret(settings.session_key, settings.home_dir / "session.key")
    login = SignInAccess(catalogue, behind.accounts.users, key, behind.executors)
    return TokenAccess(catalogue, behind.accounts.tokens, login), login.addresses()
