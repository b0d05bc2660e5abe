"""Fetching over a real server on loopback: what is asked, what is held, and what every failure is called."""

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from json_interface import Call, Interface, Reply, say, serving, zipped
from record_sources import ask, collector, rows

from collectors import Ask, Collector
from collectors.http_json.rate import CallBucket
from metrics.observations import Parsed, SourceFault

HOUR = ("2026-11-20T10:00:00+08:00", "2026-11-20T11:00:00+08:00")
MAP = {
    "time": {"field": "t", "form": "epoch_s"},
    "region": {"constant": "100000"},
    "measures": {"contacts": {"field": "n"}},
}
QUICK = {"connect_s": 1, "read_s": 0.4, "total_s": 3, "wait_s": 0.01, "calls_per_minute": 6000}


@pytest.fixture
def server() -> Iterator[Interface]:
    with serving() as interface:
        yield interface


def source(server: Interface, request: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    one = {"id": "rows", "path": "/rows", "records": "list[*]", "map": MAP} | (request or {})
    limits = QUICK | options.pop("limits", {})
    told = {"base_url": server.url, "requests": [one], "limits": limits} | options
    return {
        "id": "rows",
        "kind": "http_json",
        "delivers": [{"measure": "contacts", "grain": "nation"}],
        "options": told,
    }


def reader(server: Interface, request: dict[str, Any] | None = None, **options: Any) -> Collector:
    return collector(source(server, request, **options), interval_s=3600)


def taken(built: Collector, wanted: Ask | None = None) -> Parsed:
    return built.parse(built.fetch(wanted or ask(*HOUR)))


def fault(built: Collector, wanted: Ask | None = None) -> SourceFault:
    with pytest.raises(SourceFault) as caught:
        built.fetch(wanted or ask(*HOUR))
    return caught.value


def one(n: int = 7, hour: str = HOUR[0]) -> Reply:
    return say({"list": [{"t": int(ask(hour, hour).now.timestamp()), "n": n}]})


# What is asked


def test_tokens_keep_their_type_and_are_written_on_the_channels_clock(server: Interface) -> None:
    server.routes["/a/2026-11-20"] = lambda _: one()
    built = reader(
        server,
        {
            "path": "/a/{start}",
            "method": "POST",
            "params": {"from": "{start}", "deep": True},
            "body": {
                "to": "{last}",
                "page": {"n": "{page}", "size": 5},
                "after": "{cursor}",
                "words": ["{end} o'clock"],
            },
            "times": {"form": "%Y-%m-%d"},
        },
    )
    assert rows(taken(built).observations) == [["contacts", "100000", "", "2026-11-20T02:00:00+00:00", 7.0]]
    (call,) = server.calls
    assert call.params == {"from": "2026-11-20", "deep": "true"}
    assert call.json == {"to": "2026-11-20", "page": {"n": 1, "size": 5}, "words": ["2026-11-20 o'clock"]}


def test_epochs_are_numbers_in_a_body(server: Interface) -> None:
    server.routes["/rows"] = lambda _: one()
    built = reader(server, {"method": "POST", "body": {"starttime": "{start}"}, "times": {"form": "epoch_s"}})
    built.fetch(ask(*HOUR))
    assert server.calls[0].json == {"starttime": 1795140000}


def test_pages_are_followed_by_number_until_one_is_not_full(server: Interface) -> None:
    def page(call: Call) -> Reply:
        hours = {"1": ("08", "09"), "2": ("10",)}[call.params["page"]]
        times = [int(ask(f"2026-11-20T{hour}:00:00+08:00", HOUR[1]).window.start.timestamp()) for hour in hours]
        return say({"list": [{"t": moment, "n": 1} for moment in times]})

    server.routes["/rows"] = page
    parsed = taken(
        reader(server, {"params": {"page": "{page}", "at": "{offset}"}, "paging": {"by": "page", "size": 2}})
    )
    assert parsed.read == 3
    assert [call.params["at"] for call in server.calls] == ["0", "2"]


def test_pages_are_followed_by_cursor_which_cannot_leave_its_place(server: Interface) -> None:
    cursors = {None: "a/../b?x=1&y", "a/../b?x=1&y": "", "never": None}
    server.routes["/rows"] = lambda call: say({"list": [], "next": cursors[call.params.get("cursor")]})
    built = reader(server, {"params": {"cursor": "{cursor}"}, "paging": {"by": "cursor", "next": "next"}})
    built.fetch(ask(*HOUR))
    assert [call.params.get("cursor") for call in server.calls] == [None, "a/../b?x=1&y"]


@pytest.mark.parametrize(
    ("paging", "answer", "code"),
    [
        ({"by": "page", "size": 1, "max_pages": 3}, {"list": [{}]}, "too_large"),
        ({"by": "cursor", "next": "next"}, {"list": [], "next": "same"}, "unreadable"),
        ({"by": "cursor", "next": "next"}, {"list": [], "next": {"a": 1}}, "unreadable"),
        ({"by": "cursor", "next": "$..next"}, {"list": [{"next": 1}], "next": 2}, "unreadable"),
    ],
)
def test_a_paging_without_end_is_a_fault(server: Interface, paging: Any, answer: Any, code: str) -> None:
    server.routes["/rows"] = lambda _: say(answer)
    assert fault(reader(server, {"params": {"cursor": "{cursor}"}, "paging": paging})).code == code


# What an outage left out


def test_a_gap_is_asked_again_slice_by_slice(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({"list": []})
    built = reader(
        server,
        {"params": {"day": "{start}", "last": "{last}"}, "times": {"form": "%d %H"}},
        windows={"slice_s": 86400, "per_fetch": 2, "reach_back_s": 10 * 86400},
    )
    cursor: dict[str, Any] = {"covered_until": "2026-11-17T23:00:00+08:00"}
    covered = []
    for _ in range(3):
        payload = built.fetch(ask(*HOUR, cursor=cursor))
        cursor = dict(built.parse(payload).cursor)
        covered.append((payload.window.start.isoformat(), payload.window.end.isoformat(), payload.more))
    assert [(call.params["day"], call.params["last"]) for call in server.calls] == [
        ("17 23", "17 23"), ("18 00", "18 23"), ("19 00", "19 23"), ("20 00", "20 10"), ("20 10", "20 10"),
    ]  # fmt: skip
    assert covered == [
        ("2026-11-17T15:00:00+00:00", "2026-11-18T16:00:00+00:00", True),
        ("2026-11-18T16:00:00+00:00", "2026-11-20T03:00:00+00:00", False),
        ("2026-11-20T02:00:00+00:00", "2026-11-20T03:00:00+00:00", False),
    ]
    assert cursor == {"covered_until": "2026-11-20T03:00:00+00:00", "more": False}


def test_a_gap_is_given_up_beyond_reach(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({"list": []})
    built = reader(server, windows={"reach_back_s": 7200})
    payload = built.fetch(ask(*HOUR, cursor={"covered_until": "2020-01-01T00:00:00+00:00"}))
    assert payload.window.start.isoformat() == "2026-11-20T01:00:00+00:00"


def test_an_old_window_does_not_move_the_cursor_back(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({"list": []})
    cursor = {"covered_until": "2026-11-21T00:00:00+00:00"}
    payload = reader(server).fetch(ask(*HOUR, cursor=cursor))
    assert payload.window == ask(*HOUR).window
    assert reader(server).parse(payload).cursor["covered_until"] == cursor["covered_until"]


def test_levels_count_for_the_last_interval_that_ended(server: Interface) -> None:
    server.routes["/rows"] = lambda _: say({"list": [{"n": 3}]})
    built = reader(server, {"map": MAP | {"time": {"instant": True}}})
    payload = built.fetch(
        ask("2026-11-01T10:00:00+08:00", "2026-11-01T11:00:00+08:00", now="2026-11-20T10:59:59+08:00")
    )
    assert payload.window.start.isoformat() == "2026-11-20T01:00:00+00:00"
    assert rows(built.parse(payload).observations)[0][3] == "2026-11-20T01:00:00+00:00"


# Who asks


def test_secrets_travel_where_the_yaml_says(server: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", " key-0123 ")
    monkeypatch.setenv("A_USER", "watch")
    server.routes["/rows"] = lambda _: one()
    for auth in (
        {"by": "header", "prefix": "Bearer ", "env": "A_KEY"},
        {"by": "query", "name": "key", "env": "A_KEY"},
        {"by": "basic", "user_env": "A_USER", "password_env": "A_KEY"},
    ):
        payload = reader(server, auth=auth).fetch(ask(*HOUR))
        assert payload.origin == f"{server.url}/rows"
    header, query, basic = server.calls
    assert header.headers["authorization"] == "Bearer key-0123"
    assert query.params == {"key": "key-0123"}
    assert basic.headers["authorization"] == "Basic d2F0Y2g6a2V5LTAxMjM="


def test_a_missing_secret_is_named_and_nothing_is_asked(server: Interface) -> None:
    found = fault(reader(server, auth={"by": "header", "env": "NO_SUCH_SECRET"}))
    assert (found.code, found.permanent) == ("misconfigured", True)
    assert "NO_SUCH_SECRET" in found.detail
    assert server.calls == []


TOKEN = {
    "by": "token",
    "path": "/token",
    "params": {"grant_type": "client_credential"},
    "secret_params": {"appid": "AN_ID", "secret": "A_SECRET"},
    "expired_codes": [42001],
}


@pytest.fixture
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AN_ID", "id-0123")
    monkeypatch.setenv("A_SECRET", "secret/0123+")


def tokens(server: Interface, expires_in: Any = 7200) -> None:
    """Let the server hand out `token-1`, `token-2`, …"""
    given: list[str] = []

    def give(call: Call) -> Reply:
        given.append(f"token-{len(given) + 1}")
        return say({"access_token": given[-1], "expires_in": expires_in})

    server.routes["/token"] = give


@pytest.mark.usefixtures("_credentials")
def test_a_token_is_fetched_once_and_kept(server: Interface) -> None:
    tokens(server)
    server.routes["/rows"] = lambda _: one()
    built = reader(server, auth=TOKEN)
    built.fetch(ask(*HOUR))
    built.fetch(ask(*HOUR))
    (token,) = server.asked("/token")
    assert token.params == {"grant_type": "client_credential", "appid": "id-0123", "secret": "secret/0123+"}
    assert [call.params["access_token"] for call in server.asked("/rows")] == ["token-1", "token-1"]


@pytest.mark.usefixtures("_credentials")
def test_a_token_is_renewed_before_it_expires(server: Interface) -> None:
    tokens(server, expires_in=0.02)
    server.routes["/rows"] = lambda _: one()
    built = reader(server, auth=TOKEN | {"margin_s": 0.015})
    built.fetch(ask(*HOUR))
    until = time.monotonic() + 0.015
    while time.monotonic() < until:
        threading.Event().wait(0.001)
    built.fetch(ask(*HOUR))
    assert len(server.asked("/token")) == 2


@pytest.mark.usefixtures("_credentials")
@pytest.mark.parametrize("refusal", [say({"errcode": 42001, "errmsg": "expired"}), say({}, 401)], ids=["42001", "401"])
def test_a_refused_token_is_renewed_once(server: Interface, refusal: Reply) -> None:
    tokens(server)
    server.in_turn("/rows", refusal, one())
    built = reader(server, auth=TOKEN, errors={"code": "errcode", "words": "errmsg"})
    assert taken(built).read == 1
    assert [call.params["access_token"] for call in server.asked("/rows")] == ["token-1", "token-2"]
    server.routes["/rows"] = lambda _: refusal
    found = fault(built)
    assert (found.code, found.permanent) == ("unauthorised", True)
    assert len(server.asked("/rows")) == 4


@pytest.mark.usefixtures("_credentials")
@pytest.mark.parametrize("body", ["json", "form"])
def test_a_token_can_be_posted_for_and_sent_in_a_header(server: Interface, body: str) -> None:
    tokens(server)
    server.routes["/rows"] = lambda _: one()
    auth = TOKEN | {"method": "POST", "body": body, "send_as": "header", "name": "Authorization", "prefix": "Bearer "}
    reader(server, auth=auth).fetch(ask(*HOUR))
    token, call = server.calls
    assert token.params == {}
    assert (b"appid=id-0123" if body == "form" else b'"appid":"id-0123"') in token.body
    assert call.headers["authorization"] == "Bearer token-1"


@pytest.mark.usefixtures("_credentials")
@pytest.mark.parametrize(
    "answer",
    [{}, [], {"access_token": 7, "expires_in": 1}, {"access_token": "t", "expires_in": "x"}, {"access_token": "a\nb"}],
)
def test_a_token_answer_that_is_none_is_unreadable(server: Interface, answer: Any) -> None:
    server.routes["/token"] = lambda _: say(answer)
    assert fault(reader(server, auth=TOKEN)).code == "unreadable"


@pytest.mark.usefixtures("_credentials")
def test_secrets_are_in_no_message_and_no_log(server: Interface, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens(server)
    echo = "invalid credential token-1 for secret/0123+ and secret%2F0123%2B"
    server.routes["/rows"] = lambda _: say({"errcode": 48001, "errmsg": echo})
    built = reader(server, auth=TOKEN, errors={"code": "errcode", "words": "errmsg", "permanent": [48001]})
    found = fault(built)
    assert (found.code, found.permanent) == ("rejected_by_source", True)
    assert found.detail == "the source answers errcode 48001: invalid credential *** for *** and ***"
    assert found.__cause__ is None
    told = caplog.text + repr(found) + repr(built)
    assert not any(secret in told for secret in ("token-1", "secret/0123", "secret%2F"))


# What goes wrong


@pytest.mark.parametrize(
    ("status", "code", "permanent", "tries"),
    [
        (401, "unauthorised", True, 1), (403, "forbidden", True, 1), (404, "not_found", True, 1),
        (410, "not_found", True, 1), (400, "rejected_by_source", True, 1), (418, "rejected_by_source", True, 1), (408, "timeout", False, 3),
        (429, "rate_limited", False, 3), (500, "server_error", False, 3), (503, "server_error", False, 3),
    ],
)  # fmt: skip
def test_every_status_has_its_fault(server: Interface, status: int, code: str, permanent: bool, tries: int) -> None:
    server.routes["/rows"] = lambda _: say({}, status)
    found = fault(reader(server))
    assert (found.code, found.permanent, len(server.calls)) == (code, permanent, tries)
    assert str(status) in found.detail


def test_what_passes_is_tried_again(server: Interface) -> None:
    busy = say({"errcode": -1, "errmsg": "system busy"})
    server.in_turn("/rows", say({}, 500), busy, one())
    assert taken(reader(server, errors={"code": "errcode", "retry": [-1]})).read == 1


def test_retry_after_is_waited_for_and_a_long_one_is_not(server: Interface) -> None:
    server.in_turn("/rows", say({}, 429, retry_after="1"), one())
    begun = time.monotonic()
    assert taken(reader(server)).read == 1
    assert time.monotonic() - begun >= 1
    server.routes["/rows"] = lambda _: say({}, 429, retry_after="86400")
    found = fault(reader(server))
    assert (found.code, len(server.calls)) == ("rate_limited", 3)


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
    begun = time.monotonic()
    found = fault(reader(server, limits={"total_s": 0.6}))
    assert found.code == "timeout"
    assert time.monotonic() - begun < 2


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
    assert fault(reader(server, limits={"answer_bytes": 1_000_000})).code == "too_large"


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


# How often it asks


def test_no_minute_holds_more_calls_than_allowed() -> None:
    now = 0.0
    bucket = CallBucket(60, lambda: now)
    made = []
    for _ in range(300):
        wait = bucket.reserve(1e9)
        assert wait is not None
        now += wait
        made.append(now)
    assert max(sum(begin <= call < begin + 60 for call in made) for begin in made) <= 60
    assert made[5] == 0
    assert 54 <= made[60] <= 62


def test_a_call_beyond_the_patience_takes_nothing() -> None:
    bucket = CallBucket(6, lambda: 0.0)
    assert bucket.reserve(1) == 0
    assert bucket.reserve(1) is None
    assert bucket.reserve(100) == pytest.approx(1 / 0.09)


def test_our_own_limit_is_a_fault_that_passes(server: Interface) -> None:
    server.routes["/rows"] = lambda _: one()
    built = reader(server, limits={"calls_per_minute": 1})
    built.fetch(ask(*HOUR))
    found = fault(built)
    assert (found.code, found.permanent, len(server.calls)) == ("rate_limited", False, 1)


def test_a_fetch_can_run_beside_others(server: Interface) -> None:
    server.routes["/rows"] = lambda _: one()
    built = reader(server)
    with ThreadPoolExecutor(4) as pool:
        payloads = list(pool.map(lambda _: built.fetch(ask(*HOUR)), range(8)))
    assert len({payload.data for payload in payloads}) == 1
