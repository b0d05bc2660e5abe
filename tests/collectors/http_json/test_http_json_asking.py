"""What http_json asks a real server on loopback: tokens, pages, gaps, and how often."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from collectors.http_json.calling import call_rate
from tests.support.json_interface import Call, Interface, Reply, say
from tests.support.json_reader import HOUR, MAP, fault, one, reader, taken
from tests.support.record_sources import ask, rows

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


# How often it asks


def test_no_minute_holds_more_calls_than_allowed() -> None:
    now = 0.0
    rate = call_rate(60, lambda: now)
    made = []
    for _ in range(300):
        wait = rate.reserve(1e9)
        assert wait is not None
        now += wait
        made.append(now)
    assert max(sum(begin <= call < begin + 60 for call in made) for begin in made) <= 60
    assert made[5] == 0
    assert 54 <= made[60] <= 62


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
