"""The product's own catalogue: what it promises to hold, and that it loads quickly."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from config.catalogue import NATION, Catalogue, Level
from config.loading import load
from config.settings import ROOT

SHARED_REGIONS = ROOT.parent / "shared" / "geo" / "regions.csv"
PREFECTURE_KINDS = {"prefecture_city", "prefecture", "autonomous_prefecture", "league"}
DICTIONARY = """
manual_connect_rate_15s service_level_20s answer_rate asa aht abandonment_rate abandonment_rate_raw occupancy adherence
fcr repeat_rate transfer_rate ivr_containment steering_use steering_accept steering_complete steering_effect csat
complaint_rate complaint_on_time order_on_time queue_length longest_wait backlog agents_on_duty seats_usable
chat_concurrency first_reply_15s outbound_connect outbound_success staffing_guarantee seat_guarantee self_service_share
"""
"""The starting dictionary, less `quality_index`: a weighted mean of ratios is not linear over measures."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_it_has_every_metric_of_the_starting_dictionary(catalogue: Catalogue) -> None:
    assert set(DICTIONARY.split()) <= set(catalogue.metrics)


def test_it_has_31_and_3_provinces_333_prefectures_and_40_centres(catalogue: Catalogue) -> None:
    regions = catalogue.regions.values()
    provinces = [region for region in regions if region.level is Level.PROVINCE]
    assert len(provinces) == 34
    assert len(catalogue.at_level(Level.PROVINCE)) == 31
    assert sum(region.kind in PREFECTURE_KINDS for region in regions) == 333
    assert len(catalogue.at_level(Level.CENTRE)) == 40


def test_every_served_province_has_cities(catalogue: Catalogue) -> None:
    """Districts of municipalities and directly administered counties stand at the cities' level."""
    for province in catalogue.at_level(Level.PROVINCE):
        assert catalogue.at_level(Level.CITY, within=province), province


def test_nothing_below_an_unserved_place_is_served(catalogue: Catalogue) -> None:
    for region in catalogue.regions.values():
        if not region.served:
            assert not any(catalogue.regions[code].served for code in catalogue.below(region.code))


def test_the_nation_is_the_sum_of_its_served_provinces(catalogue: Catalogue) -> None:
    provinces = [catalogue.regions[code].population or 0 for code in catalogue.at_level(Level.PROVINCE)]
    assert catalogue.regions[NATION].population == sum(provinces) == 1_409_778_724


def test_every_city_is_served_by_a_centre_and_some_centres_serve_several_provinces(catalogue: Catalogue) -> None:
    centres = [catalogue.regions[code] for code in catalogue.at_level(Level.CENTRE)]
    reached = {city for centre in centres for code in centre.serves for city in catalogue.below(code)}
    assert set(catalogue.at_level(Level.CITY)) <= reached
    served = [{catalogue.ancestor(code, Level.PROVINCE) for code in centre.serves} for centre in centres]
    assert sum(len(provinces) > 1 for provinces in served) >= 5
    assert all(centre.seats_built and centre.lon and centre.lat for centre in centres)


def test_a_centre_stands_in_the_city_that_its_code_names(catalogue: Catalogue) -> None:
    for code in catalogue.at_level(Level.CENTRE):
        assert catalogue.regions[code].parent == code.split("-")[1]


def test_every_measure_says_what_it_counts_and_how_much_is_too_much(catalogue: Catalogue) -> None:
    for measure in catalogue.measures.values():
        assert measure.meaning is not None, measure.id
        assert measure.maximum is not None, measure.id


def test_every_quotient_has_an_example_of_no_value(catalogue: Catalogue) -> None:
    for metric in catalogue.metrics.values():
        if metric.formula.denominator is not None:
            assert any(example.value is None for example in metric.examples), metric.id


def test_every_variant_has_an_example(catalogue: Catalogue) -> None:
    for metric in catalogue.metrics.values():
        assert set(metric.variants) <= {example.variant for example in metric.examples}, metric.id


def test_names_are_in_their_language_and_short_names_are_short(catalogue: Catalogue) -> None:
    for metric in catalogue.metrics.values():
        for text in (metric.name, metric.short, metric.meaning):
            assert text.en.isascii(), text.en
            assert not text.zh.isascii(), text.zh
        assert len(metric.short.zh) <= 8, metric.id
        assert len(metric.short.en) <= 18, metric.id


def test_every_file_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading is quick because nothing is read, parsed or checked a second time."""
    read: Counter[Path] = Counter()
    as_it_is = Path.read_text

    def counting(path: Path, encoding: str | None = None) -> str:
        read[path] += 1
        text: str = as_it_is(path, encoding)
        return text

    monkeypatch.setattr(Path, "read_text", counting)
    load()
    assert len(read) > 50
    assert {path.name for path, times in read.items() if times > 1} == set()


@pytest.mark.skipif(not SHARED_REGIONS.exists(), reason="../shared/geo is not beside the project")
def test_regions_agree_with_the_survey_they_were_taken_from(catalogue: Catalogue) -> None:
    with SHARED_REGIONS.open(encoding="utf-8", newline="") as lines:
        rows = {row["adcode"]: row for row in csv.DictReader(lines) if row["adcode"] != row["parent"]}
    rows["820000"] = {"name_zh": "澳门特别行政区"} | {"parent": NATION}  # the survey has Macao twice under one code
    ours = {code: region for code, region in catalogue.regions.items() if region.level is not Level.CENTRE}
    assert set(ours) == {*rows, NATION}
    for code, row in rows.items():
        assert ours[code].name.zh == row["name_zh"]
        assert ours[code].parent == row["parent"]
