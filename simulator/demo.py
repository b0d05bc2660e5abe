"""The simulated nation as a process beside the one that shows it; it ends with it."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.settings import ROOT, Settings
from simulator.control import ENDPOINTS
from simulator.shared_secrets import ADDRESS, SECRET_NAMES

START_S, STOP_S = 45, 10


@contextmanager
def nation(settings: Settings, push_url: str) -> Iterator[None]:
    """Run it while the context is open, pushing to `push_url`; its secrets are made here and reach both sides by the
    environment.
    """
    for name in SECRET_NAMES.values():
        os.environ.setdefault(name, secrets.token_urlsafe(24))
    os.environ.setdefault(ADDRESS, f"http://127.0.0.1:{_free_port()}")
    ready = settings.home_dir / ENDPOINTS
    ready.unlink(missing_ok=True)
    where = ["--home", str(settings.home_dir.resolve()), "--push-url", push_url]
    chance = ["--seed", str(settings.demo_seed), "--scale", str(settings.demo_scale)]
    command = [sys.executable, "-m", "simulator", *where, *chance, "--parent", str(os.getpid())]
    # A session of its own: Ctrl-C reaches us alone, and we stop it in our own order.
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603 - our own module, our own words
    try:
        _await(process, ready)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], ready: Path) -> None:
    """Give the nation time to live through its past hour, so that its systems are there when they are asked."""
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until and not ready.exists():
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
