"""How often somebody may be wrong about a password before a pause."""

import time
from collections.abc import Callable

PAUSE_S = 300.0
OF_A_NAME, OF_AN_ADDRESS = 5, 50
"""Wrong passwords within a pause; an address may be a whole office, or what stands between it and us."""


class SignInAttempts:
    """Counts tries by name and by address; one is counted before its password is checked, so none run beside it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: dict[tuple[str, str], list[float]] = {}

    def take(self, name: str, address: str) -> bool:
        """Whether one more try may be made; if so it counts as wrong until it is given back."""
        now = self._clock()
        self._taken = {
            key: late for key, times in self._taken.items() if (late := [at for at in times if at > now - PAUSE_S])
        }
        allowed = {("name", name): OF_A_NAME, ("address", address): OF_AN_ADDRESS}
        if any(len(self._taken.get(key, ())) >= most for key, most in allowed.items()):
            return False
        for key in allowed:
            self._taken.setdefault(key, []).append(now)
        return True

    def give_back(self, name: str, address: str) -> None:
        """The password was right: the name begins anew, and the address has one try more."""
        self._taken.pop(("name", name), None)
        self._taken.get(("address", address), [0.0]).pop()
