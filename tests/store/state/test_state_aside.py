"""Bodies kept aside, and what is asked to be done with them, on SQLite and on a real PostgreSQL."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from metrics.observations import Batch, Interval, NaiveTime, Parsed, Payload
from store.state import State, open_state
from store.state.aside import AcceptedAside, AsideBody, AsideKind, AsideState, Decision
from store.state.aside_requests import AsideDeed, Outcome
from tests.support.real_postgres import schema_of
from tests.support.store_world import world

NOW = datetime(2026, 11, 21, 16, 0, 0, 250_000, tzinfo=UTC)
RULES = world().rules
DATA = bytes(range(256)) * 40


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def body(
    name: str = "a", kind: AsideKind = AsideKind.GIVEN_UP, at: datetime = NOW, channel: str = "hotline"
) -> AsideBody:
    return AsideBody(
        id=name,
        kind=kind,
        channel=channel,
        source="" if kind is AsideKind.CHANNEL_GONE else "main",
        batch=f"batch {name}",
        sender_key="键",
        received_at=at,
        kept_at=after(60),
        size=len(DATA),
        digest=hashlib.sha256(DATA).hexdigest(),
        reason="KeyError",
    )


def decided(why: str = "it was sent again", minutes: float = 120) -> Decision:
    return Decision("Li Na", why, after(minutes))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.sqlite"
    return schema_of(tmp_path).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def state(url: str) -> Iterator[State]:
    opened = open_state(url, RULES)
    yield opened
    opened.close()


# Bodies


def test_a_body_is_kept_whole_and_is_there_after_a_restart(state: State, url: str) -> None:
    assert state.aside.keep(body(), DATA)
    again = open_state(url, RULES)
    try:
        assert again.aside.find("a") == body()
        assert again.aside.data("a") == DATA
    finally:
        again.close()


def test_a_body_that_comes_again_changes_nothing(state: State) -> None:
    state.aside.keep(body(), DATA)
    assert not state.aside.keep(replace(body(), kept_at=after(61), reason="unfinished"), DATA)
    assert state.aside.newest(10) == [body()]


def test_a_settled_body_that_comes_again_stays_settled_and_without_bytes(state: State) -> None:
    state.aside.keep(body(), DATA)
    assert state.aside.settle("a", AsideState.DISCARDED, decided())
    assert not state.aside.keep(body(), DATA)
    assert state.aside.data("a") is None
    found = state.aside.find("a")
    assert found is not None
    assert (found.state, found.who, found.why, found.settled_at) == (
        AsideState.DISCARDED,
        "Li Na",
        "it was sent again",
        after(120),
    )


def test_bytes_that_were_changed_on_disk_are_refused(state: State) -> None:
    state.aside.keep(replace(body(), digest=hashlib.sha256(b"other").hexdigest()), DATA)
    with pytest.raises(ValueError, match="were changed"):
        state.aside.data("a")


def test_what_is_not_there_is_nothing(state: State) -> None:
    assert state.aside.find("a") is None
    assert state.aside.data("a") is None
    assert not state.aside.settle("a", AsideState.REPLAYED, decided())


def test_a_time_without_a_zone_is_refused(state: State) -> None:
    with pytest.raises(Exception, match="no time zone") as caught:
        state.aside.keep(replace(body(), received_at=NOW.replace(tzinfo=None)), DATA)
    assert isinstance(caught.value, NaiveTime) or isinstance(caught.value.__cause__, NaiveTime)


def test_a_listing_is_newest_first_and_by_channel_time_and_kind(state: State) -> None:
    bodies = [
        body("a", AsideKind.GIVEN_UP, after(0)),
        body("b", AsideKind.REFUSED, after(1)),
        body("c", AsideKind.CHANNEL_GONE, after(2), "fax"),
    ]
    for one in bodies:
        state.aside.keep(one, DATA)
    assert state.aside.newest(10) == bodies[::-1]
    assert state.aside.newest(2) == bodies[:0:-1]
    assert state.aside.newest(10, channel="fax") == bodies[2:]
    assert state.aside.newest(10, received=Interval(after(0), after(2))) == bodies[1::-1]
    assert state.aside.newest(10, kinds=[AsideKind.REFUSED, AsideKind.GIVEN_UP]) == bodies[1::-1]
    assert state.aside.newest(10, kinds=[]) == []
    assert state.aside.refused(["batch a", "batch b", *(f"unknown {n}" for n in range(3000))]) == {"batch b"}


def test_what_was_accepted_is_told_by_source(state: State) -> None:
    assert state.aside.accepted() == []
    for minute, name in enumerate("abc"):
        state.aside.keep(body(name, at=after(minute)), DATA)
    state.aside.keep(body("d", AsideKind.CHANNEL_GONE, channel="fax"), DATA)
    state.aside.keep(body("e", AsideKind.REFUSED), DATA)
    state.aside.settle("a", AsideState.REPLAYED, decided())
    state.aside.settle("d", AsideState.DISCARDED, decided())
    assert state.aside.accepted() == [
        AcceptedAside("fax", "", 0, 0, 1, None, None),
        AcceptedAside("hotline", "main", 2, 1, 0, after(1), after(2)),
    ]
    assert [one.id for one in state.aside.waiting("hotline", "main")] == ["c", "b"]
    assert [one.id for one in state.aside.waiting("hotline", "main", limit=1)] == ["c"]


def test_batches_that_were_counted_since_are_told_beside(state: State) -> None:
    for minute in range(3):
        window = Interval(after(minute), after(minute))
        payload = Payload(b"", after(minute), window, "push", {})
        batch = Batch(f"b{minute}", "hotline", "main", window, after(minute), "0" * 64, payload, Parsed({}))
        state.batches.keep(batch, "", after(minute))
    assert state.aside.counted("hotline", "main", after(1)) == 2
    assert state.aside.counted("hotline", "other", after(0)) == 0


def test_many_who_settle_at_once_settle_it_once_with_one_line_in_the_trail(state: State) -> None:
    state.aside.keep(body(), DATA)
    ready = threading.Barrier(8)

    def settle(number: int) -> bool:
        ready.wait()
        return state.aside.settle("a", AsideState.DISCARDED, Decision(f"person {number}", "because", after(number)))

    with ThreadPoolExecutor(8) as pool:
        settled = list(pool.map(settle, range(8)))
    assert sorted(settled) == [False] * 7 + [True]
    [deed] = state.users.trail()
    found = state.aside.find("a")
    assert found is not None
    assert (deed.what, deed.who, deed.at) == ("aside_discarded", found.who, found.settled_at)
    assert deed.detail == "a of hotline, batch batch a: because"


def test_refused_bodies_are_forgotten_in_time_and_accepted_ones_never(state: State) -> None:
    for name, kind in (("a", AsideKind.GIVEN_UP), ("b", AsideKind.CHANNEL_GONE), ("c", AsideKind.REFUSED)):
        state.aside.keep(body(name, kind), DATA)
    state.aside.keep(body("young", AsideKind.REFUSED, after(5)), DATA)
    state.aside.keep(body("settled", AsideKind.REFUSED), DATA)
    state.aside.settle("settled", AsideState.DISCARDED, decided())
    number = state.aside_requests.ask("c", AsideDeed.REPLAY, "Li Na", "why", NOW)
    assert state.aside.forget(after(5)) == 1
    assert {one.id for one in state.aside.newest(10)} == {"a", "b", "young", "settled"}
    assert [state.aside.data(name) for name in ("a", "b", "c")] == [DATA, DATA, None]
    assert state.aside_requests.find(number) is None
    with state.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM aside_bytes")).scalar() == 3


# Requests


def test_a_request_is_open_until_its_outcome_is_told(state: State) -> None:
    state.aside.keep(body(), DATA)
    first = state.aside_requests.ask("a", AsideDeed.REPLAY, "Li Na", "the channel is back", NOW)
    second = state.aside_requests.ask("a", AsideDeed.DISCARD, "Wang", "a test", after(1))
    assert [one.id for one in state.aside_requests.open()] == [first, second]
    asked = state.aside_requests.find(first)
    assert asked is not None
    assert (asked.body, asked.deed, asked.who, asked.why) == ("a", AsideDeed.REPLAY, "Li Na", "the channel is back")
    assert (asked.asked_at, asked.taken_at, asked.done_at, asked.outcome) == (NOW, None, None, None)
    state.aside_requests.take(first, after(2))
    assert state.aside_requests.finish(first, Outcome(False, "channel_gone", "x", 1, 2), after(3))
    assert [one.id for one in state.aside_requests.open()] == [second]
    done = state.aside_requests.find(first)
    assert done is not None
    assert (done.taken_at, done.done_at) == (after(2), after(3))
    assert done.outcome == Outcome(False, "channel_gone", "x", 1, 2)
    assert [one.id for one in state.aside_requests.of("a")] == [second, first]


def test_the_first_outcome_stays(state: State) -> None:
    state.aside.keep(body(), DATA)
    number = state.aside_requests.ask("a", AsideDeed.REPLAY, "Li Na", "why", NOW)
    assert state.aside_requests.finish(number, Outcome(True, "replayed", counted=3), after(1))
    assert not state.aside_requests.finish(number, Outcome(False, "failed"), after(2))
    found = state.aside_requests.find(number)
    assert found is not None
    assert found.outcome == Outcome(True, "replayed", counted=3)
