"""Facts in tiers: each an ordinary history, rolled from the one below it and provably equal to it."""

from store.facts.tiers.history import TieredHistory
from store.facts.tiers.tier import Tier

__all__ = ["Tier", "TieredHistory"]
