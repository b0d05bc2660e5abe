"""Join areas to the regions of the catalogue by code: one area a region, and none left over."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import geopandas as gpd

from assets.build.maps.report import called
from config.catalogue import Level, Region
from config.faults import Fault
from config.maps import Boundaries


def unmatched(
    areas: gpd.GeoDataFrame, layer: Boundaries, level: Level, regions: Mapping[str, Region], drawn: set[str], plan: Path
) -> Iterator[Fault]:
    """A fault for every area that is no region of the level, or one twice, and for every region `drawn` without one."""
    key = f"boundaries.{level.value}"
    found: dict[str, str] = {}
    for code, name, file in zip(areas.code, areas.name, areas.file, strict=True):
        area = f"{code} ({name})" if name else str(code)
        region = regions.get(code)
        if code in layer.leave_out:
            found[code] = file
        elif code in found:
            yield Fault(Path(file), area, f"there is one in {found[code]} already; a region has one area")
        elif region is None:
            yield Fault(
                Path(file), area, f"no region of the catalogue has this code; if it is none, name it in {key}.leave_out"
            )
        elif region.level is not level:
            yield Fault(Path(file), area, f"is a {region.level} in the catalogue, not a {level}")
        else:
            found[code] = file
    for code in layer.leave_out:
        if code not in found:
            yield Fault(plan, f"{key}.leave_out", f"{code} is not among the boundaries")
    for code in sorted(drawn - found.keys()):
        yield Fault(plan, key, f"no area has the code of {called(regions[code])}")


def with_regions(areas: gpd.GeoDataFrame, drawn: set[str]) -> gpd.GeoDataFrame:
    """The areas that maps show, in the order of their codes."""
    kept: gpd.GeoDataFrame = areas[areas.code.isin(drawn)].sort_values("code").reset_index(drop=True)
    return kept
