"""Chromium and the peer's server, for the measurements in this folder."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from bench.plain_dash import Peer
from bench.processes import pin
from config.settings import ROOT
from tests.support.browsers import FLAGS, chromium

SCREEN = {"width": 1920, "height": 1080}


@contextmanager
def browsing() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def plain_dash(core: int | None = None) -> Iterator[Peer]:
    """The peer, in a process of its own; on one core, when that is said."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.plain_dash"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        address = server.stdout.readline().strip()
        if not address:
            logging.getLogger("bench").error(server.stderr.read())
        if core is not None:
            pin(server.pid, core)
        yield Peer(address, server.pid)
    finally:
        server.kill()
        server.communicate()
