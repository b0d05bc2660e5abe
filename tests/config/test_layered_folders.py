"""A catalogue folder beside the product's: what it replaces, what it adds, what it leaves out."""

from pathlib import Path

import pytest

from config.catalogue import Level
from config.loading import PRODUCT, load

EXAMPLES = sorted(path.parent for path in (PRODUCT.parent / "examples").glob("*/channels"))
MINE = "{zh: 我的, en: mine}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "channels").mkdir()
    return tmp_path


def test_an_empty_folder_has_the_products_words_and_none_of_its_channels(folder: Path) -> None:
    own, product = load(folder), load()
    assert own.channels == {}
    for shelf in ("measures", "metrics", "regions", "dimensions", "codes", "rules", "words", "day"):
        assert getattr(own, shelf) == getattr(product, shelf)


def test_measures_words_and_dimensions_are_added_or_replaced_by_name(folder: Path) -> None:
    (folder / "measures.yaml").write_text(
        f"bells: {{name: {MINE}, kind: additive, unit: n}}\ncontacts: {{name: {MINE}, kind: additive, unit: n}}\n"
    )
    (folder / "dimensions.yaml").write_text(f"service_type: {{name: {MINE}, codes: {{PS: {MINE}}}}}\n")
    (folder / "words").mkdir()
    (folder / "words" / "mine.yaml").write_text(f"unit.s: {MINE}\nmine.hello: {MINE}\n")
    catalogue = load(folder)
    assert catalogue.measures["bells"].name.en == "mine"
    assert catalogue.measures["contacts"].name.en == "mine"
    assert catalogue.measures["offered"] == load().measures["offered"]
    assert list(catalogue.codes["service_type"]) == ["PS"]
    assert catalogue.words["unit.s"].en == catalogue.words["mine.hello"].en == "mine"


def test_a_metric_is_replaced_by_the_folders_own(folder: Path) -> None:
    (folder / "metrics").mkdir()
    text = (PRODUCT / "metrics" / "aht.yaml").read_text(encoding="utf-8")
    text = text.replace("talk_s + hold_s + acw_s", "talk_s").replace("hold_s: 1200, acw_s: 1800, ", "")
    text = text.replace("hold_s: 0, acw_s: 0, ", "").replace("value: 180", "value: 150")
    (folder / "metrics" / "aht.yaml").write_text(text, encoding="utf-8")
    assert load(folder).metrics["aht"].formula.numerator == "talk_s"


def test_own_regions_come_without_the_products_centres(folder: Path) -> None:
    header = (PRODUCT / "regions.csv").read_text(encoding="utf-8").splitlines()[0]
    (folder / "regions.csv").write_text(f"{header}\n100000,,nation,nation,全国,全国,Nation,,,,\n", encoding="utf-8")
    catalogue = load(folder)
    assert list(catalogue.regions) == ["100000"]
    assert catalogue.regions["100000"].served


def test_own_centres_stand_in_the_products_regions(folder: Path) -> None:
    (folder / "centres.yaml").write_text(
        f'C-340100-9: {{name: {MINE}, short: {MINE}, parent: "340100", serves: ["340000"]}}\n'
    )
    assert load(folder).at_level(Level.CENTRE) == ("C-340100-9",)


def test_an_own_day(folder: Path) -> None:
    (folder / "day.yaml").write_text("zone: Asia/Jerusalem\n")
    assert load(folder).day.zone == "Asia/Jerusalem"


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_a_good_catalogue(example: Path) -> None:
    assert load(example).channels
