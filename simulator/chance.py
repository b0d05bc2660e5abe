"""Seeded chance: every random draw of the nation comes from a named stream of one seed."""

import math
import random
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Chance:
    """A stream of draws that depends on nothing but its seed and its name."""

    def __init__(self, seed: int, name: str) -> None:
        self._random = random.Random(f"{seed}:{name}")  # noqa: S311 - a believable nation, not a secret

    def happens(self, share: float) -> bool:
        """Say yes with this probability."""
        return self._random.random() < share

    def uniform(self) -> float:
        """Draw from [0, 1)."""
        return self._random.random()

    def gap(self, rate: float) -> float:
        """Seconds until the next event of a Poisson stream of `rate` events a second."""
        return self._random.expovariate(rate)

    def duration(self, mean: float, spread: float = 0.5) -> int:
        """Whole seconds, at least one, lognormal with about this mean and never above three times it.

        `spread` is the sigma of the logarithm.
        """
        drawn = self._random.lognormvariate(math.log(mean) - spread * spread / 2, spread)
        return max(1, round(min(drawn, 3 * mean)))

    def poisson(self, mean: float) -> int:
        """Count of a Poisson variable; by its normal likeness where the mean is large."""
        if mean > 40:
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        limit, product, count = math.exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count

    def binomial(self, n: int, share: float) -> int:
        """How many of `n` happen."""
        return sum(self._random.random() < share for _ in range(n))

    def shuffled(self, items: list[str]) -> list[str]:
        """Copy in random order."""
        return self._random.sample(items, len(items))

    def number(self, digits: int) -> str:
        """A string of decimal digits."""
        return str(self._random.randrange(10**digits)).zfill(digits)


class Choice(Generic[T]):
    """A weighted choice that is drawn from many times."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._items = tuple(weights)
        self._bounds = tuple(accumulate(weights.values()))

    def draw(self, chance: Chance) -> T:
        """One item, by weight."""
        return self._items[bisect(self._bounds, chance.uniform() * self._bounds[-1], 0, len(self._items) - 1)]
