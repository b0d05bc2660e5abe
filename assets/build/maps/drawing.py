"""One map: areas and lines in degrees become what `assets/charts/map.js` draws."""

import json
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pyproj
import shapely

from assets.build.maps.coverage import Coverage, borders, simplify, snap, specks
from assets.build.maps.labels import label_point
from assets.build.maps.paths import area_path, line_path
from assets.build.maps.placing import Layout, Shapes, lay_out, place
from assets.build.maps.report import Drawn, Overlap
from config.maps import Drawing, Inset


class LostBorder(RuntimeError):
    """Neighbours' borders differ after simplification: whatever the boundaries are, that is a bug of the build."""


@dataclass(frozen=True)
class Sheet:
    """A map as it is written, and what is to be told of it."""

    text: str
    """JSON: `box` (the viewBox), `inset` (the `box` it shows and the `frame` it stands in, or null), `areas` (code ->
    path `d` and label point `at`) and `lines` (kind and path)."""
    drawn: Drawn


def draw(
    name: str,
    areas: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame,
    projection: pyproj.CRS,
    drawing: Drawing,
    inset: Inset | None,
) -> Sheet:
    """Project, lay out, snap, simplify, measure (LostBorder), place labels; `areas` are in degrees, a row a region."""
    placement = place(areas.geometry, projection, inset.land if inset else None)
    layout = lay_out(placement, areas.geometry, lines.geometry, inset)
    placed = placement.units(areas.geometry)
    snapped = snap(placed, drawing.close)
    shapes = simplify(snapped.shapes, drawing.simplify)
    measured = borders(snapped.shapes, shapes)
    if not measured.kept:
        raise LostBorder(f"{name}: {measured}")
    dots = specks(placed, snapped.shapes)
    content = _content(layout, list(areas.code), shapes, dots) | {
        "lines": [
            {"kind": kind, "d": line_path(shape)}
            for kind, shape in zip(lines.kind, placement.units(lines.geometry), strict=True)
        ]
    }
    text = json.dumps(content, separators=(",", ":")) + "\n"
    corners = (int(shapely.get_num_coordinates(placed).sum()), int(shapely.get_num_coordinates(shapes).sum()))
    joined = tuple(areas.code.iloc[at] for at in snapped.joined)
    overlaps = _overlaps(snapped, list(areas.code))
    drawn = Drawn(name, len(areas), corners, joined, sum(map(len, dots)), measured, overlaps, len(text))
    return Sheet(text, drawn)


def _content(layout: Layout, codes: list[str], shapes: Shapes, dots: list[list[tuple[int, int]]]) -> dict[str, Any]:
    areas = {}
    for code, shape, small in zip(codes, shapes, dots, strict=True):
        x, y = small[0] if shapely.is_empty(shape) else label_point(shape)
        areas[code] = {"d": area_path(shape, small), "at": [_short(value) for value in layout.seen(x, y)]}
    inset = {"box": layout.inset[0], "frame": layout.inset[1]} if layout.inset else None
    return {"box": layout.box, "inset": inset, "areas": areas}


def _overlaps(snapped: Coverage, codes: list[str]) -> tuple[Overlap, ...]:
    return tuple(Overlap(codes[one], codes[other], units2) for one, other, units2 in snapped.overlaps)


def _short(value: float) -> float:
    """Two decimals at most, and none that say nothing."""
    return int(value) if float(value).is_integer() else round(value, 2)
