"""The pipeline process: every source's feeder, the scheduler and the publisher, with or without the web beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event

from analysis.questions.transport import InProcess
from config.catalogue import Catalogue
from config.jobs import Job
from config.settings import Settings
from pipeline.dependencies import Dependencies
from pipeline.flow.aside_deeds import aside_jobs
from pipeline.flow.feeder import Feeder, ReceivingFeeder, receiving
from pipeline.flow.judging import clock_audit
from pipeline.flow.polling import Ask, polling_jobs
from pipeline.flow.scheduler import Scheduler
from pipeline.flow.stream_consumer import StreamConsumer
from pipeline.flow.turn import follow
from pipeline.flow.worker import Listener, asker
from pipeline.snapshot.builder import SnapshotBuilder
from pipeline.snapshot.publisher import Publisher
from service.dependencies import make_home, open_dependencies
from service.job_queue import jobs_of
from service.leader import leading
from service.process import until_signal
from service.questions import answered_here
from service.sources import feeders
from service.valkey import shared
from store.facts.tiers.jobs import tier_jobs
from store.housekeeping import housekeeping
from store.ingest.stream import Ingest
from store.valkey.lease import Lease
from store.valkey.live import Live

LEASE_S = 5.0
"""For so long nobody leads after a leader was killed."""


@dataclass(frozen=True)
class Running:
    """What the web beside the pipeline needs."""

    dependencies: Dependencies
    live: Live
    ingest: Ingest
    questions: InProcess
    receivers: tuple[ReceivingFeeder, ...]
    """Those of the pipeline: what the push endpoint has parsed, the stream consumer need not parse again."""


@contextmanager
def running(settings: Settings, catalogue: Catalogue) -> Iterator[Running]:
    """Start everything in order and stop it in reverse; what is under way is finished first."""
    make_home(settings)
    with shared(settings) as (live, ingest):
        changed = Event()
        with open_dependencies(settings, catalogue, changed.set) as dependencies:
            own = feeders(settings, catalogue)
            builder = SnapshotBuilder(dependencies, settings.demo, ingest.behind_s)
            publisher = Publisher(builder.build, live.publish, changed, settings.publish_min_gap_s)
            with leader(settings) as leads, collection(settings, dependencies, own, ingest, leads) as (ask, incoming):
                ended = Event()
                jobs = [*polling_jobs(own, ask, ended), *background_jobs(settings, dependencies, own)]
                scheduler = Scheduler(jobs, dependencies.clock, ended)
                dependencies.board.restore(
                    dependencies.history, dependencies.state.progress.sources(), dependencies.clock()
                )
                for thread in (publisher, scheduler, incoming):
                    thread.start()
                try:
                    with answered_here(settings, dependencies) as questions:
                        yield Running(dependencies, live, ingest, questions, tuple(receiving(own).values()))
                finally:
                    for thread in (incoming, scheduler, publisher):
                        thread.stop()


def background_jobs(settings: Settings, dependencies: Dependencies, own: tuple[Feeder, ...]) -> list[Job]:
    """What the pipeline does again and again besides asking its sources; who owns the work makes the job."""
    clock = dependencies.clock
    return [
        clock_audit(dependencies),
        *aside_jobs(dependencies, receiving(own)),
        *tier_jobs(dependencies.history, clock),
        housekeeping(dependencies.payloads, dependencies.state, settings.payload_days, clock),
    ]


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
    settings: Settings, dependencies: Dependencies, own: tuple[Feeder, ...], ingest: Ingest, leads: Callable[[], bool]
) -> Iterator[tuple[Ask, StreamConsumer | Listener]]:
    """Who asks the sources and stores what they answer: this process, or workers that it hears of by the job queue."""
    if settings.nats_url is None:
        yield partial(follow, dependencies), StreamConsumer(dependencies, ingest, receiving(own))
        return
    with jobs_of(settings) as jobs:
        yield asker(jobs, dependencies.clock), Listener(dependencies, jobs, leads)


def run_alone(settings: Settings, catalogue: Catalogue) -> int:
    """Run without the web until a signal ends it."""
    return until_signal(running(settings, catalogue))
