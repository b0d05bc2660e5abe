"""The nation as a process: it tells where it is, obeys its control, pushes through trouble, and stops cleanly."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Semaphore

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.settings import ROOT
from simulator.shared_secrets import SecretMissing, secrets_from
from simulator.systems import sender as sender_module
from simulator.systems.pushed_figures import Body
from simulator.systems.sender import Sender
from tests.support.nation_world import ENVIRONMENT
from tests.support.serving import served

COMMAND = [sys.executable, "-m", "simulator", "--seed", "7", "--scale", "0.1", "--warm-up", "5", "--http-port", "0"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "--home", str(tmp_path), "--incident", "440000=2"],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_it_says_when_it_is_ready_obeys_and_stops_cleanly(running: subprocess.Popen[str], tmp_path: Path) -> None:
    assert running.stdout is not None
    assert "the simulated nation is at http://127.0.0.1:" in running.stdout.readline()
    file = tmp_path / "demo" / "endpoints.json"
    told = json.loads(file.read_text())
    assert file.stat().st_mode & 0o077 == 0
    bearer = {"Authorization": f"Bearer {told['control']['token']}"}
    address = told["control"]["url"]
    with httpx.Client(headers=bearer, trust_env=False, timeout=30) as control:
        assert control.get(address).json() == {"troubles": {}, "incidents": {"440000": 2.0}}
        assert control.get(address, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert control.put(f"{address}/troubles/im/down").json()["troubles"] == {"im": ["down"]}
        assert httpx.get(f"{told['http']}/im/v1/conversations", trust_env=False).status_code == 503
        assert control.delete(f"{address}/troubles/im/down").json()["troubles"] == {}
        assert httpx.get(f"{told['http']}/im/v1/conversations", trust_env=False).status_code == 401
        assert control.delete(f"{address}/incidents/440000").json()["incidents"] == {}
        refused = control.put(f"{address}/troubles/ivr/slow")
        assert (refused.status_code, "ivr cannot be slow" in refused.json()["error"]) == (400, True)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) == 0
    assert running.stdout.read() == ""
    assert not file.exists()
    assert list((tmp_path / "demo" / "hotline").glob("calls-*.csv"))


def test_it_does_not_start_without_its_secrets(tmp_path: Path) -> None:
    lacking = {name: value for name, value in (os.environ | ENVIRONMENT).items() if name != "WATCHFLOOR_TOKEN_APP"}
    done = subprocess.run(
        [*COMMAND, "--home", str(tmp_path)], cwd=ROOT, env=lacking, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        "set WATCHFLOOR_TOKEN_APP: the nation and its collectors share these secrets\n",
    )
    with pytest.raises(SecretMissing, match="WATCHFLOOR_DEMO_IM_TOKEN, "):
        secrets_from({})


class StubbornDoor:
    """An ingest door that is busy at first, then takes, and refuses what it is told to refuse."""

    def __init__(self, busy: int, refuse: str = "") -> None:
        self.busy, self.refuse = busy, refuse
        self.taken: list[tuple[str, bytes]] = []
        self.tries = 0
        self.came = Semaphore(0)

    async def push(self, request: Request) -> Response:
        self.tries += 1
        if request.headers["authorization"] != "Bearer t0ken":
            return Response(status_code=401)
        if self.tries <= self.busy:
            return Response(status_code=503)
        if request.headers["idempotency-key"] == self.refuse:
            return Response("no", status_code=422)
        self.taken.append((request.headers["idempotency-key"], await request.body()))
        self.came.release()
        return Response(status_code=202)


async def delivered(sender: Sender, door: StubbornDoor, count: int) -> None:
    """Run a sender against a door until it has taken so many bodies."""
    with served(Starlette(routes=[Route("/app", door.push, methods=["POST"])])) as url:
        sender._url = f"{url}/app"
        task = asyncio.create_task(sender.run())
        for _ in range(count):
            assert await asyncio.to_thread(door.came.acquire, timeout=30)
        task.cancel()


async def test_bodies_wait_for_a_busy_door_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "FIRST_WAIT_S", 0.01)
    door, sender = StubbornDoor(busy=3), Sender("app", "http://unused", "t0ken")
    sender.put([Body(f"k{number}", f"{number}".encode()) for number in range(5)])
    await delivered(sender, door, 5)
    assert door.taken == [(f"k{number}", f"{number}".encode()) for number in range(5)]
    assert sender.given_up == []


async def test_a_body_that_is_refused_is_put_aside_and_said(caplog: pytest.LogCaptureFixture) -> None:
    door, sender = StubbornDoor(busy=0, refuse="k1"), Sender("app", "http://unused", "t0ken")
    sender.put([Body(f"k{number}", b"{}") for number in range(3)])
    await delivered(sender, door, 2)
    assert [key for key, _ in door.taken] == ["k0", "k2"]
    assert sender.given_up == ["k1"]
    assert "body k1 given up: answer 422: no" in caplog.text


def test_a_full_spool_gives_up_the_oldest_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sender_module, "SPOOL", 2)
    sender = Sender("app", "http://unused", "t0ken")
    sender.put([Body(f"k{number}", b"{}") for number in range(3)])
    assert sender.given_up == ["k0"]
    assert "the spool is full" in caplog.text
