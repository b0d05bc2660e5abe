"""Where the name of an area stands: as far from its borders as can be, on its largest part, and always inside."""

import shapely

FINE = 0.5
"""How near to the best point is near enough, in units."""


def label_point(shape: shapely.Geometry) -> tuple[float, float]:
    """A point inside: in whole units where those are still inside, which they are not in an area of a few units."""
    parts = shapely.get_parts(shape)
    largest = parts[shapely.area(parts).argmax()]
    centre = shapely.get_point(shapely.maximum_inscribed_circle(largest, FINE), 0)
    whole = shapely.transform(centre, lambda corners: corners.round())
    x, y = shapely.get_coordinates(whole if shapely.contains_properly(largest, whole) else centre)[0]
    return float(x), float(y)
