"""What `maps.yaml` says: which boundaries become the maps of a catalogue, and how they are drawn.

The build of maps (`assets/build/maps`) does what stands here. A running product only checks the file, because a
mistake in it shall not wait for the day on which boundaries change.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.catalogue import PRODUCT_MAPS, Noun, Region

CENTRES = "centres.json"
"""File beside the maps: the city of every seat centre that names none, found from where it stands."""


def own_maps(folder: Path, product: Path) -> Path:
    """Where the build puts the maps of a catalogue folder; those of the product's own are files of its pages."""
    return PRODUCT_MAPS if folder == product else folder / "maps"


def maps_folder(folder: Path, product: Path) -> Path:
    """Where the maps of a catalogue folder are: its own, or the product's where the places are the product's."""
    own = own_maps(folder, product)
    return own if own.exists() or (folder / "regions.csv").exists() else PRODUCT_MAPS


def _inside(name: str) -> str:
    """Refuse a name that leads out of the folder of boundaries."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError("must lie below the folder of boundaries; name that folder with --boundaries")
    return name


FileName = Annotated[str, Field(min_length=1), AfterValidator(_inside)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


class Layer(Noun):
    """Features to read: GeoJSON, GeoPackage, Shapefile, or whatever else GDAL reads."""

    files: tuple[FileName, ...] = Field(min_length=1)
    """Names below the folder of boundaries; `*` stands for any text."""
    layer: str | None = None
    """Layer of a file that has several, such as a GeoPackage."""
    crs: str | None = None
    """Coordinate reference system of files that do not name theirs, such as `EPSG:4326`."""


class Boundaries(Layer):
    """The areas of the regions of one level."""

    code: str
    """Property that holds the region's code."""
    prefix: str = ""
    """What stands before it in the catalogue, where codes of two levels would be alike."""
    name: str | None = None
    """Property by which a feature is called in messages."""
    leave_out: tuple[str, ...] = ()
    """Codes of features that are no regions of this operator, such as lakes."""


class Lines(Layer):
    """Lines that are drawn over the areas: boundaries at sea, disputed boundaries."""

    kind: str
    """Property that names the kind, the end of the CSS class `map-line-<kind>`."""


class Drawing(Noun):
    """How maps of one level are drawn."""

    projection: str
    """Anything that PROJ reads: `EPSG:3035`, `+proj=aea +lat_1=25 +lat_2=47 +lon_0=105`."""
    simplify: float = Field(default=1.0, ge=0, le=50)
    """Size of the detail that goes, in units of the drawing, which is 3000 wide; neighbours keep their border."""
    close: float = Field(default=2.0, ge=0, le=50)
    """Gaps between areas that are narrower than this (units) go to one of them: borders of two surveys never meet."""


class Box(Noun):
    """A part of the earth, in degrees."""

    west: Longitude = -180
    east: Longitude = 180
    south: Latitude = -90
    north: Latitude = 90

    @model_validator(mode="after")
    def _has_a_size(self) -> "Box":
        if self.west >= self.east or self.south >= self.north:
            raise ValueError("must reach from west to east and from south to north")
        return self


class Inset(Noun):
    """Far islands in a frame of their own beside the land."""

    land: Box
    """What the drawing itself shows: its size is that of the corners of areas in it, not of what lies beyond."""
    shows: Box
    """What the frame shows: the same drawing again."""
    side: Literal["left", "right"] = "right"
    """On which side of the land the frame stands, at the bottom."""
    width: float = Field(default=0.15, gt=0, le=0.5)
    """Of the frame, as a part of the drawing's."""


class Areas(Noun):
    """Boundaries by level."""

    province: Boundaries
    city: Boundaries | None = None
    """None: only the nation has a map."""


class MapPlan(Noun):
    """`maps.yaml`: what is read, and how the map of the nation and those of its provinces are drawn."""

    boundaries: Areas
    lines: Lines | None = None
    """On the map of the nation, and on those with an inset."""
    nation: Drawing
    provinces: Drawing | None = None
    insets: dict[str, Inset] = Field(default_factory=dict)
    """By the code of the place whose map has one; such a map shows the lines too."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> "MapPlan":
        if (self.boundaries.city is None) != (self.provinces is None):
            raise ValueError("boundaries.city and provinces belong together: areas of cities, and how they are drawn")
        return self


@dataclass(frozen=True)
class MapInputs:
    """What the build of maps works from, besides boundaries."""

    plan: MapPlan
    file: Path
    """Where the plan stands."""
    regions: dict[str, Region]
    """Places by code; centres may be without a city."""
    region_files: dict[str, Path]
    """Where each place stands."""
    output: Path
    """Folder of the built maps."""
