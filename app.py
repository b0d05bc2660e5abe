"""The whole product in one process: pipeline, web windows and, in demo mode, the simulated nation beside it.

`make run` starts this. Everything it needs starts with it and stops with it.
"""

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from starlette.routing import BaseRoute

from collectors.push import PushCollector
from collectors.push.door import Door
from config.catalogue import Catalogue
from config.faults import CatalogueError
from config.loading import load
from config.settings import ROOT, Settings
from dashboards.doors import LoginAccess
from dashboards.loopback import LoopbackOnly, is_loopback
from dashboards.serving import SiteServer
from dashboards.shell import create_app
from dashboards.viewers import Access, OpenAccess
from pipeline.command_line import answer_here
from pipeline.parts import make_home, secret
from pipeline.refusals import note_refusal
from pipeline.remote import PATH, announced, route
from pipeline.service import Running, running
from simulator.control import ENDPOINTS
from simulator.shared_secrets import ADDRESS, SECRET_NAMES
from store.history import StoreInUse
from store.ingest import Conflict, Full, Unreachable

log = logging.getLogger("watchfloor")
DEMO_START_S, DEMO_STOP_S = 45, 10
DOOR_PATH = "/ingest/"
DOOR_FAILURES: dict[type[Exception], tuple[int, str]] = {
    Conflict: (409, "conflict"),
    Full: (503, "full"),
    Unreachable: (503, "unavailable"),
}


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 2 when the configuration is wrong, 1 when something is in the way."""
    settings = Settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    logging.getLogger("apscheduler").setLevel("ERROR")
    logging.getLogger("alembic").setLevel("WARNING")
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _stop)
    try:
        if settings.access == "open" and not is_loopback(settings.host):
            print(f"host {settings.host} can be reached by others: set WATCHFLOOR_ACCESS=login first", file=sys.stderr)
            return 2
        catalogue = load(settings.config_dir)
        address = _listen(settings)
        make_home(settings)
        with address, _demo(settings, address.getsockname()[1]), running(settings, catalogue) as service:
            _serve(settings, catalogue, service, address)
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 2
    except (StoreInUse, Unreachable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """Leave by the way we came in, so that every part is closed; a second signal does not hurry it."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)


def _listen(settings: Settings) -> socket.socket:
    """Take the port before anything starts, so that one in use is said at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise OSError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; try PORT=8051") from error
    return taken


@contextmanager
def _demo(settings: Settings, port: int) -> Iterator[None]:
    """Run the simulated nation beside us; its secrets are made here and reach both sides by the environment."""
    if not settings.demo:
        yield
        return
    for name in SECRET_NAMES.values():
        os.environ.setdefault(name, secrets.token_urlsafe(24))
    os.environ.setdefault(ADDRESS, f"http://127.0.0.1:{_free_port()}")
    home, door = str(settings.home_dir.resolve()), f"http://{_own_host(settings)}:{port}/ingest/v1"
    chance = ["--seed", str(settings.demo_seed), "--scale", str(settings.demo_scale)]
    (settings.home_dir / ENDPOINTS).unlink(missing_ok=True)
    with_us = ["--parent", str(os.getpid())]
    command = [sys.executable, "-m", "simulator", "--home", home, "--push-url", door, *chance, *with_us]
    # A session of its own: Ctrl-C reaches us alone, and we stop it in our own order.
    nation = subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603 - our own module, our own words
    try:
        _await(nation, settings.home_dir / ENDPOINTS)
        yield
    finally:
        nation.terminate()
        try:
            nation.wait(DEMO_STOP_S)
        except subprocess.TimeoutExpired:
            nation.kill()
            nation.wait()


def _await(nation: subprocess.Popen[bytes], ready: Path) -> None:
    """Give the nation time to live through its past hour, so that its systems are there when they are asked."""
    until = time.monotonic() + DEMO_START_S
    while nation.poll() is None and time.monotonic() < until and not ready.exists():
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _own_host(settings: Settings) -> str:
    return f"[{settings.host}]" if ":" in settings.host else settings.host


def _serve(settings: Settings, catalogue: Catalogue, service: Running, address: socket.socket) -> None:
    """Serve the windows and the push door until a signal comes."""
    here = f"http://{_own_host(settings)}:{address.getsockname()[1]}"
    access, sign_in, open_paths = _access(settings, catalogue, service)
    with announced(settings.home_dir, here) as token:
        ask = route(token, lambda arguments: answer_here(service.parts, arguments))
        routes = [*sign_in, *_door(service).routes(), ask]
        site = create_app(catalogue, service.live, access, routes, [*open_paths, DOOR_PATH, PATH])
        around = LoopbackOnly(site) if settings.access == "open" else None
        # Before the address is told: who comes at once shall wait a moment, not be refused.
        address.listen()
        print(f"Watchfloor is at {here}/  (Ctrl-C stops it)", flush=True)
        SiteServer(site, settings.host, settings.port, around=around).run(sockets=[address])


def _door(service: Running) -> Door:
    """The push door, for every channel that has a push source."""
    pushing = {feeder.channel.id: feeder for feeder in service.feeders if isinstance(feeder.collector, PushCollector)}
    collectors = {
        name: feeder.collector for name, feeder in pushing.items() if isinstance(feeder.collector, PushCollector)
    }
    return Door(
        collectors,
        service.ingest.append,
        lambda channel, payload, parsed, fault: note_refusal(service.parts, pushing[channel], payload, parsed, fault),
        service.parts.clock,
        DOOR_FAILURES,
    )


def _access(settings: Settings, catalogue: Catalogue, service: Running) -> tuple[Access, list[BaseRoute], list[str]]:
    """Who may look: everyone on this machine, or people who sign in."""
    if settings.access == "open":
        return OpenAccess(), [], []
    key = secret(settings.session_key, settings.home_dir / "session.key")
    login = LoginAccess(catalogue, service.parts.state.people, key)
    return login, login.routes(), [login.entrance]


if __name__ == "__main__":
    sys.exit(main())
