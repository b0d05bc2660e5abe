"""Wait for what nobody announces: servers and processes that are asked until they say so."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""How long something may take on a machine that is busy; a test that passes hardly waits at all."""


def eventually(
    holds: Callable[[], object],
    what: str,
    *,
    but: type[Exception] | tuple[type[Exception], ...] = (),
    patience_s: float = PATIENCE_S,
    pause_s: float = 0.02,
) -> float:
    """Ask until something holds; `but`: what asking may raise until then. Gives the instant (monotonic seconds)."""
    until, refusal = time.monotonic() + patience_s, None
    while True:
        try:
            if holds():
                return time.monotonic()
        except but as error:
            refusal = error
        if time.monotonic() > until:
            raise AssertionError(f"after {patience_s:.0f} s still not: {what}") from refusal
        time.sleep(pause_s)
