"""Islands that lie too far off: a frame beside the land shows them, and their labels stand in it."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from assets.build.maps.build import build
from config.faults import CatalogueError
from tests.support.path_data import corners
from tests.support.small_country import CITIES, PROVINCES, catalogue_folder, shapes, write

FAR = shapely.box(20, 40, 21, 41)
INSET = {"land": {"south": 45}, "shows": {"west": 19, "east": 22, "south": 39, "north": 42}, "width": 0.2}
LINES = {"files": ["lines.geojson"], "kind": "sort"}


def country(folder: Path, **inset: Any) -> Path:
    """The small country with a third province far off in the south-east."""
    catalogue_folder(folder, insets={"100000": INSET | inset}, lines=LINES)
    rows = (folder / "regions.csv").read_text(encoding="utf-8")
    rows += "F,100000,province,province,远省,远,Far,20.5,40.5,,true\nF1,F,city,city,远市,远市,Farcity,20.5,40.5,,true\n"
    (folder / "regions.csv").write_text(rows, encoding="utf-8")
    write(folder, "provinces.geojson", {**PROVINCES, "F": FAR})
    write(folder, "cities.geojson", {**CITIES, "F1": FAR})
    dash = gpd.GeoDataFrame({"sort": ["dash"]}, geometry=[shapely.LineString([(19, 43), (22, 43)])], crs="EPSG:4326")
    write(folder, "lines.geojson", dash)
    return folder


def sheet(folder: Path, name: str = "provinces") -> dict[str, Any]:
    return dict(json.loads((folder / "maps" / f"{name}.json").read_text(encoding="utf-8")))


def box(frame: list[int]) -> Any:
    x, y, width, height = frame
    return shapely.box(x, y, x + width, y + height)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_frame_stands_at_the_bottom_beside_the_land(tmp_path: Path, side: str) -> None:
    build(country(tmp_path, side=side))
    drawn = sheet(tmp_path)
    frame, areas = box(drawn["inset"]["frame"]), shapes(drawn)
    land = shapely.union_all([areas["W"], areas["E"]])
    assert not frame.intersects(land)
    assert box(drawn["box"]).contains(frame)
    assert box(drawn["box"]).contains(land)
    assert (frame.bounds[0] < land.bounds[0]) == (side == "left")
    assert drawn["inset"]["frame"][2] == 600


def test_the_frame_shows_what_lies_beyond_and_the_drawing_does_not(tmp_path: Path) -> None:
    build(country(tmp_path))
    drawn = sheet(tmp_path)
    far = shapes(drawn)["F"]
    assert box(drawn["inset"]["box"]).contains(far)
    assert not box(drawn["box"]).intersects(far)
    shown, frame = drawn["inset"]["box"], drawn["inset"]["frame"]
    assert shown[3] / shown[2] == pytest.approx(frame[3] / frame[2], abs=0.01)


def test_the_label_of_a_far_island_stands_on_it_in_the_frame(tmp_path: Path) -> None:
    build(country(tmp_path))
    drawn = sheet(tmp_path)
    (x, y, width, _), (left, top, wide, _) = drawn["inset"]["box"], drawn["inset"]["frame"]
    at = drawn["areas"]["F"]["at"]
    back = shapely.Point(x + (at[0] - left) * width / wide, y + (at[1] - top) * width / wide)
    assert box(drawn["inset"]["frame"]).contains(shapely.Point(at))
    assert shapes(drawn)["F"].contains(back)


def test_lines_are_drawn_on_the_nation_and_not_on_a_province_without_an_inset(tmp_path: Path) -> None:
    build(country(tmp_path))
    (line,) = sheet(tmp_path)["lines"]
    assert line["kind"] == "dash"
    assert len(corners(line["d"])) == 1
    assert sheet(tmp_path, "cities/F")["lines"] == []
    assert sheet(tmp_path, "cities/F")["inset"] is None


@pytest.mark.parametrize(
    ("insets", "key", "reason"),
    [
        ({"W1": INSET}, "insets.W1", "no map is made of W1"),
        ({"100000": INSET | {"land": {"south": 80}}}, "insets.100000.land", "no area has corners there"),
    ],
)
def test_an_inset_that_fits_nothing(tmp_path: Path, insets: dict[str, Any], key: str, reason: str) -> None:
    catalogue_folder(tmp_path, insets=insets)
    with pytest.raises(CatalogueError) as caught:
        build(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.file.name, fault.key) == ("maps.yaml", key)
    assert reason in fault.reason
