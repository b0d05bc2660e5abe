"""Path data of SVG, as the maps write it, back into geometries: what a browser would draw."""

import re
from typing import Any

import shapely

RING = re.compile(r"M(-?\d+) (-?\d+)l([^MZz]*)(z?)")
NUMBER = re.compile(r"-?\d+")


def corners(data: str) -> list[list[tuple[int, int]]]:
    """Every ring or line of a path, closed where the path closes it."""
    found = []
    for x, y, moves, closed in RING.findall(data):
        numbers = [int(number) for number in NUMBER.findall(moves)]
        ring = [(int(x), int(y))]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            ring.append((ring[-1][0] + dx, ring[-1][1] + dy))
        found.append([*ring, ring[0]] if closed else ring)
    assert found, data[:80]
    assert "".join("".join(match) for match in RING.findall(data)).count("z") == data.count("z")
    return found


def is_dot(ring: list[tuple[int, int]]) -> bool:
    """Whether it is the square that stands for an island too small to be drawn."""
    x, y = ring[0]
    return ring == [(x, y), (x + 3, y), (x + 3, y + 3), (x, y + 3), (x, y)]


def shape_of(data: str) -> Any:
    """The area of a path without its dots: rings the other way round are holes."""
    rings = [shapely.LinearRing(ring) for ring in corners(data) if not is_dot(ring)]
    filled = [shapely.Polygon(ring) for ring in rings if not ring.is_ccw]
    holes = [shapely.Polygon(ring) for ring in rings if ring.is_ccw]
    polygons = []
    for area in filled:
        inside = [hole.exterior for hole in holes if area.contains(hole.representative_point())]
        polygons.append(shapely.Polygon(area.exterior, inside))
    return shapely.MultiPolygon(polygons)
