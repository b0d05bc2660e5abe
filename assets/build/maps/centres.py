"""Seat centres and the cities that they stand in, joined by position."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pyproj

from assets.build.maps.reading import DEGREES
from assets.build.maps.report import called
from config.catalogue import Level, Region
from config.faults import Fault

OFF_THE_COAST_M = 5000.0
"""A centre at a harbour may lie off a coast that was simplified; so far from it the nearest city is its own."""


def cities_of_centres(
    areas: gpd.GeoDataFrame,
    regions: Mapping[str, Region],
    files: Mapping[str, Path],
    metres: pyproj.CRS,
    faults: list[Fault],
) -> dict[str, str]:
    """The city of every centre that has a position and names none; a fault where name and position contradict.

    `areas` are those of the finest level that there is, in degrees; `metres` is a projection that measures there.
    """
    centres = [region for region in regions.values() if region.level is Level.CENTRE]
    placed = [region for region in centres if region.lon is not None and region.lat is not None]
    found = _join(areas, placed, metres)
    given: dict[str, str] = {}
    for centre in placed:
        city = found.get(centre.code)
        if city is None:
            reason = f"{centre.lon}, {centre.lat} lies in no area, nor within {OFF_THE_COAST_M / 1000:g} km of one"
            faults.append(Fault(files[centre.code], f"{centre.code}.lon", reason))
        elif centre.parent is None:
            given[centre.code] = city
        elif not _one_above_the_other(city, centre.parent, regions):
            says = called(regions[centre.parent]) if centre.parent in regions else centre.parent
            reason = f"says {says}, but lon and lat lie in {called(regions[city])}"
            faults.append(Fault(files[centre.code], f"{centre.code}.parent", reason))
    return given


def _join(areas: gpd.GeoDataFrame, centres: list[Region], metres: pyproj.CRS) -> dict[str, str]:
    """The area of every centre: the one around it, or else the nearest one within reach."""
    points = gpd.GeoDataFrame(
        {"centre": [centre.code for centre in centres]},
        geometry=gpd.points_from_xy([centre.lon for centre in centres], [centre.lat for centre in centres]),
        crs=DEGREES,
    )
    shapes = areas[["code", "geometry"]]
    inside = gpd.sjoin(points, shapes, predicate="within").drop_duplicates("centre")
    outside = points[~points.centre.isin(inside.centre)]
    near = gpd.sjoin_nearest(outside.to_crs(metres), shapes.to_crs(metres), max_distance=OFF_THE_COAST_M)
    near = near.drop_duplicates("centre")
    return dict(zip(inside.centre, inside.code, strict=True)) | dict(zip(near.centre, near.code, strict=True))


def _one_above_the_other(one: str, other: str, regions: Mapping[str, Region]) -> bool:
    return one in _upwards(other, regions) or other in _upwards(one, regions)


def _upwards(code: str, regions: Mapping[str, Region]) -> list[str]:
    """A region and all that it lies in."""
    path = []
    at: str | None = code
    while at is not None and at in regions and at not in path:
        path.append(at)
        at = regions[at].parent
    return path
