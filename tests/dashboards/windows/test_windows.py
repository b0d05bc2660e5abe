"""Every window on a believable snapshot of the product's own catalogue: complete, pure, and no state undrawn."""

import copy
import json

import pytest

from config.catalogue import NATION, Level
from dashboards.view_readings import BUCKETS
from dashboards.views import LANGUAGES
from metrics.readings import State, Trust
from tests.support.believable import AT, plan
from tests.support.shown_windows import catalogue, elements, laid_out, shown, snapshot, viewed
from wording.words import DASH

CASES = [("flow", NATION), ("hq", NATION), ("province", "440000"), ("province", "540000"), ("quality", NATION)]
SNAPSHOTS = ("believable", "empty")


@pytest.mark.parametrize("kind", SNAPSHOTS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("window", "scope"), CASES)
def test_what_is_set_is_laid_out_and_what_is_laid_out_is_set(window: str, scope: str, language: str, kind: str) -> None:
    parts = shown(window, scope, kind, lang=language)
    ids = {
        element.id: element
        for element in elements(laid_out(window, scope, lang=language))
        if getattr(element, "id", "")
    }
    assert len(ids) > 10
    assert parts.keys() == ids.keys()
    for name, element in ids.items():
        has = {inner.to_plotly_json()["props"].get("data-part") for inner in elements(element)} - {None}
        set_ = {part.split("@")[0][1:] for part in parts[name] if part.startswith(".")}
        assert set_ == has, name
        assert ("chart" in parts[name]) == ("data-chart" in element.to_plotly_json()["props"]), name


@pytest.mark.parametrize(("window", "scope"), CASES)
def test_a_wall_has_everything_but_the_figure_that_wants_a_hand(window: str, scope: str) -> None:
    ids = {element.id for element in elements(laid_out(window, scope, mode="wall")) if getattr(element, "id", "")}
    assert shown(window, scope).keys() - ids == ({"trend"} if window in ("hq", "province") else set())


@pytest.mark.parametrize(("window", "scope"), CASES)
def test_ids_are_unique_in_a_window(window: str, scope: str) -> None:
    ids = [element.id for element in elements(laid_out(window, scope)) if getattr(element, "id", "")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", SNAPSHOTS)
@pytest.mark.parametrize(("window", "scope"), CASES)
def test_only_text_and_chart_objects_leave_a_window(window: str, scope: str, kind: str) -> None:
    for name, parts in shown(window, scope, kind).items():
        for part, value in parts.items():
            assert part == "chart" or value is None or isinstance(value, str), (name, part, value)
    json.dumps(shown(window, scope, kind), allow_nan=False)


@pytest.mark.parametrize(("window", "scope"), CASES)
def test_the_same_snapshot_gives_the_same_parts_and_is_left_alone(window: str, scope: str) -> None:
    before = copy.deepcopy(snapshot())
    assert shown(window, scope) == shown(window, scope)
    for name, frame in snapshot().frames.items():
        assert before.frames[name].equals(frame), name


def test_every_state_and_every_trust_is_drawn() -> None:
    places = plan(catalogue())
    named = [
        getattr(places, name)
        for name in ("critical", "warning", "doubtful", "zero_over_zero", "too_few", "provisional")
    ]
    parts = [shown("flow"), shown("hq"), *(shown("province", code) for code in named)]
    rows = [row for window in parts for row in window.values()]
    assert {state.value for state in State} <= {row.get("@data-state") for row in rows}
    assert {trust.value for trust in Trust} <= {row.get("@data-trust") for row in rows}
    assert {"better", "worse", "neutral"} <= {row.get(".verb@data-judged") for row in rows}


def test_nothing_over_nothing_is_a_dash() -> None:
    place = plan(catalogue()).zero_over_zero
    tile = shown("province", place)["tile-service_level_20s"]
    assert (tile[".value"], tile[".unit"], tile["@data-state"], tile["--at"]) == (DASH, "", "no_value", None)
    assert shown("hq")[f"rank-{place}"][".value"] == DASH


def test_an_old_figure_has_its_age() -> None:
    channel = plan(catalogue()).stale
    row = shown("flow")[f"channel-{channel}"]
    assert row["@data-trust"] == "stale"
    assert row[".trust"] == "47 分钟前"
    assert "自 17:36 起没有更新" in row[".trust@title"]


def test_a_channel_without_people_says_why_there_is_a_dash() -> None:
    without = [
        row for name, row in shown("flow").items() if name.startswith("channel-") and row.get(".queue_length") == DASH
    ]
    assert without
    assert all(row[".queue_length@title"] for row in without)


def test_doubt_stands_on_the_tile_with_its_reason() -> None:
    tile = shown("province", plan(catalogue()).doubtful)["tile-answer_rate"]
    assert tile["@data-trust"] == "doubtful"
    assert tile[".trust"] == "存疑"
    assert tile[".reason"].startswith("缺少")


def test_a_breach_moves_up() -> None:
    place = plan(catalogue()).critical
    ranks = {
        row["@data-state"]: row["--rank"] for name, row in shown("province", place).items() if name.startswith("tile-")
    }
    assert ranks["critical"] < ranks["no_target"]


def test_the_worst_is_told_first_with_place_and_time() -> None:
    parts = shown("flow")
    assert parts["verdict"]["@data-state"] == "critical"
    assert parts["alert-0"]["@hidden"] is None
    assert parts["alert-0"]["@data-state"] == "critical"
    assert parts["alert-0"][".since"]
    assert shown("flow", kind="empty")["verdict"]["@data-state"] == "none"


def test_the_ranking_is_sorted_both_ways_and_valueless_places_stand_last() -> None:
    rows = {name: row for name, row in shown("hq").items() if name.startswith("rank-")}
    last = len(rows) - 1
    order = sorted(rows.values(), key=lambda row: int(row["--rank"]))
    values = [float(row[".value"].rstrip("%")) for row in order[:-2]]
    assert values == sorted(values)
    assert [row["@data-state"] for row in order[-2:]] == ["too_few", "no_value"]
    assert [row["--rank-back"] for row in order[-2:]] == [str(last - 1), str(last)]
    assert sorted(int(row["--rank-back"]) for row in rows.values()) == list(range(last + 1))


def test_a_ranking_link_keeps_what_was_chosen() -> None:
    chosen = {"time": "60min", "metric": "asa", "lang": "en", "theme": "light", "mode": "wall"}
    view, tree = viewed("hq", **chosen), laid_out("hq", **chosen)
    links = {element.href for element in elements(tree) if getattr(element, "href", None)}
    assert view.to(window="province", scope="440000").url() in links
    assert len(links) == len(catalogue().at_level(Level.PROVINCE))


def test_the_map_names_what_misses_and_leaves_out_who_is_not_served() -> None:
    places = shown("hq")["map"]["chart"]["places"]
    assert places[plan(catalogue()).critical]["label"]
    assert places["710000"] | {"hint": ""} == {"served": False, "shade": None, "label": "", "hint": ""}
    assert places[plan(catalogue()).too_few]["shade"] is None
    assert all(-1 <= place["shade"] <= 1 for place in places.values() if place["shade"] is not None)


@pytest.mark.parametrize("metric", ["contacts", "occupancy", "seat_guarantee", "longest_wait"])
def test_every_kind_of_metric_can_be_on_the_map(metric: str) -> None:
    places = shown("hq", metric=metric)["map"]["chart"]["places"]
    assert sum(place["shade"] is not None for place in places.values()) > 20


def test_a_province_stands_beside_the_nation() -> None:
    assert shown("province", "440000", lang="en")["tile-asa"][".beside"].startswith("China ")


def test_the_trend_has_gaps_the_target_and_the_clock_of_the_reporting_zone() -> None:
    figure = shown("hq", lang="en")["trend"]["chart"]
    (line,) = figure["data"]
    frame = snapshot().trend
    rows = frame[(frame["metric"] == "service_level_20s") & (frame["region"] == NATION) & (frame["channel"] == "")]
    gaps = [position for position, value in enumerate(rows["value"].isna()) if value]
    assert [position for position, value in enumerate(line["y"]) if value is None] == gaps
    assert len(line["x"]) == len(line["y"]) == BUCKETS
    assert line["x"][-1] == "2026-11-21 18:18", f"five minutes before {AT:%H:%M} UTC, in Shanghai"
    assert line["text"][0].startswith("China ")
    (aim,) = figure["layout"]["shapes"]
    assert (aim["type"], aim["y0"], aim["y1"]) == ("line", 0.8, 0.8)
    assert shown("hq", metric="occupancy")["trend"]["chart"]["layout"]["shapes"][0]["type"] == "rect"
    assert shown("hq", metric="contacts")["trend"]["chart"]["layout"]["shapes"] == []


def test_the_trend_of_a_province_stands_over_the_nations() -> None:
    nation, own = shown("province", "440000")["trend"]["chart"]["data"]
    assert (nation["name"], own["name"]) == ("全国", "广东")
    assert nation["line"]["width"] < own["line"]["width"]


def test_a_trend_without_figures_says_so_and_another_metric_starts_unzoomed() -> None:
    figure = shown("hq", kind="empty")["trend"]["chart"]
    assert figure["data"] == []
    assert figure["layout"]["annotations"][0]["text"] == "近两小时没有可画的数字"
    revisions = {shown("hq", metric=metric)["trend"]["chart"]["layout"]["uirevision"] for metric in ("asa", "csat")}
    assert len(revisions) == 2


def test_a_score_that_rests_on_too_little_is_not_rated() -> None:
    cells = shown("quality")[f"score-province-{plan(catalogue()).too_few}"]
    assert cells[".total"] == "不可评"
    assert cells[".total@data-band"] == "none"
    assert cells[".total@title"].startswith("检查覆盖率")


def test_a_failed_source_says_what_failed() -> None:
    channel = catalogue().channels[plan(catalogue()).absent]
    row = shown("quality", lang="en")[f"source-{channel.id}-{channel.sources[0].id}"]
    assert row["@data-state"] == "critical"
    assert "credentials" in row[".error"]
    assert "401" in row[".error"]


def test_findings_are_sentences_and_the_rest_is_counted() -> None:
    parts = shown("quality")
    told = [row[".told"] for name, row in parts.items() if name.startswith("finding-") and row["@hidden"] is None]
    assert len(told) == len(snapshot().findings)
    assert any("1,250" in sentence for sentence in told)
    assert shown("hq", kind="empty")["findings-more"]["text"] == "没有待处理的数据问题"
