"""Forgets what has become old in one tier, only after the tier above was seen to hold it.

1. Close: from now on nothing is written before the horizon.
2. Prove: the roller compares every closed bucket once more (`rolling.py`, step 4).
3. Leave: questions about that time go to the tier above.
4. Forget: the next run deletes it. Who was reading it then has ended.
"""

from collections.abc import Sequence
from datetime import datetime

from config.catalogue import Catalogue
from metrics.intervals import day_start
from store.facts.tiers.tier import Tier
from store.state.tier_progress import Horizon, TierProgress, TierProgressStore


class Retention:
    """The horizons of the tiers."""

    def __init__(self, tiers: Sequence[Tier], tier_progress: TierProgressStore, catalogue: Catalogue) -> None:
        self._tiers, self._progress_store, self._catalogue = tiers, tier_progress, catalogue

    def recover(self) -> None:
        """Find again what was forgotten when state was lost: where the tier above begins before this one does."""
        known = self._progress_store.read().horizons
        for tier, above in zip(self._tiers, self._tiers[1:], strict=False):
            if tier.name in known:
                continue
            held, oldest = tier.history.holdings().oldest, above.history.holdings().oldest
            if held is not None and oldest is not None and oldest < above.bucket(held, self._catalogue.day).start:
                begins = day_start(held, self._catalogue.day)
                self._progress_store.keep_horizon(tier.name, Horizon(begins, begins))

    def retain(self, now: datetime) -> int:
        """Take each tier one step further; gives how many observations were deleted."""
        return sum(self._tier(level, now) for level in range(len(self._tiers)))

    def _tier(self, level: int, now: datetime) -> int:
        tier, progress = self._tiers[level], self._progress_store.read()
        horizon = progress.horizons.get(tier.name)
        forgotten = horizon.forgotten if horizon else None
        oldest = tier.history.holdings().oldest
        deleted = tier.history.forget(forgotten) if forgotten and oldest and oldest < forgotten else 0
        if horizon is not None and horizon.closed != forgotten:
            if self._held_above(level, horizon.closed, progress):
                self._progress_store.keep_horizon(tier.name, Horizon(horizon.closed, horizon.closed))
            return deleted
        edge = day_start(now - tier.keep, self._catalogue.day)
        if oldest is not None and oldest < edge and (forgotten is None or forgotten < edge):
            self._progress_store.keep_horizon(tier.name, Horizon(edge, forgotten))
        return deleted

    def _held_above(self, level: int, closed: datetime, progress: TierProgress) -> bool:
        """Whether the tier above holds all that lies before; the last tier has none above."""
        if level + 1 == len(self._tiers):
            return True
        above = self._tiers[level + 1].name
        fronts = [progress.fronts.get((above, channel)) for channel in self._catalogue.channels]
        proved = all(front is not None and front.proved >= closed for front in fronts)
        return proved and not any(mark.tier == above and mark.start < closed for mark in progress.marks)
