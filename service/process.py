"""What every process does: how it ends, its log, and how often Python looks for cycles among its objects."""

import gc
import logging
import signal
from contextlib import AbstractContextManager
from threading import Event
from types import FrameType

from config.settings import Settings

log = logging.getLogger("watchfloor.service")
EVERY, OLDER, OLDEST = 50_000, 20, 50


def end_on_signals() -> None:
    """Leave by the way we came in, so that every part is closed; a second signal does not hurry it."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)


def until_signal(service: AbstractContextManager[object]) -> int:
    """Run a service until a signal ends it."""
    end_on_signals()
    with service:
        log.info("running")
        Event().wait()
    return 0


def set_up_log(settings: Settings) -> None:
    """One line an event on standard error; libraries say only what is wrong."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    logging.getLogger("apscheduler").setLevel("ERROR")
    logging.getLogger("alembic").setLevel("WARNING")


def collect_rarely() -> None:
    """Look for cycles rarely; call it once, when the process starts.

    Unless told, Python looks after every 700 new containers and now and then at all that live: a minute of a nation
    makes hundreds of thousands that have no cycles, and a tenth of the time went there.
    """
    gc.set_threshold(EVERY, OLDER, OLDEST)
