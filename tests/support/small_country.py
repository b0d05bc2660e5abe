"""A country made up for the build of maps: two provinces with a crooked border, islands, three cities, a catalogue."""

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
import yaml

from tests.support.path_data import shape_of

DEGREES = "EPSG:4326"
REGIONS = """code,parent,level,kind,name_zh,short_zh,name_en,lon,lat,population,served
100000,,nation,nation,小国,小国,Smallland,,,,true
W,100000,province,province,西省,西,West,10.5,51,,true
E,100000,province,province,东省,东,East,11.5,51,,true
W1,W,city,city,西北市,西北,Northwest,10.5,51.5,,true
W2,W,city,city,西南市,西南,Southwest,10.5,50.5,,true
E1,E,city,city,东一市,东一,Eastone,11.5,51,,true
"""
CHANNEL = """
id: shop
name: {zh: 营业厅, en: shops}
short: {zh: 营业厅, en: shops}
sources: [{id: counter, kind: push, delivers: [{measure: contacts}], options: {token_env: T}}]
"""
PLAN: dict[str, Any] = {
    "boundaries": {
        "province": {"files": ["provinces.geojson"], "code": "id", "name": "title"},
        "city": {"files": ["cities.geojson"], "code": "id", "name": "title"},
    },
    "nation": {"projection": "EPSG:3035", "simplify": 15},
    "provinces": {"projection": "EPSG:3857"},
}


def crooked(at: float) -> float:
    """The border between west and east: its longitude at a latitude, with capes of many sizes."""
    return 11 + 0.1 * math.sin(at * 9) + 0.03 * math.sin(at * 60) + 0.004 * math.sin(at * 700)


BORDER = [(crooked(50 + step / 300), 50 + step / 300) for step in range(601)]
WEST = shapely.Polygon([(10, 52), (10, 50), *BORDER])
EAST = shapely.MultiPolygon(
    [
        shapely.Polygon([(12, 50), (12, 52), *reversed(BORDER)]),
        shapely.Polygon([(12.3, 51.0), (12.5, 51.0), (12.5, 51.2), (12.3, 51.2)]),
        shapely.Polygon([(12.6000, 50.5), (12.6001, 50.5), (12.6001, 50.5001), (12.6000, 50.5001)]),
    ]
)
"""The mainland, an island, and one of seven metres."""
NORTH, SOUTH = shapely.box(9, 51, 13, 53), shapely.box(9, 49, 13, 51)
PROVINCES = {"W": WEST, "E": EAST}
CITIES = {"W1": shapely.intersection(WEST, NORTH), "W2": shapely.intersection(WEST, SOUTH), "E1": EAST}


def table(areas: dict[str, Any] | Sequence[tuple[str, Any]], crs: str | None = DEGREES) -> gpd.GeoDataFrame:
    """Areas as a file has them; a sequence may say a code twice."""
    rows = list(areas.items()) if isinstance(areas, dict) else list(areas)
    columns = {"id": [code for code, _ in rows], "title": [f"the {code}" for code, _ in rows]}
    return gpd.GeoDataFrame(columns, geometry=[shape for _, shape in rows], crs=crs)


def write(folder: Path, name: str, areas: Any, crs: str | None = DEGREES, **more: Any) -> None:
    """A file of boundaries, of the format that its name ends in."""
    file = folder / "boundaries" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a file is written without a reference system is what is meant
        (areas if isinstance(areas, gpd.GeoDataFrame) else table(areas, crs)).to_file(file, **more)


def catalogue_folder(folder: Path, **changes: Any) -> Path:
    """The catalogue with its boundaries; `changes` are keys of its maps.yaml, None leaves one out."""
    (folder / "channels").mkdir()
    (folder / "channels" / "shop.yaml").write_text(CHANNEL, encoding="utf-8")
    (folder / "regions.csv").write_text(REGIONS, encoding="utf-8")
    plan = {key: value for key, value in (PLAN | changes).items() if value is not None}
    (folder / "maps.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    write(folder, "provinces.geojson", PROVINCES)
    write(folder, "cities.geojson", CITIES)
    return folder


def shapes(sheet: dict[str, Any]) -> dict[str, Any]:
    """The areas of a built map as geometries, read back from what a browser draws."""
    return {code: shape_of(area["d"]) for code, area in sheet["areas"].items()}
