"""Visits: requests of one client and agent without a longer gap; open ones are carried to the next reading."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Open = dict[str, tuple[int, list[str]]]
"""Visitor's pseudonym -> time of the last request, service types that the visit has had."""


@dataclass(frozen=True)
class Visits:
    """Which requests begin a visit, which contacts are a visit's first of their type, and what stays open."""

    begins: npt.NDArray[np.bool_]
    first_of_type: npt.NDArray[np.bool_]
    still_open: Open
    dropped: int
    """Visits that could still go on but were more than are kept; they would be counted again."""


def follow_visits(
    visitors: list[str],
    seconds: npt.NDArray[np.int64],
    types: list[str],
    before: Mapping[str, object],
    gap: int,
    kept: int,
) -> Visits:
    """Go through the requests in the order of the log; `types` is '' where a request is no contact.

    A log is written when requests end, so times go back a little: a gap is measured from the latest time.
    """
    running = opened(before)
    begins, first = np.zeros(len(visitors), dtype=bool), np.zeros(len(visitors), dtype=bool)
    for at, (visitor, second, kind) in enumerate(zip(visitors, seconds.tolist(), types, strict=True)):
        last, had = running.get(visitor, (None, []))
        if last is None or second - last > gap:
            begins[at], had = True, []
        if kind and kind not in had:
            first[at], had = True, [*had, kind]
        running[visitor] = (second if last is None else max(last, second), had)
    return Visits(begins, first, *bounded(running, gap, kept))


def opened(before: Mapping[str, object]) -> Open:
    """Visits as a cursor keeps them."""
    return {visitor: (state[0], list(state[1])) for visitor, state in before.items() if isinstance(state, list | tuple)}


def bounded(running: Open, gap: int, kept: int) -> tuple[Open, int]:
    """Visits that can go on, at most `kept` of them, and how many had to be dropped."""
    newest = max((last for last, _ in running.values()), default=0)
    alive = [(visitor, state) for visitor, state in running.items() if state[0] >= newest - gap]
    alive.sort(key=lambda entry: entry[1][0], reverse=True)
    return dict(alive[:kept]), max(0, len(alive) - kept)
