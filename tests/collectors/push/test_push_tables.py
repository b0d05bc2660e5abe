"""Pushed tables: cell by cell the same as records that say the same, refused in the same words, bounded alike."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.push import PushCollector
from metrics.observations import Parsed, SourceFault
from tests.support.push_world import GUANGZHOU, NOW, SHENZHEN, World, fault_of_tables, tables
from tests.support.record_sources import collector

SOURCE: dict[str, Any] = {
    "id": "counts",
    "kind": "push",
    "delivers": [
        {"measure": "contacts", "dimensions": ["service_type"]},
        {"measure": "talk_s"},
        {"measure": "longest_wait", "grain": "province"},
    ],
    "options": {"token_env": "WATCHFLOOR_TOKEN_DESK", "records": 200, "body_bytes": 100_000},
}
START = "2026-11-21T08:00:00Z"
MEASURES = st.sampled_from([*["contacts", "talk_s"] * 4, "longest_wait", "answered", ""])
REGIONS = st.sampled_from([*[GUANGZHOU, SHENZHEN, "440000"] * 8, "100000", "710000", "", None, 440100, "x\ud800", [1]])
STARTS = st.sampled_from(
    [*[START, "2026-11-21T16:01:00+08:00"] * 9, "2026-11-21T08:00:30Z", "2026-11-21T08:00:00", None, 7]
)
CODES = st.sampled_from([*[None, "billing", "其他"] * 4, "", "a\u202eb", 3, ["billing"]])
VALUES = st.one_of(
    st.none(),
    st.integers(0, 5),
    st.floats(),
    st.sampled_from([True, "3", -1, 2.5, -0.0, 1e300, 10**17, 10**400, 1_000_001, 1_000_000.0000000001, [1], {}]),
)
ROWS = st.lists(st.tuples(REGIONS, STARTS, CODES), min_size=1, max_size=6)


@st.composite
def bodies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Tables of any cells, honest or not."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(ROWS)
        regions, starts, codes = (list(column) for column in zip(*rows, strict=True))
        names = draw(st.lists(MEASURES, min_size=1, max_size=4, unique=True))
        values = {name: draw(st.lists(VALUES, min_size=len(rows), max_size=len(rows))) for name in names}
        split = {"dimensions": {"service_type": codes}} if draw(st.booleans()) else {}
        made.append({"region": regions, "start": starts, "values": values, **split})
    return made


def push() -> PushCollector:
    built = collector(SOURCE)
    assert isinstance(built, PushCollector)
    return built


def parsed(**document: Any) -> Parsed:
    return push().parse(push().payload(json.dumps(document).encode(), NOW))


def records(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that say the same as tables, in the same order."""
    found = []
    for table in written:
        for name, cells in table["values"].items():
            for row, value in enumerate(cells):
                if value is not None:
                    said = {"measure": name, "region": table["region"][row], "start": table["start"][row]}
                    code = table.get("dimensions", {}).get("service_type", [None] * len(cells))[row]
                    split = {} if code is None else {"dimensions": {"service_type": code}}
                    found.append({**said, "value": value, **split})
    return found


def counted(found: Parsed) -> dict[tuple[Any, ...], float]:
    table = found.observations
    assert table is not None
    return {tuple(row[:4]): row[4] for row in table.astype({"start": str}).itertuples(index=False)}


@settings(deadline=None)
@given(bodies())
def test_a_table_counts_and_refuses_what_records_that_say_the_same_do(written: list[dict[str, Any]]) -> None:
    said = records(written)
    if not said:
        with pytest.raises(SourceFault, match="has 0 observations"):
            parsed(tables=written)
        return
    by_table, by_record = parsed(tables=written), parsed(observations=said)
    told = sorted((one.rule, one.code, one.value) for one in by_record.rejects if one.code != "said_twice")
    assert sorted((one.rule, one.code, one.value) for one in by_table.rejects if one.code != "said_twice") == told
    assert by_table.read == by_record.read == len(said)
    assert len(by_table.rejects) == len(by_record.rejects)
    # Of what is said twice one counts; which one differs where the first had to be looked at again.
    assert counted(by_table).keys() == counted(by_record).keys()
    doubled = {one.value for one in by_record.rejects if one.code == "said_twice"}
    if not doubled:
        assert counted(by_table) == counted(by_record)


def test_the_first_of_two_equal_keys_counts_and_the_other_is_named_with_its_row_and_column() -> None:
    row = {"region": [GUANGZHOU], "start": [START]}
    found = parsed(tables=[{**row, "values": {"talk_s": [7], "contacts": [3]}}, {**row, "values": {"contacts": [4]}}])
    assert sorted(counted(found).values()) == [3, 7]
    [twice] = found.rejects
    assert (twice.line, twice.rule, twice.column, twice.code, twice.value) == (
        2, "CP-02", "values.contacts", "said_twice", "4",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"tables": {}}, "one list"),
        ({"tables": [], "observations": []}, "one list"),
        ({"tables": []}, "has 0 observations"),
        ({"tables": [1]}, "table 1 of the body is no object"),
        ({"tables": [{"region": [], "start": []}]}, 'needs an object "values"'),
        ({"tables": [{"region": [], "start": [], "values": {}}]}, 'needs an object "values"'),
        ({"tables": [{"region": "4", "start": [1], "values": {"contacts": [1]}}]}, "lists of one length"),
        ({"tables": [{"start": [START], "values": {"contacts": [1]}}]}, "lists of one length"),
        ({"tables": [{"region": [], "start": [START], "values": {"contacts": [1]}}]}, "lists of one length"),
        ({"tables": [{"region": ["1"], "start": ["1"], "values": {"contacts": [1, 2]}}]}, "lists of one length"),
        ({"tables": [{"region": [], "start": [], "values": {"contacts": []}, "note": 1}]}, "unknown name 'note'"),
        ({"tables": [{"region": [], "start": [], "values": {"contacts": []}, "dimensions": []}]}, 'object "values"'),
        ({"tables": [{"region": ["1"] * 201, "start": ["1"] * 201, "values": {"contacts": [1] * 201}}]}, "has 201 obs"),
        ({"tables": [{"region": [None] * 2000, "start": [None] * 2000, "values": {"a": []}}]}, "more values than 200"),
    ],
)
def test_what_is_no_table_is_refused_whole_and_says_why(written: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceFault, match=said) as caught:
        parsed(**written)
    assert (caught.value.code, caught.value.permanent) == ("unreadable", True)


def test_a_column_named_twice_is_no_table() -> None:
    body = f'{{"tables": [{{"region": ["1"], "start": ["{START}"], "values": {{"contacts": [1], "contacts": [2]}}}}]}}'
    with pytest.raises(SourceFault, match="lists of one length"):
        push().parse(push().payload(body.encode(), NOW))


def test_the_door_takes_tables_and_refuses_them_as_a_whole(door: World) -> None:
    good = door.sender.push(tables(contacts=[1, 2]), "good")
    assert (good.status_code, good.json()["observations"]) == (202, 2)
    bad = door.sender.push(tables(contacts=[1, -2]), "bad")
    assert bad.status_code == 422
    assert bad.json()["faults"] == [fault_of_tables(2, "AC-01", "values.contacts", "below_minimum", "-2")]
    assert len(door.waiting()) == 1
