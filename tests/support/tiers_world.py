"""Tiers that forget after a day and after two, over any engine, and what they must say of anything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from config.catalogue import Catalogue
from store.facts.history import History
from store.facts.tiers import Tier, TieredHistory
from store.state import open_state
from store.state.tier_progress import TierProgressStore
from tests.support.store_world import START

Open = Callable[[Path, Catalogue], History]
SIZES = {"raw": None, "quarter": "15min", "daily": "day"}
KEEP_DAYS = {"raw": 1, "quarter": 2, "daily": 30}
MANY = 100_000


@contextmanager
def tiers(folder: Path, catalogue: Catalogue, open_one: Open) -> Iterator[tuple[TieredHistory, TierProgressStore]]:
    """Three histories of one engine, and where they stand."""
    state = open_state(f"sqlite:///{folder / 'state.sqlite'}", catalogue.rules)
    levels = []
    for name, size in SIZES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        keep, own = timedelta(days=KEEP_DAYS[name]), open_one(folder / name, catalogue)
        levels.append(Tier(name, own, keep, size, with_instants=name != "daily", at_once=4 if size == "15min" else 1))
    history = TieredHistory(levels, state.tier_progress, catalogue)
    try:
        yield history, state.tier_progress
    finally:
        history.close()
        state.close()


def grow_old(history: TieredHistory, now: datetime) -> None:
    """Run the jobs until nothing is left for them to do."""
    for _ in range(4):
        history.roll(now, MANY)
        history.retain(now)


def later(days: float) -> datetime:
    return START + timedelta(days=days)
