"""Read boundaries and lines: every file that a layer names, in longitude and latitude, or a fault that says why not."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj.exceptions import CRSError

from config.faults import Fault
from config.maps import Boundaries, Layer, Lines

DEGREES = "EPSG:4326"
AREAS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")


def read_areas(layer: Boundaries, folder: Path, faults: list[Fault]) -> gpd.GeoDataFrame:
    """Areas with their `code` (as the catalogue writes it), `name` and `file`, a row a feature."""
    table = _read(layer, {"code": layer.code} | ({"name": layer.name} if layer.name else {}), AREAS, folder, faults)
    names = table["name"] if "name" in table else [""] * len(table)
    named: gpd.GeoDataFrame = table.assign(
        code=[layer.prefix + _written(code) for code in table["code"]], name=[_written(name) for name in names]
    )
    return named


def read_lines(layer: Lines, folder: Path, faults: list[Fault]) -> gpd.GeoDataFrame:
    """Lines with their `kind`, a row a feature."""
    return _read(layer, {"kind": layer.kind}, LINES, folder, faults)


def known_crs(name: str) -> pyproj.CRS | str:
    """A coordinate reference system by its name, or why PROJ does not know it."""
    try:
        return pyproj.CRS.from_user_input(name)
    except CRSError as error:
        return f"{name!r} is no coordinate reference system ({str(error).splitlines()[0]})"


def _read(
    layer: Layer, properties: dict[str, str], types: tuple[str, ...], folder: Path, faults: list[Fault]
) -> gpd.GeoDataFrame:
    """Every file of a layer, one below the other; `properties` are the columns to keep, by the name they get."""
    read: list[gpd.GeoDataFrame] = []
    for name in layer.files:
        files = sorted(folder.glob(name))
        if not files:
            faults.append(Fault(folder / name, "", "there is no such file"))
        for file in files:
            table = _read_file(file, layer, properties, types)
            if isinstance(table, Fault):
                faults.append(table)
            else:
                read.append(table)
    if not read:
        return gpd.GeoDataFrame({column: [] for column in (*properties, "file")}, geometry=[], crs=DEGREES)
    return gpd.GeoDataFrame(pd.concat(read, ignore_index=True), crs=DEGREES)


def _read_file(
    file: Path, layer: Layer, properties: dict[str, str], types: tuple[str, ...]
) -> gpd.GeoDataFrame | Fault:
    """One file in degrees, or its fault."""
    try:
        table: gpd.GeoDataFrame = gpd.read_file(file, layer=layer.layer)
    except (DataSourceError, DataLayerError) as error:
        return Fault(file, layer.layer or "", f"cannot be read: {error}")
    placed = _in_degrees(table, file, layer)
    if isinstance(placed, Fault):
        return placed
    for there in properties.values():
        if there not in placed:
            return Fault(file, there, f"there is no such property; there are {', '.join(placed.columns[:-1])}")
    kept = gpd.GeoDataFrame({column: placed[there] for column, there in properties.items()}, geometry=placed.geometry)
    return _of_type(kept.assign(file=str(file)), file, types)


def _in_degrees(table: gpd.GeoDataFrame, file: Path, layer: Layer) -> gpd.GeoDataFrame | Fault:
    """The table in longitude and latitude; a file whose reference system nobody names is refused."""
    named = None if layer.crs is None else known_crs(layer.crs)
    if isinstance(named, str):
        return Fault(file, "crs", named)
    if table.crs is None and named is None:
        return Fault(file, "crs", "the file does not say its coordinate reference system; maps.yaml must, as `crs`")
    if table.crs is not None and named is not None and not table.crs.equals(named):
        return Fault(file, "crs", f"maps.yaml says {layer.crs}, the file itself {table.crs.name}")
    return (table.set_crs(named) if table.crs is None else table).to_crs(DEGREES)


def _of_type(table: gpd.GeoDataFrame, file: Path, types: tuple[str, ...]) -> gpd.GeoDataFrame | Fault:
    """The table, unless a feature has no geometry, another kind of it, or one that is not on earth."""
    called = [_written(value) for value in table.iloc[:, 0]]
    for name, shape in zip(called, table.geometry, strict=True):
        if shape is None or shape.is_empty:
            return Fault(file, name, "has no geometry")
        if shape.geom_type not in types:
            return Fault(file, name, f"is a {shape.geom_type}; {' or '.join(types)} is needed")
        west, south, east, north = shape.bounds
        if not (west >= -180 and south >= -90 and east <= 180 and north <= 90):
            return Fault(file, name, "lies outside the degrees of the earth: is the reference system the right one?")
    return table


def _written(value: Any) -> str:
    """A property as text: a code that a file holds as a number is its digits."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
