"""The running service: feeders of every source, the wheel, the publisher; with or without the web beside it."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from pydantic import ValidationError

from collectors import UnknownKind, build
from config.catalogue import Catalogue, Channel, Source
from config.faults import CatalogueError, Fault
from config.settings import Settings
from pipeline.drain import Drain
from pipeline.parts import Parts, make_home, open_parts, secret
from pipeline.publisher import Publisher
from pipeline.snapshot import SnapshotBuilder
from pipeline.turn import Feeder
from pipeline.wheel import Wheel
from store.embedded_valkey import EmbeddedValkey, ValkeyFailed
from store.ingest import Ingest
from store.live import Live

log = logging.getLogger("watchfloor.service")
WATCH_S = 1.0
"""How often it is looked whether our own Valkey still runs."""


@dataclass(frozen=True)
class Running:
    """What the web beside the pipeline needs."""

    parts: Parts
    live: Live
    ingest: Ingest
    feeders: tuple[Feeder, ...]


@contextmanager
def running(settings: Settings, catalogue: Catalogue) -> Iterator[Running]:
    """Start everything in order and stop it in reverse; what is under way is finished first."""
    make_home(settings)
    with valkey(settings) as url:
        live, ingest = Live(url), Ingest(url)
        ingest.check_durable()
        changed = Event()
        with open_parts(settings, catalogue, changed.set) as parts:
            own = feeders(settings, catalogue)
            builder = SnapshotBuilder(parts, simulated=settings.demo)
            publisher = Publisher(builder.build, live.publish, changed, settings.publish_min_gap_s)
            pushed = {feeder.channel.id: feeder for feeder in own if feeder.source.kind == "push"}
            wheel = Wheel(parts, own, Drain(parts, ingest, pushed), settings.payload_days)
            parts.board.restore(parts.history, parts.state.progress.sources(), parts.clock())
            publisher.start()
            wheel.start()
            try:
                yield Running(parts, live, ingest, own)
            finally:
                wheel.stop()
                publisher.stop()
        live.close()


@contextmanager
def valkey(settings: Settings) -> Iterator[str]:
    """The address of Valkey: the one of the environment, or the wheel's own, started and stopped here."""
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
        except (ValkeyFailed, OSError):
            log.exception("Valkey ended by itself and cannot be started again yet")


def feeders(settings: Settings, catalogue: Catalogue) -> tuple[Feeder, ...]:
    """A collector for every source; raises CatalogueError with every source whose options are wrong."""
    key = secret(settings.pseudonym_key, settings.home_dir / "pseudonym.key")
    made, faults = [], []
    for channel in catalogue.channels.values():
        for source in channel.sources:
            try:
                made.append(Feeder(channel, source, build(catalogue, channel, source, key)))
            except (UnknownKind, ValidationError) as error:
                faults += _faults(settings, channel, source, error)
    if faults:
        raise CatalogueError(faults)
    return tuple(made)


def feeder(settings: Settings, catalogue: Catalogue, channel: str, source: str | None) -> Feeder:
    """The feeder of one channel, of one source of it where it has several; raises CatalogueError."""
    own = [one for one in feeders(settings, catalogue) if one.channel.id == channel]
    file = settings.config_dir / "channels"
    if not own:
        raise CatalogueError([Fault(file, channel, f"no such channel; there are {', '.join(catalogue.channels)}")])
    chosen = [one for one in own if source in (None, one.source.id)]
    if len(chosen) != 1:
        names = ", ".join(one.source.id for one in own)
        raise CatalogueError([Fault(file / f"{channel}.yaml", "sources", f"name one with --source: {names}")])
    return chosen[0]


def _faults(settings: Settings, channel: Channel, source: Source, error: UnknownKind | ValidationError) -> list[Fault]:
    file = settings.config_dir / "channels" / f"{channel.id}.yaml"
    place = f"sources.{source.id}.options"
    if isinstance(error, ValidationError):
        return [
            Fault(file, ".".join([place, *(str(part) for part in fault["loc"])]), fault["msg"])
            for fault in error.errors()
        ]
    return [Fault(file, f"sources.{source.id}.kind", str(error))]


def run_alone(settings: Settings, catalogue: Catalogue) -> int:
    """Run without the web until a signal ends it."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel("ERROR")
    ended = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with running(settings, catalogue):
        log.info("running %d sources", sum(len(channel.sources) for channel in catalogue.channels.values()))
        ended.wait()
    return 0
