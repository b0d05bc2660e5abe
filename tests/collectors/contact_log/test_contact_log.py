"""The kind `contact_log`: options that stop the start, customers' numbers, conditions, and what a record may hold."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors import kind_module
from collectors.contact_log.arrival import by_iso, by_pattern
from collectors.contact_log.cells import READERS, NotReadable
from collectors.contact_log.options import Options
from collectors.shared.lines import Place
from collectors.shared.pseudonyms import pseudonym
from config.catalogue import Channel
from config.settings import ROOT
from metrics.distinct import mark_of
from metrics.observations import CONTRIBUTION_COLUMNS, Interval, Payload, SourceFault, decode_dimensions
from metrics.percentiles import band_of
from tests.support.tailing_world import KEY, NOW, Ledger, ask, build, read_file

KIND = ROOT / "collectors" / "contact_log"
PLAIN: dict[str, Any] = {
    "path": "calls.csv",
    "contact": {"columns": ["id"]},
    "arrived": {"column": "t", "format": "epoch_s"},
    "region": {"constant": "440100"},
    "measures": {"contacts": {}},
}
T0 = 1795219200


def parse(data: bytes | str, options: dict[str, Any], **more: Any) -> Any:
    """What is made of one file's bytes."""
    collector = build("contact_log", options, **more)
    content = data if isinstance(data, bytes) else data.encode()
    place = Place("calls.csv", 0, 0, "0" * 64, 0)
    window = Interval(NOW, NOW)
    return collector.parse(Payload(content, NOW, window, "calls.csv", {"place": place.as_json()}))


def test_the_sample_is_a_valid_channel_whose_readme_names_every_option() -> None:
    channel = Channel.model_validate(yaml.safe_load((KIND / "sample.yaml").read_text(encoding="utf-8")))
    Options.model_validate(channel.sources[0].options)
    readme = (KIND / "README.md").read_text(encoding="utf-8")
    assert [name for name in Options.model_fields if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pth": "x"}, "Extra inputs"),
        ({"path": "../../etc/passwd"}, "no `..`"),
        ({"path": "a\0b"}, "names no file"),
        ({"path": "logs/*/x.csv"}, "only in the file's name"),
        ({"encoding": "utf-16"}, "convert the file"),
        ({"encoding": "klingon"}, "unknown encoding"),
        ({"measures": {}}, "at least 1"),
        ({"measures": {"talk_s": {"sum": "n"}}}, "need a type other than text"),
        ({"measures": {"contacts": {"when": {"n": {"at_most": 5}}}}}, "need a type other than text"),
        ({"measures": {"contacts": {"when": {"n": {}}}}}, "a condition needs"),
        ({"measures": {"contacts": {"when": {"n": [False]}}}}, "put the text in quotes"),
        ({"arrived": {"column": "t", "date": "d", "time": "c"}}, "give either"),
        ({"arrived": {"date": "d"}}, "give either"),
        ({"region": {}}, "give either"),
        ({"dimensions": {"outcome": {"column": "a", "constant": "b"}}}, "give one of"),
        ({"dimensions": {"wait_band": {"band": "wait"}}}, "need a type other than text"),
        ({"dimensions": {"customer_mark": {"person": "caller"}}}, "must be the column of `customer`"),
        ({"zero": ["contacts"]}, "both in `measures` and in `zero`"),
        ({"delimiter": ";;"}, "at most 1"),
    ],
)
def test_options_that_mean_nothing_stop_the_start(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Options.model_validate(PLAIN | change)


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [
        (PLAIN, {"measures": ["contacts", "offered"]}, "differ in the measures .'offered'"),
        (PLAIN, {"carried": ("outcome",)}, "dimensions that options do not make"),
        (PLAIN | {"columns": {"n": "number"}, "dimensions": {"queue": {"band": "n"}}}, {}, "no `accuracy` .* .'queue'"),
        (PLAIN | {"region": {"constant": "710000"}}, {}, "unserved regions .'710000'"),
        (PLAIN | {"region": {"column": "c", "map": {"x": "1"}}}, {}, "unserved regions .'1'"),
    ],
)
def test_a_channel_that_does_not_fit_its_options_is_not_built(
    options: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build("contact_log", options, **more)


def test_a_relative_path_lies_under_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHFLOOR_HOME_DIR", str(tmp_path))
    assert build("contact_log", PLAIN).tail.path == tmp_path / "calls.csv"


def test_contributions_have_the_seam_s_columns_and_aware_starts() -> None:
    table = parse(f"id,t\n1,{T0 + 61}\n", PLAIN).contributions
    assert tuple(table.columns) == CONTRIBUTION_COLUMNS
    assert str(table["start"].dtype) == "datetime64[s, UTC]"
    assert table["start"][0].timestamp() == T0 + 60


def test_an_empty_file_and_one_of_other_columns(tmp_path: Path) -> None:
    assert parse(b"", PLAIN).read == 0
    assert len(parse(b"id,t\n", PLAIN).contributions) == 0
    with pytest.raises(SourceFault, match=r"lacks the columns \['t'\]") as caught:
        parse("id,when\n1,2\n", PLAIN)
    assert caught.value.permanent
    with pytest.raises(SourceFault, match=r"has \['t'\] twice"):
        parse("id,t,t\n1,2,3\n", PLAIN)
    with pytest.raises(SourceFault, match="first line is no header"):
        parse(b"id,\0t\n1,2\n", PLAIN)


def test_a_customer_s_number_leaves_no_trace() -> None:
    number = "13912345678"
    options = PLAIN | {
        "customer": {"column": "caller"},
        "columns": {"n": "integer"},
        "measures": {"talk_s": {"sum": "n"}},
    }
    lines = [
        f"1,{T0},{number},5",
        f"2,{T0},{number},5,{number}",
        f'3,{T0},"{number},5',
        f"4,{T0},{number},x",
        f"5,{T0},0,5",
    ]
    parsed = parse("id,t,caller,n\n" + "\n".join(lines) + "\n", options)
    assert parsed.rows["caller"].tolist() == [pseudonym(KEY, number), ""]
    assert len(parsed.rejects) == 3
    everything = [parsed.contributions.to_csv(), parsed.rows.to_csv(), str(parsed.rejects), str(parsed.cursor)]
    assert not any(number in text for text in everything)


def test_a_key_that_names_a_person_is_hashed() -> None:
    parsed = parse(f"id,t\n1,{T0}\n", PLAIN | {"contact": {"columns": ["id"], "hashed": True}})
    assert parsed.contributions["contact"].tolist() == [pseudonym(KEY, "1")]


def test_two_keys_never_become_one() -> None:
    options = PLAIN | {"contact": {"columns": ["a", "b"]}}
    parsed = parse(f"a,b,t\nx|y,z,{T0}\nx,y|z,{T0}\nx%7Cy,z,{T0}\n", options)
    assert parsed.contributions["contact"].nunique() == 3


def test_without_a_key_the_place_of_the_line_is_the_key(tmp_path: Path) -> None:
    options = {key: value for key, value in PLAIN.items() if key != "contact"}
    file = tmp_path / "calls.csv"
    file.write_text(f"t\n{T0}\n{T0}\n", encoding="utf-8")
    collector = build("contact_log", options)
    ledger = read_file(collector, file)
    assert read_file(collector, file, ledger).sums() == {"contacts": 2}


def test_conditions_look_at_texts_and_at_numbers() -> None:
    measures = {
        "is_a": {"when": {"s": "a"}},
        "not_a": {"when": {"s": {"not_values": ["a"]}}},
        "some": {"when": {"s": {"present": True}}},
        "none": {"when": {"s": {"present": False}}},
        "low": {"when": {"n": {"at_most": 5}}},
        "middle": {"when": {"n": {"at_least": 5, "at_most": 9}}},
        "either": {"when": [{"s": "a", "n": {"at_least": 9}}, {"s": "b"}]},
        "five": {"when": {"n": 5}},
    }
    options = PLAIN | {"columns": {"n": "number"}, "measures": measures, "missing": ["", "NULL"]}
    lines = [f"1,{T0},a,5", f"2,{T0},a,9.5", f"3,{T0},b,", f"4,{T0},NULL,5.0", f"5,{T0}, a ,NULL"]
    table = parse("id,t,s,n\n" + "\n".join(lines) + "\n", options).contributions
    found = {name: sorted(part["contact"]) for name, part in table.groupby("measure", observed=True)}
    assert found == {
        "is_a": ["1", "2", "5"],
        "not_a": ["3", "4"],
        "some": ["1", "2", "3", "5"],
        "none": ["4"],
        "low": ["1", "4"],
        "middle": ["1", "4"],
        "either": ["2", "3"],
        "five": ["1"],
    }


def test_a_dimension_is_a_column_a_constant_or_the_first_case_that_holds() -> None:
    dimensions = {
        "outcome": {
            "cases": [{"value": "answered", "when": {"s": "a"}}, {"value": "other", "when": {"s": ["a", "b"]}}]
        },
        "entry": {"constant": "ivr"},
        "service_type": {"column": "s", "map": {"a": "billing", "b": "billing"}},
    }
    table = parse(f"id,t,s\n1,{T0},a\n2,{T0},b\n3,{T0},\n", PLAIN | {"dimensions": dimensions}).contributions
    assert table["dimension"].tolist() == [
        "entry=ivr;outcome=answered;service_type=billing",
        "entry=ivr;outcome=other;service_type=billing",
        "entry=ivr",
    ]


def test_a_measure_carries_the_dimensions_that_its_delivery_names() -> None:
    options = PLAIN | {"dimensions": {"entry": {"constant": "ivr"}, "outcome": {"constant": "x"}}}
    assert parse(f"id,t\n1,{T0}\n", options, carried=("entry",)).contributions["dimension"].tolist() == ["entry=ivr"]


def test_the_doubled_hour_is_marked_and_decided_as_told() -> None:
    data = "id,t\n1,2026-10-25 02:30:00\n2,2026-10-25 01:30:00\n"
    starts = {}
    for meaning in ("earlier", "later", "reject"):
        arrived = {"column": "t", "format": "%Y-%m-%d %H:%M:%S", "ambiguous": meaning}
        parsed = parse(data, PLAIN | {"arrived": arrived}, zone="Europe/Berlin")
        starts[meaning] = [start.strftime("%H:%M") for start in parsed.contributions["start"]]
        assert [one.code for one in parsed.rejects] == (["ambiguous_time"] if meaning == "reject" else [])
        if meaning != "reject":
            assert parsed.rows["clock"].tolist() == ["ambiguous", ""]
    assert starts == {"earlier": ["00:30", "23:30"], "later": ["01:30", "23:30"], "reject": ["23:30"]}


def test_the_rows_hold_what_somebody_named_and_nothing_else() -> None:
    expects = [{"rule": "AC-01", "column": "n", "must": "be_between", "low": 0, "say": {"zh": "试", "en": "test"}}]
    options = PLAIN | {"columns": {"n": "duration"}, "exclude": [{"reason": "test_call", "when": {"s": "T"}}]}
    rows = parse(f"id,t,s,n,secret\n1,{T0},T,-0:01:00,x\n2,{T0},,1:00,y\n", options, expects=expects).rows
    assert set(rows.columns) == {"id", "t", "s", "n", "line", "contact", "arrived", "clock", "excluded"}
    assert rows["n"].tolist() == [-60.0, 60.0]
    assert (rows["line"].tolist(), rows["excluded"].tolist()) == ([2, 3], ["test_call", ""])


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "12", 12), ("integer", "-3", -3), ("integer", "12.0", 12), ("number", "1e3", 1000),
        ("number", ".5", 0.5), ("duration", "1:02:03", 3723), ("duration", "75:10", 4510),
        ("duration", "-0:00:10", -10),
        ("duration", "100:00:00.5", 360000.5), ("time", "7:02:47", 25367), ("time", "23:59", 86340),
        ("integer", "1.5", None), ("integer", "1,000", None), ("number", "nan", None), ("number", "0x10", None),
        ("number", "1e999", None), ("number", "9" * 20, None), ("number", "１２", None), ("duration", "10", None),
        ("duration", "0:61:00", None), ("time", "24:00:00", None), ("time", "-1:00", None), ("time", "=NOW()", None),
    ],
)  # fmt: skip
def test_cells_are_read_strictly(kind: Any, text: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(NotReadable):
            READERS[kind](text)
    else:
        assert READERS[kind](text) == value


def test_times_without_an_offset_are_told_apart_from_those_with() -> None:
    seconds, aware = by_iso(["2026-11-21T08:00:00+08:00", "2026-11-21T00:00:00Z", "20261121T000000", "today"])
    assert aware.tolist() == [True, True, False, False]
    assert len(set(seconds[:3].tolist())) == 1
    seconds, aware = by_pattern(["21/11/2026 00:00:00.9 +0000", "x"], "%d/%m/%Y %H:%M:%S.%f %z")
    assert (seconds[0], aware[0]) == (T0, True)


TEXTS = st.sampled_from(
    ["", "1", "-1", "=1+1", "NaN", "1e999", "0:00:10", '"', "\\", "é", "x" * 70, "2026-11-21T00:00:00Z"]
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(st.lists(TEXTS, max_size=6), max_size=12)))
def test_no_content_breaks_the_collector_and_every_record_is_accounted_for(content: Any) -> None:
    if isinstance(content, list):
        content = "\n".join(",".join(cells) for cells in content).encode()
    options = PLAIN | {
        "header": ["id", "t", "s", "n", "d"],
        "arrived": {"column": "t"},
        "columns": {"n": "integer", "d": "duration"},
        "dimensions": {"outcome": {"column": "s"}},
        "measures": {"contacts": {}, "talk_s": {"sum": "n", "when": {"d": {"at_least": 0}}}},
    }
    parsed = parse(content, options)
    counted = parsed.contributions["contact"].nunique()
    assert parsed.read == counted + len(parsed.rejects) + sum(parsed.excluded.values())
    assert parsed.contributions["value"].between(0, 1e6).all()
    assert all(len(one.value) <= 200 and one.value.isprintable() for one in parsed.rejects)
    kind_module("contact_log")


def test_parsing_the_same_payload_twice_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(f"id,t\n1,{T0}\n2,{T0 + 99}\n", encoding="utf-8")
    collector = build("contact_log", PLAIN)
    payload = collector.fetch_file(file, ask())
    first, second = Ledger(), Ledger()
    first.keep(payload, collector.parse(payload))
    second.keep(payload, collector.parse(payload))
    assert first == second


def test_contacts_leave_the_band_of_a_number_and_the_mark_of_a_person_and_nothing_where_there_is_none() -> None:
    options = PLAIN | {
        "columns": {"wait": "number"},
        "customer": {"column": "caller"},
        "dimensions": {"wait_band": {"band": "wait"}, "customer_mark": {"person": "caller"}},
    }
    lines = [f"a,{T0},38,13900000001", f"b,{T0},0,0", f"c,{T0},,13900000001", f"d,{T0},38.1,13900000002"]
    parsed = parse("id,t,wait,caller\n" + "\n".join(lines) + "\n", options, accuracies={"wait_band": 0.02})
    found = [decode_dimensions(key) for key in parsed.contributions["dimension"]]
    ada, eve = (mark_of(pseudonym(KEY, f"1390000000{last}")) for last in (1, 2))
    assert found == [
        {"wait_band": band_of(38, 0.02), "customer_mark": ada},
        {"wait_band": "0"},
        {"customer_mark": ada},
        {"wait_band": band_of(38, 0.02), "customer_mark": eve},
    ]
