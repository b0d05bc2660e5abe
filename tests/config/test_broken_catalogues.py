"""Every fault that a catalogue can have stops the start with file, key and reason; each on a tiny broken folder."""

from pathlib import Path

import pytest
import yaml

from config.faults import CatalogueError, Fault
from config.loading import PRODUCT, load

CHANNEL = """
id: shop
name: {zh: 营业厅, en: shops}
short: {zh: 营业厅, en: shops}
sources:
  - id: counter
    kind: push
    delivers:
      - {measure: contacts}
"""
METRIC = (PRODUCT / "metrics" / "answer_rate.yaml").read_text(encoding="utf-8")
SKETCH = (PRODUCT / "sketches" / "wait_p90.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue with one good channel."""
    write(tmp_path, "channels/shop.yaml", CHANNEL)
    return tmp_path


def write(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def faults(folder: Path) -> list[tuple[str, str, str]]:
    """What loading says, files relative to the folder."""
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    return [(_relative(fault, folder), fault.key, fault.reason) for fault in caught.value.faults]


def _relative(fault: Fault, folder: Path) -> str:
    base = folder.resolve()
    return str(fault.file.relative_to(base)) if fault.file.is_relative_to(base) else str(fault.file)


def only_fault(folder: Path) -> tuple[str, str, str]:
    found = faults(folder)
    assert len(found) == 1, found
    return found[0]


def metric_with(**changes: object) -> str:
    """The answer rate's definition with some keys changed; None leaves a key out."""
    content = yaml.safe_load(METRIC) | changes
    return str(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))


def channel_with(**changes: object) -> str:
    return str(yaml.safe_dump(yaml.safe_load(CHANNEL) | changes))


def test_a_good_folder_loads(folder: Path) -> None:
    assert list(load(folder).channels) == ["shop"]


def test_a_missing_folder(tmp_path: Path) -> None:
    assert only_fault(tmp_path / "nowhere")[2] == "there is no such folder"


def test_a_folder_that_is_no_catalogue(tmp_path: Path) -> None:
    assert "is it a catalogue?" in only_fault(tmp_path)[2]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("metric.yaml", "unknown file"), ("region.csv", "unknown file"), ("channels/web.yml", "must end in .yaml")],
)
def test_a_file_that_nothing_would_read(folder: Path, name: str, reason: str) -> None:
    write(folder, name, "{}")
    file, _, said = only_fault(folder)
    assert file == name
    assert reason in said


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        (b"id: shop\nname: {zh: \xd6\xd0, en: shop}\n", "", "is not UTF-8"),
        ("- shop\n- web\n", "", "must hold `key: value` lines, not a list"),
        ("id: shop\n  name: [", "line 2", "is not good YAML"),
        (CHANNEL + "order: 1\norder: 2\n", "line 11", "key 'order' is here and on line 10"),
    ],
)
def test_a_file_that_cannot_be_read(folder: Path, text: str | bytes, key: str, reason: str) -> None:
    write(folder, "channels/shop.yaml", text)
    found = faults(folder)
    assert any(file == "channels/shop.yaml" and key == at and reason in said for file, at, said in found), found


def test_the_same_key_twice_deep_inside(folder: Path) -> None:
    write(folder, "measures.yaml", "bells:\n  name: {zh: 铃, en: bells, en: rings}\n  kind: additive\n  unit: n\n")
    assert only_fault(folder) == ("measures.yaml", "line 2", "is not good YAML: key 'en' is here and on line 2")


def test_an_unknown_key(folder: Path) -> None:
    write(folder, "channels/shop.yaml", channel_with(setle_s=5))
    assert only_fault(folder) == ("channels/shop.yaml", "setle_s", "unknown key")


def test_a_wrong_value_is_shown(folder: Path) -> None:
    write(folder, "channels/shop.yaml", channel_with(colour="green"))
    file, key, reason = only_fault(folder)
    assert (file, key) == ("channels/shop.yaml", "colour")
    assert "'green'" in reason


@pytest.mark.parametrize("element", ["meaning", "formula", "data_rule", "ownership"])
def test_a_metric_without_one_of_its_four_elements(folder: Path, element: str) -> None:
    write(folder, "metrics/answer_rate.yaml", metric_with(**{element: None}))
    assert only_fault(folder) == ("metrics/answer_rate.yaml", element, "is missing")


@pytest.mark.parametrize(
    ("formula", "key", "reason"),
    [
        ({"numerator": "answred", "denominator": "offered"}, "formula.numerator", "unknown measure 'answred'"),
        ({"numerator": "answered", "denominator": "offerd"}, "formula.denominator", "unknown measure 'offerd'"),
        ({"numerator": "answered / offered"}, "formula.numerator", "is not a measure, a sum"),
        ({"numerator": "answered * offered"}, "formula.numerator", "multiplies measures with each other"),
        ({"numerator": "answered + 1"}, "formula.numerator", "adds a plain number"),
        ({"numerator": "max(answered, offered)"}, "formula.numerator", "is not a measure, a sum"),
        ({"numerator": "longest_wait + asa"}, "formula.numerator", "must stand alone"),
    ],
)
def test_a_formula_that_cannot_stand(folder: Path, formula: dict[str, str], key: str, reason: str) -> None:
    write(folder, "metrics/answer_rate.yaml", metric_with(formula=formula))
    found = faults(folder)
    assert any(file == "metrics/answer_rate.yaml" and at == key and reason in said for file, at, said in found), found


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"warning": 0.95}, "warning", "must lie below the target"),
        ({"better": "down"}, "warning", "must lie above the target"),
        ({"target": None}, "warning", "no effect without a target"),
        ({"better": "band", "target": None, "warning": None}, "band", "is missing"),
        ({"band": [0.8, 0.9]}, "band", "has no effect"),
        ({"better": "band", "band": [0.9, 0.8], "target": None, "warning": None}, "band", "lower end must come first"),
        ({"better": "none", "warning": None}, "target", "has no effect"),
    ],
)
def test_a_target_that_contradicts_itself(folder: Path, changes: dict[str, object], key: str, reason: str) -> None:
    write(folder, "metrics/answer_rate.yaml", metric_with(**changes))
    file, at, said = only_fault(folder)
    assert (file, at) == ("metrics/answer_rate.yaml", key)
    assert reason in said


@pytest.mark.parametrize(
    ("example", "key", "reason"),
    [
        ({"measures": {"answered": 1, "offered": 2}, "value": 0.5, "variant": "F9"}, "examples.0.variant", "unknown"),
        ({"measures": {"answered": 1}, "value": 0.5}, "examples.0.measures", "differs in offered"),
    ],
)
def test_an_example_that_does_not_fit(folder: Path, example: dict[str, object], key: str, reason: str) -> None:
    other = {"measures": {"answered": 0, "offered": 0}, "value": None}
    write(folder, "metrics/answer_rate.yaml", metric_with(examples=[example, other]))
    file, at, said = only_fault(folder)
    assert (file, at) == ("metrics/answer_rate.yaml", key)
    assert reason in said


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"measure": "waitings"}, "measure", "unknown measure 'waitings'"),
        ({"measure": "longest_wait"}, "measure", "'longest_wait' is a peak; only counts that add up can be merged"),
        ({"dimension": "wait_bnd"}, "dimension", "unknown dimension 'wait_bnd'"),
        ({"share": None}, "share", "does not fit: 'wait_band' has bands of a quantity"),
        ({"dimension": "customer_mark"}, "share", "does not fit: 'customer_mark' has no bands"),
        ({"share": 90}, "share", "less than or equal to 1"),
        ({"target": 20, "warning": 10}, "warning", "must lie above the target"),
    ],
)
def test_a_sketch_that_cannot_be_read_off(folder: Path, changes: dict[str, object], key: str, reason: str) -> None:
    content = yaml.safe_load(SKETCH) | changes
    write(folder, "sketches/wait_p90.yaml", yaml.safe_dump({at: value for at, value in content.items() if value}))
    file, where, says = only_fault(folder)
    assert (file, where) == ("sketches/wait_p90.yaml", key)
    assert reason in says


def test_a_sketch_with_the_name_of_a_metric(folder: Path) -> None:
    write(folder, "sketches/asa.yaml", SKETCH.replace("id: wait_p90", "id: asa"))
    assert only_fault(folder) == ("sketches/asa.yaml", "id", "there is a metric 'asa' already")


def test_bands_finer_than_their_names_can_tell(folder: Path) -> None:
    write(folder, "dimensions.yaml", "width: {name: {zh: 宽, en: width}, accuracy: 0.0001}")
    file, key, reason = only_fault(folder)
    assert (file, key) == ("dimensions.yaml", "width.accuracy")
    assert "greater than or equal to 0.005" in reason


def test_an_entry_that_says_its_id_again(folder: Path) -> None:
    write(folder, "measures.yaml", "bells:\n  id: rings\n  name: {zh: 铃, en: bells}\n  kind: additive\n  unit: n\n")
    assert only_fault(folder) == ("measures.yaml", "bells.id", "is known already; leave it out")


def test_a_metric_whose_id_is_not_text(folder: Path) -> None:
    write(folder, "metrics/answer_rate.yaml", metric_with(id=["answer_rate"]))
    assert {fault[:2] for fault in faults(folder)} == {("metrics/answer_rate.yaml", "id")}


def test_a_metric_named_other_than_its_file(folder: Path) -> None:
    write(folder, "metrics/my_rate.yaml", METRIC)
    file, key, reason = only_fault(folder)
    assert (file, key) == ("metrics/my_rate.yaml", "id")
    assert "make them equal" in reason


def test_two_channels_with_one_id(folder: Path) -> None:
    write(folder, "channels/shop_two.yaml", CHANNEL)
    assert only_fault(folder) == ("channels/shop_two.yaml", "id", "'shop' is also the id in shop.yaml")


def test_two_channels_with_one_id_whichever_file_comes_first(folder: Path) -> None:
    write(folder, "channels/a_shop.yaml", CHANNEL)
    assert [fault[:2] for fault in faults(folder)] == [("channels/a_shop.yaml", "id")]


@pytest.mark.parametrize(
    ("delivers", "key", "reason"),
    [
        ([{"measure": "contcts"}], "sources.0.delivers.contcts", "unknown measure"),
        ([{"measure": "contacts"}] * 2, "sources.0.delivers.contacts", "would count twice"),
        ([{"measure": "contacts", "dimensions": ["colour"]}], "sources.0.delivers.contacts.dimensions", "'colour'"),
    ],
)
def test_a_delivery_that_cannot_be(folder: Path, delivers: list[object], key: str, reason: str) -> None:
    write(folder, "channels/shop.yaml", channel_with(sources=[{"id": "a", "kind": "push", "delivers": delivers}]))
    file, at, said = only_fault(folder)
    assert (file, at) == ("channels/shop.yaml", key)
    assert reason in said


def test_two_sources_with_one_id(folder: Path) -> None:
    sources = [{"id": "a", "kind": "push", "delivers": [{"measure": m}]} for m in ("contacts", "complaints")]
    write(folder, "channels/shop.yaml", channel_with(sources=sources))
    assert only_fault(folder) == ("channels/shop.yaml", "sources.1.id", "the channel has a source 'a' already")


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"zone": "Asia/Peking"}, "zone", "unknown time zone"),
        ({"zone": "../etc/passwd"}, "zone", "unknown time zone"),
        ({"interval_s": 7}, "interval_s", "does not divide a day"),
        ({"dimensions": {"colour": ["red"]}}, "dimensions", "unknown dimension 'colour'"),
    ],
)
def test_a_channel_that_cannot_be(folder: Path, changes: dict[str, object], key: str, reason: str) -> None:
    write(folder, "channels/shop.yaml", channel_with(**changes))
    file, at, said = only_fault(folder)
    assert (file, at) == ("channels/shop.yaml", key)
    assert reason in said


@pytest.mark.parametrize(
    ("must", "key"),
    [("be_between", "low"), ("be_one_of", "values"), ("not_be_one_of", "values"), ("not_precede", "other")],
)
def test_an_expectation_without_what_it_compares_with(folder: Path, must: str, key: str) -> None:
    expects = [{"rule": "AC-02", "column": "outcome", "must": must, "say": {"zh": "须可信", "en": "must be sound"}}]
    source = {"id": "a", "kind": "push", "delivers": [{"measure": "contacts"}], "expects": expects}
    write(folder, "channels/shop.yaml", channel_with(sources=[source]))
    file, at, reason = only_fault(folder)
    assert (file, at) == ("channels/shop.yaml", f"sources.0.expects.0.{key}")
    assert "is missing" in reason


REGIONS = "code,parent,level,kind,name_zh,short_zh,name_en,lon,lat,population,served\n"
NATION_ROW = "100000,,nation,nation,全国,全国,China,,,,true\n"


@pytest.mark.parametrize(
    ("rows", "key", "reason"),
    [
        ("110000,100001,province,province,甲,甲,A,,,,true\n", "110000.parent", "unknown region '100001'"),
        ("110000,110000,province,province,甲,甲,A,,,,true\n", "110000.parent", "round in a circle"),
        ("110000,,province,province,甲,甲,A,,,,true\n", "110000.parent", "only the nation"),
        ("110000,100000,county,province,甲,甲,A,,,,true\n", "line 3.level", "Input should be"),
        ("110000,100000,province,甲\n", "line 3", "must have 11 columns"),
        ("100000,,nation,nation,全国,全国,China,,,,true\n", "line 3", "is in the file twice"),
    ],
)
def test_a_region_out_of_place(folder: Path, rows: str, key: str, reason: str) -> None:
    write(folder, "regions.csv", REGIONS + NATION_ROW + rows)
    found = faults(folder)
    assert any(file == "regions.csv" and at == key and reason in said for file, at, said in found), found


def test_a_circle_of_two_regions(folder: Path) -> None:
    circle = "110000,110100,province,p,甲,甲,A,,,,true\n110100,110000,city,c,乙,乙,B,,,,true\n"
    write(folder, "regions.csv", REGIONS + NATION_ROW + circle)
    reasons = [reason for _, _, reason in faults(folder)]
    assert "the parents go round in a circle: 110000 > 110100 > 110000" in reasons


def test_regions_without_a_nation(folder: Path) -> None:
    write(folder, "regions.csv", REGIONS)
    assert only_fault(folder)[:2] == ("regions.csv", "code")


def test_regions_with_other_columns(folder: Path) -> None:
    write(folder, "regions.csv", "code,parent,name\n100000,,China\n")
    assert only_fault(folder)[:2] == ("regions.csv", "line 1")


@pytest.mark.parametrize(
    ("serves", "reason"), [("999999", "unknown region '999999'"), ("710000", "has no customers to serve")]
)
def test_a_centre_that_serves_nobody(folder: Path, serves: str, reason: str) -> None:
    write(folder, "regions.csv", (PRODUCT / "regions.csv").read_bytes())
    centre = 'C-340100-9:\n  name: {zh: 甲, en: A}\n  short: {zh: 甲, en: A}\n  parent: "340100"\n'
    write(folder, "centres.yaml", f'{centre}  serves: ["{serves}"]\n')
    file, key, said = only_fault(folder)
    assert (file, key) == ("centres.yaml", "C-340100-9.serves")
    assert reason in said


def test_words_that_differ_in_placeholders(folder: Path) -> None:
    write(folder, "words/mine.yaml", 'mine.age: {zh: "{minutes} 分钟前", en: "{min} min ago"}\n')
    file, key, reason = only_fault(folder)
    assert (file, key) == ("words/mine.yaml", "mine.age")
    assert "min, minutes" in reason


def test_words_in_two_files(folder: Path) -> None:
    write(folder, "words/a.yaml", "mine.hello: {zh: 你好, en: hello}\n")
    write(folder, "words/b.yaml", "mine.hello: {zh: 您好, en: hello}\n")
    assert only_fault(folder) == ("words/b.yaml", "mine.hello", "is also in a.yaml")


def test_words_in_one_language(folder: Path) -> None:
    write(folder, "words/a.yaml", "mine.hello: {zh: 你好}\n")
    assert only_fault(folder) == ("words/a.yaml", "mine.hello.en", "is missing")


def test_a_day_in_no_zone(folder: Path) -> None:
    write(folder, "day.yaml", "zone: Mars/Olympus\n")
    assert only_fault(folder)[:2] == ("day.yaml", "zone")


def test_rules_that_are_not_rules(folder: Path) -> None:
    write(folder, "rules.yaml", "version: 1\n")
    assert ("rules.yaml", "rules", "is missing") in faults(folder)


def test_all_faults_are_told_at_once(folder: Path) -> None:
    write(folder, "channels/shop.yaml", channel_with(setle_s=5, colour="green"))
    write(folder, "metrics/answer_rate.yaml", metric_with(ownership=None))
    write(folder, "words/a.yaml", "mine.hello: {zh: 你好}\n")
    assert {(file, key) for file, key, _ in faults(folder)} == {
        ("channels/shop.yaml", "setle_s"),
        ("channels/shop.yaml", "colour"),
        ("metrics/answer_rate.yaml", "ownership"),
        ("words/a.yaml", "mine.hello.en"),
    }


def test_one_mistake_is_told_once(folder: Path) -> None:
    """A measure that is misdefined is not also unknown to everything that uses it."""
    write(folder, "measures.yaml", "offered:\n  name: {zh: 呼入, en: offered}\n  kind: addditive\n  unit: n\n")
    file, key, _ = only_fault(folder)
    assert (file, key) == ("measures.yaml", "offered.kind")


def test_the_message_names_file_key_and_reason(folder: Path) -> None:
    write(folder, "channels/shop.yaml", channel_with(setle_s=5))
    with pytest.raises(CatalogueError, match=r"1 fault:\n  .*channels/shop\.yaml: setle_s: unknown key"):
        load(folder)


@pytest.mark.parametrize(
    ("role", "key", "reason"),
    [
        ("{name: {zh: 甲, en: a}, levels: [nation], may: [see_everything]}", "boss.may.0", "'see_hq_window'"),
        ("{name: {zh: 甲, en: a}, levels: [nation, city], may: []}", "boss.levels.1", "'nation' or 'province'"),
        ("{name: {zh: 甲, en: a}, levels: [], may: []}", "boss.levels", "at least 1 item"),
        ("{name: {zh: 甲}, levels: [nation], may: []}", "boss.name.en", "is missing"),
        ("{name: {zh: 甲, en: a}, levels: [nation], may: [], rights: []}", "boss.rights", "unknown key"),
    ],
)
def test_a_role_that_cannot_stand(folder: Path, role: str, key: str, reason: str) -> None:
    write(folder, "roles.yaml", f"boss: {role}")
    file, at, said = only_fault(folder)
    assert (file, at) == ("roles.yaml", key)
    assert reason in said


def test_a_role_is_added_to_the_products_or_replaces_one_by_name(folder: Path) -> None:
    write(folder, "roles.yaml", "wall: {name: {zh: 墙, en: w}, levels: [nation], may: [open_pages]}\n"
                                "boss: {name: {zh: 甲, en: a}, levels: [nation], may: []}\n")  # fmt: skip
    roles = load(folder).roles
    assert [action.value for action in roles["wall"].may] == ["open_pages"]
    assert list(roles) == ["wall", "executive", "province_manager", "steward", "administrator", "boss"]
