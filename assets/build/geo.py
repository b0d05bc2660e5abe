"""Projects boundaries (GeoJSON, WGS84) into the SVG path data that the map drawer shows.

`python assets/build/geo.py FOLDER` reads FOLDER/provinces.geojson, FOLDER/lines.geojson and
FOLDER/cities/<adcode>.geojson (where they come from: assets/geo/NOTICE) and writes assets/geo/*.json.
It runs when the boundaries change, never at installation: the browser then needs no projection, no
topology and no library, and every screen draws the same integers.

A file holds `box` (the viewBox), `inset` (the `box` of the South China Sea and the `frame` it is drawn
in, or null), `areas` (code -> path `d` and label point `at`) and `lines` (kind and path). One unit is
about 1.7 km on the map of the nation.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

Point = tuple[float, float]
Projection = Callable[[float, float], Point]
OUT = Path(__file__).resolve().parent.parent / "geo"
WIDTH = 3000
MARGIN = 20
NORTH_OF_INSET = 17.6
"""Latitude (degrees) below which places are drawn in the inset of the South China Sea."""
INSET_DEGREES = (106.0, 123.5, 2.5, 24.0)
"""West, east, south, north of the inset: the coast from Guangxi to Taiwan and the whole dash line."""
UNSERVED = ("710000", "810000", "820000")
"""Drawn on the map of the nation; the operator has no window for them."""


def albers(lon: float, lat: float) -> Point:
    """Equal-area conic, parallels 25 and 47, meridian 105: the usual one for China; y grows southwards."""
    first, second = math.radians(25), math.radians(47)
    cone = (math.sin(first) + math.sin(second)) / 2
    constant = math.cos(first) ** 2 + 2 * cone * math.sin(first)
    radius = math.sqrt(constant - 2 * cone * math.sin(math.radians(lat))) / cone
    angle = cone * math.radians(lon - 105)
    return radius * math.sin(angle), radius * math.cos(angle)


def mercator(lon: float, lat: float) -> Point:
    """Conformal: a province keeps the shape that its people know; y grows southwards."""
    return math.radians(lon), -math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))


def lines_of(geometry: dict[str, Any]) -> Iterator[list[Point]]:
    """Every ring of a polygon or line of a line string."""
    depth = {"LineString": 0, "Polygon": 1, "MultiLineString": 1, "MultiPolygon": 2}[geometry["type"]]
    found: list[Any] = [geometry["coordinates"]]
    for _ in range(depth):
        found = [inner for outer in found for inner in outer]
    yield from found


def place(features: list[dict[str, Any]], project: Projection) -> Projection:
    """The projection scaled so that everything north of the inset is WIDTH units wide, from 0, 0."""
    points = corners(features, project)
    left, top = min(x for x, _ in points), min(y for _, y in points)
    scale = WIDTH / (max(x for x, _ in points) - left)

    def placed(lon: float, lat: float) -> Point:
        x, y = project(lon, lat)
        return (x - left) * scale, (y - top) * scale

    return placed


def path(geometry: dict[str, Any], placed: Projection) -> str:
    """Path data in whole units, relative; an island too small for its rounding stays as a dot."""
    closed = "Polygon" in geometry["type"]
    parts = []
    for line in lines_of(geometry):
        units = [tuple(round(value) for value in placed(lon, lat)) for lon, lat in line]
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(units)]
        steps = [step for step in steps if step != (0, 0)]
        if closed and len(steps) < 3:
            steps = [(3, 0), (0, 3), (-3, 0), (0, -3)]
        start = f"M{units[0][0]} {units[0][1]}l"
        moves = " ".join(f"{x} {y}" for x, y in (steps[:-1] if closed else steps))
        parts.append((start + moves).replace(" -", "-") + ("z" if closed else ""))
    return "".join(parts)


def corners(features: list[dict[str, Any]], placed: Projection) -> list[Point]:
    """Every corner north of the inset, in units."""
    return [
        placed(lon, lat)
        for feature in features
        for line in lines_of(feature["geometry"])
        for lon, lat in line
        if lat > NORTH_OF_INSET
    ]


def bounds(points: list[Point], frame: list[int] | None) -> list[int]:
    """The viewBox of everything north of the inset, and of the inset's frame."""
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    if frame is not None:
        right = max(right, frame[0] + frame[2])
    return [-MARGIN, -MARGIN, round(right) + 2 * MARGIN, round(bottom) + 2 * MARGIN]


def frame_of(points: list[Point], sea: list[int]) -> list[int]:
    """Where the inset is drawn: at the bottom, right of everything at that height."""
    width = round(WIDTH * 0.15)
    height = round(width * sea[3] / sea[2])
    top = round(max(y for _, y in points)) - height
    left = round(max(x for x, y in points if y > top - MARGIN)) + MARGIN
    return [left, top, width, height]


def inset(placed: Projection) -> list[int]:
    """The viewBox of the South China Sea."""
    west, east, south, north = INSET_DEGREES
    ends = [placed(lon, lat) for lon in (west, east) for lat in (south, north)]
    left, top = min(x for x, _ in ends), min(y for _, y in ends)
    right, bottom = max(x for x, _ in ends), max(y for _, y in ends)
    return [round(left), round(top), round(right - left), round(bottom - top)]


def sheet(features: list[dict[str, Any]], lines: list[dict[str, Any]], project: Projection) -> dict[str, Any]:
    """One map as the drawer reads it."""
    placed = place(features, project)
    far_south = any(lat < NORTH_OF_INSET for f in features for line in lines_of(f["geometry"]) for _, lat in line)
    points, sea = corners(features, placed), inset(placed)
    frame = frame_of(points + corners(lines, placed), sea) if far_south else None
    return {
        "box": bounds(points, frame),
        "inset": {"box": sea, "frame": frame} if far_south else None,
        "areas": {
            feature["properties"]["adcode"]: {
                "d": path(feature["geometry"], placed),
                "at": [round(value) for value in placed(*feature["properties"]["centroid"])],
            }
            for feature in features
        },
        "lines": [
            {"kind": line["properties"]["kind"], "d": path(line["geometry"], placed)} for line in lines if far_south
        ],
    }


def main(folder: Path) -> None:
    """Write every map."""
    lines = read(folder / "lines.geojson")
    write("provinces", sheet(read(folder / "provinces.geojson"), lines, albers))
    for file in sorted((folder / "cities").glob("*.geojson")):
        if file.stem not in UNSERVED:
            write(f"cities/{file.stem}", sheet(read(file), lines, mercator))


def read(file: Path) -> list[dict[str, Any]]:
    """The features of a GeoJSON file."""
    features: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["features"]
    return features


def write(name: str, content: dict[str, Any]) -> None:
    """Write one map, small and the same every time."""
    file = OUT / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
