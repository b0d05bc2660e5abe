"""Each source is asked in its own rhythm, neither faster nor slower."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import Feeder
from pipeline.flow.polling import polling_jobs
from pipeline.flow.scheduler import Scheduler
from tests.support.pipeline_world import Clock, feeder, pipeline


def source(dependencies: Dependencies, name: str, poll_s: int) -> Feeder:
    own = feeder(dependencies)
    return replace(own, source=own.source.model_copy(update={"id": name, "kind": "sql", "poll_s": poll_s}))


def test_each_source_is_asked_in_its_own_rhythm(tmp_path: Path) -> None:
    clock, ended = Clock(), Event()
    with pipeline(tmp_path, clock) as dependencies:
        feeders = [source(dependencies, "slow", 300), source(dependencies, "quick", 10)]
        scheduler = Scheduler(polling_jobs(feeders, lambda feeder, ended: None, ended), clock, ended)
        scheduler.scheduler.start(paused=True)
        scheduler._plan()
        planned = {job.id: (job.trigger.interval, job.next_run_time) for job in scheduler.scheduler.get_jobs()}
        scheduler.scheduler.shutdown()
    assert planned == {
        "source desk/slow": (timedelta(seconds=300), clock.now),
        "source desk/quick": (timedelta(seconds=10), clock.now),
    }
