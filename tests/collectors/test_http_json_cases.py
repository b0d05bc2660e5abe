"""The test case folders of http_json, and what parsing makes of anything at all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_sources import case_folders, collector, judged, payload, rows

from collectors.http_json.pages import Page
from metrics.observations import SourceFault

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


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORDS | JSON, max_size=8))
def test_any_records_are_counted_or_rejected(records: list[Any]) -> None:
    parse_anything(json.dumps({"list": records}))


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS | JSON, max_size=8))
def test_any_records_of_contacts_are_counted_or_rejected(records: list[Any]) -> None:
    parse_anything(json.dumps({"list": records}), contact={"field": "d"}, time={"field": "t", "form": "epoch_ms"})


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_any_json_is_parsed_or_refused(document: Any) -> None:
    parse_anything(json.dumps(document), time={"field": "$..t"}, region={"field": "r[0].x"}, absent="zero")


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_text_is_parsed_or_refused(body: str) -> None:
    parse_anything(body)


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        assert collector(source()).parse(payload(data, START, END)).read == 0
    except SourceFault as fault:
        assert fault.code == "unreadable"
