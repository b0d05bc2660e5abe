"""What is drawn: neighbours share their borders to the unit, nothing lies between or over them, labels lie inside."""

import json
import math
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely
import yaml

from assets.build.maps.build import build
from tests.support.path_data import corners, is_dot
from tests.support.small_country import BORDER, CITIES, EAST, PLAN, PROVINCES, WEST, catalogue_folder, shapes, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return catalogue_folder(tmp_path)


def built(folder: Path, name: str = "provinces") -> dict[str, Any]:
    return dict(json.loads((folder / "maps" / f"{name}.json").read_text(encoding="utf-8")))


def edges(shape: Any) -> set[frozenset[tuple[float, float]]]:
    """Every edge of a shape, whichever way it is walked."""
    found = set()
    for ring in shapely.get_parts(shapely.boundary(shape)):
        points = [tuple(point) for point in shapely.get_coordinates(ring)]
        found |= {frozenset(pair) for pair in pairwise(points)}
    return found


@pytest.fixture
def three(folder: Path) -> Path:
    """With a province along the south of both, so that three borders meet in a point inside a crooked line."""
    rows = (folder / "regions.csv").read_text(encoding="utf-8")
    (folder / "regions.csv").write_text(rows + "S,100000,province,p,南省,南,South,11,50,,false\n", encoding="utf-8")
    wave = [(10 + step / 300, 50.3 + 0.05 * math.sin(step / 7) + 0.02 * math.sin(step / 2)) for step in range(601)]
    south = shapely.Polygon([(12, 50), (10, 50), *wave])
    cut = {code: shapely.difference(shape, south) for code, shape in PROVINCES.items()}
    write(folder, "provinces.geojson", {**cut, "S": south})
    return folder


def test_a_border_stays_one_line_after_simplification(three: Path) -> None:
    report = build(three)
    areas = shapes(built(three))
    before, after = report.drawn[0].corners
    assert after < before * 0.6
    assert shapely.coverage_is_valid(list(areas.values()))
    for one, other in combinations("EWS", 2):
        shared = edges(areas[one]) & edges(areas[other])
        assert 10 < len(shared) < len(BORDER) * 0.8
        assert areas[one].intersection(areas[other]).length == pytest.approx(sum(map(_length, shared)))


def _length(edge: frozenset[tuple[float, float]]) -> float:
    return float(shapely.LineString(list(edge)).length)


def test_nothing_lies_over_or_between_neighbours(three: Path) -> None:
    build(three)
    for name in ("provinces", "cities/W", "cities/E"):
        areas = list(shapes(built(three, name)).values())
        together = shapely.union_all(areas)
        assert sum(area.area for area in areas) == together.area
        assert [ring for part in shapely.get_parts(together) for ring in part.interiors] == []
        assert all(area.is_valid for area in areas)


def test_the_report_tells_what_was_measured(folder: Path) -> None:
    drawn = build(folder).drawn[0]
    assert drawn.borders.kept
    assert "0 overlapping, 0 gaps opened, 0 narrow holes" in str(drawn)


def test_an_island_is_drawn_and_one_too_small_stands_as_a_dot(folder: Path) -> None:
    build(folder)
    rings = corners(built(folder)["areas"]["E"]["d"])
    assert [is_dot(ring) for ring in rings].count(True) == 1
    assert len(rings) == 3


def test_labels_lie_inside_on_the_largest_part(folder: Path) -> None:
    build(folder)
    for name in ("provinces", "cities/W", "cities/E"):
        sheet = built(folder, name)
        for code, area in shapes(sheet).items():
            largest = max(shapely.get_parts(area), key=lambda part: part.area)
            assert largest.contains_properly(shapely.Point(sheet["areas"][code]["at"])), (name, code)


def test_a_label_of_a_crescent_lies_in_it(folder: Path) -> None:
    """Its centroid does not."""
    crescent = shapely.difference(shapely.Point(11, 51).buffer(1), shapely.Point(11.4, 51).buffer(0.95))
    assert not crescent.contains(crescent.centroid)
    write(folder, "provinces.geojson", {"W": crescent, "E": shapely.box(13, 50, 14, 52)})
    write(
        folder, "cities.geojson", {"W1": crescent, "W2": shapely.box(14, 50, 15, 51), "E1": shapely.box(13, 50, 14, 52)}
    )
    build(folder)
    sheet = built(folder)
    assert shapes(sheet)["W"].contains_properly(shapely.Point(sheet["areas"]["W"]["at"]))


def test_a_region_smaller_than_a_unit_is_a_dot_with_its_label_on_it(folder: Path) -> None:
    speck = shapely.box(12.7, 50.7, 12.7001, 50.7001)
    write(folder, "provinces.geojson", {"W": shapely.union(WEST, EAST), "E": speck})
    build(folder)
    east = built(folder)["areas"]["E"]
    (ring,) = corners(east["d"])
    assert is_dot(ring)
    assert shapely.Polygon(ring).contains(shapely.Point(east["at"]))


def test_an_enclave_is_a_hole_in_the_area_around_it(folder: Path) -> None:
    """Path data is filled by winding, so a hole must go round the other way."""
    inner = shapely.box(10.3, 50.8, 10.6, 51.2)
    write(folder, "provinces.geojson", {"W": shapely.difference(WEST, inner), "E": shapely.union(EAST, inner)})
    build(folder)
    areas = shapes(built(folder))
    assert len(shapely.get_parts(areas["W"])[0].interiors) == 1
    assert areas["W"].intersection(areas["E"]).area == 0
    assert sum(area.area for area in areas.values()) == shapely.union_all(list(areas.values())).area


def test_two_surveys_of_one_border_become_one_line_and_that_is_told(folder: Path) -> None:
    """Up to 2 units apart, now on this side and now on that: gaps and overlaps in turn."""
    plan = PLAN | {"nation": PLAN["nation"] | {"close": 4}}
    (folder / "maps.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    other = [(lon + 0.0015 * math.sin(lat * 40), lat) for lon, lat in BORDER]
    east = shapely.Polygon([(12, 50), (12, 52), *reversed(other)])
    write(folder, "provinces.geojson", {"W": WEST, "E": east})
    drawn = build(folder).drawn[0]
    areas = shapes(built(folder))
    shared = edges(areas["W"]) & edges(areas["E"])
    assert [
        ring for part in shapely.get_parts(shapely.union_all(list(areas.values()))) for ring in part.interiors
    ] == []
    assert areas["W"].intersection(areas["E"]).area == 0
    assert sum(map(_length, shared)) > 0.9 * max(areas["W"].bounds[3] - areas["W"].bounds[1], 1)
    assert set(drawn.joined) <= {"E", "W"}
    assert drawn.joined
    assert drawn.borders.narrow == 0


def test_gaps_that_are_not_closed_are_told(folder: Path) -> None:
    cleft = shapely.Polygon([(10.3, 50.5), (10.303, 51.5), (10.306, 50.5)])
    write(folder, "provinces.geojson", {"W": shapely.difference(WEST, cleft), "E": EAST})
    assert build(folder).drawn[0].borders.narrow == 1


def test_ground_that_two_claim_is_drawn_once_and_told(folder: Path) -> None:
    claimed = shapely.box(10.9, 50.4, 11.3, 50.6)
    write(folder, "provinces.geojson", {"W": shapely.union(WEST, claimed), "E": EAST})
    drawn = build(folder).drawn[0]
    areas = shapes(built(folder))
    assert areas["W"].intersection(areas["E"]).area == 0
    (overlap,) = drawn.overlaps
    assert {overlap.one, overlap.other} == {"W", "E"}
    assert overlap.units2 > 1000


def test_the_drawing_is_3000_units_wide_with_a_margin(folder: Path) -> None:
    build(folder)
    sheet = built(folder)
    points = [point for area in sheet["areas"].values() for ring in corners(area["d"]) for point in ring]
    assert min(x for x, _ in points) == 0
    assert max(x for x, _ in points) == pytest.approx(3000, abs=2)
    assert sheet["box"][0] == sheet["box"][1] == -20
    assert sheet["inset"] is None


def test_the_same_boundaries_give_the_same_bytes(folder: Path) -> None:
    build(folder)
    once = {file: file.read_bytes() for file in (folder / "maps").rglob("*.json")}
    assert len(once) == 3
    write(folder, "provinces.geojson", dict(reversed(PROVINCES.items())))
    write(folder, "cities.geojson", dict(reversed(CITIES.items())))
    build(folder)
    assert {file: file.read_bytes() for file in (folder / "maps").rglob("*.json")} == once


def test_maps_of_places_that_are_gone_are_taken_away(folder: Path) -> None:
    build(folder)
    rows = (folder / "regions.csv").read_text(encoding="utf-8").replace("East,11.5,51,,true", "East,11.5,51,,false")
    (folder / "regions.csv").write_text(
        rows.replace("Eastone,11.5,51,,true", "Eastone,11.5,51,,false"), encoding="utf-8"
    )
    build(folder)
    assert sorted(file.name for file in (folder / "maps" / "cities").iterdir()) == ["W.json"]
