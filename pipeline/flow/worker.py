"""A worker: asks the sources that it is told to ask, stores what they answer, and tells the process that judges.

1. It takes a piece of work, takes turns with the source until there is no more, and says that it is done.
2. What a turn has stored is told before the turn's cursor moves, so whoever is killed in between repeats the turn.
3. It drains the push endpoint's stream as well, in the same way.

Any number of workers do this side by side, beside one process that schedules, judges and publishes.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from threading import Event, Thread

from pydantic import TypeAdapter

from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import Feeder, PolledFeeder
from pipeline.flow.job_queue import ASK, TOUCHED, JobQueue, Taken
from pipeline.flow.judging import Judge, Touched, judge
from pipeline.flow.polling import Ask
from pipeline.flow.stream_consumer import StreamConsumer
from pipeline.flow.turn import follow
from store.faults import StoreUnreachable, passes

log = logging.getLogger("watchfloor.worker")
AT_ONCE = 4
"""Sources that one worker asks at a time."""
TOGETHER = 100
"""What is told is judged together, so much at once."""
RETRY_S = 2.0
TOLD = TypeAdapter(Touched)


class Worker:
    """Threads that take work until they are stopped; what is under way is finished first."""

    def __init__(
        self, dependencies: Dependencies, feeders: Iterable[Feeder], jobs: JobQueue, consumer: StreamConsumer
    ) -> None:
        self.dependencies, self.jobs, self.consumer = dependencies, jobs, consumer
        self.feeders = {
            (feeder.channel.id, feeder.source.id): feeder for feeder in feeders if isinstance(feeder, PolledFeeder)
        }
        self.ended = Event()
        self.threads = [Thread(target=self._run, name=f"asking {number}") for number in range(AT_ONCE)]

    def start(self) -> None:
        """Start taking work."""
        self.consumer.start()
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Let what is under way end, then stop."""
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.consumer.stop()

    def _run(self) -> None:
        while not self.ended.is_set():
            self._ask()

    def _ask(self) -> None:
        taken = waiting(self.jobs, ASK, 1, self.ended)
        if not taken:
            return
        _, _, channel, source = taken[0].subject.split(".")
        feeder = self.feeders.get((channel, source))
        if feeder is None:
            log.error("told to ask %s/%s, which this worker's catalogue does not have: left to others", channel, source)
        elif finished(self.jobs, taken, lambda: follow(self.dependencies, feeder, self.ended, teller(self.jobs))):
            return
        give_back(self.jobs, taken)


class Listener:
    """The other end: a thread that judges what workers have stored."""

    def __init__(self, dependencies: Dependencies, jobs: JobQueue, leads: Callable[[], bool]) -> None:
        self.dependencies, self.jobs, self.leads = dependencies, jobs, leads
        self.ended = Event()
        self.thread = Thread(target=self._run, name="judging")

    def start(self) -> None:
        """Start judging."""
        self.thread.start()

    def stop(self) -> None:
        """Let the judgement under way end, then stop."""
        self.ended.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ended.is_set():
            if not self.leads():
                self.ended.wait(RETRY_S)
                continue
            taken = waiting(self.jobs, TOUCHED, TOGETHER, self.ended)
            if taken and not finished(self.jobs, taken, lambda told=taken: self._judge(told)):  # type: ignore[misc]
                give_back(self.jobs, taken)

    def _judge(self, taken: Sequence[Taken]) -> None:
        judge(self.dependencies, [TOLD.validate_json(one.body) for one in taken])
        self.dependencies.wake()


def asker(jobs: JobQueue, clock: Callable[[], datetime]) -> Ask:
    """What the pipeline does where workers ask the sources: it names the work, by the source and its due time."""

    def ask(feeder: PolledFeeder, ended: Event) -> None:
        about = (feeder.channel.id, feeder.source.id)
        try:
            jobs.put(ASK, about, f"{'.'.join(about)} {int(clock().timestamp() // feeder.source.poll_s)}")
        except StoreUnreachable as error:
            log.warning("%s/%s is not asked: %s", *about, error)

    return ask


def teller(jobs: JobQueue) -> Judge:
    """What stands for judging in a worker: what was touched is told."""

    def tell(_: Dependencies, touched: Sequence[Touched]) -> None:
        for batch in touched:
            jobs.put(TOUCHED, (batch.channel,), batch.batch, TOLD.dump_json(batch))

    return tell


def waiting(jobs: JobQueue, queue: str, most: int, ended: Event) -> tuple[Taken, ...]:
    """What waits; nothing, after a pause, while the queue is away."""
    try:
        return jobs.take(queue, most)
    except StoreUnreachable as error:
        log.info("%s", error)
        ended.wait(RETRY_S)
        return ()


def finished(jobs: JobQueue, taken: Sequence[Taken], work: Callable[[], object]) -> bool:
    """Do work and say that it is done; False, with the reason in the log, when it must be done again."""
    try:
        work()
        jobs.done(taken)
    except Exception as error:
        # Also a bug must not end the thread: the work is given to whoever takes it next.
        log.warning("work on %s failed: %s", taken[0].subject, error, exc_info=not passes(error))
        return False
    return True


def give_back(jobs: JobQueue, taken: Sequence[Taken]) -> None:
    """Let others try; where even that cannot be said, the queue finds out by itself."""
    try:
        jobs.give_back(taken, RETRY_S)
    except StoreUnreachable as error:
        log.info("%s", error)
