"""The job queues on real NATS servers: nothing twice, nothing lost, whoever dies."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.flow.job_queue import ASK, TOUCHED, JobQueue
from store.faults import StoreUnreachable
from tests.support.nats_cluster import NatsCluster

CDR = ("hotline", "cdr")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path_factory.mktemp("nats")) as running:
        yield running


@pytest.fixture
def two(cluster: NatsCluster) -> Iterator[tuple[JobQueue, JobQueue]]:
    first, second = JobQueue(cluster.url, alive_s=0.5).open(), JobQueue(cluster.url, alive_s=0.5).open()
    for jobs in (first, second):
        for queue in (ASK, TOUCHED):
            jobs.done(jobs.take(queue, 100, 0.01))
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
    # The queue lets go of what is done a moment after it has heard so.
    assert any(scheduler.put(ASK, CDR, f"one 10:03 {attempt}") for attempt in range(1000))


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
    assert any(one.put(ASK, CDR, f"back {attempt}") for attempt in range(1000))
    one.give_back(one.take(ASK), 0.0)
    again = other.take(ASK, wait_s=5)
    assert len(again) == 1
    other.done(again)


def test_what_a_dead_worker_had_taken_goes_to_another(cluster: NatsCluster, two: tuple[JobQueue, JobQueue]) -> None:
    scheduler, other = two
    assert any(scheduler.put(ASK, CDR, f"dead {attempt}") for attempt in range(1000))
    dying = JobQueue(cluster.url, alive_s=0.5).open()
    assert len(dying.take(ASK)) == 1
    dying.close()
    again = other.take(ASK, wait_s=10)
    assert len(again) == 1
    other.done(again)


def test_what_is_under_way_stays_with_its_worker(two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    assert any(one.put(ASK, CDR, f"long {attempt}") for attempt in range(1000))
    taken = one.take(ASK)
    assert not other.take(ASK, wait_s=3), "it was kept alive for twice as long as a dead worker's"
    one.done(taken)


def test_a_server_may_be_killed(cluster: NatsCluster, two: tuple[JobQueue, JobQueue]) -> None:
    one, other = two
    one.put(TOUCHED, CDR, "before", b"before")
    cluster.kill(0)
    one.put(TOUCHED, CDR, "while", b"while")
    taken: list[bytes] = []
    until = time.monotonic() + 30
    while len(taken) < 2 and time.monotonic() < until:
        with suppress(StoreUnreachable):  # until the two that are left agree on who leads
            found = other.take(TOUCHED, 10, 1)
            other.done(found)
            taken += [work.body for work in found]
    assert not other.take(TOUCHED, 10, 0.1)
    cluster.start(0)
    cluster.await_healthy()
    assert sorted(taken) == [b"before", b"while"]


def test_a_queue_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="the job queue does not answer"):
        JobQueue("nats://127.0.0.1:9", answer_s=0.5).open()
