"""What is read: any format alike, and every fault by file, key and reason before anything is written."""

from pathlib import Path
from typing import Any

import pytest
import shapely

from assets.build.maps.build import build
from config.faults import CatalogueError
from tests.support.small_country import CITIES, EAST, PLAN, PROVINCES, WEST, catalogue_folder, table, write


def with_provinces(**changes: Any) -> dict[str, Any]:
    """The plan's boundaries with keys of the provinces changed."""
    return {"boundaries": PLAN["boundaries"] | {"province": PLAN["boundaries"]["province"] | changes}}


def faults(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(CatalogueError) as caught:
        build(folder)
    assert not (folder / "maps").exists()
    return [(fault.file.name, fault.key, fault.reason) for fault in caught.value.faults]


def only_fault(folder: Path) -> tuple[str, str, str]:
    found = faults(folder)
    assert len(found) == 1, found
    return found[0]


def test_geojson_geopackage_and_shapefile_give_the_same_maps(tmp_path: Path) -> None:
    made = {}
    for name, layer in (("provinces.geojson", None), ("all.gpkg", "provinces"), ("provinces.shp", None)):
        folder = tmp_path / name
        folder.mkdir()
        catalogue_folder(folder, **with_provinces(files=[name], layer=layer))
        (folder / "boundaries" / "provinces.geojson").unlink()
        write(folder, name, PROVINCES, **({"layer": layer} if layer else {}))
        build(folder)
        made[name] = (folder / "maps" / "provinces.json").read_bytes()
    assert len(set(made.values())) == 1


def test_a_layer_among_several_is_read(tmp_path: Path) -> None:
    both = {
        "province": {"files": ["all.gpkg"], "layer": "provinces", "code": "id"},
        "city": {"files": ["all.gpkg"], "layer": "cities", "code": "id"},
    }
    catalogue_folder(tmp_path, boundaries=both)
    write(tmp_path, "all.gpkg", PROVINCES, layer="provinces")
    write(tmp_path, "all.gpkg", CITIES, layer="cities")
    assert [drawn.areas for drawn in build(tmp_path).drawn] == [2, 2, 1]


def test_boundaries_in_another_reference_system_are_brought_over(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    build(tmp_path)
    in_degrees = (tmp_path / "maps" / "cities" / "W.json").read_bytes()
    write(tmp_path, "cities.geojson", table(CITIES).to_crs("EPSG:3857"))
    build(tmp_path)
    assert (tmp_path / "maps" / "cities" / "W.json").read_bytes() == in_degrees


def test_several_files_are_one_layer(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, **with_provinces(files=["parts/*.geojson"]))
    write(tmp_path, "parts/west.geojson", {"W": WEST})
    write(tmp_path, "parts/east.geojson", {"E": EAST})
    assert build(tmp_path).drawn[0].areas == 2


def test_codes_that_a_file_holds_as_numbers_are_their_digits(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, **with_provinces(prefix="W"))
    (tmp_path / "regions.csv").write_text(
        (tmp_path / "regions.csv")
        .read_text(encoding="utf-8")
        .replace("\nW,", "\nW7,")
        .replace(",W,", ",W7,")
        .replace("\nE,", "\nW8,")
        .replace(",E,", ",W8,"),
        encoding="utf-8",
    )
    numbered = table(PROVINCES)
    numbered["id"] = [7, 8]
    write(tmp_path, "provinces.geojson", numbered)
    assert build(tmp_path).drawn[0].areas == 2


def test_a_file_without_a_reference_system_is_refused(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, **with_provinces(files=["provinces.shp"]))
    write(tmp_path, "provinces.shp", PROVINCES, crs=None)
    assert only_fault(tmp_path)[:2] == ("provinces.shp", "crs")
    assert "does not say its coordinate reference system; maps.yaml must, as `crs`" in only_fault(tmp_path)[2]


def test_the_plan_may_name_the_reference_system_for_it(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, **with_provinces(files=["provinces.shp"], crs="EPSG:4326"))
    write(tmp_path, "provinces.shp", PROVINCES, crs=None)
    assert build(tmp_path).drawn[0].areas == 2


@pytest.mark.parametrize(
    ("changes", "file", "key", "reason"),
    [
        ({"crs": "EPSG:3035"}, "provinces.geojson", "crs", "maps.yaml says EPSG:3035, the file itself WGS 84"),
        ({"crs": "EPSG:0"}, "provinces.geojson", "crs", "'EPSG:0' is no coordinate reference system"),
        ({"files": ["nowhere.gpkg"]}, "nowhere.gpkg", "", "there is no such file"),
        ({"layer": "counties"}, "provinces.geojson", "counties", "cannot be read"),
        ({"code": "adcode"}, "provinces.geojson", "adcode", "there is no such property; there are id, title"),
        ({"name": "nom"}, "provinces.geojson", "nom", "there is no such property; there are id, title"),
        ({"leave_out": ["X"]}, "maps.yaml", "boundaries.province.leave_out", "X is not among the boundaries"),
    ],
)
def test_a_plan_that_does_not_fit_the_file(
    tmp_path: Path, changes: dict[str, Any], file: str, key: str, reason: str
) -> None:
    catalogue_folder(tmp_path, **with_provinces(**changes))
    found = only_fault(tmp_path)
    assert found[:2] == (file, key)
    assert reason in found[2]


def test_a_file_that_is_no_map(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    (tmp_path / "boundaries" / "provinces.geojson").write_bytes(b"PK\x03\x04 not a map")
    assert only_fault(tmp_path)[0] == "provinces.geojson"


def test_degrees_that_are_metres(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, **with_provinces(files=["provinces.shp"], crs="EPSG:4326"))
    metres = table(PROVINCES).to_crs("EPSG:3857").set_crs(None, allow_override=True)
    write(tmp_path, "provinces.shp", metres)
    assert "is the reference system the right one?" in only_fault(tmp_path)[2]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [(shapely.Point(11, 51), "is a Point"), (None, "has no geometry"), (shapely.Polygon(), "has no geometry")],
)
def test_a_feature_that_is_no_area(tmp_path: Path, shape: Any, reason: str) -> None:
    catalogue_folder(tmp_path)
    write(tmp_path, "provinces.geojson", {"W": WEST, "E": shape})
    file, key, said = only_fault(tmp_path)
    assert (file, key) == ("provinces.geojson", "E")
    assert reason in said


def test_a_region_without_an_area_is_named(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    write(tmp_path, "cities.geojson", {code: CITIES[code] for code in ("W1", "E1")})
    assert only_fault(tmp_path) == ("maps.yaml", "boundaries.city", "no area has the code of W2 (西南市 / Southwest)")


def test_an_area_without_a_region_is_named(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    write(tmp_path, "provinces.geojson", {**PROVINCES, "X": shapely.box(13, 50, 14, 51)})
    file, key, reason = only_fault(tmp_path)
    assert (file, key) == ("provinces.geojson", "X (the X)")
    assert "no region of the catalogue has this code" in reason
    assert "boundaries.province.leave_out" in reason


def test_an_area_that_is_left_out_on_purpose(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, **with_provinces(leave_out=["X"]))
    write(tmp_path, "provinces.geojson", {**PROVINCES, "X": shapely.box(13, 50, 14, 51)})
    assert build(tmp_path).drawn[0].areas == 2


def test_a_code_twice_is_named(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    write(tmp_path, "provinces.geojson", [("W", WEST), ("E", EAST), ("E", shapely.box(13, 50, 14, 51))])
    file, key, reason = only_fault(tmp_path)
    assert (file, key) == ("provinces.geojson", "E (the E)")
    assert "a region has one area" in reason


def test_an_area_of_another_level_is_named(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    write(tmp_path, "provinces.geojson", {**PROVINCES, "W1": shapely.box(13, 50, 14, 51)})
    assert only_fault(tmp_path) == ("provinces.geojson", "W1 (the W1)", "is a city in the catalogue, not a province")


def test_all_faults_of_a_step_are_told_at_once(tmp_path: Path) -> None:
    catalogue_folder(tmp_path)
    write(tmp_path, "provinces.geojson", {"W": WEST, "X": EAST})
    write(tmp_path, "cities.geojson", {"W1": CITIES["W1"], "E1": CITIES["E1"]})
    assert len(faults(tmp_path)) == 3


def test_a_bow_tie_is_mended_and_told_with_what_it_changed(tmp_path: Path) -> None:
    """Two triangles of the same size that meet in a point: their areas cancel out until it is mended."""
    catalogue_folder(tmp_path)
    bow = shapely.Polygon([(10, 50), (11, 51), (11, 50), (10, 51)])
    write(tmp_path, "provinces.geojson", {"W": bow, "E": shapely.box(11, 50, 12, 51)})
    report = build(tmp_path)
    (mended,) = report.mended
    assert mended.place == "W (the W)"
    assert "Self-intersection" in mended.why
    assert mended.before_km2 == pytest.approx(0, abs=100)
    assert mended.after_km2 == pytest.approx(3900, rel=0.02)
    assert "W (the W): Self-intersection" in "\n".join(report.lines())


def test_good_geometries_are_left_alone(tmp_path: Path) -> None:
    assert build(catalogue_folder(tmp_path)).mended == ()


@pytest.mark.parametrize(
    ("projection", "reason"),
    [("EPSG:0", "is no coordinate reference system"), ("EPSG:4326", "is no projection"), ("north up", "is no coord")],
)
def test_a_projection_that_is_none(tmp_path: Path, projection: str, reason: str) -> None:
    catalogue_folder(tmp_path, nation={"projection": projection})
    file, key, said = only_fault(tmp_path)
    assert (file, key) == ("maps.yaml", "nation.projection")
    assert reason in said


def test_a_country_without_cities_has_one_map(tmp_path: Path) -> None:
    catalogue_folder(tmp_path, boundaries={"province": PLAN["boundaries"]["province"]}, provinces=None)
    assert [drawn.name for drawn in build(tmp_path).drawn] == ["provinces"]
