"""The push door's stream against a real Valkey that is killed, filled and repeated."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from metrics.observations import NaiveTime
from store.embedded_valkey import EmbeddedValkey
from store.ingest import Accepted, Conflict, Full, Ingest, Limits, NotDurableError

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path) as server:
        yield server


@pytest.fixture
def ingest(valkey: EmbeddedValkey) -> Iterator[Ingest]:
    with closing(Ingest(valkey.url)) as opened:
        yield opened


def push(ingest: Ingest, key: str, body: bytes = b"{}") -> Accepted:
    return ingest.append("hotline", key, body, NOW)


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
    with pytest.raises(Conflict, match="use a new key"):
        push(ingest, "a", b"[]")
    assert not ingest.append("chat", "a", b"[]", NOW).duplicate


def test_senders_at_once_get_one_entry(valkey: EmbeddedValkey) -> None:
    with closing(Ingest(valkey.url)) as ingest, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: push(ingest, "a"), range(100)))
        assert len({answer.id for answer in answers}) == 1
        assert sum(not answer.duplicate for answer in answers) == 1
        assert ingest.waiting() == 1


def test_what_was_answered_is_there_after_a_kill(valkey: EmbeddedValkey, ingest: Ingest) -> None:
    """Twenty times: answer, SIGKILL the server the next instant, start it again."""
    for round_ in range(20):
        push(ingest, f"key-{round_}", b"x" * 5000)
        os.kill(valkey.pid or 0, signal.SIGKILL)
        valkey._process.wait()  # type: ignore[union-attr]
        valkey.ensure()
    assert keys(ingest) == [f"key-{round_}" for round_ in range(20)]


def test_a_process_that_was_killed_leaves_its_bodies_to_the_next(valkey: EmbeddedValkey, ingest: Ingest) -> None:
    for key in "abc":
        push(ingest, key)
    assert keys(ingest) == ["a", "b", "c"]
    push(ingest, "d")
    with closing(Ingest(valkey.url)) as following:
        assert keys(following) == ["a", "b", "c"]
        assert keys(following) == ["d"]
        assert keys(following) == []


def test_another_consumer_takes_over_what_was_given_up(valkey: EmbeddedValkey) -> None:
    soon = Limits(reclaim_after_s=0)
    with closing(Ingest(valkey.url, "one", soon)) as one, closing(Ingest(valkey.url, "two", soon)) as two:
        push(one, "a")
        assert keys(one) == ["a"]
        assert keys(two) == ["a"]


def test_a_body_that_is_never_done_is_moved_aside(valkey: EmbeddedValkey) -> None:
    with closing(Ingest(valkey.url, limits=Limits(reclaim_after_s=0, deliveries=3))) as ingest:
        push(ingest, "poison", b"?")
        assert [keys(ingest) for _ in range(4)] == [["poison"]] * 3 + [[]]
        assert [(entry.key, entry.body) for entry in ingest.aside()] == [("poison", b"?")]
        push(ingest, "good")
        assert keys(ingest) == ["good"]
        assert ingest.waiting() == 1


def test_a_full_stream_refuses_and_loses_nothing(valkey: EmbeddedValkey) -> None:
    with closing(Ingest(valkey.url, limits=Limits(entries=2))) as ingest:
        push(ingest, "a")
        push(ingest, "b")
        with pytest.raises(Full, match="entries"):
            push(ingest, "c")
        assert push(ingest, "a").duplicate
        (first, _) = ingest.read(block_ms=10)
        ingest.done([first.id])
        assert not push(ingest, "c").duplicate
        assert keys(ingest) == ["c"]


def test_bytes_are_bounded_too(valkey: EmbeddedValkey) -> None:
    with closing(Ingest(valkey.url, limits=Limits(bytes=100))) as ingest:
        push(ingest, "a", b"x" * 60)
        with pytest.raises(Full, match="bytes"):
            push(ingest, "b", b"x" * 60)
        ingest.done([entry.id for entry in ingest.read(block_ms=10)] * 2)
        push(ingest, "b", b"x" * 100)


def test_a_valkey_that_could_lose_what_it_answered_for_is_refused(valkey: EmbeddedValkey, ingest: Ingest) -> None:
    ingest.check_durable()
    with redis.Redis.from_url(valkey.url) as client:
        client.config_set("appendfsync", "everysec")
    with pytest.raises(NotDurableError, match="appendfsync always"):
        ingest.check_durable()


def test_a_time_needs_a_zone(ingest: Ingest) -> None:
    with pytest.raises(NaiveTime):
        ingest.append("hotline", "a", b"", datetime(2026, 11, 21))  # noqa: DTZ001 - the naive time is the case
