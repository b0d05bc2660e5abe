"""Areas that share their borders: brought onto whole units together, simplified together, and measured afterwards.

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

NOBODY = -1
DOT = 9.0
"""Square units of the dot that stands for an island without a shape."""


@dataclass(frozen=True)
class Coverage:
    """Areas on whole units whose borders are exactly their neighbours'."""

    shapes: Shapes
    closed: int
    """Slivers that lay between areas and now belong to one of them."""
    overlaps: tuple[tuple[int, int, float], ...]
    """Pairs of areas (by position) that claimed the same ground, and how many square units of it."""


def snap(shapes: Shapes) -> Coverage:
    """The areas on whole units. Ground that two claim goes to the first; slivers go to whom they touch most."""
    # What is valid on the earth may cross itself by a hair once it is projected.
    shapes = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    net = shapely.union_all(shapely.boundary(shapes), grid_size=1.0)
    faces = shapely.get_parts(shapely.polygonize([net]))
    owners = _owners(faces, shapes)
    overlaps = _overlaps(shapes)
    slivers = np.flatnonzero((owners == NOBODY) & shapely.is_empty(shapely.buffer(faces, -1.0)))
    for sliver in map(int, slivers):
        owners[sliver] = _neighbour(faces, owners, sliver)
    snapped = [shapely.union_all(faces[owners == at]) for at in range(len(shapes))]
    return Coverage(np.array(snapped, dtype=object), int((owners[slivers] != NOBODY).sum()), overlaps)


def simplify(shapes: Shapes, detail: float) -> Shapes:
    """Corners whose triangle is smaller than a square of `detail` units go, from both sides of a border alike."""
    simplified: Shapes = shapely.coverage_simplify(shapes, detail)
    return simplified


def borders(before: Shapes, after: Shapes) -> Borders:
    """What is measured on simplified areas: edges that no neighbour has, ground twice covered, ground lost inside."""
    crossing = ~shapely.is_empty(shapely.coverage_invalid_edges(after))
    together, was = shapely.union_all(after), shapely.union_all(before)
    overlap = float(shapely.area(after).sum() - shapely.area(together))
    holes = _holes(together)
    lost = holes[shapely.contains_properly(was, shapely.point_on_surface(holes))] if len(holes) else holes
    return Borders(int(crossing.sum()), round(overlap, 3), round(float(shapely.area(lost).sum()), 3))


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


def _owners(faces: Shapes, shapes: Shapes) -> npt.NDArray[np.intp]:
    """Position of the first area in which the inside of a face lies."""
    owners = np.full(len(faces), NOBODY, dtype=np.intp)
    face, shape = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="intersects")
    for at, owner in sorted(zip(face, shape, strict=True), reverse=True):
        owners[at] = owner
    return owners


def _neighbour(faces: Shapes, owners: npt.NDArray[np.intp], sliver: int) -> int:
    """The area that shares the longest border with a sliver, or nobody if only the open sea touches it."""
    owned = np.flatnonzero(owners != NOBODY)
    touching = owned[shapely.STRtree(faces[owned]).query(faces[sliver], predicate="intersects")]
    lengths = shapely.length(shapely.intersection(faces[touching], faces[sliver]))
    return int(owners[touching[lengths.argmax()]]) if len(touching) and lengths.max() > 0 else NOBODY


def _overlaps(shapes: Shapes) -> tuple[tuple[int, int, float], ...]:
    """Pairs that claim at least a square unit twice."""
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs: Sequence[tuple[int, int]] = [(int(a), int(b)) for a, b in zip(one, other, strict=True) if a < b]
    areas = [(a, b, float(shapely.area(shapely.intersection(shapes[a], shapes[b])))) for a, b in pairs]
    return tuple((a, b, area) for a, b, area in sorted(areas) if area >= 1)


def _holes(shape: shapely.Geometry) -> Shapes:
    """The holes of all parts, as polygons."""
    parts = shapely.get_parts(shape)
    rings = [
        shapely.get_interior_ring(part, at) for part in parts for at in range(shapely.get_num_interior_rings(part))
    ]
    return np.array([shapely.polygons(ring) for ring in rings], dtype=object)
