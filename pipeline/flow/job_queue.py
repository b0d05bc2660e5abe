"""Work that any process may take, over NATS JetStream: sources to be asked, and spans to be judged.

    watchfloor.ask.<channel>.<source>    "ask this source": what the scheduler says, what workers do
    watchfloor.touched.<channel>         "this span has changed": what workers say, what the judging process does

Both are work queues on disk, replicated. A piece of work leaves its queue when it is done; if whoever took it dies,
it is given to another.

1. A source has one piece of work at most: while it waits or is under way, another one is refused. So turns of one
   source never overlap and missed ones become one, whoever schedules and however many workers there are.
2. Every message is named by what it is about, so that two schedulers that say the same say it once.
3. What is taken is kept alive while its taker lives, however long it takes.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any, TypeVar

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, NoRespondersError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

from store.faults import StoreUnreachable

log = logging.getLogger("watchfloor.jobs")
ASK, TOUCHED = "watchfloor.ask", "watchfloor.touched"
ALIVE_S = 10.0
"""Between two signs of life for what was taken; it is given to another when none came for three times as long."""
ANSWER_S = 10.0
"""How long a queue may be without a leader before that is told as its being away."""
LEADER_S = 2.0
"""How long one request waits for its answer before it is sent again."""
RETRY_S = 0.2
SAME_S = 600.0
"""How long the queue remembers names."""
STILL_THERE = 10077
"""NATS: the subject has as many messages as it may."""
LIMITS: dict[str, dict[str, Any]] = {
    ASK: {"max_msgs_per_subject": 1, "discard": DiscardPolicy.NEW, "discard_new_per_subject": True},
    TOUCHED: {},
}
T = TypeVar("T")


@dataclass(frozen=True)
class Taken:
    """A piece of work that this process has taken and must say `done` of."""

    subject: str
    body: bytes
    message: Msg


class JobQueue:
    """The two queues, for threads; a loop of its own talks to NATS and finds it again when it was away."""

    def __init__(self, url: str, replicas: int = 3, alive_s: float = ALIVE_S, answer_s: float = ANSWER_S) -> None:
        self._url, self._replicas, self._alive_s, self._answer_s = url, replicas, alive_s, answer_s
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="jobs", daemon=True)
        self._alive: dict[str, asyncio.Task[None]] = {}
        self._subscriptions: dict[str, JetStreamContext.PullSubscription] = {}
        self._client: Client | None = None

    def open(self) -> "JobQueue":
        """Connect and make the queues that are not there; raises StoreUnreachable."""
        self._thread.start()
        try:
            self._do(self._open())
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Let the connection go; what was taken and is not done goes to others."""
        with suppress(StoreUnreachable):
            self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def put(self, queue: str, about: Sequence[str], name: str, body: bytes = b"") -> bool:
        """Put in a piece of work, on disk on most servers; raises StoreUnreachable.

        False: work of this name was put in before, or the one about this source still waits.
        """
        return self._do(self._put(".".join([queue, *about]), name, body))

    def take(self, queue: str, most: int = 1, wait_s: float = 1.0) -> tuple[Taken, ...]:
        """What waits, at most so many, waiting a while for the first; raises StoreUnreachable."""
        return self._do(self._take(queue, most, wait_s))

    def done(self, taken: Sequence[Taken]) -> None:
        """Say that work is done; raises StoreUnreachable, and then it is given again."""
        for one in taken:
            self._do(self._end(one, self._answered(partial(one.message.ack_sync, LEADER_S))))

    def give_back(self, taken: Sequence[Taken], after_s: float) -> None:
        """Let others try, after a while; raises StoreUnreachable."""
        for one in taken:
            self._do(self._end(one, one.message.nak(after_s)))

    async def _open(self) -> None:
        servers = self._url.split(",")
        connecting = nats.connect(servers, max_reconnect_attempts=-1, reconnect_time_wait=RETRY_S, error_cb=_told)
        self._client = await asyncio.wait_for(connecting, self._answer_s)
        for queue, limits in LIMITS.items():
            settings = StreamConfig(
                name=_name(queue), subjects=[f"{queue}.>"], retention=RetentionPolicy.WORK_QUEUE,
                num_replicas=self._replicas, duplicate_window=SAME_S, **limits,
            )  # fmt: skip
            await self._answered(partial(self._stream.add_stream, settings))
            asked = ConsumerConfig(ack_wait=3 * self._alive_s, max_ack_pending=10_000)
            subscribe = partial(self._stream.pull_subscribe, f"{queue}.>", durable=_name(queue), config=asked)
            self._subscriptions[queue] = await self._answered(subscribe)

    async def _close(self) -> None:
        for task in self._alive.values():
            task.cancel()
        if self._client is not None:
            await self._client.close()

    async def _put(self, subject: str, name: str, body: bytes) -> bool:
        """Tried until it is answered, which does no harm: of one name the queue takes one."""
        headers = {"Nats-Msg-Id": name}
        try:
            told = await self._answered(partial(self._stream.publish, subject, body, headers=headers))
        except APIError as error:
            if error.err_code == STILL_THERE:
                return False
            raise
        return not told.duplicate

    async def _take(self, queue: str, most: int, wait_s: float) -> tuple[Taken, ...]:
        try:
            messages = await self._subscriptions[queue].fetch(most, timeout=wait_s)
        except TimeoutError:
            return ()
        for message in messages:
            self._alive[message.reply] = asyncio.create_task(_keep_alive(message, self._alive_s))
        return tuple(Taken(message.subject, message.data, message) for message in messages)

    async def _answered(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Ask again where the one that was asked is gone, or the servers have not agreed yet on who leads."""
        until = self._loop.time() + self._answer_s
        while True:
            try:
                return await ask()
            except (NoRespondersError, NoStreamResponseError, ServiceUnavailableError, TimeoutError) as error:
                refused = isinstance(error, APIError) and error.err_code == STILL_THERE
                if refused or self._loop.time() > until:
                    raise
            await asyncio.sleep(RETRY_S)

    async def _end(self, taken: Taken, answer: Coroutine[Any, Any, object]) -> None:
        task = self._alive.pop(taken.message.reply, None)
        if task is not None:
            task.cancel()
        await answer

    @property
    def _stream(self) -> JetStreamContext:
        if self._client is None:
            raise StoreUnreachable("the job queue was not opened")
        return self._client.jetstream(timeout=LEADER_S)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (Error, OSError) as error:
            raise StoreUnreachable(f"the job queue does not answer: {str(error) or type(error).__name__}") from error


async def _keep_alive(message: Msg, every_s: float) -> None:
    """Say again and again that the work is under way; a lost link is waited out."""
    while True:
        await asyncio.sleep(every_s)
        with suppress(Error, OSError):
            await message.in_progress()


async def _told(error: Exception) -> None:
    log.info("job queue: %s", str(error) or type(error).__name__)


def _name(queue: str) -> str:
    return queue.replace(".", "-")
