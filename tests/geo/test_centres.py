"""Seat centres join the cities that they stand in: one is found, one is confirmed, one contradicts itself."""

import json
from pathlib import Path

import pytest

from assets.build.maps.build import build
from config.faults import CatalogueError
from config.loading import load
from tests.support.small_country import catalogue_folder

NAMES = "name: {zh: 中心, en: centre}, short: {zh: 中心, en: centre}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return catalogue_folder(tmp_path)


def centre(folder: Path, keys: str) -> None:
    (folder / "centres.yaml").write_text(f"C-1: {{{NAMES}, {keys}}}\n", encoding="utf-8")


def fault(folder: Path) -> tuple[str, str, str]:
    with pytest.raises(CatalogueError) as caught:
        build(folder)
    (found,) = caught.value.faults
    return found.file.name, found.key, found.reason


def test_a_centre_without_a_city_gets_the_one_around_it(folder: Path) -> None:
    centre(folder, "lon: 10.4, lat: 50.4")
    report = build(folder)
    assert report.centres == {"C-1": "W2"}
    assert "centre C-1 names no city; it stands in W2" in list(report.lines())
    assert load(folder).regions["C-1"].parent == "W2"
    assert load(folder).ancestor("C-1", load(folder).regions["W"].level) == "W"


def test_until_the_maps_are_built_it_has_none_and_that_stops_the_start(folder: Path) -> None:
    centre(folder, "lon: 10.4, lat: 50.4")
    with pytest.raises(CatalogueError, match=r"centres\.yaml: C-1\.parent: is missing: name its city"):
        load(folder)


def test_a_centre_in_the_city_that_it_names_is_left_as_it_is(folder: Path) -> None:
    centre(folder, "parent: W2, lon: 10.4, lat: 50.4")
    assert build(folder).centres == {}
    assert not (folder / "maps" / "centres.json").exists()


def test_a_centre_that_names_only_its_city_is_believed(folder: Path) -> None:
    centre(folder, "parent: W2")
    assert build(folder).centres == {}


def test_a_centre_may_name_the_province_of_its_city(folder: Path) -> None:
    centre(folder, "parent: W, lon: 10.4, lat: 50.4")
    assert build(folder).centres == {}


def test_a_centre_in_another_city_than_it_names_is_a_fault(folder: Path) -> None:
    centre(folder, "parent: W1, lon: 10.4, lat: 50.4")
    file, key, reason = fault(folder)
    assert (file, key) == ("centres.yaml", "C-1.parent")
    assert reason == "says W1 (西北市 / Northwest), but lon and lat lie in W2 (西南市 / Southwest)"


def test_a_centre_at_a_harbour_belongs_to_the_nearest_city(folder: Path) -> None:
    """2 km off a coast that was simplified."""
    centre(folder, "lon: 9.97, lat: 50.4")
    assert build(folder).centres == {"C-1": "W2"}


def test_a_centre_at_sea_is_a_fault(folder: Path) -> None:
    centre(folder, "lon: 5, lat: 50.4")
    file, key, reason = fault(folder)
    assert (file, key) == ("centres.yaml", "C-1.lon")
    assert "lies in no area" in reason


def test_a_centre_that_names_its_city_later_leaves_no_trace(folder: Path) -> None:
    centre(folder, "lon: 10.4, lat: 50.4")
    build(folder)
    centre(folder, "parent: W2")
    build(folder)
    assert not (folder / "maps" / "centres.json").exists()


def test_a_list_of_centres_that_cannot_be_read_is_named(folder: Path) -> None:
    centre(folder, "lon: 10.4, lat: 50.4")
    build(folder)
    found = folder / "maps" / "centres.json"
    assert json.loads(found.read_text(encoding="utf-8")) == {"C-1": "W2"}
    found.write_text("{", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"centres\.json: cannot be read .* build the maps again"):
        load(folder)
