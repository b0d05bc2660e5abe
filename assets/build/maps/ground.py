"""What maps are drawn from: boundaries that were read, mended and joined to the catalogue, or every fault in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pyproj

from assets.build.maps.centres import cities_of_centres
from assets.build.maps.matching import unmatched, with_regions
from assets.build.maps.mending import mend
from assets.build.maps.placing import reaches
from assets.build.maps.reading import DEGREES, known_crs, read_areas, read_lines
from assets.build.maps.report import Mended
from config.catalogue import NATION, Level, Region
from config.faults import CatalogueError, Fault
from config.maps import Boundaries, MapInputs


@dataclass(frozen=True)
class Ground:
    """Areas and lines in degrees, projections by the level of the place that a map shows, and what was found."""

    areas: dict[Level, gpd.GeoDataFrame]
    lines: gpd.GeoDataFrame
    projections: dict[Level, pyproj.CRS]
    mended: tuple[Mended, ...]
    centres: dict[str, str]
    """City of each centre that names none."""


def read_ground(inputs: MapInputs, folder: Path) -> Ground:
    """Read files below `folder`, mend them, join them; raises CatalogueError with every fault of the step it came to.

    Nothing is joined to what could not be read, so that one mistake is told once.
    """
    faults: list[Fault] = []
    projections = dict(_projections(inputs, faults))
    areas, mended = {}, []
    for level, layer in _layers(inputs):
        areas[level], what = mend(read_areas(layer, folder, faults))
        mended += what
    lines = read_lines(inputs.plan.lines, folder, faults) if inputs.plan.lines else _no_lines()
    _stop_at(faults)
    for level, layer in _layers(inputs):
        drawn = _drawn(level, inputs.regions)
        faults += unmatched(areas[level], layer, level, inputs.regions, drawn, inputs.file)
        areas[level] = with_regions(areas[level], drawn)
    _stop_at(faults)
    faults += _insets(inputs, areas)
    finest = areas.get(Level.CITY, areas[Level.PROVINCE])
    centres = cities_of_centres(finest, inputs.regions, inputs.region_files, projections[Level.NATION], faults)
    _stop_at(faults)
    return Ground(areas, lines, projections, tuple(mended), centres)


def served_provinces(regions: dict[str, Region]) -> list[str]:
    """The provinces that have a window, and so a map of their own."""
    return [code for code, region in regions.items() if region.level is Level.PROVINCE and region.served]


def cities_of(province: str, cities: gpd.GeoDataFrame, regions: dict[str, Region]) -> gpd.GeoDataFrame:
    """The areas that the map of a province shows."""
    of: gpd.GeoDataFrame = cities[[province_of(code, regions) == province for code in cities.code]]
    return of


def province_of(code: str, regions: dict[str, Region]) -> str | None:
    """The province that a region lies in."""
    at = regions.get(code)
    while at is not None and at.level is not Level.PROVINCE:
        at = regions.get(at.parent) if at.parent else None
    return at.code if at else None


def _layers(inputs: MapInputs) -> Iterator[tuple[Level, Boundaries]]:
    yield Level.PROVINCE, inputs.plan.boundaries.province
    if inputs.plan.boundaries.city is not None:
        yield Level.CITY, inputs.plan.boundaries.city


def _drawn(level: Level, regions: dict[str, Region]) -> set[str]:
    """Regions that a map shows: all provinces, served or not, and all cities of those that are served."""
    of_level = [code for code, region in regions.items() if region.level is level]
    if level is Level.PROVINCE:
        return set(of_level)
    served = set(served_provinces(regions))
    return {code for code in of_level if province_of(code, regions) in served}


def _projections(inputs: MapInputs, faults: list[Fault]) -> Iterator[tuple[Level, pyproj.CRS]]:
    drawings = ((Level.NATION, "nation", inputs.plan.nation), (Level.PROVINCE, "provinces", inputs.plan.provinces))
    for level, key, drawing in drawings:
        if drawing is None:
            continue
        crs = known_crs(drawing.projection)
        if isinstance(crs, str):
            faults.append(Fault(inputs.file, f"{key}.projection", crs))
        elif not crs.is_projected:
            faults.append(Fault(inputs.file, f"{key}.projection", f"{drawing.projection!r} is no projection"))
        else:
            yield level, crs


def _insets(inputs: MapInputs, areas: dict[Level, gpd.GeoDataFrame]) -> Iterator[Fault]:
    """A fault for every inset of a place that has no map, or with nothing on its land."""
    mapped = set(served_provinces(inputs.regions)) if Level.CITY in areas else set()
    for code, inset in inputs.plan.insets.items():
        if code not in {NATION} | mapped:
            yield Fault(
                inputs.file, f"insets.{code}", f"no map is made of {code}: it is neither {NATION} nor a province"
            )
            continue
        drawn = areas[Level.PROVINCE] if code == NATION else cities_of(code, areas[Level.CITY], inputs.regions)
        if not reaches(drawn.geometry, inset.land):
            yield Fault(inputs.file, f"insets.{code}.land", "no area has corners there")


def _no_lines() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"kind": []}, geometry=[], crs=DEGREES)


def _stop_at(faults: list[Fault]) -> None:
    if faults:
        raise CatalogueError(faults)
