"""`maps.yaml` is checked at every start, and decides nothing there; where a catalogue's maps are."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.catalogue import PRODUCT_MAPS
from config.faults import CatalogueError
from config.loading import PRODUCT, load, load_map_inputs

PLAN: dict[str, Any] = {
    "boundaries": {"province": {"files": ["p.gpkg"], "code": "id"}},
    "nation": {"projection": "EPSG:3035"},
}
REGIONS = (PRODUCT / "regions.csv").read_text(encoding="utf-8").splitlines(keepends=True)[:3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "channels").mkdir()
    return tmp_path


def write(folder: Path, plan: dict[str, Any]) -> None:
    (folder / "maps.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"inset": {}}, "inset", "unknown key"),
        ({"nation": {"projection": "EPSG:3035", "simplfy": 1}}, "nation.simplfy", "unknown key"),
        ({"nation": {}}, "nation.projection", "is missing"),
        ({"boundaries": {}}, "boundaries.province", "is missing"),
        (
            {"boundaries": {"province": {"files": ["p.gpkg", "../p.gpkg"], "code": "id"}}},
            "boundaries.province.files.1",
            "below",
        ),
        ({"boundaries": {"province": {"files": [], "code": "id"}}}, "boundaries.province.files", "at least 1"),
        ({"provinces": {"projection": "EPSG:3035"}}, "", "belong together"),
        ({"insets": {"100000": {"land": {}, "shows": {"west": 9, "east": 8}}}}, "insets.100000.shows", "west to east"),
        ({"insets": {"100000": {"land": {}, "shows": {"north": 91}}}}, "insets.100000.shows.north", "less than or"),
    ],
)
def test_a_plan_that_is_wrong_stops_the_start(folder: Path, changes: dict[str, Any], key: str, reason: str) -> None:
    write(folder, PLAN | changes)
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    (fault,) = caught.value.faults
    assert (fault.file.name, fault.key) == ("maps.yaml", key)
    assert reason in fault.reason


def test_a_good_plan_is_read(folder: Path) -> None:
    write(folder, PLAN)
    load(folder)
    inputs = load_map_inputs(folder)
    assert inputs.file == folder.resolve() / "maps.yaml"
    assert inputs.plan.nation.projection == "EPSG:3035"
    assert inputs.output == folder.resolve() / "maps"


def test_the_products_plan_is_for_the_products_places(folder: Path) -> None:
    assert load_map_inputs(folder).file == PRODUCT / "maps.yaml"
    assert load_map_inputs(PRODUCT).output == PRODUCT_MAPS
    (folder / "regions.csv").write_text("".join(REGIONS), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"maps\.yaml: is missing"):
        load_map_inputs(folder)


def test_a_folder_shows_the_products_maps_until_it_has_places_or_maps_of_its_own(folder: Path) -> None:
    assert load().maps == load(folder).maps == PRODUCT_MAPS
    (folder / "maps").mkdir()
    assert load(folder).maps == folder.resolve() / "maps"
    (folder / "maps").rmdir()
    (folder / "regions.csv").write_text("".join(REGIONS), encoding="utf-8")
    assert load(folder).maps == folder.resolve() / "maps"
