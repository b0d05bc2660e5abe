"""Make geometries valid, and say of each what was wrong with it and what that changed."""

import geopandas as gpd
import shapely
from pyproj import Geod

from assets.build.maps.report import Mended

EARTH = Geod(ellps="WGS84")


def mend(areas: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Mended]]:
    """The areas with every geometry valid: rings that cross themselves become the parts that they enclose."""
    broken = ~areas.geometry.is_valid
    if not broken.any():
        return areas, []
    mended = areas.copy()
    mended.loc[broken, "geometry"] = areas.geometry[broken].make_valid(method="structure", keep_collapsed=False)
    told = [
        Mended(f"{code} ({name})" if name else code, shapely.is_valid_reason(before), _km2(before), _km2(after))
        for code, name, before, after in zip(
            areas.code[broken], areas.name[broken], areas.geometry[broken], mended.geometry[broken], strict=True
        )
    ]
    return mended, told


def _km2(shape: shapely.Geometry) -> float:
    """Area on the earth; a ring that crosses itself counts what it goes round twice against itself."""
    area, _ = EARTH.geometry_area_perimeter(shapely.orient_polygons(shape))
    return abs(area) / 1e6
