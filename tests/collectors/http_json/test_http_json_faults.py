"""What http_json calls every failure of a real server, what it survives, and where it may not go."""

import gzip
import json
import socket
import tracemalloc
from typing import Any

import httpx
import pytest

from access.rate_limit import RateLimit
from collectors.http_json.authorisation import Authorisation
from collectors.http_json.calling import Call
from collectors.http_json.hidden_secrets import Secrets
from collectors.http_json.options import NoAuth, Options
from collectors.http_json.session import Session
from metrics.observations import SourceFault
from service.sources import from_environment
from tests.support.json_interface import Interface, Reply, say, serving, zipped
from tests.support.json_reader import HOUR, QUICK, fault, one, reader, source, taken
from tests.support.record_sources import ask

# What goes wrong


@pytest.mark.parametrize(
    ("status", "code", "permanent", "tries"),
    [
        (400, "rejected_by_source", True, 1),
        (401, "unauthorised", True, 1),
        (403, "forbidden", True, 1),
        (404, "not_found", True, 1),
        (408, "timeout", False, 3),
        (410, "not_found", True, 1),
        (418, "rejected_by_source", True, 1),
        (429, "rate_limited", False, 3),
        (500, "server_error", False, 3),
        (503, "server_error", False, 3),
    ],
)
def test_every_status_has_its_fault(server: Interface, status: int, code: str, permanent: bool, tries: int) -> None:
    server.routes["/rows"] = lambda _: say({}, status)
    found = fault(reader(server))
    assert (found.code, found.permanent, len(server.calls)) == (code, permanent, tries)
    assert str(status) in found.detail


def test_what_passes_is_tried_again(server: Interface) -> None:
    busy = say({"errcode": -1, "errmsg": "system busy"})
    server.in_turn("/rows", say({}, 500), busy, one())
    assert taken(reader(server, errors={"code": "errcode", "retry": [-1]})).read == 1


async def test_retry_after_is_waited_for(server: Interface) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    server.in_turn("/rows", say({}, 429, retry_after="7"), one())
    options = Options.model_validate(source(server)["options"])
    rate = RateLimit(burst=10, per_s=1, clock=lambda: 0.0)
    async with httpx.AsyncClient() as client:
        session = Session(options, server.url, client, rate, sleep)
        await session.ask(Call("GET", "/rows"), Authorisation(NoAuth(), Secrets(from_environment)))
    [wait] = filter(None, waits)
    assert 7 < wait <= 7 + QUICK["wait_s"]


def test_a_long_retry_after_is_not_waited_for(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({}, 429, retry_after="86400")
    found = fault(reader(server))
    assert (found.code, len(server.calls)) == ("rate_limited", 1)


def test_in_band_errors_are_told_in_the_sources_words(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({"errcode": 61500, "errmsg": "日期格式错误"})
    found = fault(reader(server, errors={"code": "errcode", "words": "errmsg"}))
    assert (found.code, found.permanent) == ("rejected_by_source", False)
    assert found.detail == "the source answers errcode 61500: 日期格式错误"


def test_nothing_listens(server: Interface) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{bound.getsockname()[1]}"
        assert fault(reader(server, base_url=closed)).code == "refused"


def test_a_name_that_does_not_exist_is_unreachable(server: Interface) -> None:
    found = fault(reader(server, base_url="http://no-such-host.invalid", limits={"tries": 1}))
    assert (found.code, found.permanent) == ("unreachable", False)


def test_a_slow_answer_times_out(server: Interface) -> None:
    def never(out: Any) -> None:
        server.closing.wait(5)

    server.routes["/rows"] = lambda _: Reply(stream=never)
    assert fault(reader(server, limits={"tries": 1})).code == "timeout"


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n[", b"HTTP/1.1 200 OK\r\nx: "], ids=["body", "header"])
def test_a_dripping_answer_times_out_as_a_whole(server: Interface, head: bytes) -> None:
    def drip(out: Any) -> None:
        out.write(head)
        while not server.closing.wait(0.05):
            out.write(b"1")

    server.routes["/rows"] = lambda _: Reply(stream=drip)
    found = fault(reader(server, limits={"total_s": 0.6}))
    assert found.code == "timeout"


def test_an_endless_answer_is_cut_off(server: Interface) -> None:
    def flood(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.closing.is_set():
            out.write(b"[" * 65536)

    server.routes["/rows"] = lambda _: Reply(stream=flood)
    assert fault(reader(server, limits={"answer_bytes": 1_000_000})).code == "too_large"


def test_a_decompression_bomb_is_cut_off(server: Interface) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 60_000
    server.routes["/rows"] = lambda _: Reply(bomb, 200, {"content-encoding": "gzip"})
    built = reader(server, limits={"answer_bytes": 1_000_000})
    tracemalloc.start()
    try:
        assert fault(built).code == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_all_answers_of_a_fetch_are_bounded_together(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({"list": [{"x": "y" * 1000}]})
    built = reader(server, {"paging": {"by": "page", "size": 1}}, limits={"fetch_bytes": 5000})
    assert fault(built).code == "too_large"
    assert len(server.calls) == 5


def test_a_packed_answer_is_read(server: Interface) -> None:
    server.routes["/rows"] = lambda _: zipped(one().body)
    assert taken(reader(server)).read == 1
    assert server.calls[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("reply", "tries"),
    [
        (Reply(b'{"list": [', 200, {"content-length": "500", "connection": "close"}), 3),
        (Reply(gzip.compress(b'{"list": []}')[:-9], 200, {"content-encoding": "gzip"}), 3),
        (Reply(b'{"list": []}', 200, {"content-encoding": "gzip"}), 1),
        (Reply(b'{"list": []}', 200, {"content-encoding": "br"}), 1),
        (Reply(b"<html>log in</html>", 200, {"content-type": "text/html"}), 1),
        (Reply(b"\xff\xfe{}", 200, {"content-type": "application/json"}), 1),
        (Reply(b"[" * 100_000, 200), 1),
        (Reply(b"", 200), 1),
        (say({"data": []}), 1),
        (say({"list": None}), 1),
    ],
    ids=["truncated", "short gzip", "no gzip", "brotli", "html", "utf-16", "deep", "empty", "no list", "null list"],
)
def test_what_cannot_be_read_says_so(server: Interface, reply: Reply, tries: int) -> None:
    server.routes["/rows"] = lambda _: reply if reply.headers.get("content-length") is None else _cut(reply)
    assert fault(reader(server)).code == "unreadable"
    assert len(server.calls) == tries


def _cut(reply: Reply) -> Reply:
    def short(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + reply.body)

    return Reply(stream=short)


def test_gb18030_is_read_where_the_source_says_so(server: Interface) -> None:
    body = json.dumps({"list": [], "备注": "无"}, ensure_ascii=False).encode("gb18030")
    server.routes["/rows"] = lambda _: Reply(body, 200, {"content-type": "application/json; charset=GBK"})
    payload = reader(server).fetch(ask(*HOUR))
    assert "备注" in json.loads(payload.data)["body"]


# Where it may not go


def test_a_redirect_is_refused_and_its_target_never_asked(server: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "key-0123")
    with serving() as other:
        target = f"{other.url}/rows?steal=key-0123"
        server.routes["/rows"] = lambda _: say({}, 302, location=target)
        for redirects in ("refuse", "same_host"):
            found = fault(reader(server, redirects=redirects, auth={"by": "header", "env": "A_KEY"}))
            assert (found.code, found.permanent) == ("rejected_by_source", True)
            assert "127.0.0.1" in found.detail
            assert "key-0123" not in found.detail
        assert other.calls == []


def test_a_redirect_within_the_host_is_followed_where_allowed(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({}, 307, location="/moved")
    server.routes["/moved"] = lambda _: one()
    assert taken(reader(server, redirects="same_host")).read == 1
    server.routes["/moved"] = lambda _: say({}, 307, location="/rows")
    assert fault(reader(server, redirects="same_host")).code == "rejected_by_source"


@pytest.mark.parametrize("location", ["http://[bad", "\x01", "javascript:alert(1)", "//"])
def test_a_senseless_redirect_is_a_fault(server: Interface, location: str) -> None:
    server.routes["/rows"] = lambda _: say({}, 302, location=location)
    assert isinstance(fault(reader(server, redirects="same_host")), SourceFault)


def test_proxies_of_the_environment_are_not_used(server: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.routes["/rows"] = lambda _: one()
    assert taken(reader(server)).read == 1


def test_the_environment_may_name_another_base_address(server: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    server.routes["/v2/rows"] = lambda _: one()
    monkeypatch.setenv("THE_BASE", server.url + "/v2/")
    built = reader(server, base_url="https://example.invalid", base_url_env="THE_BASE")
    assert taken(built).read == 1
    monkeypatch.setenv("THE_BASE", "http://user:pass@127.0.0.1")
    found = fault(built)
    assert (found.code, "pass" in found.detail.replace("password", "")) == ("misconfigured", False)
