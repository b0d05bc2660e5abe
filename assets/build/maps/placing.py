"""Where things lie in a drawing: degrees become units, 3000 of which are as wide as the land; y grows downwards."""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from config.maps import Box, Inset

WIDTH = 3000
MARGIN = 20
SIDE_POINTS = 50
"""Points on a side of a box of degrees, whose sides a projection may bend."""

Shapes = npt.NDArray[Any]
"""Geometries of shapely."""
Corners = npt.NDArray[np.float64]
"""x and y, a row a corner."""
Frame = tuple[int, int, int, int]
"""Left, top, width and height in units: a viewBox of SVG."""


@dataclass(frozen=True)
class Placement:
    """A projection, and the scale and the shift that bring what it gives into the drawing."""

    projection: pyproj.CRS
    left: float
    top: float
    scale: float

    def units(self, shapes: gpd.GeoSeries) -> Shapes:
        """Geometries in units, none of them rounded."""
        units: Shapes = shapely.transform(shapes.to_crs(self.projection).to_numpy(), self._shift)
        return units

    def _shift(self, corners: Corners) -> Corners:
        return np.column_stack([(corners[:, 0] - self.left) * self.scale, (self.top - corners[:, 1]) * self.scale])


@dataclass(frozen=True)
class Layout:
    """The frames of a drawing: `box` is all of it, `inset` is what the frame shows and where it stands."""

    box: Frame
    inset: tuple[Frame, Frame] | None

    def seen(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is seen: in the drawing itself, or in the frame if only that shows it."""
        left, top, width, height = self.box
        if self.inset is None or (left <= x <= left + width and top <= y <= top + height):
            return x, y
        shown, frame = self.inset
        scale = frame[2] / shown[2]
        return frame[0] + (x - shown[0]) * scale, frame[1] + (y - shown[1]) * scale


def place(shapes: gpd.GeoSeries, projection: pyproj.CRS, land: Box | None) -> Placement:
    """The scale at which those corners that lie on the land (None: all) are as wide as the drawing."""
    projected = shapes.to_crs(projection).get_coordinates().to_numpy()
    corners = projected[_on(land, shapes)]
    left, right = corners[:, 0].min(), corners[:, 0].max()
    return Placement(projection, left, corners[:, 1].max(), WIDTH / (right - left))


def reaches(shapes: gpd.GeoSeries, land: Box) -> bool:
    """Whether enough of it lies on the land to tell how wide that is."""
    return int(_on(land, shapes).sum()) > 2


def lay_out(placement: Placement, areas: gpd.GeoSeries, lines: gpd.GeoSeries, inset: Inset | None) -> Layout:
    """The frames around the areas, and around what lines there are beside them."""
    land = inset.land if inset else None
    corners = _corners(placement, areas, land)
    if inset is None:
        return Layout(_around(corners), None)
    all_corners = np.vstack([corners, _corners(placement, lines, land)])
    shown = _whole(shapely.total_bounds(placement.units(_outline(inset.shows))))
    frame = _frame(all_corners, shown, inset)
    ends = np.array([[frame[0], frame[1]], [frame[0] + frame[2], frame[1] + frame[3]]], dtype=float)
    return Layout(_around(np.vstack([corners, ends])), (shown, frame))


def _on(land: Box | None, shapes: gpd.GeoSeries) -> npt.NDArray[np.bool_]:
    """Which corners, in degrees, lie on the land."""
    corners = shapes.get_coordinates().to_numpy()
    if land is None:
        return np.ones(len(corners), dtype=bool)
    lon, lat = corners[:, 0], corners[:, 1]
    on: npt.NDArray[np.bool_] = (lon > land.west) & (lon < land.east) & (lat > land.south) & (lat < land.north)
    return on


def _corners(placement: Placement, shapes: gpd.GeoSeries, land: Box | None) -> Corners:
    corners: Corners = shapely.get_coordinates(placement.units(shapes))[_on(land, shapes)]
    return corners


def _around(corners: Corners) -> Frame:
    """The viewBox of corners, with a margin."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return _whole((left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN))


def _frame(corners: Corners, shown: Frame, inset: Inset) -> Frame:
    """Where the inset stands: at the bottom, beside everything at that height."""
    width = round(WIDTH * inset.width)
    height = round(width * shown[3] / shown[2])
    top = round(corners[:, 1].max()) - height
    beside = corners[corners[:, 1] > top - MARGIN]
    left = beside[:, 0].max() + MARGIN if inset.side == "right" else beside[:, 0].min() - MARGIN - width
    return round(left), top, width, height


def _outline(box: Box) -> gpd.GeoSeries:
    """The sides of a box of degrees, with points on them."""
    step = max(box.east - box.west, box.north - box.south) / SIDE_POINTS
    outline = shapely.segmentize(shapely.box(box.west, box.south, box.east, box.north), step)
    return gpd.GeoSeries([outline], crs="EPSG:4326")


def _whole(bounds: Any) -> Frame:
    left, top, right, bottom = (round(bound) for bound in bounds)
    return left, top, right - left, bottom - top
