"""Answers of WeChat's data cube and customer service, as recorded in the shared data, read over a real server.

The files stay where they are; without `../shared/data` these tests are skipped.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from collectors import Collector
from metrics.observations import Parsed, SourceFault
from tests.support.json_interface import Call, Interface, Reply, say, serving
from tests.support.record_sources import COLLECTORS, SHARED, ask, collector, rows

FIXTURES = SHARED / "wechat_fixtures"
pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"{FIXTURES} is absent: the shared data is not mounted")

DAY = ("2014-12-07T00:00:00+08:00", "2014-12-08T00:00:00+08:00")
HOURLY = {
    "field": "ref_date",
    "form": "%Y-%m-%d",
    "hour_field": "ref_hour",
    "hour_form": "hhmm",
    "naive": "channel_zone",
}
DAILY = {"field": "ref_date", "form": "%Y-%m-%d", "naive": "channel_zone"}
NATION = {"constant": "100000"}
NOW = {"time": {"instant": True}, "region": NATION, "repeated": "sum", "absent": "zero"}
TOKEN = {
    "by": "token",
    "path": "/cgi-bin/token",
    "params": {"grant_type": "client_credential"},
    "secret_params": {"appid": "WECHAT_APPID", "secret": "WECHAT_SECRET"},
    "expired_codes": [40001, 42001],
}


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Interface]:
    """WeChat as its manual has it: a token that one must have, and POST for the data cube."""
    monkeypatch.setenv("WECHAT_APPID", "wx-test")
    monkeypatch.setenv("WECHAT_SECRET", "wx-secret-0123")
    with serving() as interface:
        valid: list[str] = []

        def token(call: Call) -> Reply:
            if call.params != {"grant_type": "client_credential", "appid": "wx-test", "secret": "wx-secret-0123"}:
                return say({"errcode": 40013, "errmsg": "invalid appid"})
            valid.append(f"token-{len(valid)}")
            return say({"access_token": valid[-1], "expires_in": 7200})

        def fixture(name: str) -> Any:
            def answer(call: Call) -> Reply:
                if call.params.get("access_token") not in valid[1:]:
                    return say({"errcode": 42001, "errmsg": "access_token expired"})
                return Reply(
                    (FIXTURES / f"{name}.json").read_bytes(), 200, {"content-type": "application/json; encoding=utf-8"}
                )

            return answer

        interface.routes["/cgi-bin/token"] = token
        for file in FIXTURES.glob("*.json"):
            interface.routes["/" + file.stem.replace("_", "/")] = fixture(file.stem)
        yield interface


def reader(server: Interface, path: str, records: str, rules: dict[str, Any], interval_s: int = 3600) -> Collector:
    dimensions = list(rules.get("dimensions", ()))
    request = {
        "id": "one",
        "path": path,
        "method": "POST",
        "body": {"begin_date": "{start}", "end_date": "{last}"},
        "times": {"form": "%Y-%m-%d"},
        "records": records,
        "map": rules,
    }
    options = {
        "base_url": server.url,
        "auth": TOKEN,
        "errors": {"code": "errcode", "words": "errmsg", "retry": [-1]},
        "requests": [request],
        "limits": {"wait_s": 0.01, "calls_per_minute": 6000},
        "personal": ["openid", "kf_account", "kf_nick", "text", "worker"],
    }
    delivers = [{"measure": name, "grain": "nation", "dimensions": dimensions} for name in rules["measures"]]
    source = {"id": "wechat", "kind": "http_json", "delivers": delivers, "options": options}
    return collector(source, interval_s=interval_s)


def taken(built: Collector, now: str | None = None) -> Parsed:
    return built.parse(built.fetch(ask(*DAY, now=now)))


def of(**measures: Any) -> dict[str, Any]:
    return {name: rule if isinstance(rule, dict) else {"field": rule} for name, rule in measures.items()}


def ms(field: str) -> dict[str, Any]:
    return {"field": field, "scale": 0.001}


KIND = {"service_type": {"field": "msg_type", "codes": {1: "text"}}}
CASES = [
    ("/datacube/getupstreammsghour", "list[*]", HOURLY, KIND, of(contacts="msg_count"),
     [["contacts", "100000", "service_type=text", "2014-12-06T16:00:00+00:00", 10.0]]),
    ("/datacube/getupstreammsg", "list[*]", DAILY, KIND, of(contacts="msg_count"),
     [["contacts", "100000", "service_type=text", "2014-12-06T16:00:00+00:00", 817.0]]),
    ("/datacube/getinterfacesummaryhour", "list[*]", HOURLY, {},
     of(contacts="callback_count", talk_s=ms("total_time_cost"), longest_wait=ms("max_time_count")),
     [["contacts", "100000", "", "2014-12-06T16:00:00+00:00", 1234.0],
      ["longest_wait", "100000", "", "2014-12-06T16:00:00+00:00", 0.123],
      ["talk_s", "100000", "", "2014-12-06T16:00:00+00:00", 12.345]]),
    ("/datacube/getinterfacesummary", "list[*]", DAILY, {}, of(contacts="callback_count"),
     [["contacts", "100000", "", "2014-12-06T16:00:00+00:00", 1234.0]]),
    ("/datacube/getusersummary", "list[*]", DAILY, {"service_type": {"field": "user_source"}}, of(contacts="new_user"),
     [["contacts", "100000", "service_type=0", "2014-12-06T16:00:00+00:00", 0.0]]),
    ("/datacube/getusercumulate", "list[*]", DAILY, {}, of(queue_length="cumulate_user"),
     [["queue_length", "100000", "", "2014-12-06T16:00:00+00:00", 1217056.0]]),
    ("/datacube/getuserreadhour", "list[*]", HOURLY, {}, of(contacts="ori_page_read_count"),
     [["contacts", "100000", "", "2014-12-07T04:00:00+00:00", 25517.0]]),
    ("/datacube/getusersharehour", "list[*]", HOURLY, {"service_type": {"field": "share_scene"}},
     of(contacts="share_count"),
     [["contacts", "100000", "service_type=1", "2014-12-07T04:00:00+00:00", 72.0]]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "records", "when", "dimensions", "measures", "expected"), CASES)
def test_the_data_cube(
    wechat: Interface, path: str, records: str, when: Any, dimensions: Any, measures: Any, expected: Any
) -> None:
    rules = {"time": when, "region": NATION, "dimensions": dimensions, "measures": measures}
    built = reader(wechat, path, records, rules, 86400 if when is DAILY else 3600)
    parsed = taken(built)
    assert rows(parsed.observations) == expected
    assert parsed.rejects == ()
    (asked, again) = wechat.asked(path)
    assert again.json == {"begin_date": "2014-12-07", "end_date": "2014-12-07"}
    assert (asked.params, again.params) == ({"access_token": "token-0"}, {"access_token": "token-1"})


def test_records_of_nested_lists_are_read_together(wechat: Interface) -> None:
    """Nested days of one article: the records are the details, their date is their own."""
    rules = {
        "time": DAILY | {"field": "stat_date"},
        "region": NATION,
        "measures": of(contacts="int_page_read_count"),
    }
    built = reader(wechat, "/datacube/getarticletotal", "list[*].details[*]", rules, 86400)
    parsed = built.parse(built.fetch(ask("2014-12-14T00:00:00+08:00", "2014-12-15T00:00:00+08:00")))
    assert rows(parsed.observations) == [["contacts", "100000", "", "2014-12-13T16:00:00+00:00", 25615.0]]


ONLINE = "/customservice/getonlinekflist"
LEVELS = [
    (ONLINE, "kf_online_list[*]", of(agents_on_duty={"count": True, "where": {"status": [1, 2, 3]}}), 2.0),
    (ONLINE, "kf_online_list[*]", of(agents_on_duty={"count": True, "where": {"status": [2]}}), 0.0),
    (ONLINE, "kf_online_list[*]", of(queue_length="accepted_case"), 3.0),
    ("/customservice/getkflist", "kf_list[*]", of(agents_on_duty={"count": True}), 2.0),
    ("/customservice/kfsession/getwaitcase", "$", of(queue_length="count"), 150.0),
    ("/customservice/kfsession/getwaitcase", "waitcaselist[*]", of(queue_length={"count": True}), 2.0),
    ("/customservice/kfsession/getsessionlist", "sessionlist[*]", of(queue_length={"count": True}), 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("path", "records", "measures", "expected"), LEVELS)
def test_levels_of_customer_service(wechat: Interface, path: str, records: str, measures: Any, expected: float) -> None:
    built = reader(wechat, path, records, NOW | {"measures": measures}, 60)
    payload = built.fetch(ask(*DAY, now="2014-12-08T09:30:20+08:00"))
    (found,) = rows(built.parse(payload).observations)
    assert found == [next(iter(measures)), "100000", "", "2014-12-08T01:29:00+00:00", expected]
    assert b"test1@test" not in payload.data


def test_messages_are_counted_and_nobody_is_named(wechat: Interface) -> None:
    rules = {
        "time": {"field": "time", "form": "epoch_s", "off_boundary": "floor"},
        "region": NATION,
        "dimensions": {"service_type": {"field": "opercode"}},
        "measures": of(contacts={"count": True}),
        "repeated": "sum",
    }
    built = reader(wechat, "/customservice/msgrecord/getmsglist", "recordlist[*]", rules, 60)
    payload = built.fetch(ask("2014-05-20T13:00:00+08:00", "2014-05-20T14:00:00+08:00"))
    assert rows(built.parse(payload).observations) == [
        ["contacts", "100000", "service_type=2002", "2014-05-20T05:28:00+00:00", 1.0],
        ["contacts", "100000", "service_type=2003", "2014-05-20T05:28:00+00:00", 1.0],
    ]
    body = json.loads(json.loads(payload.data)["body"])
    raw = json.loads((FIXTURES / "customservice_msgrecord_getmsglist.json").read_bytes())
    for kept, told in zip(body["recordlist"], raw["recordlist"], strict=True):
        assert kept["openid"] == body["recordlist"][0]["openid"] != told["openid"]
        assert {kept[name][:2] for name in ("openid", "worker", "text")} == {"p:"}
        assert kept["opercode"] == told["opercode"]


def test_contacts_are_kept_by_pseudonym(wechat: Interface) -> None:
    rules = {
        "time": {"field": "time", "form": "epoch_s"},
        "region": NATION,
        "contact": {"field": "openid"},
        "measures": of(contacts={"count": True}),
    }
    built = reader(wechat, "/customservice/msgrecord/getmsglist", "recordlist[*]", rules, 60)
    parsed = taken(built, now="2014-05-20T15:00:00+08:00")
    (found,) = rows(parsed.contributions)
    assert found[0].startswith("p:")
    assert parsed.excluded == {"superseded": 1}


def test_every_answer_is_parsed_or_refused(wechat: Interface) -> None:
    """Also those that mean nothing to a counter: an account made, a session closed."""
    files = sorted(FIXTURES.glob("*.json"))
    assert len(files) == 30
    rules = {"time": HOURLY, "region": NATION, "measures": of(contacts="msg_count")}
    built = reader(wechat, "/datacube/getupstreammsghour", "list[*]", rules)
    kept = [parsed for file in files if (parsed := from_file(built, file)) is not None]
    assert sum(len(rows(parsed.observations)) for parsed in kept) == 1


def from_file(built: Collector, file: Path) -> Parsed | None:
    try:
        return built.parse(built.fetch_file(file, ask(*DAY)))
    except SourceFault:
        return None


def test_the_sample_works_as_it_stands(wechat: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHAT_BASE_URL", wechat.url)
    sample = yaml.safe_load((COLLECTORS / "http_json" / "sample.yaml").read_text())
    parsed = taken(collector(sample, interval_s=3600))
    assert rows(parsed.observations) == [["contacts", "100000", "service_type=text", "2014-12-06T16:00:00+00:00", 10.0]]
