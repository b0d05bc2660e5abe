"""Requests and replies through every line-up of real Valkeys: told at once when nobody serves, never kept on disk."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from store.faults import StoreFull, StoreUnreachable
from store.valkey.embedded import EmbeddedValkey
from store.valkey.request_reply import MOST_BYTES, Asker, GivenUp, NobodyServes, Request, Server, TooLate
from tests.support.valkey_lineups import Lineup
from tests.support.waiting import eventually

LONG_S = 60.0


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey.url


@contextmanager
def asking(url: str, waiting: int = 4) -> Iterator[Callable[..., "Future[bytes]"]]:
    """Asks in threads, so that a test can serve meanwhile."""
    with closing(Asker(url, waiting)) as asker, ThreadPoolExecutor(8) as threads:

        def ask(
            body: bytes, patience_s: float = LONG_S, screen: bool = False, cancelled: Callable[[], bool] = never
        ) -> "Future[bytes]":
            return threads.submit(asker.ask, body, patience_s, screen, cancelled)

        yield ask


def take(server: Server) -> Request:
    """The next request, however long it takes to come."""
    found: list[Request] = []

    def taken() -> bool:
        request = server.take()
        found.extend([request] if request else [])
        return request is not None

    eventually(taken, "a request came")
    return found[0]


def waits(server: Server, kind: str) -> int:
    """How many requests of a kind wait."""
    return int(server._client.llen(f"{{watchfloor}}:ask:{kind}"))


def test_a_request_is_replied_to_on_every_line_up(valkey: Lineup) -> None:
    with closing(Server(valkey.url)) as server, asking(valkey.url) as ask:
        server.serve()
        asked = ask(b"how many?")
        request = take(server)
        assert (request.body, request.screen) == (b"how many?", False)
        server.reply(request, b"42")
        assert asked.result(LONG_S) == b"42"


def test_whoever_asks_is_told_at_once_that_nobody_serves(url: str) -> None:
    with asking(url) as ask, pytest.raises(NobodyServes, match="does not run"):
        ask(b"?").result(LONG_S)


def test_who_ends_leaves_nobody_waiting(url: str) -> None:
    with asking(url) as ask:
        with closing(Server(url)) as server:
            server.serve()
            asked = ask(b"?")
            take(server)
        with pytest.raises(NobodyServes, match="ended before it answered"):
            asked.result(LONG_S)


def test_who_falls_silent_leaves_nobody_waiting(url: str) -> None:
    with asking(url) as ask, closing(Server(url, silent_s=0.2)) as server:
        server.serve()
        asked = ask(b"?")
        with pytest.raises(NobodyServes):
            asked.result(LONG_S)


def test_another_that_takes_the_place_is_told_too(url: str) -> None:
    with asking(url) as ask, closing(Server(url)) as first, closing(Server(url)) as second:
        first.serve()
        asked = ask(b"?")
        take(first)
        second.serve()
        with pytest.raises(NobodyServes):
            asked.result(LONG_S)
        first.close()
        again = ask(b"again")
        server_request = take(second)
        second.reply(server_request, b"yes")
        assert again.result(LONG_S) == b"yes"


def test_no_more_wait_than_may(url: str) -> None:
    with closing(Server(url)) as server, asking(url, waiting=2) as ask:
        server.serve()
        waiting = [ask(b"1"), ask(b"2", screen=True)]
        eventually(lambda: waits(server, "other") and waits(server, "screen"), "both wait")
        with pytest.raises(StoreFull, match="2 questions wait already"):
            ask(b"3").result(LONG_S)
        for _ in waiting:
            server.reply(take(server), b"done")
        assert [asked.result(LONG_S) for asked in waiting] == [b"done", b"done"]


def test_screens_come_first(url: str) -> None:
    with closing(Server(url)) as server, asking(url) as ask:
        server.serve()
        asked = [ask(b"export"), ask(b"screen", screen=True)]
        eventually(lambda: waits(server, "other") and waits(server, "screen"), "both wait")
        first, second = take(server), take(server)
        assert (first.body, second.body) == (b"screen", b"export")
        for request in (first, second):
            server.reply(request, request.body)
        assert [one.result(LONG_S) for one in asked] == [b"export", b"screen"]


def test_nobody_waits_longer_than_he_said_and_then_it_is_not_wanted(url: str) -> None:
    with closing(Server(url)) as server, asking(url) as ask:
        server.serve()
        asked = ask(b"?", patience_s=1.0)
        request = take(server)
        assert server.wanted(request)
        with pytest.raises(TooLate):
            asked.result(LONG_S)
        assert not server.wanted(request)
        server.reply(request, b"too late")
        assert server._client.keys("{watchfloor}:ask:reply:*") == []


def test_what_nobody_wants_any_more_is_not_taken(url: str) -> None:
    with closing(Server(url)) as server, asking(url) as ask:
        server.serve()
        gone: list[bool] = []
        asked = ask(b"?", cancelled=lambda: bool(gone))
        eventually(lambda: waits(server, "other"), "it waits")
        gone.append(True)
        with pytest.raises(GivenUp):
            asked.result(LONG_S)
        assert server.take() is None


def test_a_request_of_any_size_is_refused_before_it_is_sent(url: str) -> None:
    with asking(url) as ask, pytest.raises(ValueError, match=f"at most {MOST_BYTES} bytes"):
        ask(b"x" * (MOST_BYTES + 1)).result(LONG_S)


def test_nothing_of_it_comes_to_the_disk(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey, closing(Server(valkey.url)) as server, asking(valkey.url) as ask:
        server.serve()
        asked = ask(b"a question that nobody shall read")
        server.reply(take(server), b"an answer that nobody shall read")
        asked.result(LONG_S)
        server._client.set("{watchfloor}:probe", "written")
        log = b"".join(file.read_bytes() for file in (tmp_path / "appendonlydir").iterdir())
        assert b"written" in log
        assert b"nobody shall read" not in log


def test_valkey_away_is_told_to_both(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        server, asker = Server(valkey.url), Asker(valkey.url)
        server.serve()
    for act in (server.serve, server.take, lambda: asker.ask(b"?", LONG_S, False, never)):
        with pytest.raises(StoreUnreachable):
            act()
