"""The only scheduler. One job a channel, the audit of the clock, rolling up, housekeeping.

No job overlaps itself, missed runs are made up for once, and the threads end with `stop`.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event, Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pipeline.dependencies import Dependencies
from pipeline.flow.aside import judge_aside
from pipeline.flow.aside_deeds import carry_out
from pipeline.flow.feeder import Feeder, pushing
from pipeline.flow.judging import judge_clock
from store.faults import StoreFault

log = logging.getLogger("watchfloor.wheel")
WORKERS = 4
Ask = Callable[[Feeder, Event], None]
"""What is done when a source is due: its turns, until it has no more or the event is set (`turn.follow`)."""
WATCH_S = 1.0
"""How often it is looked whether the clock was stepped."""
STEP_S = 2.0
"""More than this in that time is a step: nobody's clock is slewed so fast."""
CLOCK_AUDIT_S = 30
"""Rhythm of the audit of the clock; after a start the sources have as long to come in."""
ROLL_S, BUCKETS_A_RUN = 60, 48
"""How often tiers are rolled, and how many buckets of a channel a run may compare: it never takes a core for long."""
ASIDE_S = 2
"""How often it is looked whether somebody wants something done with what was kept aside."""


class Scheduler:
    """Runs every source's turns until it is stopped."""

    def __init__(self, dependencies: Dependencies, feeders: Sequence[Feeder], ask: Ask, payload_days: int) -> None:
        self.dependencies, self.feeders, self.ask, self.payload_days = dependencies, feeders, ask, payload_days
        self.ended = Event()
        self.scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(WORKERS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self.due: dict[tuple[str, str], float] = {}
        self.failing: set[str] = set()
        self.watching = Thread(target=self._watch_clock, name="clock watch", daemon=True)

    def start(self) -> None:
        """Start the jobs, each channel at once."""
        for channel in self.dependencies.catalogue.channels.values():
            own = [feeder for feeder in self.feeders if feeder.channel.id == channel.id and polled(feeder)]
            if own:
                self._every(min(feeder.source.poll_s for feeder in own), f"channel {channel.id}", self._channel, own)
        self._every(CLOCK_AUDIT_S, "clock audit", judge_clock, self.dependencies, delay_s=CLOCK_AUDIT_S)
        self._every(CLOCK_AUDIT_S, "audit of what was kept aside", judge_aside, self.dependencies)
        self._every(ASIDE_S, "deeds on what was kept aside", carry_out, self.dependencies, pushing(self.feeders))
        self._every(ROLL_S, "rolling", self._roll, delay_s=ROLL_S)
        self._every(3600, "housekeeping", self._housekeeping)
        self.scheduler.start()
        self.watching.start()

    def stop(self) -> None:
        """Let what is under way end, then stop."""
        self.ended.set()
        self.watching.join()
        self.scheduler.shutdown(wait=True)

    def _every(self, seconds: int, name: str, job: Callable[..., object], *arguments: object, delay_s: int = 0) -> None:
        first = self.dependencies.clock() + timedelta(seconds=delay_s)
        told = (name, job, *arguments)
        self.scheduler.add_job(self._do, "interval", told, id=name, seconds=seconds, next_run_time=first)

    def _do(self, name: str, job: Callable[..., object], *arguments: object) -> None:
        """Do a job; what is under us may be away, which is told once and so is its return. A bug is APScheduler's to
        tell, every time.
        """
        try:
            job(*arguments)
        except StoreFault as error:
            if error.permanent:
                raise
            if name not in self.failing:
                log.warning("%s cannot be done: %s", name, error)
            self.failing.add(name)
            return
        if name in self.failing:
            log.warning("%s is done again", name)
        self.failing.discard(name)

    def _channel(self, feeders: list[Feeder]) -> None:
        """One job of one channel: each of its sources whose own rhythm says so."""
        for feeder in feeders:
            key, now = (feeder.channel.id, feeder.source.id), time.monotonic()
            if now < self.due.get(key, now):
                continue
            self.due[key] = now + feeder.source.poll_s * 0.9
            self.ask(feeder, self.ended)

    def _watch_clock(self) -> None:
        """Keep the rhythm when the clock is set back: the scheduler plans by it, and would wait for that much longer.

        When it is set forward what is due is run at once, as after any pause.
        """
        ahead = self._ahead()
        while not self.ended.wait(WATCH_S):
            before, ahead = ahead, self._ahead()
            if abs(stepped := ahead - before) > STEP_S:
                log.warning("the clock was stepped by %+.0f s", stepped)
            if stepped < -STEP_S:
                self._replan(stepped)

    def _replan(self, by_s: float) -> None:
        for job in self.scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time + timedelta(seconds=by_s))

    def _ahead(self) -> float:
        """The clock beside one that nobody can set."""
        return self.dependencies.clock().timestamp() - time.monotonic()

    def _housekeeping(self) -> None:
        """What was harvested, as which bytes, and what was refused is remembered for as long as payloads are kept.

        What was accepted and could not be counted stays until somebody settles it.
        """
        before = self.dependencies.clock() - timedelta(days=self.payload_days)
        self.dependencies.payloads.forget(before.date())
        self.dependencies.state.batches.forget(before)
        self.dependencies.state.aside.forget(before)
        self.dependencies.history.retain(self.dependencies.clock())

    def _roll(self) -> None:
        self.dependencies.history.roll(self.dependencies.clock(), BUCKETS_A_RUN)
        self.dependencies.history.tidy()


def polled(feeder: Feeder) -> bool:
    """Whether the pipeline goes and asks; pushed sources come by themselves."""
    return feeder.source.kind != "push"
