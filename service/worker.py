"""A worker process: it asks sources and stores what they answer, beside one process that judges and publishes."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.flow.feeder import receiving
from pipeline.flow.stream_consumer import StreamConsumer
from pipeline.flow.worker import Worker, teller
from service.dependencies import make_home, open_dependencies
from service.job_queue import jobs_of
from service.process import until_signal
from service.sources import feeders
from service.valkey import shared


@contextmanager
def working(settings: Settings, catalogue: Catalogue) -> Iterator[Worker]:
    """A worker, started and stopped: it stores, and neither judges nor publishes."""
    make_home(settings)
    own_name = f"worker {socket.gethostname()} {os.getpid()}"
    with (
        shared(settings, own_name) as (_, ingest),
        open_dependencies(settings, catalogue) as dependencies,
        jobs_of(settings) as jobs,
    ):
        own = feeders(settings, catalogue)
        worker = Worker(dependencies, own, jobs, StreamConsumer(dependencies, ingest, receiving(own), teller(jobs)))
        worker.start()
        try:
            yield worker
        finally:
            worker.stop()


def run_worker(settings: Settings, catalogue: Catalogue) -> int:
    """Run a worker until a signal ends it."""
    return until_signal(working(settings, catalogue))
