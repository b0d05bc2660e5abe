"""The running service: feeders of every source, the wheel, the publisher; with or without the web beside it."""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from types import FrameType

from pydantic import ValidationError

from collectors import UnknownKind, build
from collectors.push import PushCollector
from config.catalogue import Catalogue, Channel, Source
from config.faults import CatalogueError, Fault
from config.settings import Settings
from pipeline.drain import Drain
from pipeline.jobs import Jobs
from pipeline.leading import leading
from pipeline.parts import Parts, make_home, open_parts, secret
from pipeline.publisher import Publisher
from pipeline.snapshot import SnapshotBuilder
from pipeline.turn import Feeder, follow
from pipeline.wheel import Ask, Wheel
from pipeline.worker import Listener, Worker, asker, teller
from store.embedded_valkey import EmbeddedValkey, ValkeyFailed
from store.ingest import Ingest
from store.lease import Lease
from store.live import Live

log = logging.getLogger("watchfloor.service")
LEASE_S = 5.0
"""For so long nobody leads after a leader was killed."""
WATCH_S = 1.0
"""How often it is looked whether our own Valkey still runs."""


@dataclass(frozen=True)
class Running:
    """What the web beside the pipeline needs."""

    parts: Parts
    live: Live
    ingest: Ingest
    pushed: dict[str, PushCollector]
    """The collectors of the push door, by channel: what it parses, the drain need not parse again."""


@contextmanager
def running(settings: Settings, catalogue: Catalogue) -> Iterator[Running]:
    """Start everything in order and stop it in reverse; what is under way is finished first."""
    make_home(settings)
    with shared(settings) as (live, ingest):
        changed = Event()
        with open_parts(settings, catalogue, changed.set) as parts:
            own = feeders(settings, catalogue)
            builder = SnapshotBuilder(parts, settings.demo, ingest.behind_s)
            publisher = Publisher(builder.build, live.publish, changed, settings.publish_min_gap_s)
            with leader(settings) as leads, collection(settings, parts, own, ingest, leads) as (ask, incoming):
                wheel = Wheel(parts, own, ask, settings.payload_days)
                parts.board.restore(parts.history, parts.state.progress.sources(), parts.clock())
                for thread in (publisher, wheel, incoming):
                    thread.start()
                try:
                    yield Running(parts, live, ingest, pushed(own))
                finally:
                    for thread in (incoming, wheel, publisher):
                        thread.stop()


@contextmanager
def leader(settings: Settings) -> Iterator[Callable[[], bool]]:
    """Wait until this process leads; gives whether it still does. An own Valkey is nobody else's."""
    if settings.valkey_url is None:
        yield lambda: True
        return
    with leading(Lease(settings.valkey_url.get_secret_value(), "pipeline", LEASE_S)) as lease:
        yield lambda: lease.held


@contextmanager
def collection(
    settings: Settings, parts: Parts, own: tuple[Feeder, ...], ingest: Ingest, leads: Callable[[], bool]
) -> Iterator[tuple[Ask, Drain | Listener]]:
    """Who asks the sources and stores what they answer: this process, or workers that it hears of by the job queue."""
    if settings.nats_url is None:
        yield partial(follow, parts), Drain(parts, ingest, pushing(own))
        return
    with jobs_of(settings) as jobs:
        yield asker(jobs, parts.clock), Listener(parts, jobs, leads)


@contextmanager
def jobs_of(settings: Settings) -> Iterator[Jobs]:
    """The job queue that the environment names; raises JobsUnreachable."""
    url = settings.nats_url.get_secret_value() if settings.nats_url else ""
    with closing(Jobs(url, settings.nats_replicas).open()) as jobs:
        yield jobs


def pushing(own: tuple[Feeder, ...]) -> dict[str, Feeder]:
    """The feeders of what is pushed, by channel."""
    return {feeder.channel.id: feeder for feeder in own if feeder.source.kind == "push"}


@contextmanager
def shared(settings: Settings, consumer: str = "pipeline") -> Iterator[tuple[Live, Ingest]]:
    """What all processes share by Valkey; raises NotDurableError where it could lose what the push door promises.

    `consumer` names who drains: of one name there is one process at a time, and the next one takes up what it left.
    """
    with valkey(settings) as url, closing(Live(url)) as live, closing(Ingest(url, consumer)) as ingest:
        ingest.check_durable()
        yield live, ingest


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
    return _built(settings, catalogue, lambda source: True, key)


def push_collectors(settings: Settings, catalogue: Catalogue) -> dict[str, PushCollector]:
    """What the push door counts with, by channel; needs no other source's secrets, and makes no pseudonyms."""
    return pushed(_built(settings, catalogue, lambda source: source.kind == "push", b""))


def pushed(own: tuple[Feeder, ...]) -> dict[str, PushCollector]:
    """The collectors of what is pushed, by channel."""
    return {feeder.channel.id: feeder.collector for feeder in own if isinstance(feeder.collector, PushCollector)}


def _built(
    settings: Settings, catalogue: Catalogue, wanted: Callable[[Source], bool], key: bytes
) -> tuple[Feeder, ...]:
    made, faults = [], []
    for channel in catalogue.channels.values():
        for source in filter(wanted, channel.sources):
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


@contextmanager
def working(settings: Settings, catalogue: Catalogue) -> Iterator[Worker]:
    """A worker, started and stopped: it stores, and neither judges nor publishes."""
    make_home(settings)
    own_name = f"worker {socket.gethostname()} {os.getpid()}"
    with shared(settings, own_name) as (_, ingest), open_parts(settings, catalogue) as parts, jobs_of(settings) as jobs:
        own = feeders(settings, catalogue)
        worker = Worker(parts, own, jobs, Drain(parts, ingest, pushing(own), teller(jobs)))
        worker.start()
        try:
            yield worker
        finally:
            worker.stop()


def run_worker(settings: Settings, catalogue: Catalogue) -> int:
    """Run a worker until a signal ends it."""
    return _until_signal(working(settings, catalogue))


def set_up_log(settings: Settings) -> None:
    """One line an event on standard error; libraries say only what is wrong."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    logging.getLogger("apscheduler").setLevel("ERROR")
    logging.getLogger("alembic").setLevel("WARNING")


def run_alone(settings: Settings, catalogue: Catalogue) -> int:
    """Run without the web until a signal ends it."""
    return _until_signal(running(settings, catalogue))


def _until_signal(service: AbstractContextManager[object]) -> int:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _leave)
    with service:
        log.info("running")
        Event().wait()
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    """Leave by the way we came in, so that every part is closed; a second signal does not hurry it."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)
