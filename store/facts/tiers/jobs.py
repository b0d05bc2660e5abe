"""What the tiers of facts have done again and again: rolling what was touched, and forgetting what has become old."""

from collections.abc import Callable
from datetime import datetime

from config.jobs import STORAGE, Job
from store.facts.tiers.history import TieredHistory

BUCKETS_A_RUN = 48
"""Of one channel: what a run may compare, so that it never takes a core for long."""
ROLL_S = 60
RETAIN_S = 3600


def tier_jobs(history: TieredHistory, clock: Callable[[], datetime]) -> list[Job]:
    """Rolling, with the tidying of what was rolled, and retention."""

    def roll() -> None:
        history.roll(clock(), BUCKETS_A_RUN)
        history.tidy()

    return [
        Job("rolling", ROLL_S, roll, ROLL_S, STORAGE),
        Job("retention", RETAIN_S, lambda: history.retain(clock()), executor=STORAGE),
    ]
