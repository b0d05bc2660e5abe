"""The test case folders of http_json, and what parsing makes of anything at all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.http_json.pages import Page
from metrics.observations import SourceFault
from tests.support.record_sources import case_folders, collector, judged, payload, rows

CASES = case_folders("http_json")


def test_there_are_cases() -> None:
    assert len(CASES) == 10


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(folder: Any) -> None:
    expected, found = judged("http_json", folder)
    assert found == expected


def source(**mapping: Any) -> dict[str, Any]:
    rules = {
        "time": {"field": "t"},
        "region": {"field": "r"},
        "dimensions": {"service_type": {"field": "d"}},
        "measures": {"contacts": {"field": "n"}, "answered": {"count": True, "where": {"s": ["ok"]}}},
    } | mapping
    return {
        "id": "any",
        "kind": "http_json",
        "delivers": [{"measure": name, "dimensions": ["service_type"]} for name in ("contacts", "answered")],
        "options": {
            "base_url": "http://127.0.0.1",
            "errors": {"code": "errcode", "words": "errmsg"},
            "requests": [{"id": "any", "path": "/", "records": "list[*]", "map": rules}],
        },
    }


START, END = "2026-11-20T10:00:00+08:00", "2026-11-20T10:05:00+08:00"
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["440100", "450100", "ok", START, "2026-11-20T02:01:00Z", 10**400, -0.0, 2.0**70, "\ud800"]),
)
JSON = st.recursive(
    SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text() | st.sampled_from("trdns"), part), max_leaves=20
)
RECORDS = st.fixed_dictionaries({}, optional=dict.fromkeys("trdns", SCALARS | JSON))


def parse_anything(body: str, **mapping: Any) -> list[list[Any]]:
    """What a body is parsed to; a SourceFault is an answer too, anything else is a bug."""
    reader = collector(source(**mapping))
    data = Page("any", START, END, 0, body).line().encode("utf-8", "surrogatepass")
    try:
        parsed = reader.parse(payload(data, START, END))
    except SourceFault:
        return []
    found = rows(parsed.observations if parsed.contributions is None else parsed.contributions)
    assert all(0 <= row[-1] <= 2**53 for row in found)
    json.dumps(parsed.cursor, allow_nan=False)
    assert all(len(entry.value) <= 200 and entry.value.isprintable() for entry in parsed.rejects)
    return found


@settings(max_examples=80, deadline=None)
@given(st.lists(RECORDS | JSON, max_size=8))
def test_any_records_are_counted_or_rejected(records: list[Any]) -> None:
    parse_anything(json.dumps({"list": records}))


@settings(max_examples=50, deadline=None)
@given(st.lists(RECORDS | JSON, max_size=8))
def test_any_records_of_contacts_are_counted_or_rejected(records: list[Any]) -> None:
    parse_anything(json.dumps({"list": records}), contact={"field": "d"}, time={"field": "t", "form": "epoch_ms"})


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_any_json_is_parsed_or_refused(document: Any) -> None:
    parse_anything(json.dumps(document), time={"field": "$..t"}, region={"field": "r[0].x"}, absent="zero")


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_text_is_parsed_or_refused(body: str) -> None:
    parse_anything(body)


@settings(max_examples=40, deadline=None)
@given(st.binary())
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        parsed = collector(source()).parse(payload(data, START, END))
    except SourceFault:
        return
    assert parsed.read == 0


def counted(records: list[Any], interval_s: int = 60, zone: str = "Asia/Shanghai", **mapping: Any) -> Any:
    changed = source(**mapping)
    built = collector(changed, interval_s, zone)
    return built.parse(payload((Page("any", START, END, 0, json.dumps({"list": records})).line()).encode(), START, END))


@pytest.mark.parametrize(
    ("clock", "code"),
    [
        ("2026-03-27T02:30:00", "nonexistent_time"),
        ("2026-10-25T01:30:00", "ambiguous_time"),
        ("2026-10-25T02:00:00", None),
    ],
)
def test_a_wall_clock_that_cannot_be_told_is_rejected(clock: str, code: str | None) -> None:
    """Jerusalem's clocks go forward at 2 on 27 March and back at 2 on 25 October 2026."""
    record = {"t": clock, "r": "440100", "n": 1}
    parsed = counted([record], zone="Asia/Jerusalem", time={"field": "t", "naive": "channel_zone"})
    assert [entry.code for entry in parsed.rejects] == ([code] if code else [])


def test_days_begin_at_local_midnight() -> None:
    records = [
        {"t": "2026-11-20T00:00:00+08:00", "r": "440100", "n": 1},
        {"t": "2026-11-20T00:00:00Z", "r": "440300", "n": 1},
    ]
    parsed = counted(records, interval_s=86400)
    assert [row[3] for row in rows(parsed.observations)] == ["2026-11-19T16:00:00+00:00"]
    assert [entry.code for entry in parsed.rejects] == ["off_boundary"]


def test_a_region_below_the_grain_is_rejected_and_one_above_is_a_reported_total() -> None:
    records = [{"t": START, "r": region, "n": 1} for region in ("440000", "440100", "100000")]
    changed = source(measures={"contacts": {"field": "n"}})
    changed["delivers"][0]["grain"] = "province"
    data = Page("any", START, END, 0, json.dumps({"list": records})).line().encode()
    parsed = collector(changed).parse(payload(data, START, END))
    assert [row[1] for row in rows(parsed.observations)] == ["100000", "440000"]
    assert [entry.code for entry in parsed.rejects] == ["finer_than_grain"]


def test_parts_add_up_and_peaks_take_the_largest() -> None:
    rules = {
        "time": {"field": "t", "off_boundary": "floor"},
        "region": {"field": "r"},
        "measures": {"contacts": {"count": True}, "longest_wait": {"field": "n"}},
        "dimensions": {},
        "repeated": "sum",
    }
    changed = source(**rules)
    changed["delivers"] = [{"measure": "contacts"}, {"measure": "longest_wait"}]
    records = [{"t": f"2026-11-20T10:00:{second}+08:00", "r": "440100", "n": second} for second in (10, 59, 30)]
    data = Page("any", START, END, 0, json.dumps({"list": records})).line().encode()
    parsed = collector(changed).parse(payload(data, START, END))
    assert [(row[0], row[4]) for row in rows(parsed.observations)] == [("contacts", 3.0), ("longest_wait", 59.0)]


def test_a_broken_record_is_never_called_zero() -> None:
    records = [
        {"t": START, "r": "440100", "n": "many"},
        {"t": "yesterday", "r": "440300", "n": 1},
        {"t": START, "r": "450100", "n": 2},
    ]
    parsed = counted(records, measures={"contacts": {"field": "n"}}, absent="zero")
    found = {(row[1], row[3][14:16]): row[4] for row in rows(parsed.observations)}
    assert {key for key in found if key[0] == "440300"} == set()
    assert ("440100", "00") not in found
    assert found["440100", "01"] == 0
    assert found["450100", "00"] == 2


def test_a_contact_that_counts_for_nothing_any_more_takes_its_part_back() -> None:
    rules: dict[str, Any] = {"contact": {"field": "d", "pseudonymise": False}, "dimensions": {}}
    rules |= {"measures": {"answered": {"count": True, "where": {"s": ["ok"]}}}}
    parsed = counted([{"t": START, "r": "440100", "d": "c1", "s": "gone"}], **rules)
    assert [(row[0], row[1], row[5]) for row in rows(parsed.contributions)] == [("c1", "answered", 0.0)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"measures": {"talk_s": {"field": "n"}}}, "'talk_s' is not under `delivers`"),
        ({"region": {"constant": "710000"}}, "'710000' is no region"),
        ({"dimensions": {"outcome": {"field": "x"}}}, "'outcome' is not under `delivers`"),
        ({"time": {}}, "needs either"),
        ({"time": {"field": "$[?("}}, "not a JSONPath"),
        ({"measures": {"contacts": {"field": "n", "count": True}}}, "either `field` or `count"),
        ({"contact": {"field": "a.b"}}, "plain name"),
        ({"contact": {"field": "a"}, "absent": "zero"}, "absent: zero"),
        ({"extra": 1}, "Extra inputs"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        collector(source(**change))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"base_url": "ftp://x"}, "not an address"),
        ({"base_url": "https://user:pass@x"}, "must carry no user"),
        ({"base_url": "https://x?key=1"}, "must carry no user"),
        ({"auth": {"by": "header", "env": "lower case"}}, "pattern"),
        ({"redirects": "follow"}, "refuse"),
        ({"verify": False}, "Extra inputs"),
    ],
)
def test_options_that_would_weaken_the_guards_are_refused(options: dict[str, Any], reason: str) -> None:
    changed = source()
    changed["options"] |= options
    with pytest.raises(ValidationError, match=reason):
        collector(changed)
