"""One pipeline, two web processes, one Valkey and state in PostgreSQL, each a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from config.settings import ROOT
from tests.support.push_world import SETTINGS, Sender, body
from tests.support.real_postgres import schema_of
from tests.support.real_product import Product, Silent, environment
from tests.support.valkey_lineups import lineup

NAME, PASSWORD = "wang", "a long enough word"
GUANGZHOU = "440100"
MINUTE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)


class Web(Product):
    """A front alone, a sender at its push endpoint and somebody who signs in."""

    def push(self, answered: int, key: str) -> httpx.Response:
        """Push that Guangzhou answered so many of a thousand calls in one certain minute; the newest word counts."""
        rows = [
            {"measure": measure, "region": GUANGZHOU, "start": MINUTE.isoformat(), "value": value}
            for measure, value in (("offered", 1000), ("answered", answered))
        ]
        with httpx.Client(timeout=30, trust_env=False) as client:
            return Sender(self.url, client).push(body(*rows), key)

    def sign_in(self) -> dict[str, str]:
        """The cookies of a session."""
        with httpx.Client(trust_env=False) as client:
            form = {"name": NAME, "password": PASSWORD}
            answer = client.post(f"{self.url}/sign-in", data=form, headers={"origin": self.url})
            assert answer.status_code == 303, answer.text
            return dict(client.cookies)


@dataclass
class TwoProcesses:
    """Where everything is, and what runs."""

    settings: dict[str, str]
    folder: Path
    stack: ExitStack
    webs: dict[str, Web]
    pipeline: Silent

    @classmethod
    def started(cls, settings: dict[str, str], folder: Path, stack: ExitStack) -> "TwoProcesses":
        pipeline = _pipeline(settings, folder, stack)
        return cls(settings, folder, stack, {name: _web(name, settings, folder, stack) for name in "AB"}, pipeline)

    def again(self, name: str) -> Web:
        """A web process that was killed, anew."""
        self.webs[name] = _web(name, self.settings, self.folder, self.stack)
        return self.webs[name]

    def pipeline_again(self) -> None:
        self.pipeline = _pipeline(self.settings, self.folder, self.stack)


@contextmanager
def two_processes(folder: Path) -> Iterator[TwoProcesses]:
    with ExitStack() as stack:
        valkey = stack.enter_context(lineup("single", folder / "valkey"))
        settings = {
            **SETTINGS,
            "access": "login",
            "session_key": "the key of all sessions",
            "valkey_url": valkey.url,
            "state_url": schema_of(folder).replace("postgresql://", "postgresql+psycopg://"),
        }
        add_user(folder / "pipeline", settings)
        yield TwoProcesses.started(settings, folder, stack)


def add_user(home: Path, settings: dict[str, str]) -> None:
    told = environment(home, **settings) | {"WATCHFLOOR_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "service.commands", "user", "add", NAME]
    subprocess.run(command, cwd=ROOT, env=told, check=True, timeout=60)


def _web(name: str, settings: dict[str, str], folder: Path, stack: ExitStack) -> Web:
    web = Web(folder / f"web-{name}", role="web", **settings)
    stack.callback(web.end)
    return web


def _pipeline(settings: dict[str, str], folder: Path, stack: ExitStack) -> Silent:
    pipeline = Silent(folder / "pipeline", role="pipeline", **settings)
    stack.callback(pipeline.end)
    return pipeline


def listens(pid: int) -> bool:
    """Whether a process waits for connections anywhere."""
    waiting = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                waiting.add(f"socket:[{words[9]}]")
    return any(os.readlink(one) in waiting for one in Path(f"/proc/{pid}/fd").iterdir())
