"""The memory of single readings: what was read, and as which bytes, is kept for some days and then forgotten."""

from collections.abc import Callable
from datetime import datetime, timedelta

from config.jobs import Job
from store.payloads import Payloads
from store.state import State

EVERY_S = 3600


def housekeeping(payloads: Payloads, state: State, days: int, clock: Callable[[], datetime]) -> Job:
    """Forget payloads, the records of their batches and what was refused together, after so many days.

    What was accepted and could not be counted stays until somebody settles it.
    """

    def forget() -> None:
        before = clock() - timedelta(days=days)
        payloads.forget(before.date())
        state.batches.forget(before)
        state.findings.end_forgotten(clock())
        state.aside.forget(before)

    return Job("housekeeping", EVERY_S, forget)
