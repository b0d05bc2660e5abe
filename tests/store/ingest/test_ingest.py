"""The push endpoint's stream on every line-up of real Valkeys, which are killed, filled and repeated."""

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from metrics.observations import NaiveTime
from store.faults import KeyConflict, NotDurable, StoreFull, StoreUnreachable
from store.ingest.stream import GROUP, STREAM, Accepted, Ingest, Limits
from store.valkey.embedded import EmbeddedValkey
from tests.support.valkey_lineups import Lineup, Server, signs_of_life
from tests.support.waiting import eventually

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)


@pytest.fixture
def ingest(valkey: Lineup) -> Iterator[Ingest]:
    with closing(Ingest(valkey.url)) as opened:
        yield opened


def push(ingest: Ingest, key: str, body: bytes = b"{}") -> Accepted:
    return ingest.append("hotline", "counts", key, body, NOW)


def keys(ingest: Ingest) -> list[str]:
    return [pushed.key for pushed in ingest.read(block_ms=10)]


def test_a_body_arrives_whole(ingest: Ingest) -> None:
    body = bytes(range(256)) * 100
    accepted = push(ingest, "键 1", body)
    (pushed,) = ingest.read(block_ms=10)
    assert (pushed.id, pushed.channel, pushed.key, pushed.body) == (accepted.id, "hotline", "键 1", body)
    assert pushed.received_at == NOW
    ingest.done([pushed.id])
    assert ingest.waiting() == 0


def test_the_same_key_and_body_is_one_entry_for_ever(ingest: Ingest) -> None:
    first = push(ingest, "a")
    assert not first.duplicate
    assert push(ingest, "a") == Accepted(first.id, True)
    ingest.done([pushed.id for pushed in ingest.read(block_ms=10)])
    assert push(ingest, "a") == Accepted(first.id, True)
    assert keys(ingest) == []


def test_the_same_key_with_another_body_is_a_conflict(ingest: Ingest) -> None:
    push(ingest, "a")
    with pytest.raises(KeyConflict, match="use a new key"):
        push(ingest, "a", b"[]")
    assert not ingest.append("chat", "counts", "a", b"[]", NOW).duplicate


def test_senders_at_once_get_one_entry(valkey: Lineup) -> None:
    with closing(Ingest(valkey.url)) as ingest, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: push(ingest, "a"), range(100)))
        assert len({answer.id for answer in answers}) == 1
        assert sum(not answer.duplicate for answer in answers) == 1
        assert ingest.waiting() == 1


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    """Twenty times: answer, SIGKILL the embedded server the next instant, start it again."""
    with EmbeddedValkey(tmp_path) as server, closing(Ingest(server.url)) as ingest:
        for round_ in range(20):
            push(ingest, f"key-{round_}", b"x" * 5000)
            os.kill(server.pid or 0, signal.SIGKILL)
            server._process.wait()  # type: ignore[union-attr]
            server.ensure()
        assert keys(ingest) == [f"key-{round_}" for round_ in range(20)]


def test_what_was_answered_survives_the_primary_and_its_disk(replicated: Lineup) -> None:
    """Pushes go on all the while, also when the primary has them and no replica does, and then is gone for good."""
    taken: list[str] = []
    ended = threading.Event()

    def send(sender: int) -> None:
        with closing(Ingest(replicated.url)) as ingest:
            for number in itertools.count():
                if ended.is_set():
                    return
                try:
                    push(ingest, f"{sender}-{number}", b"x" * 2000)
                except StoreUnreachable:
                    continue
                taken.append(f"{sender}-{number}")

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, sender) for sender in range(4)]
        try:
            eventually(lambda: len(taken) > 50, "50 pushes are taken")
            primary = replicated.primary()
            with paused(replicated.following(primary)):
                there = primary.client().xlen(STREAM)
                eventually(lambda: primary.client().xlen(STREAM) >= there + 4, "each sender has one at the primary")
                primary.kill_with_disk()
            replicated.recover(primary)
            before = len(taken)
            eventually(lambda: len(taken) > before + 50, "50 more are taken")
        finally:
            ended.set()
        for one in sending:
            one.result()
    with closing(Ingest(replicated.url)) as ingest:
        found = [pushed.key for pushed in ingest.read(count=100_000)]
    assert len(found) == len(set(found))
    assert set(taken) <= set(found)


def test_a_reader_goes_on_through_a_fail_over(replicated: Lineup) -> None:
    """It waits for bodies when the primary dies under it, and comes to the end of them soon after."""
    found: set[str] = set()
    with closing(Ingest(replicated.url)) as ingest, closing(Ingest(replicated.url)) as sender, Reading(ingest, found):
        push(sender, "a")
        eventually(lambda: found == {"a"}, "what was pushed before is read")
        replicated.fail_over()
        push(sender, "b")
        eventually(lambda: found == {"a", "b"}, "what is pushed after is read")
    with closing(Ingest(replicated.url)) as ingest:
        assert ingest.waiting() == 0


class Reading:
    """A thread that reads and finishes bodies for as long as it is open, as the drain does."""

    def __init__(self, ingest: Ingest, found: set[str]) -> None:
        self.ingest, self.found, self.ended = ingest, found, threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ended.is_set():
            with suppress(StoreUnreachable):
                for pushed in self.ingest.read(block_ms=500):
                    self.ingest.done([pushed.id])
                    self.found.add(pushed.key)


def test_without_a_replica_nothing_is_promised(replicated: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.valkey.durability.COPIED_MS", 200)
    primary = replicated.primary()
    with closing(Ingest(replicated.url)) as ingest:
        push(ingest, "a")
        following = replicated.following(primary)
        for server in following:
            server.kill()
        with pytest.raises(StoreUnreachable, match="no replica had it"):
            push(ingest, "b")
        for server in following:
            replicated.revive(server)
        # What was said to be refused is in the stream, and counts once its sender has repeated it.
        eventually(lambda: push(ingest, "b").duplicate, "a replica is back", but=StoreUnreachable)


def test_a_repetition_is_answered_only_when_the_first_is_on_a_replica_too(
    replicated: Lineup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.valkey.durability.COPIED_MS", 200)
    primary = replicated.primary()
    with closing(Ingest(replicated.url)) as ingest, closing(Ingest(replicated.url)) as another:
        push(another, "before")
        with paused(replicated.following(primary)):
            for sender in (ingest, another):
                with pytest.raises(StoreUnreachable, match="no replica had it"):
                    push(sender, "a")


@contextmanager
def paused(servers: list[Server]) -> Iterator[None]:
    for server in servers:
        server.pause()
    try:
        yield
    finally:
        for server in servers:
            server.resume()


def test_replicas_that_do_not_write_to_disk_are_refused(replicated: Lineup, caplog: pytest.LogCaptureFixture) -> None:
    primary = replicated.primary()
    following = replicated.following(primary)
    with closing(Ingest(replicated.url)) as ingest:
        ingest.check_durable()
        for server in following:
            server.client().config_set("appendonly", "no")
        with pytest.raises(NotDurable, match="no replica of Valkey writes to disk"):
            ingest.check_durable()
        for server in following:
            server.client().config_set("appendonly", "yes")
            server.kill()
        eventually(lambda: primary.client().info("replication")["connected_slaves"] == 0, "the replicas are gone")
        assert caplog.messages == []
        ingest.check_durable()
        assert caplog.messages == ["no replica of Valkey is connected: pushes are refused until one is"]


def test_what_the_door_refused_travels_along_and_is_marked(ingest: Ingest) -> None:
    ingest.refuse("hotline", "counts", b"?", NOW)
    ingest.refuse("hotline", "counts", b"?", NOW)
    push(ingest, "a", b"?")
    found = ingest.read(block_ms=10)
    assert [(one.body, one.refused) for one in found] == [(b"?", True), (b"?", True), (b"?", False)]
    ingest.done([one.id for one in found])
    assert ingest.waiting() == 0


def test_a_process_that_was_killed_leaves_its_bodies_to_the_next(valkey: Lineup, ingest: Ingest) -> None:
    for key in "abc":
        push(ingest, key)
    assert keys(ingest) == ["a", "b", "c"]
    push(ingest, "d")
    with closing(Ingest(valkey.url)) as following:
        assert keys(following) == ["a", "b", "c"]
        assert keys(following) == ["d"]
        assert keys(following) == []


def test_another_consumer_takes_over_what_was_given_up(valkey: Lineup) -> None:
    soon = Limits(reclaim_after_s=0)
    with closing(Ingest(valkey.url, "one", soon)) as one, closing(Ingest(valkey.url, "two", soon)) as two:
        push(one, "a")
        assert keys(one) == ["a"]
        assert keys(two) == ["a"]


def some(ingest: Ingest) -> list[str]:
    """The keys of what is given next."""
    found: list[str] = []

    def given() -> bool:
        found.extend(keys(ingest))
        return bool(found)

    eventually(given, "something is given")
    return found


def holders(valkey: Lineup) -> dict[str, int]:
    """How many bodies each consumer that Valkey knows of holds."""
    told: Any = valkey.primary().client().xinfo_consumers(STREAM, GROUP)
    return {one["name"].decode(): one["pending"] for one in told}


def test_what_a_dead_consumer_holds_is_taken_over_soon_and_its_name_is_forgotten(valkey: Lineup) -> None:
    soon = Limits(silent_s=1.0, forget_s=1.5)
    with closing(Ingest(valkey.url, "dead", soon)) as dead, closing(Ingest(valkey.url, "one", soon)) as one:
        push(one, "a")
        push(one, "b")
        assert keys(dead) == ["a", "b"]
        assert keys(one) == []
        assert some(one) == ["a", "b"]
        eventually(lambda: keys(one) == [] and holders(valkey) == {"one": 2}, "the dead one's name is forgotten")


def test_one_that_holds_bodies_is_never_forgotten(valkey: Lineup) -> None:
    soon = Limits(silent_s=1.0, forget_s=0)
    with closing(Ingest(valkey.url, "dead", soon)) as dead, closing(Ingest(valkey.url, "one", soon)) as one:
        push(one, "a")
        assert keys(dead) == ["a"]
        assert some(one) == ["a"]
        assert keys(dead) == []
        assert some(dead) == ["a"], "whoever took it over is dead too, and was not forgotten with it"


def test_one_that_is_at_work_is_not_robbed_however_long_it_takes(valkey: Lineup) -> None:
    soon = Limits(silent_s=1.0, reclaim_after_s=1.0, beat_s=0.05)
    with closing(Ingest(valkey.url, "slow", soon)) as slow, closing(Ingest(valkey.url, "other", soon)) as other:
        push(slow, "a")
        (held,) = slow.read(block_ms=10)
        with slow.held([held.id]):
            client = valkey.primary().client()
            enough = signs_of_life(client) + 25
            eventually(lambda: signs_of_life(client) >= enough, "signs of life for longer than the dead are silent")
            assert other.read(block_ms=10) == ()
        assert some(other) == ["a"], "it is taken over once its holder says no more"


def test_a_sign_of_life_takes_nothing_back(valkey: Lineup) -> None:
    soon = Limits(reclaim_after_s=0, beat_s=0.02)
    with closing(Ingest(valkey.url, "one", soon)) as one, closing(Ingest(valkey.url, "two")) as two:
        push(one, "a")
        push(one, "b")
        first, second = one.read(block_ms=10)
        two.give_again([first.id])
        with one.held([first.id, second.id]):
            client = valkey.primary().client()
            enough = signs_of_life(client) + 3
            eventually(lambda: signs_of_life(client) >= enough, "three signs of life")
            assert holders(valkey) == {"one": 1, "two": 1}


def test_a_body_that_could_not_be_stored_is_given_again_at_once_and_that_try_does_not_count(ingest: Ingest) -> None:
    """The store may be away for as long as it likes."""
    push(ingest, "a")
    for _ in range(3 * Limits().deliveries):
        [given] = ingest.read(block_ms=10)
        assert given.tries == 1
        ingest.give_again([given.id])
    ingest.done([given.id])
    assert keys(ingest) == []


def test_a_body_that_is_never_done_says_how_often_it_was_tried_and_stays(valkey: Lineup) -> None:
    soon = Limits(reclaim_after_s=0)
    with closing(Ingest(valkey.url, "one", soon)) as one, closing(Ingest(valkey.url, "two", soon)) as two:
        push(one, "poison", b"?")
        tries = [given.tries for number in range(2 * soon.deliveries) for given in (one, two)[number % 2].read(10, 10)]
        assert tries == list(range(1, 2 * soon.deliveries + 1))
        push(one, "good")
        assert keys(one) == ["poison"]
        one.done([given.id for given in one.read(10, 10)])
        assert keys(one) == ["good"]
        assert one.waiting() == 1


def test_of_bodies_given_together_each_has_its_own_number_of_tries(valkey: Lineup) -> None:
    with closing(Ingest(valkey.url, limits=Limits(reclaim_after_s=0))) as ingest:
        push(ingest, "a")
        assert keys(ingest) == ["a"]
        push(ingest, "b")
        assert keys(ingest) == ["a"]
        again = [(given.key, given.tries) for given in ingest.read(1, 10)]
        assert again == [("a", 3)]
        ingest.done([given.id for given in ingest.read(1, 10)])
        assert [(given.key, given.tries) for given in ingest.read(10, 10)] == [("b", 1)]


def test_a_full_stream_refuses_and_loses_nothing(valkey: Lineup) -> None:
    with closing(Ingest(valkey.url, limits=Limits(entries=2))) as ingest:
        push(ingest, "a")
        push(ingest, "b")
        with pytest.raises(StoreFull, match="entries"):
            push(ingest, "c")
        assert push(ingest, "a").duplicate
        (first, _) = ingest.read(block_ms=10)
        ingest.done([first.id])
        assert not push(ingest, "c").duplicate
        assert keys(ingest) == ["c"]


def test_bytes_are_bounded_too(valkey: Lineup) -> None:
    with closing(Ingest(valkey.url, limits=Limits(bytes=100))) as ingest:
        push(ingest, "a", b"x" * 60)
        with pytest.raises(StoreFull, match="bytes"):
            push(ingest, "b", b"x" * 60)
        ingest.done([entry.id for entry in ingest.read(block_ms=10)] * 2)
        push(ingest, "b", b"x" * 100)


def test_a_valkey_that_could_lose_what_it_answered_for_is_refused(valkey: Lineup, ingest: Ingest) -> None:
    ingest.check_durable()
    primary = valkey.primary().client()
    primary.config_set("appendfsync", "everysec")
    try:
        with pytest.raises(NotDurable, match="appendfsync always"):
            ingest.check_durable()
    finally:
        primary.config_set("appendfsync", "always")


def test_a_time_needs_a_zone(ingest: Ingest) -> None:
    with pytest.raises(NaiveTime):
        ingest.append("hotline", "counts", "a", b"", datetime(2026, 11, 21))  # noqa: DTZ001 - the naive time is the case
