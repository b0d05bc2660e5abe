"""Which process leads, where several that judge and publish stand ready: exactly one at a time.

1. A process waits until it holds the lease, and only then restores its board and starts.
2. It holds on to the lease while it runs. While Valkey is away nobody can take it and nothing can be published;
   it goes on when Valkey is back, and judges nothing meanwhile.
3. If another process has the lease, this one was away for too long: it ends, and is started again as one that waits.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from store.faults import LeaseTaken, StoreFault
from store.valkey.lease import Lease

log = logging.getLogger("watchfloor.leading")


@contextmanager
def leading(lease: Lease) -> Iterator[Lease]:
    """Wait for the lease and hold it."""
    ended = Event()
    _await(lease)
    log.info("this process leads")
    thread = Thread(target=_keep, args=(lease, ended), name="lease")
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join()
        lease.close()


def _await(lease: Lease) -> None:
    pause, told = Event(), False
    while True:
        try:
            lease.hold()
        except StoreFault as error:
            if not told:
                log.info("another process leads, or Valkey is away (%s): waiting", error)
            told = True
            pause.wait(lease.lasts_s / 5)
        else:
            return


def _keep(lease: Lease, ended: Event) -> None:
    while not ended.wait(lease.lasts_s / 5):
        try:
            lease.hold()
        except LeaseTaken:
            log.warning("another process leads now: this one ends")
            signal.raise_signal(signal.SIGTERM)
            return
        except StoreFault as error:
            log.info("the lease cannot be renewed: %s", error)
