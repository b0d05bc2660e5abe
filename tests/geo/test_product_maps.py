"""The maps that are shipped: borders shared, labels inside, islands, dash line and insets there, and small."""

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from assets.build.maps.build import build
from config.catalogue import PRODUCT_MAPS, Level
from config.loading import PRODUCT, load
from tests.support.path_data import corners, shape_of

EXAMPLE = PRODUCT.parent / "examples" / "spain"
SHARED = PRODUCT.parents[1] / "shared" / "geo"
MAPS = [file for folder in (PRODUCT_MAPS, EXAMPLE / "maps") for file in sorted(folder.rglob("*.json"))]
SHEETS = [file for file in MAPS if file.name != "centres.json"]


def sheet(name: str, folder: Path = PRODUCT_MAPS) -> dict[str, Any]:
    return dict(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))


def test_the_maps_were_found() -> None:
    assert len(SHEETS) == 32 + 18


@pytest.mark.parametrize("file", SHEETS, ids=lambda file: f"{file.parts[-3]}/{file.stem}")
def test_neighbours_share_their_borders_and_labels_lie_inside(file: Path) -> None:
    drawn = json.loads(file.read_text(encoding="utf-8"))
    shapes = {code: shape_of(area["d"]) for code, area in drawn["areas"].items()}
    areas = list(shapes.values())
    assert shapely.coverage_is_valid(areas)
    assert sum(area.area for area in areas) == pytest.approx(shapely.union_all(areas).area, rel=1e-9)
    for code, area in drawn["areas"].items():
        assert shapes[code].contains_properly(shapely.Point(_seen(area["at"], drawn))), code


def _seen(at: list[float], drawn: dict[str, Any]) -> list[float]:
    """A label's point, taken back out of the frame of the inset if it stands there."""
    if drawn["inset"] is None:
        return at
    shown, (left, top, width, height) = drawn["inset"]["box"], drawn["inset"]["frame"]
    if not (left <= at[0] <= left + width and top <= at[1] <= top + height):
        return at
    scale = shown[2] / width
    return [shown[0] + (at[0] - left) * scale, shown[1] + (at[1] - top) * scale]


def test_the_nation_has_its_provinces_its_dash_line_and_the_sea_in_a_frame() -> None:
    nation = sheet("provinces")
    assert set(nation["areas"]) == {code for code, region in load().regions.items() if region.level is Level.PROVINCE}
    (dashes,) = [line for line in nation["lines"] if line["kind"] == "south_china_sea_dash_line"]
    x, y, width, height = nation["inset"]["box"]
    sea = shapely.box(x, y, x + width, y + height)
    assert len(corners(dashes["d"])) == 10
    assert sum(sea.contains(shapely.LineString(dash)) for dash in corners(dashes["d"])) >= 9
    assert sum(sea.contains(shapely.Point(ring[0])) for ring in corners(nation["areas"]["460000"]["d"])) > 100


def test_hainan_has_the_sea_in_a_frame_and_guangdong_and_shanghai_their_islands() -> None:
    assert sheet("cities/460000")["inset"] is not None
    for province, city, islands in (("440000", "440400", 10), ("310000", "310151", 3)):
        assert len(corners(sheet(f"cities/{province}")["areas"][city]["d"])) >= islands


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in PRODUCT_MAPS.rglob("*.json")) < 503_000


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/geo, the boundaries, is not beside the project")
def test_they_are_what_the_build_makes_of_the_boundaries(tmp_path: Path) -> None:
    build(PRODUCT, SHARED, tmp_path)
    assert _contents(tmp_path) == _contents(PRODUCT_MAPS)


def test_those_of_the_example_are_what_the_build_makes_of_its_boundaries(tmp_path: Path) -> None:
    build(EXAMPLE, output=tmp_path)
    assert _contents(tmp_path) == _contents(EXAMPLE / "maps")


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*.json"))}
