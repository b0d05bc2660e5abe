"""Areas that share their borders: joined, brought onto whole units and simplified together, and measured afterwards.

Rounding or simplifying one area at a time moves its side of a border and not its neighbour's. Here the borders of all
areas are one net of lines: it is snapped to whole units (what falls together becomes one line), each face of the net
goes back to the area in which it lay, and simplification takes corners off the net, never off one side of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from assets.build.maps.placing import Shapes
from assets.build.maps.report import Borders

NARROW = 10.0
"""Holes that are narrower than this (units) may be gaps that should have been closed."""
LEAST = 1.0
"""Square units from which it is told that ground was claimed twice or by nobody."""
DOT = 9.0
"""Square units of the dot that stands for an island without a shape."""


@dataclass(frozen=True)
class Coverage:
    """Areas on whole units whose borders are exactly their neighbours'."""

    shapes: Shapes
    joined: tuple[int, ...]
    """Areas (by position) that were given a gap."""
    overlaps: tuple[tuple[int, int, float], ...]
    """Pairs of areas that claimed the same ground, and how many square units of it."""


def snap(shapes: Shapes, close: float) -> Coverage:
    """The areas on whole units; ground that two claim goes to the first, gaps narrower than `close` to a neighbour."""
    # What is valid on the earth may cross itself by a hair once it is projected.
    shapes = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    net = shapely.union_all(shapely.boundary(shapes), grid_size=1.0)
    faces = shapely.get_parts(shapely.polygonize([net]))
    owners = _owners(faces, shapes)
    snapped = np.array([_multi(shapely.union_all(faces[owners == at])) for at in range(len(shapes))], dtype=object)
    # Closing takes corners away and makes none, so that all are whole units still.
    clean = np.array([_multi(shape) for shape in shapely.coverage_clean(snapped, gap_width=close)], dtype=object)
    joined = np.flatnonzero(shapely.area(clean) - shapely.area(snapped) >= LEAST)
    return Coverage(clean, tuple(map(int, joined)), _overlaps(shapes))


def simplify(shapes: Shapes, detail: float) -> Shapes:
    """Corners whose triangle is smaller than a square of `detail` units go, from both sides of a border alike."""
    simplified: Shapes = shapely.coverage_simplify(shapes, detail)
    return simplified


def borders(before: Shapes, after: Shapes) -> Borders:
    """What is measured on simplified areas: edges that no neighbour has, ground covered twice, new holes between."""
    crossing = ~shapely.is_empty(shapely.coverage_invalid_edges(after))
    together = shapely.union_all(after)
    overlap = float(shapely.area(after).sum() - shapely.area(together))
    holes = _holes(together)
    narrow = shapely.length(shapely.maximum_inscribed_circle(holes)) * 2 < NARROW
    gaps = len(holes) - len(_holes(shapely.union_all(before)))
    return Borders(int(crossing.sum()), round(overlap, 3), gaps, int(narrow.sum()))


def specks(shapes: Shapes, snapped: Shapes) -> list[list[tuple[int, int]]]:
    """For each area the whole units of islands that are too small to have a shape; one where it has no shape at all."""
    land = shapely.union_all(snapped)
    found: list[list[tuple[int, int]]] = []
    for shape, on_units in zip(shapes, snapped, strict=True):
        parts = shapely.get_parts(shape)
        points = shapely.get_coordinates(shapely.centroid(parts))
        lone = ~shapely.intersects(land, shapely.buffer(shapely.points(points), 1.0)) & (shapely.area(parts) < DOT)
        if on_units.is_empty:
            lone = np.arange(len(parts)) == shapely.area(parts).argmax()
        found.append(sorted({(round(x), round(y)) for x, y in points[lone]}))
    return found


def _multi(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons that it consists of; none where nothing is left of it."""
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if not part.is_empty])


def _owners(faces: Shapes, shapes: Shapes) -> npt.NDArray[np.intp]:
    """Position of the first area in which the inside of a face lies; -1 for the sea and other holes."""
    owners = np.full(len(faces), -1, dtype=np.intp)
    face, shape = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="intersects")
    for at, owner in sorted(zip(face, shape, strict=True), reverse=True):
        owners[at] = owner
    return owners


def _overlaps(shapes: Shapes) -> tuple[tuple[int, int, float], ...]:
    """Pairs that claim the same ground."""
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs: Sequence[tuple[int, int]] = [(int(a), int(b)) for a, b in zip(one, other, strict=True) if a < b]
    areas = [(a, b, float(shapely.area(shapely.intersection(shapes[a], shapes[b])))) for a, b in pairs]
    return tuple((a, b, area) for a, b, area in sorted(areas) if area >= LEAST)


def _holes(shape: shapely.Geometry) -> Shapes:
    """The holes of all parts, as polygons."""
    parts = shapely.get_parts(shape)
    rings = [
        shapely.get_interior_ring(part, at) for part in parts for at in range(shapely.get_num_interior_rings(part))
    ]
    return np.array([shapely.polygons(ring) for ring in rings], dtype=object)
