"""Works on questions in threads of its own: a few at once, screens first, and no more waiting than is bearable.

Nothing else runs in these threads, so a heavy question delays neither the pages nor what the sources bring.
"""

from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from queue import PriorityQueue
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from analysis.questions.faults import Unavailable
from analysis.questions.sums import Cancelled

AT_ONCE, WAITING = 2, 16
SCREEN, OTHER, LAST = 0, 1, 2
"""Ranks of those who wait: screens, then exports, commands and other systems; LAST ends a thread."""
Result = TypeVar("Result")


class Ticket(Generic[Result]):
    """A question under way."""

    def __init__(self, work: Callable[[Cancelled], Result]) -> None:
        self.future: Future[Result] = Future()
        self._work, self._given_up = work, Event()

    def give_up(self) -> None:
        """Nobody waits any more: what has not begun does not begin, what is under way stops at its next step."""
        self._given_up.set()
        self.future.cancel()

    def run(self) -> None:
        """Work on it, in the thread of a runner."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._work(self._given_up.is_set))
        except BaseException as error:
            # Whoever waits is told, in his own thread; this one goes on with the next question.
            self.future.set_exception(error)


class Runner:
    """A few threads and those who wait for them; start it, and stop it when nothing more comes."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self.waiting = waiting
        self._queue: PriorityQueue[tuple[int, int, Ticket[Any] | None]] = PriorityQueue()
        self._numbers, self._lock, self._ended = count(), Lock(), False
        self._threads = [Thread(target=self._run, name=f"question {at}", daemon=True) for at in range(at_once)]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Give up what waits, let what is under way come to its next step, and end."""
        with self._lock:
            self._ended = True
        while not self._queue.empty():
            _, _, ticket = self._queue.get()
            if ticket is not None:
                ticket.give_up()
        for _ in self._threads:
            self._queue.put((LAST, next(self._numbers), None))
        for thread in self._threads:
            thread.join()

    def submit(self, work: Callable[[Cancelled], Result], screen: bool = False) -> Ticket[Result]:
        """Have something worked on; raises Unavailable."""
        ticket = Ticket(work)
        with self._lock:
            if self._ended or self._queue.qsize() >= self.waiting:
                raise Unavailable(f"{self.waiting} questions wait already: ask again in a moment", "busy")
            self._queue.put((SCREEN if screen else OTHER, next(self._numbers), ticket))
        return ticket

    def room(self) -> int:
        """How many more may wait."""
        return max(0, self.waiting - self._queue.qsize())

    def _run(self) -> None:
        while True:
            _, _, ticket = self._queue.get()
            if ticket is None:
                return
            ticket.run()
