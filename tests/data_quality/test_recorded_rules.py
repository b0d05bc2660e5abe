"""Every rule that is recorded outside the audit's grid keeps the promise of its examples."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_quality.reach import Reach
from data_quality.registry import RECORDED, RULES, Dimension, recorded_rule
from data_quality.rules.accepted import AcceptedPushes, every_accepted_push_was_counted
from metrics.findings import CheckState, Finding
from tests.support.example_world import EXAMPLES, at, world
from wording.sentences import sentence

CATALOGUE = world()
FILES = sorted(file for file in EXAMPLES.glob("*/*.yaml") if file.parent.name in RECORDED)


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def pushes(told: Mapping[str, Any]) -> AcceptedPushes:
    """What an example says of the pushes of a source."""
    moments = {name: _moment(told.get(name)) for name in ("first", "last")}
    return AcceptedPushes(**{**told, **moments, "rows": tuple(told.get("rows", ()))})


def _moment(clock: str | None) -> datetime | None:
    return None if clock is None else at(clock)


def found(file: Path) -> Finding:
    return every_accepted_push_was_counted(pushes(read(file)["pushes"]))


def test_there_are_examples_of_every_recorded_rule_and_of_each_outcome() -> None:
    assert {file.parent.name for file in FILES} == set(RECORDED)
    assert {found(file).state for file in FILES} == {CheckState.PASS, CheckState.FAIL, CheckState.NA}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_finding_is_that_of_the_example(file: Path) -> None:
    finding, [wanted] = found(file), read(file)["expect"]
    told = {name: getattr(finding, name) for name in wanted.keys() - {"facts", "rows"}}
    assert told == {name: wanted[name] for name in told}
    assert len(finding.rows) == wanted.get("rows", 0)
    assert wanted.get("facts", {}).items() <= dict(finding.facts).items()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_finding_is_said_in_both_languages(file: Path) -> None:
    finding = found(file)
    assert "{" not in sentence(finding, CATALOGUE, "zh")
    assert sentence(finding, CATALOGUE, "en") == read(file).get("says", sentence(finding, CATALOGUE, "en"))


def test_every_recorded_rule_has_a_name_and_a_sentence_and_a_severity() -> None:
    keys = [key for rule in RECORDED for key in (f"rule.{rule}", f"finding.{rule}")]
    assert [key for key in keys if key not in CATALOGUE.words] == []
    assert set(RECORDED) <= set(CATALOGUE.rules.rules)


def test_a_push_that_is_not_counted_casts_doubt_on_what_its_source_delivers_until_others_outweigh_it() -> None:
    finding = found(EXAMPLES / "CP-05" / "fail.yaml")
    row = {"rule": finding.rule, "state": finding.state.value, "channel": finding.channel}
    assert Reach(CATALOGUE).doubting(row)
    assert finding.bad / finding.expected > CATALOGUE.rules.trust["doubtful_share"]


def test_a_recorded_rule_has_an_id_of_its_own() -> None:
    for taken in (*RECORDED, next(iter(RULES))):
        with pytest.raises(ValueError, match="registered twice"):
            recorded_rule(taken, dimension=Dimension.COMPLETENESS)(every_accepted_push_was_counted)
