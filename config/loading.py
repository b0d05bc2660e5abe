"""Read a folder of configuration into a `Catalogue`, or tell every fault in it at once.

A catalogue folder holds `channels/*.yaml` and whatever else it wants to say for itself; what it
leaves out, the product's own folder says. Its measures, metrics, sketches, dimensions, roles and words are
added to the product's or replace them by name; its `regions.csv` (then without the product's centres),
`centres.yaml`, `rules.yaml`, `day.yaml` and `maps.yaml` replace the product's as a whole. Options of a kind of
source are validated by that kind (`collectors.validate_options`), which configuration may not import.
"""

import csv
import json
from pathlib import Path
from typing import Any

from config.catalogue import (
    NATION,
    Catalogue,
    Channel,
    DayPlan,
    Level,
    Measure,
    Metric,
    Region,
    Role,
    RuleBook,
    Sketch,
    Text,
)
from config.consistency import consistency_faults
from config.drafts import Dimension, Draft, N, Section
from config.faults import CatalogueError, Fault
from config.maps import CENTRES, MapInputs, MapPlan, maps_folder, own_maps

PRODUCT = Path(__file__).resolve().parent
FILES = (
    "centres.yaml", "day.yaml", "dimensions.yaml", "maps.yaml", "measures.yaml", "regions.csv", "roles.yaml",
    "rules.yaml",
)  # fmt: skip
FOLDERS = ("channels", "metrics", "sketches", "words")
REGION_COLUMNS = (
    "code", "parent", "level", "kind", "name_zh", "short_zh", "name_en", "lon", "lat", "population", "served",
)  # fmt: skip


def load(folder: Path = PRODUCT) -> Catalogue:
    """The catalogue of a folder, checked across files; raises CatalogueError with every fault."""
    folder = folder.resolve()
    draft = Draft()
    _check_names(draft, folder)
    for layer in dict.fromkeys((PRODUCT, folder)):
        _read_entries(draft, layer / "measures.yaml", draft.measures, Measure)
        _read_entries(draft, layer / "dimensions.yaml", draft.dimensions, Dimension)
        _read_files(draft, layer / "metrics", draft.metrics, Metric)
        _read_files(draft, layer / "sketches", draft.sketches, Sketch)
        _read_entries(draft, layer / "roles.yaml", draft.roles, Role)
        _read_words(draft, layer / "words")
    _read_files(draft, folder / "channels", draft.channels, Channel)
    _read_places(draft, folder)
    _place_centres(draft, maps_folder(folder, PRODUCT) / CENTRES)
    _read_map_plan(draft, folder)
    day = _read_one(draft, folder, "day.yaml", DayPlan)
    rules = _read_one(draft, folder, "rules.yaml", RuleBook)
    faults = [*draft.faults, *consistency_faults(draft)]
    if faults or day is None or rules is None:
        raise CatalogueError(faults)
    return Catalogue(
        day=day,
        measures=draft.measures.nouns,
        metrics=draft.metrics.nouns,
        sketches=draft.sketches.nouns,
        channels=dict(sorted(draft.channels.nouns.items(), key=lambda item: (item[1].order, item[0]))),
        regions=draft.regions.nouns,
        dimensions={name: entry.name for name, entry in draft.dimensions.nouns.items()},
        codes={name: entry.codes for name, entry in draft.dimensions.nouns.items()},
        accuracies={name: entry.accuracy for name, entry in draft.dimensions.nouns.items() if entry.accuracy},
        rules=rules,
        roles=draft.roles.nouns,
        words=draft.words.nouns,
        maps=maps_folder(folder, PRODUCT),
    )


def load_map_inputs(folder: Path = PRODUCT) -> MapInputs:
    """What the build of maps works from; raises CatalogueError with every fault of these files."""
    folder = folder.resolve()
    draft = Draft()
    _read_places(draft, folder)
    plan = _read_map_plan(draft, folder)
    file = _map_plan_file(folder)
    if plan is None and not draft.faults:
        draft.faults.append(Fault(file, "", 'is missing; docs/extending.md, "Another country", has one'))
    if plan is None or draft.faults:
        raise CatalogueError(draft.faults)
    return MapInputs(plan, file, draft.regions.nouns, draft.regions.files, own_maps(folder, PRODUCT))


def _check_names(draft: Draft, folder: Path) -> None:
    """Refuse what would otherwise be left unread in silence: a missing folder, a misspelt file name."""
    if not (folder / "channels").is_dir():
        reason = "has no folder `channels`; is it a catalogue?" if folder.is_dir() else "there is no such folder"
        draft.faults.append(Fault(folder, "", reason))
        return
    for path in folder.iterdir():
        if path.suffix in {".yaml", ".yml", ".csv"} and path.name not in FILES:
            draft.faults.append(Fault(path, "", f"unknown file; a catalogue has {', '.join(FILES)}"))
    for path in (path for name in FOLDERS for path in (folder / name).glob("*.yml")):
        draft.faults.append(Fault(path, "", f"must end in .yaml: name it {path.stem}.yaml"))


def _read_entries(draft: Draft, file: Path, section: Section[N], model: type[N], **known: object) -> None:
    """Read a file of nouns by id, if there is one; the entries need not say what is `known`."""
    if not file.exists():
        return
    content = draft.read(file)
    if content is None:
        section.whole = False
        return
    name_key = next((key for key in ("id", "code") if key in model.model_fields), None)
    for name, entry in content.items():
        given = known | ({name_key: name} if name_key else {})
        if isinstance(entry, dict):
            for key in given.keys() & entry.keys():
                draft.faults.append(Fault(file, f"{name}.{key}", "is known already; leave it out"))
        draft.put(section, str(name), model, entry | given if isinstance(entry, dict) else entry, file, str(name))


def _read_files(draft: Draft, folder: Path, section: Section[N], model: type[N]) -> None:
    """Read a folder of one noun a file, named by its id."""
    for file in sorted(folder.glob("*.yaml")):
        content = draft.read(file)
        if content is None:
            section.whole = False
            continue
        name = content.get("id", file.stem)
        if isinstance(name, str) and name in section.files and section.files[name].parent == folder:
            draft.faults.append(Fault(file, "id", f"{name!r} is also the id in {section.files[name].name}"))
        elif name != file.stem:
            draft.faults.append(Fault(file, "id", f"is {name!r}, but the file is named {file.name}; make them equal"))
        draft.put(section, file.stem, model, content, file)


def _read_words(draft: Draft, folder: Path) -> None:
    """Read every file of words into one flat list; a key may stand in one file of a folder only."""
    for file in sorted(folder.glob("*.yaml")):
        for key, content in (draft.read(file) or {}).items():
            earlier = draft.words.files.get(key)
            if earlier is not None and earlier.parent == folder:
                draft.faults.append(Fault(file, str(key), f"is also in {earlier.name}"))
            draft.put(draft.words, str(key), Text, content, file, str(key))


def _read_one(draft: Draft, folder: Path, name: str, model: type[N]) -> N | None:
    """Read a file that holds a single noun, from the folder or else from the product."""
    file = folder / name if (folder / name).exists() else PRODUCT / name
    content = draft.read(file)
    return None if content is None else draft.make(model, content, file)


def _read_places(draft: Draft, folder: Path) -> None:
    """Read the regions and the centres in them: the folder's own, or else the product's."""
    home = folder if (folder / "regions.csv").exists() else PRODUCT
    _read_regions(draft, home / "regions.csv")
    centres = folder / "centres.yaml" if (folder / "centres.yaml").exists() else home / "centres.yaml"
    _read_entries(draft, centres, draft.regions, Region, level=Level.CENTRE, kind="centre")


def _read_map_plan(draft: Draft, folder: Path) -> MapPlan | None:
    """Read how the maps of the places are made; None, without a fault, where own regions have no plan."""
    file = _map_plan_file(folder)
    content = draft.read(file) if file.exists() else None
    return None if content is None else draft.make(MapPlan, content, file)


def _map_plan_file(folder: Path) -> Path:
    own = folder / "maps.yaml"
    return own if own.exists() or (folder / "regions.csv").exists() else PRODUCT / "maps.yaml"


def _place_centres(draft: Draft, file: Path) -> None:
    """Give centres that name no city the one in which the build of maps found them."""
    found: dict[str, str] = {}
    if file.exists():
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            draft.faults.append(Fault(file, "", f"cannot be read ({error}); build the maps again"))
    for code, region in draft.regions.nouns.items():
        if region.level is Level.CENTRE and region.parent is None and code in found:
            draft.regions.nouns[code] = region.model_copy(update={"parent": found[code]})


def _read_regions(draft: Draft, file: Path) -> None:
    """Read the table of regions, a row each."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            rows = [(f"line {table.line_num}", row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        draft.faults.append(Fault(file, "", f"cannot be read as a UTF-8 table ({error})"))
        draft.regions.whole = False
        return
    if set(table.fieldnames or ()) != set(REGION_COLUMNS):
        draft.faults.append(Fault(file, "line 1", f"the columns must be {','.join(REGION_COLUMNS)}"))
        draft.regions.whole = False
        return
    for line, row in rows:
        _put_region(draft, row, file, line)
    if draft.regions.lacks(NATION):
        draft.faults.append(Fault(file, "code", f"has no row {NATION} for the nation, in which all places lie"))


def _put_region(draft: Draft, row: dict[str, Any], file: Path, line: str) -> None:
    """Keep one row of the table of regions."""
    if None in row or None in row.values():
        draft.faults.append(Fault(file, line, f"must have {len(REGION_COLUMNS)} columns"))
        return
    if row["code"] in draft.regions.files:
        draft.faults.append(Fault(file, line, f"region {row['code']} is in the file twice"))
    english = row.pop("name_en")
    content: dict[str, Any] = {key: value for key, value in row.items() if value} | {
        "parent": row["parent"] or None,
        "name": {"zh": row["name_zh"], "en": english},
        "short": {"zh": row["short_zh"], "en": english},
    }
    del content["name_zh"], content["short_zh"]
    draft.put(draft.regions, row["code"], Region, content, file, line)
