"""How many screens one core feeds in time, and what one costs it.

The server has a core to itself; publisher, Valkey and the screens (sockets that read, spread over the four windows)
share the other. A screen's delivery is from the beginning of publishing until the last byte of its frame is there; one
that gets none is late. Every update changes nearly every figure, which a real one does not. The peer is the same
figures as a plain Dash page that polls them; its delivery is the answer alone, without the wait for the next poll.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.browsing import plain_dash
from bench.dash_polls import polled
from bench.measurement import Measurement, quantile
from bench.nation import PATHS, NationApart, nation_apart
from bench.processes import cpu_s, on_core, two_cores
from bench.socket_screens import Holder

EVERY_S = 2.0
UPDATES = 8
STEPS = (3_000, 6_000, 10_000)
"""Up to what a process takes on (`push.Limits`)."""
CPU_SCREENS = 6_000
PEERS_STEPS = (1, 4, 6, 8, 12, 16)
TRIES = 2
"""A step is too much when it fails twice: whoever else uses this machine can spoil one."""
IN_TIME_MS = 500.0
NEVER_MS = 99_999.0
PEER = "plain Dash: dcc.Interval with a callback that returns the same figures"


@dataclass(frozen=True)
class Step:
    """What so many screens met with."""

    screens: int
    p95_ms: float
    cpu_us: float
    """The server's CPU by screens and updates."""
    told: str = ""

    def __str__(self) -> str:
        """For the note of a measurement."""
        return f"{self.screens}: p95 {self.p95_ms:.0f} ms, {self.cpu_us:.0f} us{self.told}"


def measure() -> Iterator[Measurement]:
    """The largest number of screens of which 95 % are served in time."""
    ours, peers = _both(STEPS, PEERS_STEPS)
    note = f"an update every {EVERY_S:g} s; ours {_told(ours)}; peer {_told(peers)}"
    yield Measurement("screens", "n", _most(ours), _most(peers), PEER, note)


def measure_cpu() -> Iterator[Measurement]:
    """The server's CPU for one screen and update, the work that all share in it."""
    (ours,), (peers,) = _both((CPU_SCREENS,), PEERS_STEPS[:1])
    note = f"{ours.screens} screens, {UPDATES} updates, each of nearly every figure{ours.told}"
    yield Measurement("cpu_per_screen", "us", round(ours.cpu_us, 1), round(peers.cpu_us), PEER, note)


def _both(steps: Sequence[int], peers_steps: Sequence[int]) -> tuple[list[Step], list[Step]]:
    """Climb as far as it goes, first the peer, then ourselves; each has the server's core to itself."""
    server, others = two_cores()
    with on_core(others):
        with plain_dash(server) as peer:
            peers = _climbed(peers_steps, lambda screens: Step(screens, *polled(peer, screens, EVERY_S)))
        with nation_apart(server) as nation:
            holder = Holder(nation.port, PATHS)
            try:
                return _climbed(steps, lambda screens: _watched(nation, holder, screens)), peers
            finally:
                holder.close()


def _climbed(steps: Sequence[int], attempt: Callable[[int], Step]) -> list[Step]:
    """The better try of every step, up to the first that is too much."""
    taken: list[Step] = []
    for screens in steps:
        tries: list[Step] = []
        while len(tries) < TRIES and not any(map(_in_time, tries)):
            tries.append(attempt(screens))
        taken.append(min(tries, key=lambda step: step.p95_ms))
        if not _in_time(taken[-1]):
            break
    return taken


def _in_time(step: Step) -> bool:
    return step.p95_ms < IN_TIME_MS


def _most(steps: list[Step]) -> int:
    """The largest number that was served in time."""
    return max((step.screens for step in steps if _in_time(step)), default=0)


def _told(steps: list[Step]) -> str:
    return ", ".join(map(str, steps))


def _watched(nation: NationApart, holder: Holder, screens: int) -> Step:
    """Bring the screens up to a number and let them see some updates."""
    opened = holder.open(screens)
    before, delays, size, missed = cpu_s(nation.pid), list[float](), 0, 0
    for _ in range(UPDATES):
        holder.ask(f"watch {EVERY_S}")
        began = time.time()
        nation.publisher.publish()
        seen = holder.hear()
        delays += [(at - began) * 1000 if at else NEVER_MS for at in seen["at"]]
        size, missed = size + seen["bytes"], seen["missed"]
    each = UPDATES * screens
    told = f", {size / each:.0f} B, {missed} missed by those that look"
    if opened["opened"]:
        told += f", {opened['opened']} opened in {opened['seconds']:.1f} s"
    return Step(screens, quantile(delays, 0.95), (cpu_s(nation.pid) - before) / each * 1e6, told)
