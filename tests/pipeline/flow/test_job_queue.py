"""The job queues on real NATS servers: nothing twice, nothing lost, whoever dies."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import nats
import pytest

from pipeline.flow.job_queue import ASK, TOUCHED, JobQueue, Taken
from store.faults import StoreUnreachable
from tests.support.nats_cluster import NatsCluster
from tests.support.waiting import eventually

CDR = ("hotline", "cdr")
ALIVE_S = 0.5


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path_factory.mktemp("nats")) as running:
        yield running


async def empty(url: str) -> None:
    """Take out of both queues whatever earlier tests have left there."""
    client = await nats.connect(url.split(","))
    for queue in (ASK, TOUCHED):
        await client.jetstream().purge_stream(queue.replace(".", "-"))
    await client.close()


@pytest.fixture
def two(cluster: NatsCluster) -> Iterator[tuple[JobQueue, JobQueue]]:
    first, second = JobQueue(cluster.url, alive_s=ALIVE_S).open(), JobQueue(cluster.url, alive_s=ALIVE_S).open()
    asyncio.run(empty(cluster.url))
    yield first, second
    first.close()
    second.close()


def test_a_source_has_one_piece_of_work_at_most(two: tuple[JobQueue, JobQueue]) -> None:
    scheduler, worker = two
    assert scheduler.put(ASK, CDR, "one 10:00")
    assert not scheduler.put(ASK, CDR, "one 10:01")
    taken = worker.take(ASK)
    assert [work.subject for work in taken] == ["watchfloor.ask.hotline.cdr"]
    assert not scheduler.put(ASK, CDR, "one 10:02"), "it is under way"
    assert scheduler.put(ASK, ("sms", "counts"), "one sms 10:02")
    worker.done(taken)
    minutes = count(3)
    eventually(lambda: scheduler.put(ASK, CDR, f"one 10:{next(minutes)}"), "the queue lets go of what is done")


def test_two_schedulers_that_say_the_same_say_it_once(two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    assert one.put(TOUCHED, CDR, "same")
    assert not other.put(TOUCHED, CDR, "same")
    taken = one.take(TOUCHED, 10)
    assert len(taken) == 1
    one.done(taken)


def test_each_piece_goes_to_one_worker(two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    for number in range(10):
        one.put(TOUCHED, CDR, f"each {number}", str(number).encode())
    mine, others = one.take(TOUCHED, 5), other.take(TOUCHED, 5)
    assert sorted(work.body for work in (*mine, *others)) == [str(number).encode() for number in range(10)]
    one.done(mine)
    other.done(others)


def test_work_that_is_given_back_comes_again(two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    assert one.put(ASK, CDR, "back")
    one.give_back(one.take(ASK), 0.0)
    again = other.take(ASK, wait_s=5)
    assert len(again) == 1
    other.done(again)


def test_what_a_dead_worker_had_taken_goes_to_another(cluster: NatsCluster, two: tuple[JobQueue, JobQueue]) -> None:
    scheduler, other = two
    assert scheduler.put(ASK, CDR, "dead")
    dying = JobQueue(cluster.url, alive_s=ALIVE_S).open()
    assert len(dying.take(ASK)) == 1
    dying.close()
    again = other.take(ASK, wait_s=10)
    assert len(again) == 1
    other.done(again)


def test_what_is_under_way_stays_with_its_worker(two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    assert one.put(ASK, CDR, "long")
    [taken] = one.take(ASK)
    signs: list[Taken] = []
    as_it_is = taken.message.in_progress

    async def counted() -> None:
        await as_it_is()
        signs.append(taken)

    taken.message.in_progress = counted  # type: ignore[method-assign] # the real one, counted
    eventually(lambda: len(signs) > 6, "it is kept alive for twice as long as a dead worker's would be")
    assert not other.take(ASK, wait_s=0.1)
    one.done([taken])


def test_a_server_may_be_killed(cluster: NatsCluster, two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    one.put(TOUCHED, CDR, "before", b"before")
    cluster.kill(0)
    one.put(TOUCHED, CDR, "while", b"while")
    taken: list[bytes] = []

    def both() -> bool:
        found = other.take(TOUCHED, 10, 1)
        other.done(found)
        taken.extend(work.body for work in found)
        return len(taken) >= 2

    eventually(both, "the two that are left agree on who leads, and give both", but=StoreUnreachable)
    assert not other.take(TOUCHED, 10, 0.1)
    cluster.start(0)
    cluster.await_healthy()
    assert sorted(taken) == [b"before", b"while"]


def test_a_queue_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="the job queue does not answer"):
        JobQueue("nats://127.0.0.1:9", answer_s=0.5).open()
