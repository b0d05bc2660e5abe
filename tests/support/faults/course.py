"""The course of a fault: steady load, the fault at a random moment, its end, and the account when all is delivered."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread

import redis

from dashboards.site.header import LATE_S
from pipeline.snapshot.publisher import BEAT_S
from tests.support.faults.lineups import EntryId, Lineup
from tests.support.faults.screens import Screen
from tests.support.waiting import eventually

# The processes that run tests beside each other inherit it from the one that starts them.
SEED = int(os.environ.setdefault("FAULT_SEED", str(random.randrange(1, 10_000))))
AWAY_S = float(os.environ.get("FAULT_AWAY_S", "60"))
"""How long a part is away."""
STEADY_BODIES = 12
LOOK_S = 0.1
RECOVERED_S = 120.0


@dataclass
class Row:
    """One line of the table."""

    fault: str
    seed: int
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    marked_s: list[float] = field(default_factory=list)
    """From each fault to the first screen that says so."""
    recovered_s: list[float] = field(default_factory=list)
    """From the end of each fault to fresh figures on every screen, with nothing waiting from before."""


class Course:
    """Faults of one kind in a line-up that is up."""

    def __init__(self, lineup: Lineup, name: str, seed: int) -> None:
        self.lineup, self.row, self.chance = lineup, Row(name, seed), random.Random(f"{seed} {name}")
        self._acknowledged_before = lineup.sender.acknowledged
        self._accepted: EntryId | None = None
        self._refused_before = len(lineup.sender.refused)

    def steady(self) -> None:
        """Load for a random while, so that the fault meets it at no special moment."""
        eventually(lambda: not any(screen.marked for screen in self.lineup.screens), "the screens are live")
        wanted = self.lineup.sender.acknowledged + STEADY_BODIES
        eventually(lambda: self.lineup.sender.acknowledged >= wanted, "bodies are taken")
        time.sleep(self.chance.uniform(0, 1))

    @contextmanager
    def fault(self, stops_figures: bool = True) -> Iterator[None]:
        """The fault begins and ends with the block; then everything must come back.

        If it stops the figures, and lasts longer than they may be old, the screens must say so before it ends.
        """
        began, told = time.monotonic(), Event()
        watch = Thread(target=self._note_mark, args=(began, told), daemon=True)
        if stops_figures:
            watch.start()
        yield
        ended = time.monotonic()
        if stops_figures and ended - began > LATE_S + BEAT_S:
            assert self.row.marked_s, f"no screen said anything in {ended - began:.0f} s; late is {LATE_S} s"
        self._await_recovery(ended)
        told.set()
        if stops_figures:
            watch.join()

    def settle(self) -> Row:
        """End the load, wait until all is stored and shown, and compare with the ledger, from the very first minute."""
        sender = self.lineup.sender
        sender.end()
        accepted = self.lineup.accepted()
        eventually(lambda: not self.lineup.waits(accepted), "everything accepted is stored")
        for screen in self.lineup.screens:
            if isinstance(screen, Screen):
                eventually(
                    partial(_agrees, screen),
                    f"{screen.topic} shows what a new screen shows",
                    patience_s=30,
                    pause_s=1,
                )
        with self.lineup.history() as history:
            balance, told = self.lineup.ledger.balance(history), self.lineup.ledger.differences(history)
        self.row.acknowledged = balance.acknowledged - self.lineup.accounted
        self.row.lost, self.row.doubled = balance.lost, balance.doubled
        self.lineup.accounted = balance.acknowledged
        sender.start()
        assert told == [], told[:10]
        assert sender.acknowledged > self._acknowledged_before
        assert sender.refused[self._refused_before :] == []
        assert [screen.reloads for screen in self.lineup.screens] == [0] * len(self.lineup.screens)
        assert [screen.negative for screen in self.lineup.screens if screen.negative] == []
        return self.row

    def _note_mark(self, began: float, told: Event) -> None:
        while not told.wait(LOOK_S):
            if any(screen.marked for screen in self.lineup.screens):
                self.row.marked_s.append(time.monotonic() - began)
                return

    def _await_recovery(self, ended: float) -> None:
        self._accepted = None

        def recovered() -> bool:
            sender, screens = self.lineup.sender, self.lineup.screens
            return (
                sender.last_at > ended
                and all(screen.fresh_at > ended and not screen.marked for screen in screens)
                and self._all_stored()
            )

        try:
            self.row.recovered_s.append(eventually(recovered, "all is well again", patience_s=RECOVERED_S) - ended)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._standing(ended)}") from None

    def _all_stored(self) -> bool:
        """Whether all that was accepted before the stream could first be asked is stored."""
        try:
            self._accepted = self._accepted or self.lineup.accepted()
            return not self.lineup.waits(self._accepted)
        except redis.RedisError:
            return False

    def _standing(self, ended: float) -> str:
        """What has not come back."""
        sender, screens = self.lineup.sender, self.lineup.screens
        told = [f"{one.topic}: fresh {one.fresh_at - ended:.1f} s, marked {one.marked}" for one in screens]
        stored = self._all_stored()
        return f"last taken {sender.last_at - ended:.1f} s after; {told}; all stored: {stored}; {sender.put_off[-2:]}"


def _agrees(screen: Screen) -> bool:
    """Whether a screen shows what a new one shows."""
    return not screen.differs()
