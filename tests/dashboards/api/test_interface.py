"""The interface as other systems meet it: the snapshot's figures, in every format, page by page, as far as may be."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pandas as pd
import pytest
from starlette.datastructures import Headers, QueryParams

from analysis.questions.answer import Answer
from analysis.questions.question import Question
from config.catalogue import NATION, Level
from dashboards.access.problems import Problem
from dashboards.access.sign_in import KNOWN_S
from dashboards.api.formats import chosen
from dashboards.api.interface import RESOURCES
from metrics.readings import READINGS
from tests.support.interface_world import (
    ARROW,
    BEIJING,
    CSV,
    GUANGDONG,
    JSON,
    ORIGIN,
    PASSWORD,
    PROBLEM,
    House,
    interface,
    read_arrow,
    read_csv,
)

LISTS = [f"/api/v1/{resource.name}" for resource in RESOURCES]
NAMES = [resource.name for resource in RESOURCES if not resource.questions]
"""Lists that take no parameter; of the others `test_figures.py` tells."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with interface(tmp_path_factory.mktemp("interface")) as made:
        yield made


@pytest.fixture
def house(built: House) -> House:
    built.client.cookies.clear()
    return built


@pytest.fixture(scope="module")
def nation(built: House) -> str:
    return built.token("executive")


@pytest.fixture(scope="module")
def guangdong(built: House) -> str:
    return built.token("province_manager", GUANGDONG)


def problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == PROBLEM
    told: dict[str, Any] = answer.json()
    assert {"title", "status", "detail"} <= told.keys()
    assert told["status"] == answer.status_code
    return told


def expected(house: House, places: set[str], **chosen_values: str) -> list[dict[str, Any]]:
    """Rows of the snapshot's readings as JSON has them, in the order of their key."""
    assert house.live.newest is not None
    frame = house.live.newest.readings
    for name, value in chosen_values.items():
        frame = frame[frame[name] == value]
    rows = [
        {name: _plain(cell) for name, cell in row.items()}
        for row in frame[frame["region"].isin(places)].astype(object).to_dict("records")
    ]
    return sorted(rows, key=lambda row: (row["metric"], row["window"], row["region"], row["channel"]))


def _plain(cell: Any) -> Any:
    if isinstance(cell, pd.Timestamp):
        return cell.isoformat().replace("+00:00", "Z")
    return None if pd.isna(cell) else cell


# Figures


def test_readings_are_the_snapshots(house: House, nation: str) -> None:
    path = "/api/v1/readings?metric=answer_rate&window=15min&limit=10000"
    answer = house.get(path, nation)
    every = set(house.catalogue.regions)
    assert answer.json()["rows"] == expected(house, every, metric="answer_rate", window="15min") != []
    assert house.live.newest is not None
    assert answer.json()["generation"] == house.live.newest.generation
    assert answer.json()["at"] == house.live.newest.at.isoformat()
    assert answer.json()["simulated"] is True


def test_readings_are_chosen_by_region_level_and_channel(house: House, nation: str) -> None:
    path = "/api/v1/readings?metric=answer_rate&window=today&limit=10000"
    inside = set(house.catalogue.below(GUANGDONG))
    rows = house.rows(f"{path}&region={GUANGDONG}", nation)
    assert rows == expected(house, inside, metric="answer_rate", window="today")
    cities = house.rows(f"{path}&region={GUANGDONG}&level=city&channel=", nation)
    assert cities == expected(
        house, set(house.catalogue.at_level(Level.CITY, GUANGDONG)), metric="answer_rate", window="today", channel=""
    )
    two = house.rows(f"{path}&region={GUANGDONG}&level=province&channel=hotline&channel=", nation)
    assert [row["channel"] for row in two] == ["", "hotline"]


def test_findings_have_their_sentences_and_sources_their_state(house: House, nation: str) -> None:
    findings, sources = house.rows("/api/v1/findings", nation), house.rows("/api/v1/sources", nation)
    assert house.live.newest is not None
    frame = house.live.newest.findings
    assert sorted((row["rule"], row["region"], row["bad"]) for row in findings) == sorted(
        zip(frame["rule"], frame["region"], frame["bad"], strict=True)
    )
    assert all(row["sentence_en"] and row["sentence_zh"] != row["sentence_en"] for row in findings)
    assert {(row["channel"], row["state"]) for row in sources} == set(
        zip(house.live.newest.sources["channel"], house.live.newest.sources["state"], strict=True)
    )
    assert [row["rule"] for row in house.rows("/api/v1/findings?rule=AC-05&channel=hotline", nation)] == ["AC-05"]
    assert {row["channel"] for row in house.rows("/api/v1/sources?channel=ivr", nation)} == {"ivr"}


def test_the_dictionary_is_the_catalogues(house: House, nation: str) -> None:
    catalogue = house.catalogue
    metrics = {row["id"]: row for row in house.rows("/api/v1/metrics", nation)}
    assert set(metrics) == {*catalogue.metrics, *catalogue.sketches}
    assert metrics["answer_rate"]["formula"] == "(answered) / (offered)"
    assert metrics["answer_rate"]["target"] == catalogue.metrics["answer_rate"].target
    assert {row["id"] for row in house.rows("/api/v1/channels", nation)} == set(catalogue.channels)
    assert {row["id"] for row in house.rows("/api/v1/rules", nation)} == set(catalogue.rules.rules)
    assert {row["code"] for row in house.rows("/api/v1/regions", nation)} == set(catalogue.regions)
    assert {row["code"] for row in house.rows("/api/v1/regions?level=province", nation)} == {
        code for code, region in catalogue.regions.items() if region.level is Level.PROVINCE
    }


# Formats


def schema_of(house: House, token: str, name: str) -> dict[str, Any]:
    described = house.get("/api/v1/openapi.json", token).json()
    content = described["paths"][f"/{name}"]["get"]["responses"]["200"]["content"]
    schema: dict[str, Any] = content[JSON]["schema"]
    return schema


@pytest.mark.parametrize("name", NAMES)
def test_every_format_says_the_same(house: House, nation: str, name: str) -> None:
    schema = schema_of(house, nation, name)
    as_json = house.get(f"/api/v1/{name}?limit=3000", nation, JSON)
    rows = as_json.json()["rows"]
    assert rows
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(as_json.json())
    cells = schema["properties"]["rows"]["items"]["properties"]
    as_csv = house.get(f"/api/v1/{name}?limit=3000", nation, CSV)
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert read_csv(as_csv.text, cells) == rows
    as_arrow = house.get(f"/api/v1/{name}?limit=3000", nation, ARROW)
    assert as_arrow.headers["content-type"] == ARROW
    assert read_arrow(as_arrow.content) == rows
    assert list(rows[0]) == list(cells)
    assert as_csv.headers.get("link") == as_arrow.headers.get("link") == as_json.headers.get("link")


def test_a_list_without_rows_is_the_same_in_every_format(house: House, guangdong: str) -> None:
    path = "/api/v1/findings?rule=TM-04"
    assert house.get(path, guangdong).json() | {"generation": 0, "at": "", "simulated": True} == {
        "rows": [], "next": None, "generation": 0, "at": "", "simulated": True,
    }  # fmt: skip
    assert len(house.get(path, guangdong, CSV).text.splitlines()) == 1
    assert read_arrow(house.get(path, guangdong, ARROW).content) == []


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/csv", CSV),
        ("text/*", CSV),
        ("TEXT/CSV; charset=utf-8", CSV),
        ("text/html, text/csv;q=0.5, application/json;q=0.4", CSV),
        ("text/csv;q=0.1, */*;q=0.9", JSON),
        ("application/json;q=0, */*", CSV),
        ("*/*;q=0.1, application/vnd.apache.arrow.stream", ARROW),
        ("text/csv;q=x, application/json;q=0.2", JSON),
    ],
)
def test_the_format_is_the_one_that_is_wanted_most(accept: str, media_type: str) -> None:
    assert chosen(accept).media_type == media_type


@pytest.mark.parametrize("accept", ["text/html", "application/xml, image/*", "application/json;q=0", "*/*;q=0", "x"])
def test_another_format_is_refused_with_those_there_are(house: House, nation: str, accept: str) -> None:
    told = problem(house.get("/api/v1/metrics", nation, accept))
    assert (told["status"], told["available"]) == (406, [JSON, CSV, ARROW])


def test_long_answers_are_compressed(house: House, nation: str) -> None:
    assert house.get("/api/v1/metrics", nation).headers["content-encoding"] == "gzip"


# Pages


@pytest.mark.parametrize("limit", [1, 7, 30, 10_000])
def test_all_pages_together_are_the_whole(house: House, nation: str, limit: int) -> None:
    path = f"/api/v1/readings?metric=answer_rate&window=15min&level=province&limit={limit}"
    pages = list(house.walk(path, nation))
    assert all(len(page) == limit for page in pages[:-1])
    assert 0 < len(pages[-1]) <= limit
    provinces = {code for code, region in house.catalogue.regions.items() if region.level is Level.PROVINCE}
    whole = expected(house, provinces, metric="answer_rate", window="15min")
    assert [row for page in pages for row in page] == whole
    assert len(whole) > 30


@pytest.mark.parametrize("name", NAMES)
def test_every_list_can_be_walked(house: House, nation: str, name: str) -> None:
    more = "?metric=aht&window=today&" if name == "readings" else "?"
    whole = house.rows(f"/api/v1/{name}{more}limit=10000", nation)
    pages = list(house.walk(f"/api/v1/{name}{more}limit={len(whole) // 3 + 1}", nation))
    assert [row for page in pages for row in page] == whole
    assert len(pages) in (2, 3)


def test_a_page_goes_on_after_a_key_that_is_no_more(house: House, nation: str) -> None:
    whole = house.live.newest
    assert whole is not None
    path = "/api/v1/readings?metric=aht&window=today&channel=&limit=100"
    first = house.get(path, nation)
    gone = first.json()["rows"][-1]["region"]
    left = whole.readings[whole.readings["region"] != gone]
    house.client.portal.call(house.live.publish, replace(whole.with_frame(READINGS, left), generation=2))  # type: ignore[union-attr]
    try:
        while house.client.get("/health").json()["generation"] != 2:
            pass
        rest = [row for page in house.walk(first.links["next"]["url"], nation) for row in page]
        regions = [row["region"] for row in [*first.json()["rows"], *rest]]
        assert regions == sorted(set(whole.readings["region"]))
    finally:
        house.client.portal.call(house.live.publish, whole)  # type: ignore[union-attr]
        while house.client.get("/health").json()["generation"] != whole.generation:
            pass


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJhIl0", "WzEsMiwzLDRd", "%ff", "W1tbW1tb", "é"])
def test_a_cursor_that_no_page_gave_is_refused(house: House, nation: str, cursor: str) -> None:
    told = problem(house.get(f"/api/v1/readings?cursor={cursor}", nation))
    assert (told["status"], told["parameter"]) == (400, "cursor")


# What has not changed


@pytest.mark.parametrize("path", [f"/api/v1/{name}" for name in NAMES])
@pytest.mark.parametrize("accept", [JSON, CSV, ARROW])
def test_what_has_not_changed_is_not_sent_again(house: House, nation: str, path: str, accept: str) -> None:
    first = house.get(path, nation, accept)
    again = house.get(path, nation, accept, **{"if-none-match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert again.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"
    assert house.get(path, nation, accept, **{"if-none-match": 'W/"x"'}).content == first.content


def test_what_differs_is_known_by_another_tag(house: House, nation: str, guangdong: str) -> None:
    path = "/api/v1/readings"
    answers = [
        house.get(path, nation), house.get(path, nation, CSV), house.get(path, guangdong),
        house.get(f"{path}?limit=3", nation), house.get(f"{path}?window=today", nation),
        house.get("/api/v1/findings", nation), house.get("/api/v1/metrics", nation),
    ]  # fmt: skip
    assert len({answer.headers["etag"] for answer in answers}) == len(answers)


def test_a_new_generation_is_another_answer(house: House, nation: str) -> None:
    whole = house.live.newest
    assert whole is not None
    first = house.get("/api/v1/sources", nation)
    house.client.portal.call(house.live.publish, replace(whole, generation=7))  # type: ignore[union-attr]
    try:
        while house.client.get("/health").json()["generation"] != 7:
            pass
        again = house.get("/api/v1/sources", nation, **{"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.json()["generation"]) == (200, 7)
        dictionary = house.get("/api/v1/metrics", nation)
        assert house.get("/api/v1/metrics", nation, **{"if-none-match": dictionary.headers["etag"]}).status_code == 304
    finally:
        house.client.portal.call(house.live.publish, whole)  # type: ignore[union-attr]
        while house.client.get("/health").json()["generation"] != whole.generation:
            pass


# What is wrong with a request


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit"), ("limit=10001", "10000"), ("limit=ten", "limit"),
        ("limit=1&limit=2", "may be given once"),
        ("metrics=aht", "there is no such parameter"), ("region=999999", "there is no such code"),
        ("metric=nothing", "there is no 'nothing'"), ("window=2min", "'15min', '60min' or 'today'"),
        ("channel=fax", "there is no 'fax'"), ("level=street", "level"), ("region=440000&region=110000", "once"),
        ("cursor=" + "x" * 1001, "1000 characters"), ("metric=" + "&metric=".join("a" * 101), "100 items"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_told_with_what_there_is(house: House, nation: str, query: str, said: str) -> None:
    told = problem(house.get(f"/api/v1/readings?{query}", nation))
    assert told["status"] == 400
    assert said in told["detail"], told
    assert set(told) & {"faults", "parameter", "available"}


def test_every_fault_is_told_at_once(house: House, nation: str) -> None:
    told = problem(house.get("/api/v1/readings?limit=0&colour=red", nation))
    assert [fault["parameter"] for fault in told["faults"]] == ["limit", "colour"]
    assert "metric" in told["parameters"]


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing", "/api/v2/readings", "/api/v1/readings/x", "/api/v1/Readings"]
)
def test_an_address_that_is_not_there_says_which_are(house: House, nation: str, path: str) -> None:
    told = problem(house.get(path, nation))
    assert (told["status"], told["available"]) == (404, LISTS)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_interface_only_reads(house: House, nation: str, method: str) -> None:
    answer = house.client.request(method, "/api/v1/readings", headers={"authorization": f"Bearer {nation}"})
    assert problem(answer)["status"] == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_bug_is_told_without_what_it_was_about(
    house: House, nation: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a figure 12345")

    monkeypatch.setattr("dashboards.api.answering.page_of", broken)
    told = problem(house.get("/api/v1/readings", nation))
    assert (told["status"], "12345" in str(told)) == (500, False)
    assert "12345" in caplog.text


# Who asks


@pytest.mark.parametrize("path", [*LISTS, "/api/v1/", "/api/v1/openapi.json", "/api/v1/nothing"])
def test_nobody_is_answered_without_a_token_or_a_session(house: House, path: str) -> None:
    for sent in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer wf_x"}, {"authorization": "Basic eDp5"},
                 {"authorization": "Bearer wf_x", "accept": "text/html"}, {"authorization": "\xff"}):  # fmt: skip
        answer = house.client.get(
            path, headers=[(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        )
        assert problem(answer)["status"] == 401, sent
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_person_who_opens_the_page_is_led_to_sign_in(house: House) -> None:
    answer = house.get("/api/v1/", accept="text/html")
    assert answer.headers["location"] == "/sign-in?next=%2Fapi%2Fv1%2F"


def test_a_session_may_ask_too_but_never_beside_a_token(house: House) -> None:
    house.state.users.put("chief", PASSWORD, "executive", house.now[0], NATION)
    form = {"name": "chief", "password": PASSWORD, "next": ""}
    assert house.client.post("/sign-in", data=form, headers={"origin": ORIGIN}).status_code == 303
    assert house.get("/api/v1/sources").status_code == 200
    assert house.get("/api/v1/sources", "wf_wrong").status_code == 401
    assert house.get("/hq", "wf_wrong").status_code == 200


def test_a_token_opens_the_interface_and_no_window(house: House) -> None:
    token = house.token("administrator")
    for path in ("/hq", "/live/hq", "/", "/_dash-layout"):
        assert house.get(path, token).status_code == 401, path


def test_a_token_ends_at_its_time(house: House) -> None:
    token, began = house.token("executive", days=1), house.now[0]
    try:
        assert house.get("/api/v1/sources", token).status_code == 200
        house.now[0] = began + timedelta(days=1, seconds=-1)
        assert house.get("/api/v1/sources", token).status_code == 200
        house.now[0] = began + timedelta(days=1)
        assert problem(house.get("/api/v1/sources", token))["status"] == 401
    finally:
        house.now[0] = began


def test_a_token_that_is_revoked_opens_nothing_after_some_seconds(house: House) -> None:
    made, shown = house.state.tokens.add("x", "executive", NATION, house.now[0], house.now[0] + timedelta(days=1))
    assert house.get("/api/v1/sources", shown).status_code == 200
    assert house.state.tokens.revoke(made.id, house.now[0])
    house.clock.now += KNOWN_S + 1
    assert problem(house.get("/api/v1/sources", shown))["status"] == 401


@pytest.mark.parametrize(("role", "region"), [("boss", NATION), ("executive", "999999")])
def test_a_token_of_a_role_or_a_region_that_is_no_more_opens_nothing(house: House, role: str, region: str) -> None:
    assert problem(house.get("/api/v1/sources", house.token(role, region)))["status"] == 401


@pytest.mark.parametrize("role", ["wall", "executive", "province_manager", "steward", "administrator"])
def test_the_policy_says_which_lists_a_token_gets(house: House, role: str) -> None:
    token = house.token(role, GUANGDONG)
    for resource in RESOURCES:
        allowed = 400 if resource.questions else 200  # a question without a metric is asked wrongly
        path = f"/api/v1/{resource.name}"
        assert house.get(path, token).status_code == (403 if role == "wall" else allowed), path


# Inside the region


def _json_regions(answer: Any) -> set[str]:
    return {row["region"] for row in answer.json()["rows"]}


def _csv_regions(answer: Any) -> set[str]:
    return {row["region"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))}


def _arrow_regions(answer: Any) -> set[str]:
    return {row["region"] for row in read_arrow(answer.content)}


@pytest.mark.parametrize("accept", [JSON, CSV, ARROW])
def test_a_provinces_token_gets_the_rows_of_its_province_and_no_other(
    house: House, guangdong: str, accept: str
) -> None:
    inside = set(house.catalogue.below(GUANGDONG))
    answer = house.get("/api/v1/readings?window=15min&limit=10000", guangdong, accept)
    regions = {JSON: _json_regions, CSV: _csv_regions, ARROW: _arrow_regions}[accept](answer)
    assert house.live.newest is not None
    assert regions == inside & set(house.live.newest.readings["region"])
    assert house.get("/api/v1/readings?window=15min&limit=10000", guangdong).json()["rows"] == expected(
        house, inside, window="15min"
    )


def test_findings_and_regions_of_a_province_are_its_own(house: House, guangdong: str, nation: str) -> None:
    inside = set(house.catalogue.below(GUANGDONG))
    assert {row["code"] for row in house.rows("/api/v1/regions", guangdong)} == inside
    every = {row["region"] for row in house.rows("/api/v1/findings", nation)}
    assert "" in every
    for province in every - {""}:
        token = house.token("steward", province)
        assert {row["region"] for row in house.rows("/api/v1/findings", token)} == {province}


@pytest.mark.parametrize("region", [NATION, BEIJING, "110105", "C-110105-1"])
@pytest.mark.parametrize("name", ["readings", "findings", "regions"])
def test_a_region_outside_is_refused_without_any_content(house: House, guangdong: str, name: str, region: str) -> None:
    answer = house.get(f"/api/v1/{name}?region={region}", guangdong)
    told = problem(answer)
    assert (told["status"], told["region"]) == (403, region)
    assert set(told) == {"title", "status", "detail", "action", "region"}
    assert "etag" not in answer.headers
    known = house.get(f"/api/v1/{name}?region={region}", guangdong, **{"if-none-match": "*"})
    assert known.status_code == 403


# At once


def nothing_asked(question: Question) -> Answer:
    raise AssertionError(f"{question} is asked")


def test_before_the_first_snapshot_there_are_no_figures_but_a_dictionary(house: House, nation: str) -> None:
    from dashboards.api.resources import Sight

    with pytest.raises(Problem) as refusal:
        _ = Sight(house.catalogue, None, NATION, nothing_asked).snapshot
    answer = refusal.value.response()
    assert (answer.status_code, Headers(raw=answer.raw_headers)["retry-after"]) == (503, "5")
    metrics = next(resource for resource in RESOURCES if resource.name == "metrics")
    asked = metrics.parameters.model_validate(dict(QueryParams("limit=5")))
    assert len(metrics.read(Sight(house.catalogue, None, NATION, nothing_asked), asked).frame) > 5
