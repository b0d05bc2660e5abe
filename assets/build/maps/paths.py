"""Path data of SVG: whole units, each corner as the step from the one before."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import shapely

from assets.build.maps.placing import Corners

DOT = "l3 0 0 3-3 0z"


def area_path(shape: shapely.Geometry, dots: Iterable[tuple[int, int]]) -> str:
    """Every ring of an area, holes the other way round, and a square of three units for each dot."""
    rings = (_path(corners, closed=True) for corners in _rings(shape))
    return "".join([*rings, *(f"M{x - 1} {y - 1}{DOT}" for x, y in dots)])


def line_path(shape: shapely.Geometry) -> str:
    """Every line of it."""
    return "".join(_path(shapely.get_coordinates(part).round(), closed=False) for part in shapely.get_parts(shape))


def _rings(shape: shapely.Geometry) -> Iterator[Corners]:
    """Corners of every ring, in an order that depends on the shape alone."""
    for part in shapely.get_parts(shapely.normalize(shape)):
        for ring in (shapely.get_exterior_ring(part), *shapely.get_parts(shapely.boundary(part))[1:]):
            yield shapely.get_coordinates(ring)


def _path(corners: Corners, closed: bool) -> str:
    units = [(round(x), round(y)) for x, y in corners]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(units)]
    steps = [step for step in steps if step != (0, 0)]
    moves = " ".join(f"{x} {y}" for x, y in (steps[:-1] if closed else steps))
    return f"M{units[0][0]} {units[0][1]}l{moves}".replace(" -", "-") + ("z" if closed else "")
