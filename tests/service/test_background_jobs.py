"""What is done again and again: who owns the work makes the job, and the scheduler runs whatever jobs it is handed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from config.jobs import AUDIT, HOUSEKEEPING, SOURCES, STORAGE, Job
from config.settings import Settings
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import PolledFeeder
from pipeline.flow.polling import polling_jobs
from pipeline.flow.scheduler import Scheduler
from pipeline.flow.turn import turn
from service.pipeline import background_jobs
from tests.support.pipeline_world import GUANGZHOU, NOON, Clock, Scripted, feeder, pipeline, receiver_of, row

PATIENCE_S = 10


def asked_every(dependencies: Dependencies, channel: str, poll_s: int) -> PolledFeeder:
    """A source that is asked in a rhythm."""
    own = feeder(dependencies, channel)
    return replace(own, source=own.source.model_copy(update={"poll_s": poll_s}))


def jobs_by_name(dependencies: Dependencies, home: Path) -> dict[str, Job]:
    return {job.name: job for job in background_jobs(Settings(home_dir=home), dependencies, ())}


def test_the_scheduler_runs_what_it_is_handed_until_it_is_stopped() -> None:
    ran, ended = {name: Event() for name in ("first", "second")}, Event()
    jobs = [Job(name, 3600, event.set) for name, event in ran.items()]
    scheduler = Scheduler([*jobs, Job("later", 3600, lambda: 1 / 0, delay_s=3600)], lambda: datetime.now(UTC), ended)
    scheduler.start()
    try:
        assert all(event.wait(PATIENCE_S) for event in ran.values())
    finally:
        scheduler.stop()
    assert ended.is_set()


def test_a_job_for_an_executor_that_there_is_not_is_refused() -> None:
    job = Job("mail", 60, lambda: None, executor="letters")
    with pytest.raises(ValueError, match="job mail: no executor 'letters'; there are sources, audit"):
        Scheduler([job], lambda: datetime.now(UTC), Event())


def test_a_channel_is_one_job_in_the_rhythm_of_its_quickest_source(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as dependencies:
        desk = [asked_every(dependencies, "desk", 300), asked_every(dependencies, "desk", 60)]
        pushed = receiver_of(dependencies.catalogue, "chat")
        jobs = polling_jobs([*desk, pushed], lambda feeder, ended: None, Event())
    assert [(job.name, job.every_s) for job in jobs] == [("source desk/counts", 300), ("source desk/counts", 60)]


def test_a_source_that_hangs_delays_neither_its_neighbour_nor_the_audit(tmp_path: Path) -> None:
    released, asked, audited, ended = Event(), Event(), Event(), Event()

    def ask(feeder: PolledFeeder, ended: Event) -> None:
        if feeder.source.id == "hanging":
            released.wait(PATIENCE_S)
        else:
            asked.set()

    with pipeline(tmp_path, Clock()) as dependencies:
        own = asked_every(dependencies, "desk", 3600)
        hanging = replace(own, source=own.source.model_copy(update={"id": "hanging"}))
        audit = Job("clock audit", 3600, audited.set, executor=AUDIT)
        scheduler = Scheduler([*polling_jobs([hanging, own], ask, ended), audit], lambda: datetime.now(UTC), ended)
        scheduler.start()
        try:
            assert asked.wait(PATIENCE_S)
            assert audited.wait(PATIENCE_S)
            assert not released.is_set(), "the hanging source still hangs"
        finally:
            released.set()
            scheduler.stop()


@pytest.mark.parametrize("hung", [SOURCES, AUDIT, STORAGE, HOUSEKEEPING])
def test_what_hangs_in_one_executor_delays_no_job_of_another(hung: str) -> None:
    released, ended = Event(), Event()
    purposes = (SOURCES, AUDIT, STORAGE, HOUSEKEEPING)
    done = {name: Event() for name in purposes if name != hung}
    hanging = [Job(f"{hung} {number}", 3600, partial(released.wait, PATIENCE_S), executor=hung) for number in range(4)]
    others = [Job(name, 3600, event.set, executor=name) for name, event in done.items()]
    scheduler = Scheduler([*hanging, *others], lambda: datetime.now(UTC), ended)
    scheduler.start()
    try:
        assert all(event.wait(PATIENCE_S) for event in done.values())
        assert not released.is_set()
    finally:
        released.set()
        scheduler.stop()


def test_every_owner_hands_in_its_jobs(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as dependencies:
        jobs = jobs_by_name(dependencies, tmp_path)
    assert {name: job.every_s for name, job in jobs.items()} == {
        "clock audit": 30,
        "audit of what was kept aside": 30,
        "deeds on what was kept aside": 2,
        "rolling": 60,
        "retention": 3600,
        "housekeeping": 3600,
    }
    assert [name for name, job in jobs.items() if job.delay_s] == ["clock audit", "rolling"]


def test_housekeeping_forgets_payloads_with_the_records_of_their_batches(tmp_path: Path) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as dependencies:
        answers = [[row("offered", GUANGZHOU, 3)], [row("offered", GUANGZHOU, 4)]]
        source = feeder(dependencies, "desk", Scripted(dependencies, answers))
        first = turn(dependencies, source)
        clock.now = NOON + timedelta(days=6)
        second = turn(dependencies, source)
        clock.now = NOON + timedelta(days=8)
        jobs_by_name(dependencies, tmp_path)["housekeeping"].run()
        kept = {path.stem for path in (tmp_path / "payloads").rglob("*.zlib")}
    assert kept == {second.digest} != {first.digest}


def test_rolling_brings_the_tiers_up_to_what_is_stored(tmp_path: Path) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as dependencies:
        turn(dependencies, feeder(dependencies, "desk", Scripted(dependencies, [[row("offered", GUANGZHOU, 3)]])))
        [_, quarter, _] = (tier.history for tier in dependencies.history.tiers)
        assert quarter.holdings().rows == 0
        clock.now = NOON + timedelta(days=2)
        for _ in range(10):  # a run does only so much
            jobs_by_name(dependencies, tmp_path)["rolling"].run()
        assert quarter.holdings().rows == 1
