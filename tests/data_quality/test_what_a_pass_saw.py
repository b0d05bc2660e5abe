"""What passed says where: the places in which all was right, and those in which some was not or could not be judged."""

from dataclasses import replace

from data_quality import Evidence, audit
from metrics.findings import CheckState, Finding
from tests.support.example_world import batches, evidence, world

CATALOGUE = world()
BEIJING, HEBEI = "110000", "130000"


def minute(values: dict[str, float | None], measure: str = "offered") -> Evidence:
    rows = [{"measure": measure, "start": "10:00", "values": values}]
    return evidence({"now": "10:05", "interval": ["10:00", "10:01"], "observations": rows}, CATALOGUE)


def passed(seen: Evidence, rule: str, measure: str = "offered") -> Finding:
    [found] = [
        one for one in audit(seen)
        if (one.rule, one.state, one.measure, one.source) == (rule, CheckState.PASS, measure, "acd")
        and not one.about_rows
    ]  # fmt: skip
    return found


def places(found: Finding) -> tuple[object, object]:
    return found.facts.get("clean"), found.facts.get("unclear")


def test_all_places_that_were_looked_at_are_clean_where_all_is_right() -> None:
    seen = minute({"110100": 5, "130100": 7, "130200": 3})
    assert places(passed(seen, "AC-01")) == (f"{BEIJING},{HEBEI}", None)
    assert passed(seen, "AC-01").facts["groups"] == 2


def test_a_place_that_sends_nothing_is_not_among_them() -> None:
    assert places(passed(minute({"110100": 5}), "AC-01")) == (BEIJING, None)


def test_a_place_that_fails_is_not_among_them_either() -> None:
    seen = minute({"110100": 5, "130100": -7, "130200": 3})
    assert places(passed(seen, "AC-01")) == (BEIJING, None)


def test_a_place_of_which_a_part_could_not_be_judged_is_unclear() -> None:
    seen = minute({"110100": 5, "130100": -7, "130200": 3})
    found = passed(seen, "AC-02")
    assert places(found) == (BEIJING, HEBEI)
    assert (found.facts["blocked"], found.facts["root"], found.facts["groups"]) == (1, "AC-01", 2)


def test_where_all_is_unclear_nothing_is_clean() -> None:
    seen = minute({"130100": -7, "130200": 3})
    assert places(passed(seen, "AC-02")) == (None, HEBEI)


def test_what_fails_in_the_only_place_that_sent_anything_is_told_of_that_place() -> None:
    [failed] = [one for one in audit(minute({"130100": -7})) if (one.rule, one.state) == ("AC-01", CheckState.FAIL)]
    assert (failed.region, failed.facts["place"], failed.facts["places"]) == (HEBEI, "130100", 1)
    assert places(passed(minute({"130100": 7}), "AC-01")) == (HEBEI, None)


def late(number: int) -> Evidence:
    """Twenty-five minutes of a source, of which so many came an hour too late."""
    hours = [11] * number + [10] * (25 - number)
    rows = [
        {"source": "acd", "start": f"10:{n:02}", "end": f"10:{n + 1:02}", "fetched_at": f"{hour}:{n + 1:02}:20"}
        for n, hour in enumerate(hours)
    ]
    plain = evidence({"now": "12:00", "interval": ["10:00", "10:25"]}, CATALOGUE)
    return replace(plain, batches=batches(rows))


def test_a_source_that_is_wrong_seldom_enough_passes_and_is_unclear() -> None:
    assert places(passed(late(0), "TM-02", "")) == ("", None)
    assert places(passed(late(1), "TM-02", "")) == (None, "")
    assert passed(late(1), "TM-02", "").bad == 1
    assert {one.state for one in audit(late(2)) if (one.rule, one.source) == ("TM-02", "acd")} == {CheckState.FAIL}
