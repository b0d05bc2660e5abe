"""The job queue that the environment names."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from config.settings import Settings
from pipeline.flow.job_queue import JobQueue


@contextmanager
def jobs_of(settings: Settings) -> Iterator[JobQueue]:
    """The job queue that the environment names; raises StoreUnreachable."""
    url = settings.nats_url.get_secret_value() if settings.nats_url else ""
    with closing(JobQueue(url, settings.nats_replicas).open()) as jobs:
        yield jobs
