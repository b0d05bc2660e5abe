"""Screens of the peer: clients that ask for its figures as dcc.Interval does, without a browser's own work."""

import threading
import time
from random import Random

import httpx

from bench.measurement import quantile
from bench.plain_dash import FIGURES, TICK, Peer
from bench.processes import cpu_s

POLLS = 6
"""By each screen, the first of which is not counted."""


def polled(peer: Peer, screens: int, every_s: float) -> tuple[float, float]:
    """p95 of the answers (ms), and the server's CPU by screen and poll (us)."""
    delays: list[float] = []
    chance = Random(screens)  # noqa: S311 - the phases in which users have opened their pages
    asking = [
        threading.Thread(target=_poll, args=(peer.url, delays, every_s, chance.uniform(0, every_s)))
        for _ in range(screens)
    ]
    before = cpu_s(peer.pid)
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return quantile(delays, 0.95), (cpu_s(peer.pid) - before) / screens / POLLS * 1e6


def _poll(url: str, delays: list[float], every_s: float, phase_s: float) -> None:
    """Ask every so often; the next time at once when an answer took longer than that."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        next_at = time.monotonic() + phase_s
        for poll in range(POLLS):
            time.sleep(max(0.0, next_at - time.monotonic()))
            began = time.monotonic()
            client.post("/_dash-update-component", json=_request(poll)).raise_for_status()
            if poll:
                delays.append((time.monotonic() - began) * 1000)
            next_at = max(next_at + every_s, time.monotonic())


def _request(poll: int) -> dict[str, object]:
    outputs = [{"id": name, "property": "figure"} for name in FIGURES]
    return {
        "output": f"..{'...'.join(f'{name}.figure' for name in FIGURES)}..",
        "outputs": outputs,
        "inputs": [{"id": TICK, "property": "n_intervals", "value": poll}],
        "changedPropIds": [f"{TICK}.n_intervals"],
    }
