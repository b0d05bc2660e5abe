"""The nation in real time: its HTTP interfaces, its senders, and the one loop that looks at the real clock."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.control import control_routes
from simulator.simulation import Simulation
from simulator.systems.pushed_figures import Body
from simulator.systems.sender import Sender

TICK_S = 0.25


class UpToDate:
    """Lets the nation live until the present before any interface answers."""

    def __init__(self, app: ASGIApp, simulation: Simulation) -> None:
        self._app, self._simulation = app, simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            self._simulation.advance(time.time())
        await self._app(scope, receive, send)


class Service:
    """One running nation: serves until a signal comes, then stops cleanly."""

    def __init__(
        self, simulation: Simulation, push_url: str | None, control_token: str, parent: int | None = None
    ) -> None:
        """Without `push_url` the app and the shops keep their figures to themselves.

        `parent`: the process without which the nation should not live on, however that process ends.
        """
        self._simulation, self._parent = simulation, parent
        secrets = simulation.plan.secrets
        tokens = {"app": secrets.app_token, "shops": secrets.shops_token} if push_url else {}
        self.senders = {name: Sender(name, push_url or "", token) for name, token in tokens.items()}
        routes = [*simulation.routes(), *control_routes(simulation, control_token)]
        app = Starlette(routes=routes, lifespan=self._lifespan)
        app.add_middleware(UpToDate, simulation=simulation)
        self._app = app

    def put(self, bodies: dict[str, list[Body]]) -> None:
        """Give bodies to their senders."""
        for channel, sender in self.senders.items():
            sender.put(bodies.get(channel, []))

    def serve(self, listening: socket.socket) -> None:
        """Run until SIGTERM or SIGINT."""
        config = uvicorn.Config(
            self._app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1
        )
        uvicorn.Server(config).run(sockets=[listening])

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        work: list[Callable[[], Awaitable[None]]] = [self._live, *(sender.run for sender in self.senders.values())]
        tasks = [asyncio.ensure_future(start()) for start in work]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._simulation.close()

    async def _live(self) -> None:
        while self._parent in (None, os.getppid()):
            self._simulation.advance(time.time())
            self.put(self._simulation.flush())
            await asyncio.sleep(TICK_S)
        signal.raise_signal(signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """Take the port at once; raises OSError where it is in use."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        # From here on callers wait instead of being refused: the address is told before the server answers.
        taken.listen()
    except OSError as error:
        taken.close()
        raise OSError(
            f"the simulated nation cannot listen on {host}:{port}: {error.strerror}; name another --http-port"
        ) from error
    return taken


def write_endpoints(file: Path, address: str, control_token: str, simulation: Simulation) -> None:
    """Tell where everything is; only the owner may read it, since it holds the control token."""
    plan = simulation.plan
    told = {
        "simulated": True,
        "pid": os.getpid(),
        "seed": plan.seed,
        "scale": plan.scale,
        "since": plan.start.isoformat(),
        "http": address,
        "control": {"url": f"{address}/control/v1", "token": control_token},
        "folder": str(plan.home / "demo"),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
    temporary.replace(file)
