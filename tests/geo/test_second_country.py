"""Another operator in another country: a folder of files and no code; its windows show its places, words and maps."""

import json
from functools import cache
from typing import Any

import pytest
from starlette.testclient import TestClient

from config.catalogue import NATION, PRODUCT_MAPS, Catalogue, Level
from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.files import assets_of
from dashboards.site.application import create_app
from dashboards.site.registry import all_windows
from dashboards.views import Addresses
from dashboards.window import Context
from tests.geo.test_product_maps import EXAMPLE
from tests.support.believable import believable
from tests.support.live_world import MemoryLive
from wording.words import Words


@cache
def spain() -> Catalogue:
    return load(EXAMPLE)


def window(name: str, scope: str = NATION, language: str = "en") -> tuple[str, dict[str, Any]]:
    """What a window lays out, as text, and what its frame sets."""
    view = Addresses(spain(), all_windows()).view(name, scope, {"language": language})
    context = Context(view, spain(), Words(spain(), language))
    laid_out = str(all_windows()[name].layout(context, lambda action, scope: True))
    return laid_out, dict(all_windows()[name].parts(believable(spain()), context))


def test_its_places_channels_and_day_are_its_own() -> None:
    assert len(spain().at_level(Level.PROVINCE)) == 17
    assert len(spain().at_level(Level.CITY)) == 50
    assert set(spain().channels) == {"phone", "chat", "shops"}
    assert {channel.zone for channel in spain().channels.values()} == {spain().day.zone} == {"Europe/Madrid"}
    assert len(spain().metrics) == len(load().metrics)


def test_centres_without_a_city_stand_in_the_one_that_the_build_found() -> None:
    assert spain().regions["C-MAD-1"].parent == "P-28"
    assert spain().regions["C-LPA-1"].parent == "P-35"
    served = [code for centre in spain().at_level(Level.CENTRE) for code in spain().regions[centre].serves]
    assert sorted(served) == list(spain().at_level(Level.PROVINCE))


@pytest.mark.parametrize(
    ("language", "place", "unserved"), [("en", "Andalusia", "Ceuta"), ("zh", "安达卢西亚", "休达")]
)
def test_head_office_shows_its_communities(language: str, place: str, unserved: str) -> None:
    laid_out, parts = window("hq", language=language)
    assert place in laid_out
    assert "ign.es" in laid_out
    places = parts["map"]["chart"]["places"]
    drawn = json.loads((spain().maps / f"{parts['map']['chart']['map']}.json").read_text(encoding="utf-8"))
    assert places.keys() == drawn["areas"].keys()
    assert place in places["CA-01"]["hint"]
    assert unserved in places["CA-18"]["hint"]
    assert not places["CA-18"]["served"]
    assert sum(name.startswith("rank-CA-") for name in parts) == 17


def test_a_community_shows_its_provinces() -> None:
    laid_out, parts = window("province", "CA-01")
    assert "Seville" in laid_out
    drawn = json.loads((spain().maps / f"{parts['map']['chart']['map']}.json").read_text(encoding="utf-8"))
    assert parts["map"]["chart"]["places"].keys() == drawn["areas"].keys()
    assert len(drawn["areas"]) == 8


def test_nothing_of_the_first_country_is_left_in_its_windows() -> None:
    provinces = [region for region in load().regions.values() if region.level in (Level.NATION, Level.PROVINCE)]
    foreign = {name for region in provinces for name in (region.name.en, region.name.zh)} - {"全国"}
    foreign |= {"Tianditu", "天地图"} | {channel.name.en for channel in load().channels.values()} - {"Shops", "IVR"}
    for name, scope in (("flow", NATION), ("hq", NATION), ("province", "CA-09"), ("quality", NATION)):
        laid_out, parts = window(name, scope)
        assert [text for text in foreign if text in laid_out or text in json.dumps(parts, ensure_ascii=False)] == []


def test_its_pages_load_its_maps() -> None:
    client = TestClient(create_app(spain(), MemoryLive(), OpenAccess()), base_url="http://127.0.0.1")
    assets, product = assets_of(spain().maps), assets_of(PRODUCT_MAPS)
    assert assets.version != product.version
    assert assets.files.keys() - product.files.keys() == {
        f"geo/cities/{code}.json" for code in spain().at_level(Level.PROVINCE)
    }
    for name in ("geo/provinces.json", "geo/cities/CA-05.json"):
        answer = client.get(assets.url(name))
        assert answer.content == (spain().maps / name.removeprefix("geo/")).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
    assert client.get(product.url("geo/provinces.json")).status_code == 404
    page = client.get("/province/CA-01?lang=en").text
    assert "<title>Community · Andalusia · Watchfloor</title>" in page
    assert assets.url("live.js") in page
    assert client.get("/province/440000").status_code == 404


def test_a_catalogue_without_maps_shows_none_of_another_country() -> None:
    bare = load(EXAMPLE.parent / "call_log")
    assert [name for name in assets_of(bare.maps).files if name.startswith("geo/")] == []
