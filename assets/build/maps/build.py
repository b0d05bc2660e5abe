"""The build of a catalogue's maps, from files of boundaries to files that pages fetch."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from assets.build.maps.drawing import Sheet, draw
from assets.build.maps.ground import Ground, cities_of, read_ground, served_provinces
from assets.build.maps.report import Report
from config.catalogue import NATION, Level, Region
from config.loading import PRODUCT, load_map_inputs
from config.maps import CENTRES, MapPlan

NATION_MAP = "provinces"
CITY_MAPS = "cities"


def build(folder: Path = PRODUCT, boundaries: Path | None = None, output: Path | None = None) -> Report:
    """Make the maps of a catalogue folder from files below `boundaries` (None: the folder of that name in it).

    `output` None: where the catalogue's windows look for them.

    1. Read plan and places, areas and lines; a file that does not name its reference system is refused.
    2. Mend geometries that are not valid, and say which.
    3. Join areas and regions by code, then centres and cities by position.
    4. Draw each map: project, lay out, snap to whole units, simplify with the borders kept, measure, place labels.
    5. Write all, and take away maps of places that have none any more.

    Raises CatalogueError with every fault before anything is written.
    """
    inputs = load_map_inputs(folder)
    ground = read_ground(inputs, boundaries or folder / "boundaries")
    sheets = dict(_sheets(ground, inputs.plan, inputs.regions))
    _write(output or inputs.output, {name: sheet.text for name, sheet in sheets.items()}, ground.centres)
    return Report(ground.mended, tuple(sheet.drawn for sheet in sheets.values()), ground.centres)


def _sheets(ground: Ground, plan: MapPlan, regions: dict[str, Region]) -> Iterator[tuple[str, Sheet]]:
    """The provinces of the nation, and the cities of each province that is served."""
    provinces, projection = ground.areas[Level.PROVINCE], ground.projections[Level.NATION]
    yield NATION_MAP, draw(NATION_MAP, provinces, ground.lines, projection, plan.nation, plan.insets.get(NATION))
    if plan.provinces is None:
        return
    cities, projection = ground.areas[Level.CITY], ground.projections[Level.PROVINCE]
    for province in served_provinces(regions):
        areas, inset = cities_of(province, cities, regions), plan.insets.get(province)
        if not areas.empty:
            lines = ground.lines if inset else ground.lines.iloc[:0]
            name = f"{CITY_MAPS}/{province}"
            yield name, draw(name, areas, lines, projection, plan.provinces, inset)


def _write(output: Path, texts: Mapping[str, str], centres: Mapping[str, str]) -> None:
    """Write every map and the cities of centres, and nothing that is no longer so stays."""
    files = {f"{name}.json": text for name, text in texts.items()}
    if centres:
        files[CENTRES] = json.dumps(centres, indent=1, sort_keys=True) + "\n"
    (output / CITY_MAPS).mkdir(parents=True, exist_ok=True)
    for old in (output / CENTRES, *(output / CITY_MAPS).glob("*.json")):
        if old.relative_to(output).as_posix() not in files:
            old.unlink(missing_ok=True)
    for name, text in files.items():
        (output / name).write_text(text, encoding="utf-8")
