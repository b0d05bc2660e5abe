"""What a build has to say about what it did: what it mended, what it drew, where it found the centres."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.catalogue import Region


@dataclass(frozen=True)
class Mended:
    """A geometry that was not valid, and how much its area changed (km²) when it was made so."""

    place: str
    why: str
    before_km2: float
    after_km2: float

    def __str__(self) -> str:
        return f"{self.place}: {self.why}; mended, {self.before_km2:,.1f} -> {self.after_km2:,.1f} km²"


@dataclass(frozen=True)
class Overlap:
    """Two areas of the boundaries as they came that claim the same ground, in square units of the drawing."""

    one: str
    other: str
    units2: float

    def __str__(self) -> str:
        return f"{self.one} and {self.other} overlapped by {self.units2:.0f} square units; drawn once"


@dataclass(frozen=True)
class Borders:
    """What was measured on areas as they are written: the first three are nought where no border was lost."""

    crossing: int
    """Areas with an edge that is not exactly their neighbour's."""
    overlap_units2: float
    gaps: int
    """Holes between areas that simplification opened."""
    narrow: int
    """Holes that are narrow: inlets and ponds, or gaps in the boundaries that `close` in maps.yaml would close."""

    @property
    def kept(self) -> bool:
        """Whether neighbours still share every border."""
        return not (self.crossing or self.overlap_units2 or self.gaps)


@dataclass(frozen=True)
class Drawn:
    """One map."""

    name: str
    areas: int
    corners: tuple[int, int]
    """Corners of its areas before and after simplification."""
    joined: tuple[str, ...]
    """Codes of areas that were given a gap, because borders did not meet."""
    dots: int
    """Islands too small to be drawn, which stand as dots."""
    borders: Borders
    overlaps: tuple[Overlap, ...]
    size: int
    """Bytes of the file."""

    def __str__(self) -> str:
        before, after = self.corners
        made = f"{self.areas} areas, {before} -> {after} corners, {self.dots} dots"
        borders = self.borders
        left = f"{borders.overlap_units2:g} overlapping, {borders.gaps} gaps opened, {borders.narrow} narrow holes"
        return f"{self.name}: {made}; {left}; {self.size:,} bytes"


@dataclass(frozen=True)
class Report:
    """Everything that one build has to say."""

    mended: tuple[Mended, ...]
    drawn: tuple[Drawn, ...]
    centres: dict[str, str]
    """City by the code of a centre that named none."""

    def lines(self) -> Iterator[str]:
        """The report as people read it."""
        yield from map(str, self.mended)
        for drawn in self.drawn:
            yield str(drawn)
            if drawn.joined:
                yield f"  narrow gaps were closed; their ground went to {', '.join(drawn.joined)}"
            yield from (f"  {overlap}" for overlap in drawn.overlaps)
        for centre, city in self.centres.items():
            yield f"centre {centre} names no city; it stands in {city}"
        yield f"{len(self.drawn)} maps, {sum(drawn.size for drawn in self.drawn):,} bytes"


def called(region: Region) -> str:
    """A region as messages name it."""
    return f"{region.code} ({region.name.zh} / {region.name.en})"
