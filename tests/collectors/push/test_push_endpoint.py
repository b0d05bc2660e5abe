"""The push endpoint over HTTP, before a real Valkey: what it takes, and each way in which it does not."""

import gzip
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.push.allowance import AT_ONCE, Allowance
from collectors.push.body import Refused
from store.ingest.stream import Limits
from tests.support.push_world import NOW, SHENZHEN, World, body, row, world
from tests.support.waiting import eventually


def fault(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_what_is_taken_is_in_the_stream_as_it_came(door: World) -> None:
    sent = body(row(), row(region=SHENZHEN))
    answer = door.sender.push(sent, "a")
    assert (answer.status_code, answer.json()["observations"], answer.json()["duplicate"]) == (202, 2, False)
    [pushed] = door.ingest.read(block_ms=10)
    assert (pushed.id, pushed.channel, pushed.key, pushed.body) == (answer.json()["batch"], "desk", "a", sent)
    assert pushed.received_at == NOW
    assert door.refusals == []


def test_gzip_is_expanded(door: World) -> None:
    sent = body(row())
    assert door.sender.push(gzip.compress(sent), Content_Encoding="gzip").status_code == 202
    assert door.waiting() == [sent]


def test_the_same_push_again_is_the_same_batch_and_another_body_is_a_conflict(door: World) -> None:
    first = door.sender.push(body(row()), "a").json()
    again = door.sender.push(body(row()), "a")
    assert (again.status_code, again.json()) == (202, first | {"duplicate": True})
    assert fault(door.sender.push(body(row(4)), "a")) == (409, "conflict")
    assert door.sender.push(body(row(4)), "b").status_code == 202
    assert len(door.waiting()) == 2


def test_a_key_belongs_to_its_channel(door: World) -> None:
    assert door.sender.push(body(row()), "a").status_code == 202
    assert door.sender.push(body(row(4)), "a", "hall").status_code == 202


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", "Bearer wrong", "Basic the token of the desk", "the token of the desk"],
)
@pytest.mark.parametrize("channel", ["desk", "nowhere"])
def test_without_a_token_nobody_learns_anything(door: World, channel: str, authorization: str | None) -> None:
    answer = door.sender.push(body(row()), channel=channel, Authorization=authorization)
    assert fault(answer) == (401, "unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert channel not in answer.text


def test_while_a_channel_has_no_token_nobody_may_push(door: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHFLOOR_TOKEN_DESK")
    for authorization in ("Bearer", "Bearer None", "Bearer the token of the desk"):
        assert fault(door.sender.push(body(row()), Authorization=authorization)) == (401, "unauthorised")


@pytest.mark.parametrize("channel", ["hall", "nowhere", "..%2Fdesk"])
def test_a_token_opens_its_own_channel_only(door: World, channel: str) -> None:
    answer = door.sender.push(body(row()), channel=channel, Authorization="Bearer the token of the desk")
    assert answer.status_code == 404
    assert door.waiting() == []


@pytest.mark.parametrize("key", [None, "", "k" * 201, "a\tb"])
def test_a_push_needs_an_idempotency_key(door: World, key: str | None) -> None:
    assert fault(door.sender.push(body(row()), Idempotency_Key=key)) == (400, "no_idempotency_key")


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_is_json_by_its_header(door: World, kind: str | None) -> None:
    assert fault(door.sender.push(body(row()), Content_Type=kind)) == (415, "not_json")
    assert door.sender.push(body(row()), "c", Content_Type="application/json; charset=utf-8").status_code == 202


def test_an_encoding_that_nobody_reads_is_refused(door: World) -> None:
    for encoding in ("br", "deflate", "gzip, gzip"):
        assert fault(door.sender.push(body(row()), Content_Encoding=encoding)) == (415, "unknown_encoding")


def pieces(data: bytes, size: int = 65_536) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def test_a_body_is_bounded_by_its_length_in_pieces_and_when_it_expands(door: World) -> None:
    most = 2_000_000
    assert fault(door.sender.push(b" " * (most + 1))) == (413, "too_large")
    assert fault(door.sender.push(pieces(b" " * (most + 1)))) == (413, "too_large")
    bomb = gzip.compress(gzip.compress(b" " * 500_000_000))
    assert fault(door.sender.push(gzip.compress(b" " * 100_000_000), Content_Encoding="gzip")) == (413, "too_large")
    assert fault(door.sender.push(bomb, Content_Encoding="gzip")) == (400, "unreadable")
    whole = body(row()) + b" " * (most - len(body(row())))
    assert door.sender.push(whole, "whole").status_code == 202
    assert door.sender.push(pieces(gzip.compress(whole), 7), "packed", Content_Encoding="gzip").status_code == 202


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "complete"),
        (b"no gzip", "not the gzip"),
        (gzip.compress(body(row()))[:-1], "complete"),
        (gzip.compress(body(row()))[:-8] + bytes(8), "not the gzip"),
        (gzip.compress(body(row())) + b"x", "goes on"),
        (gzip.compress(body(row())) + gzip.compress(b" "), "goes on"),
    ],
)
def test_gzip_is_whole_and_one(door: World, data: bytes, said: str) -> None:
    answer = door.sender.push(data, Content_Encoding="gzip")
    assert fault(answer) == (400, "unreadable")
    assert said in answer.json()["detail"]


def test_what_follows_a_gzip_for_ever_is_cut_off(door: World) -> None:
    for endless in (gzip.compress(body(row())) + bytes(10), gzip.compress(b"")[:-10] + b"\0\0\0\xff\xff" * 500_000):
        answer = door.sender.push(pieces(endless), Content_Encoding="gzip")
        assert answer.status_code in (400, 413)
    assert door.waiting() == []


def test_each_fault_is_named_and_nothing_of_the_body_is_taken(door: World) -> None:
    answer = door.sender.push(body(row(), row(value=-1), row(region="nowhere"), row(start="2026-11-21T08:00:00"), "x"))
    assert fault(answer) == (422, "records_rejected")
    assert "4 of 5 observations" in answer.json()["detail"]
    told = [(one["record"], one["rule"], one["column"], one["code"], one["value"]) for one in answer.json()["faults"]]
    assert told == [
        (2, "AC-01", "value", "below_minimum", "-1"),
        (3, "AC-02", "region", "unknown_region", "nowhere"),
        (4, "TY-03", "start", "naive_time", "2026-11-21T08:00:00"),
        (5, "TY-01", None, "not_a_record", "x"),
    ]
    assert door.waiting() == []
    [(channel, source, data, received_at)] = door.refusals
    assert (channel, source, received_at) == ("desk", "counts", NOW)
    assert len(json.loads(data)["observations"]) == 5


def test_at_most_a_hundred_faults_are_told(door: World) -> None:
    answer = door.sender.push(body(*[row(value="x")] * 500))
    assert len(answer.json()["faults"]) == 100
    assert "500 of 500" in answer.json()["detail"]


def test_a_body_that_is_no_batch_is_refused_and_told(door: World) -> None:
    answer = door.sender.push(b"{")
    assert fault(answer) == (400, "unreadable")
    assert "not JSON" in answer.json()["detail"]
    assert door.refusals == [("desk", "counts", b"{", NOW)]


def test_a_name_that_no_answer_can_hold_is_told_escaped(door: World) -> None:
    answer = door.sender.push(b'{"observations": [{"\\ud800": 1}]}')
    assert answer.json()["faults"][0]["column"] == "\\ud800"
    answer = door.sender.push(b'{"\\ud800": 1, "observations": [1]}')
    assert (answer.status_code, "'\\ud800'" in answer.json()["detail"]) == (400, True)


def test_a_steward_who_cannot_be_told_is_our_trouble_and_not_the_senders(
    door: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*told: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(door.door, "_intake", replace(door.door._intake, refuse=full))
    assert fault(door.sender.push(b"{")) == (400, "unreadable")
    assert "could not be noted" in caplog.text


def test_too_many_a_minute_are_told_when_to_come_back(door: World) -> None:
    answers = [door.sender.push(body(row(number)), f"k{number}", "hall") for number in range(8)]
    late = answers[-1]
    assert fault(late) == (429, "rate_limited")
    assert 1 <= int(late.headers["retry-after"]) <= 10
    assert door.sender.push(body(row()), "other").status_code == 202


def test_an_allowance_refills_evenly_and_is_given_back() -> None:
    now = 0.0
    allowance = Allowance(60, lambda: now)
    for _ in range(60):
        with allowance.taken():
            pass
    with pytest.raises(Refused), allowance.taken():
        pass
    now = 1.0
    with allowance.taken():
        pass
    with pytest.raises(Refused), allowance.taken():
        pass


def test_few_pushes_are_under_way_at_once() -> None:
    allowance = Allowance(1000)
    held = [allowance.taken() for _ in range(AT_ONCE)]
    for one in held:
        one.__enter__()
    with pytest.raises(Refused, match="at once"), allowance.taken():
        pass
    held[0].__exit__(None, None, None)
    with allowance.taken():
        pass


def raw(address: str, sent: bytes) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    opened = socket.create_connection((host, int(port)), timeout=20)
    opened.sendall(sent)
    return opened


HEAD = (
    b"POST /ingest/v1/desk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer the token of the desk\r\n"
    b"Idempotency-Key: slow\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
)


def test_a_body_that_does_not_arrive_is_given_up_and_one_that_breaks_off_leaves_no_trace(tmp_path: Path) -> None:
    with world(tmp_path, read_s=0.5) as door:
        with raw(door.sender.url, HEAD + b'{"obs') as slow:
            answer = slow.recv(4096)
            assert answer.startswith(b"HTTP/1.1 408")
            assert b'"too_slow"' in answer or b'"too_slow"' in slow.recv(4096)
        with raw(door.sender.url, HEAD + b'{"obs') as broken:
            broken.shutdown(socket.SHUT_WR)
            broken.close()
        assert door.sender.push(body(row()), "after").status_code == 202
        assert len(door.waiting()) == 1


def test_slow_bodies_hold_no_more_than_their_places(tmp_path: Path) -> None:
    with world(tmp_path, read_s=3.0) as door:
        slow = [raw(door.sender.url, HEAD + b'{"obs') for _ in range(AT_ONCE)]
        answer = door.sender.push(body(row()), "beside")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert door.sender.push(body(row()), "beside", "hall").status_code == 202
        for one in slow:
            assert one.recv(12) == b"HTTP/1.1 408"
            one.close()
        assert door.sender.push(body(row()), "beside").status_code == 202


def test_a_full_stream_says_so_and_goes_on_when_it_is_drained(tmp_path: Path) -> None:
    with world(tmp_path, Limits(entries=2)) as door:
        for key in ("a", "b"):
            assert door.sender.push(body(row()), key).status_code == 202
        full = door.sender.push(body(row()), "c")
        assert (fault(full), full.headers["retry-after"]) == ((503, "full"), "5")
        assert door.sender.push(body(row()), "a").json()["duplicate"]
        door.ingest.done([one.id for one in door.ingest.read(block_ms=10)])
        assert door.sender.push(body(row()), "c").status_code == 202


def test_while_valkey_is_away_nothing_is_promised_and_afterwards_nothing_is_lost(tmp_path: Path) -> None:
    with world(tmp_path) as door:
        assert door.sender.push(body(row()), "a").status_code == 202
        pid = door.valkey.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        hanging = door.sender.push(body(row()), "b")
        assert fault(hanging) == (503, "unavailable")
        os.kill(pid, signal.SIGKILL)
        gone = door.sender.push(body(row()), "b")
        assert (fault(gone), gone.headers["retry-after"]) == ((503, "unavailable"), "5")
        assert door.valkey.ensure()
        again = door.sender.push(body(row()), "b")
        assert (again.status_code, again.json()["duplicate"]) == (202, False)
        assert [one.key for one in door.ingest.read(block_ms=10)] == ["a", "b"]


def test_pushes_beside_each_other_are_each_taken_once(door: World) -> None:
    answers: list[Any] = []

    def push(number: int) -> None:
        eventually(lambda: taken(number), "there is room for a push")

    def taken(number: int) -> bool:
        answer = door.sender.push(body(row(number)), f"k{number}")
        if answer.status_code != 429:
            answers.append(answer)
        return answer.status_code != 429

    threads = [threading.Thread(target=push, args=(number % 10,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["batch"] for answer in answers}) == 10
    assert sorted(json.loads(data)["observations"][0]["value"] for data in door.waiting()) == list(range(10))


def test_no_method_but_post_is_answered(door: World) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        assert door.sender.client.request(method, f"{door.sender.url}/ingest/v1/desk").status_code == 405
