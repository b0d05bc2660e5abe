"""Real NATS servers: a cluster of three with JetStream, each a process that can be killed and started again."""

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import TracebackType

import httpx

from tests.support.ports import free_ports
from tests.support.processes import DIES_WITH_US
from tests.support.waiting import eventually

BINARY = Path(sys.executable).parent / "nats-server"
CONFIGURATION = """
server_name: {name}
listen: 127.0.0.1:{port}
http: 127.0.0.1:{monitor}
jetstream {{store_dir: "{folder}", max_file_store: 1G, sync_interval: always}}
cluster {{name: watchfloor, listen: 127.0.0.1:{route}, routes: [{routes}]}}
"""


class NatsCluster:
    """Three servers under a folder; `url` names them all."""

    def __init__(self, folder: Path, size: int = 3) -> None:
        self._folder = folder
        ports = free_ports(3 * size)
        self._ports, self._monitors, self._routes = ports[:size], ports[size : 2 * size], ports[2 * size :]
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * size

    @property
    def url(self) -> str:
        return ",".join(f"nats://127.0.0.1:{port}" for port in self._ports)

    def start(self, number: int) -> None:
        home = self._folder / f"nats-{number}"
        home.mkdir(parents=True, exist_ok=True)
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._routes)
        (home / "nats.conf").write_text(
            CONFIGURATION.format(
                name=f"n{number}",
                port=self._ports[number],
                monitor=self._monitors[number],
                route=self._routes[number],
                folder=home,
                routes=routes,
            )
        )
        command: list[str | Path] = [*DIES_WITH_US, BINARY, "-c", home / "nats.conf"]
        with (home / "log.txt").open("ab") as log:
            self.processes[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, number: int) -> None:
        process = self.processes[number]
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.processes[number] = None

    def await_healthy(self) -> None:
        """Until every running server says that its JetStream is ready."""
        for monitor, process in zip(self._monitors, self.processes, strict=True):
            if process is not None:
                eventually(partial(_healthy, monitor), f"a NATS server in {self._folder} is ready")

    def __enter__(self) -> "NatsCluster":
        for number in range(len(self.processes)):
            self.start(number)
        self.await_healthy()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, process in enumerate(self.processes):
            if process is not None:
                self.kill(number)


def _healthy(monitor: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{monitor}/healthz", timeout=1).is_success
    except httpx.HTTPError:
        return False
