"""How sure a share is: Wilson's interval, which stays honest at small n and at 0 % and 100 %."""

from math import sqrt

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson_interval(successes: float, n: float, z: float = Z_95) -> tuple[float, float] | None:
    """Bounds of a share of n cases (Wilson 1927, without continuity correction); None without cases."""
    if n <= 0:
        return None
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share")
    share = successes / n
    spread = z * z / n
    centre = (share + spread / 2) / (1 + spread)
    reach = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - reach), min(1.0, centre + reach)
