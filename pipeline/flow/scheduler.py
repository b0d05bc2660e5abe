"""The only scheduler: it runs jobs that others have made (`config/jobs.py`), each in its rhythm.

No job overlaps itself, missed runs are made up for once, and the threads end with `stop`.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from config.jobs import AUDIT, HOUSEKEEPING, SOURCES, STORAGE, Job
from store.faults import StoreFault

log = logging.getLogger("watchfloor.scheduler")
THREADS = {AUDIT: 1, STORAGE: 1, HOUSEKEEPING: 2}
"""Threads of each executor but that of the sources, which has one a source."""
MOST_SOURCES = 64
"""Sources that are asked at once; of more, some wait for each other."""
WATCH_S = 1.0
"""How often it is looked whether the clock was stepped."""
STEP_S = 2.0
"""More than this in that time is a step: nobody's clock is slewed so fast."""


class Scheduler:
    """Runs jobs until it is stopped."""

    def __init__(self, jobs: Sequence[Job], clock: Callable[[], datetime], ended: Event) -> None:
        """`ended` is set by `stop`, so that a long job can end early.

        Raises ValueError for an executor that there is not.
        """
        self.jobs, self.clock, self.ended = jobs, clock, ended
        sources = sum(job.executor == SOURCES for job in jobs)
        threads = {SOURCES: max(1, min(sources, MOST_SOURCES)), **THREADS}
        for job in jobs:
            if job.executor not in threads:
                raise ValueError(f"job {job.name}: no executor {job.executor!r}; there are {', '.join(threads)}")
        self.scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={name: ThreadPoolExecutor(number) for name, number in threads.items()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self.failing: set[str] = set()
        self.watching = Thread(target=self._watch_clock, name="clock watch", daemon=True)

    def start(self) -> None:
        """Start the jobs, each after its delay."""
        self._plan()
        self.scheduler.start()
        self.watching.start()

    def _plan(self) -> None:
        for job in self.jobs:
            first = self.clock() + timedelta(seconds=job.delay_s)
            self.scheduler.add_job(
                self._do, "interval", (job,), id=job.name, seconds=job.every_s, next_run_time=first,
                executor=job.executor,
            )  # fmt: skip

    def stop(self) -> None:
        """Let what is under way end, then stop."""
        self.ended.set()
        self.watching.join()
        self.scheduler.shutdown(wait=True)

    def _do(self, job: Job) -> None:
        """Do a job; what is under us may be away, which is told once and so is its return. A bug is APScheduler's to
        tell, every time.
        """
        try:
            job.run()
        except StoreFault as error:
            if error.permanent:
                raise
            if job.name not in self.failing:
                log.warning("%s cannot be done: %s", job.name, error)
            self.failing.add(job.name)
            return
        if job.name in self.failing:
            log.warning("%s is done again", job.name)
        self.failing.discard(job.name)

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
        for planned in self.scheduler.get_jobs():
            planned.modify(next_run_time=planned.next_run_time + timedelta(seconds=by_s))

    def _ahead(self) -> float:
        """The clock beside one that nobody can set."""
        return self.clock().timestamp() - time.monotonic()
