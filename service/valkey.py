"""Valkey and what lives on it: the environment's, or one of our own that is started, watched and stopped here."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread

from config.settings import Settings
from store.faults import StoreNotStarted
from store.ingest.stream import Ingest
from store.valkey.embedded import EmbeddedValkey
from store.valkey.live import Live

log = logging.getLogger("watchfloor.service")
WATCH_S = 1.0
"""How often it is looked whether our own Valkey still runs."""


@contextmanager
def shared(settings: Settings, consumer: str = "pipeline") -> Iterator[tuple[Live, Ingest]]:
    """What all processes share by Valkey; raises NotDurable where it could lose what the push endpoint promises.

    `consumer` names who drains: of one name there is one process at a time, and the next one takes up what it left.
    """
    with valkey(settings) as url, closing(Live(url)) as live, closing(Ingest(url, consumer)) as ingest:
        ingest.check_durable()
        yield live, ingest


def valkey_url(settings: Settings) -> str:
    """Where Valkey is, also for who does not start it: the environment's, or the socket in the data folder."""
    if settings.valkey_url is not None:
        return settings.valkey_url.get_secret_value()
    return EmbeddedValkey(settings.home_dir / "valkey").url


@contextmanager
def valkey(settings: Settings) -> Iterator[str]:
    """The address of Valkey: the one of the environment, or an embedded one, started and stopped here."""
    if settings.valkey_url is not None:
        yield settings.valkey_url.get_secret_value()
        return
    server, ended = EmbeddedValkey(settings.home_dir / "valkey").start(), Event()
    watch = Thread(target=_keep_up, args=(server, ended), name="valkey watch", daemon=True)
    watch.start()
    try:
        yield server.url
    finally:
        ended.set()
        watch.join()
        server.stop()


def _keep_up(server: EmbeddedValkey, ended: Event) -> None:
    """Start our own Valkey again when it died by itself; its data are on disk."""
    while not ended.wait(WATCH_S):
        try:
            if server.ensure():
                log.warning("Valkey had ended by itself and was started again")
        except (StoreNotStarted, OSError):
            log.exception("Valkey ended by itself and cannot be started again yet")
